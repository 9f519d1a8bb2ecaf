"""Build the artifact."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from infra.artifact import aws_data

ROOT: Final = Path(__file__).resolve().parents[2]
RUNTIME: Final = (3, 13)  # template.yaml's Runtime; bytecode works with one minor version only
TASK_ROOT: Final = "/var/task"  # where Lambda unpacks the artifact; tracebacks show it

# All three: with a newer one alone, pip silently installs old releases that happen to name it.
LAMBDA_PLATFORM: Final = (
    "--platform=manylinux_2_34_aarch64",
    "--platform=manylinux_2_28_aarch64",
    "--platform=manylinux2014_aarch64",
    "--only-binary=:all:",
    f"--python-version={RUNTIME[0]}.{RUNTIME[1]}",
    "--implementation=cp",
)

AMAZON_ROOTS: Final = "handler/aws/amazon_roots.pem"  # where `handler.aws.session` looks for it


def build(into: Path, platform: Sequence[str]) -> None:
    """Fill ``into`` with the artifact. ``platform``: pip's options for wheels; none: those of this machine."""
    into.mkdir(parents=True, exist_ok=True)
    install(into, platform)
    shutil.rmtree(into / "bin", ignore_errors=True)  # shell commands
    aws_data.prune(into / "botocore" / "data")
    shutil.copytree(ROOT / "handler", into / "handler", ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    write_amazon_roots(into)
    python = sys.executable if not platform else find_runtime()
    if python is None:
        version = ".".join(map(str, RUNTIME))
        say(f"no python{version} here, so there is no bytecode: each cold start takes about half a second longer.")
    else:
        compile_bytecode(into, python)


def install(into: Path, platform: Sequence[str]) -> None:
    """Install what requirements.txt pins, by hash. Raises CalledProcessError if pip fails; pip says why."""
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--no-deps",
        "--no-compile",
    ]
    requirements = ["--require-hashes", f"--requirement={ROOT / 'requirements.txt'}"]
    subprocess.run([*pip, *requirements, *platform, f"--target={into}"], check=True)


def write_amazon_roots(into: Path) -> None:
    """Put the root certificates of AWS's endpoints in a file of their own."""
    roots = aws_data.amazon_roots(into / "botocore" / "cacert.pem")
    if roots is None:
        say("botocore's bundle lacks a root of Amazon's: each new connection to AWS takes 20 ms longer.")
    else:
        (into / AMAZON_ROOTS).write_text(roots)


def compile_bytecode(into: Path, python: str) -> None:
    """Compile now: Lambda cannot write to its code directory, and would compile on each cold start."""
    paths = ["-s", str(into), "-p", TASK_ROOT]
    # Files get new times on their way to Lambda, so a check by time would discard the bytecode.
    command = [python, "-m", "compileall", "-q", *paths, "--invalidation-mode", "unchecked-hash", str(into)]
    subprocess.run(command, env={**os.environ, "PYTHONPYCACHEPREFIX": ""}, check=True)  # beside the sources


def find_runtime() -> str | None:
    """The path of a Python of Lambda's minor version that really runs (a version switcher's shim may refuse), if there is one."""
    for candidate in runtime_candidates():
        try:
            answer = subprocess.run(
                [candidate, "-c", "import sys; print(*sys.version_info[:2], sys.executable, sep='\\n')"],
                capture_output=True,
                text=True,
            )
        except OSError:
            continue
        *version, path = answer.stdout.splitlines() or [""]
        if version == [str(number) for number in RUNTIME]:
            return path
    return None


def runtime_candidates() -> Iterator[str]:
    version = ".".join(map(str, RUNTIME))
    yield from (sys.executable, f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from (str(path) for path in sorted(pyenv.glob(f"versions/{version}.*/bin/python"), reverse=True))


def say(text: str) -> None:
    print(f"artifact: {text}", file=sys.stderr)
