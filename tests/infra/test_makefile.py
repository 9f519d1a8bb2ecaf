"""The Makefile: which options reach which program, and paths with spaces."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.kit.sam_template import ROOT

# In place of Python and of uv: it notes how it was called, and makes an environment that consists of itself.
STUB: Final = """#!/bin/sh
printf '%s\\n' "$*" >> "$CALLS"
case "$1 $2" in "-m venv") mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; cp "$0" "$3/bin/uv" ;; esac
"""


def make(*arguments: str, cwd: Path = ROOT, **environ: str) -> str:
    """What make prints, with continued lines joined."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "AWS_"))}
    command = ["make", "--no-print-directory", *arguments]
    done = subprocess.run(command, cwd=cwd, env={**inherited, **environ}, capture_output=True, text=True, check=True)
    return done.stdout.replace("\\\n", "")


def sam_commands(*arguments: str) -> list[str]:
    return [line for line in make("--dry-run", "PYTHON=python3", *arguments).splitlines() if "/sam " in line]


def test_options_of_a_deployment_reach_sam_deploy_only() -> None:
    build, deploy = sam_commands("deploy", "ARGS=--guided")
    assert "sam build --parallel" in build
    assert "--guided" not in build
    assert deploy.endswith("--guided")


def test_options_of_a_build_reach_sam_build() -> None:
    assert sam_commands("build", "ARGS=--debug")[0].endswith("sam build --parallel --debug")


def test_without_a_remembered_deployment_sam_asks_with_a_name_for_the_stack() -> None:
    assert "else set -- --guided --stack-name onethread; fi;" in sam_commands("deploy")[1]


def test_an_example_runs_with_the_running_stacks_variables_or_not_at_all() -> None:
    lines = make("--dry-run", "PYTHON=python3", "example", "NAME=ask", """ARGS='deploy 42' yes""").splitlines()
    assert re.fullmatch(
        r"variables=\$\(\S+/python -m infra\.local\.client env\) && eval \"\$variables\" "
        r"&& exec \S+/python -m examples\.ask 'deploy 42' yes",
        lines[-1],
    )


@pytest.mark.parametrize("folder", ["a b", "it's here", "half 50% (new), #1"])
def test_the_checkout_and_the_cache_may_have_any_characters_in_their_paths(tmp_path: Path, folder: str) -> None:
    checkout = tmp_path / folder / "checkout"
    checkout.mkdir(parents=True)
    for name in ("Makefile", "requirements-dev.txt"):
        shutil.copy(ROOT / name, checkout)
    python, calls = checkout / "python stub", checkout / "calls"
    python.write_text(STUB)
    python.chmod(0o755)
    environ = {"XDG_CACHE_HOME": str(tmp_path / folder), "PYTHON": str(python), "CALLS": str(calls)}
    (tmp_path / folder / "onethread").mkdir()
    assert make("where", cwd=checkout, **environ).startswith(f"{tmp_path / folder}/onethread/venv-")
    calls.unlink()
    make("run", "ARGS=--no-tour", cwd=checkout, **environ)
    assert calls.read_text() == "-m infra.local --no-tour\n"  # nothing is installed a second time
