"""`sam`, which builds and deploys."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from infra.cloudformation import read
from infra.deployment.errors import OperatorError
from infra.deployment.saved import ROOT, quote

SAM: Final = Path(sys.executable).with_name("sam")
_NO_CHANGES: Final = "No changes to deploy"
_NAME_TAKEN: Final = re.compile(r"already exists", re.IGNORECASE)
_BUSY: Final = re.compile(r"is in \w+_IN_PROGRESS state")
_SHOWN_LINES: Final = 15  # of what a failed command printed last

# Runs a command and returns its exit status and all that it printed.
Run = Callable[[Sequence[str], Mapping[str, str]], tuple[int, str]]


def run(command: Sequence[str], environ: Mapping[str, str]) -> tuple[int, str]:
    """Run a command in the project's folder. What it prints is shown only if it fails."""
    print(f"  sam {command[1]} ... (the first time it takes minutes)", file=sys.stderr, flush=True)
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environ}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return done.returncode, done.stdout


class Sam:
    """The two commands. Raises OperatorError."""

    def __init__(self, runs: Run = run) -> None:
        self._run = runs

    def build(self) -> None:
        status, said = self._run([str(SAM), "build", "--parallel"], {"PYTHON": sys.executable, **_QUIET})
        if status:
            raise OperatorError(
                f"sam build failed.\n{_last_lines(said)}", "Correct what it says, then run the setup again."
            )

    def deploy(self, stack: str, region: str, parameters: Mapping[str, str]) -> bool:
        """Whether anything was changed."""
        overrides = [f"{name}={quote(value)}" for name, value in sorted(parameters.items())]
        options = ["--stack-name", stack, "--region", region, "--resolve-s3", "--capabilities", "CAPABILITY_IAM"]
        options += ["--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"]
        status, said = self._run([str(SAM), "deploy", *options, "--parameter-overrides", *overrides], _QUIET)
        if status and _BUSY.search(said):
            raise OperatorError(
                f"Somebody else is deploying the stack {stack}.", "Wait until that is over, then run the setup again."
            )
        if status and _NAME_TAKEN.search(said):
            raise OperatorError(
                f"A name that the stack {stack} uses is taken already.\n{_last_lines(said)}",
                "Use another --stack-name, or remove what has the name.",
            )
        if status:
            raise OperatorError(
                f"sam deploy failed.\n{_last_lines(said)}", "Correct what it says, then run the setup again."
            )
        return _NO_CHANGES not in said


_QUIET: Final = {"SAM_CLI_TELEMETRY": "0", "AWS_EC2_METADATA_DISABLED": "true"}


def revision(parameters: Mapping[str, str]) -> str:
    """A digest of all parameters: the template publishes new versions of the functions when it changes."""
    given = {name: value for name, value in parameters.items() if name != "Revision"}
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()[:12]


def check_parameters(parameters: Mapping[str, str]) -> None:
    """Raise OperatorError for the first parameter that the template does not have, or whose value it would refuse."""
    known = read()["Parameters"]
    for name, value in parameters.items():
        if name not in known:
            raise OperatorError(f"There is no parameter {name}.", f"The parameters are: {', '.join(sorted(known))}.")
        if (wrong := _fault(known[name], value)) is not None:
            raise OperatorError(
                f"{name} cannot be {value!r}: it {wrong}.", "docs/settings.md says what each parameter takes."
            )


def _fault(definition: Mapping[str, Any], value: str) -> str | None:
    allowed = [str(choice) for choice in definition.get("AllowedValues", ())]
    if allowed and value not in allowed:
        return f"must be one of {', '.join(allowed)}"
    if (pattern := definition.get("AllowedPattern")) and not re.fullmatch(pattern, value):
        return str(definition.get("ConstraintDescription", f"must match {pattern}"))
    if definition["Type"] == "Number":
        low, high = definition.get("MinValue", float("-inf")), definition.get("MaxValue", float("inf"))
        if not re.fullmatch(r"-?[0-9]+", value) or not low <= int(value) <= high:
            return f"must be a whole number from {low} to {high}"
    if not definition.get("MinLength", 0) <= len(value) <= definition.get("MaxLength", len(value)):
        return f"must have {definition.get('MinLength', 0)} to {definition['MaxLength']} characters"
    return None


def _last_lines(said: str) -> str:
    return "\n".join(f"    {line}" for line in said.strip().splitlines()[-_SHOWN_LINES:])
