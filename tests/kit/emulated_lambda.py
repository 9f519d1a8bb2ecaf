"""Execution environments as AWS runs them: its emulator and its runtime client around the artifact, on Lambda's Python.

The emulator comes with the AWS SAM CLI (`samcli/local/rapid`). One of them is one environment, and INIT is part of its first
invocation. `EmulatedEnvironment` stands in the place of `infra.local.functions.Environment`, so the local stack does the rest.
"""

import http.client
import json
import os
import platform
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, Final

from infra.artifact.build import ROOT, find_runtime
from infra.bench.cold import pinned
from infra.local.calls import with_number
from infra.local.functions import Died, Function, Result
from tests.kit.eventually import eventually

PATH: Final = "/2015-03-31/functions/function/invocations"
RUNTIME_CLIENT: Final = ("awslambdaric", "simplejson", "snapshot-restore-py")
RESERVE_SECONDS: Final = 15.0  # beside the function's time-out: INIT on a busy machine
_numbers: Final = count(1)


class ToolsMissing(Exception):
    """What this machine lacks."""


@dataclass(frozen=True)
class Tools:
    """The emulator, Lambda's Python, the runtime client's folder, and the artifact."""

    emulator: Path
    python: str
    client: Path
    artifact: Path


def find_emulator() -> tuple[Path, str]:
    """The emulator and Lambda's Python. Raises ToolsMissing."""
    sam = find_spec("samcli")
    if sam is None or not sam.submodule_search_locations:
        raise ToolsMissing("aws-sam-cli is not installed")
    emulator = Path(sam.submodule_search_locations[0]) / "local" / "rapid" / "aws-lambda-rie-x86_64"
    if platform.machine() != "x86_64" or sys.platform != "linux" or not emulator.exists():
        raise ToolsMissing("AWS's emulator does not run on this machine")
    python = find_runtime()
    if python is None:
        raise ToolsMissing("there is no Python 3.13 on the PATH or in pyenv")
    return emulator, python


def build(folder: Path) -> Tools:
    """Build the artifact for this processor, and install the runtime client. Raises ToolsMissing, CalledProcessError."""
    emulator, python = find_emulator()
    client, requirements = folder / "client", folder / "client.txt"
    requirements.write_text(pinned(RUNTIME_CLIENT))
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-deps", "--require-hashes"]
    installed = subprocess.run([*pip, f"--requirement={requirements}", f"--target={client}"], capture_output=True)
    if installed.returncode != 0:
        raise ToolsMissing("the runtime client cannot be installed for Python 3.13")
    command = [python, "-m", "infra.artifact", str(folder / "artifact"), "--host"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return Tools(emulator, python, client, folder / "artifact")


class EmulatedEnvironment:
    """One emulator. `pid` is the process of the function itself, once it was killed; until then the emulator's."""

    tools: ClassVar[Tools]

    def __init__(self, function: Function, log: Path | None) -> None:
        self.function = function
        self.number = next(_numbers)
        self.event: Any = None
        self.init = 0.0
        self._port, runtime = _free_port(), _free_port()
        addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"]
        addresses += ["--runtime-api-address", f"127.0.0.1:{runtime}"]
        run = (self.tools.python, "-S", "-m", "awslambdaric", function.handler)
        with open(os.devnull if log is None else log, "ab") as output:
            self._process = subprocess.Popen(
                [str(self.tools.emulator), *addresses, *run],
                cwd=self.tools.artifact,
                env=self._variables(),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.pid = self._process.pid
        eventually(self._listens)

    def _variables(self) -> dict[str, str]:
        given = with_number(self.function.variables, self.number)
        del given["AWS_LAMBDA_RUNTIME_API"]  # the emulator says where it is
        folders = f"{self.tools.artifact}:{self.tools.client}"
        timeout = {"AWS_LAMBDA_FUNCTION_TIMEOUT": str(int(self.function.timeout)), "PYTHONPATH": folders}
        return {**given, **timeout}

    def _listens(self) -> bool:
        with socket.socket() as trial:
            return trial.connect_ex(("127.0.0.1", self._port)) == 0

    def invoke(self, event: Any, request_id: str, trace: str) -> Result:
        """Run one invocation to its end. Raises Died."""
        self.event = event
        connection = http.client.HTTPConnection("127.0.0.1", self._port, self.function.timeout + RESERVE_SECONDS)
        try:
            connection.request("POST", PATH, json.dumps(event))
            payload = json.loads(connection.getresponse().read())
        except (OSError, ValueError, http.client.HTTPException) as fault:
            raise Died("Runtime.ExitError", f"{request_id}: the environment is gone ({fault!r})") from None
        finally:
            connection.close()
        self.event = None
        if isinstance(payload, dict) and "errorType" in payload:
            if payload["errorType"].startswith(("Runtime.", "Sandbox.")):
                raise Died(payload["errorType"], str(payload.get("errorMessage")))
            return Result(error=payload)
        return Result(payload)

    def _runtimes(self) -> list[int]:
        """The processes that the emulator started: the function's."""
        children = Path(f"/proc/{self._process.pid}/task").glob("*/children")
        with suppress(OSError):
            return [int(pid) for file in children for pid in file.read_text().split()]
        return []

    def kill(self) -> None:
        """SIGKILL for the function's process, and for the emulator around it, which would start another."""
        runtimes = self._runtimes()
        self.pid = runtimes[0] if runtimes else self.pid
        for pid in (*runtimes, self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        self.kill()
        self._process.wait()


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])
