"""Where execution environments come from: one process that has imported what all of them need, and forks.

A cold start is real here (a process of its own, the handler's module imported, its clients built), but reading the same
libraries fifty times for fifty people at once would be the machine's limit, not the product's.

    stack ── {"handler", "variables"} and the environment's channel ──> nursery ──fork──> environment
          <── its pid ──

Run as a module it is the process; `Nursery` is the handle on it. When the handle or its whole process goes, all
environments go: the nursery and they are a session of their own, which Ctrl-C in a terminal does not reach either.
"""

import gc
import importlib
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import handler
from infra.local import framing

ROOT: Final = Path(__file__).resolve().parents[2]
# What the handlers import only when they build their clients.
IMPORTED_LATER: Final = (
    "boto3.session",
    "botocore.config",
    "botocore.exceptions",
    "httpcore",
    "httpx",
    "encodings.utf_16_le",
)
CLIENTS: Final = ("dynamodb", "sqs", "ssm")


class Nursery:
    """The handle. `logs` is where environments write: a file's descriptor."""

    def __init__(self, logs: int) -> None:
        self._lock = threading.Lock()
        self._channel, theirs = socket.socketpair()
        with theirs:
            self._running = subprocess.Popen(
                [sys.executable, "-m", "infra.local.nursery", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=logs,
                stderr=logs,
                cwd=ROOT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._running.pid

    def fork(self, handler: str, variables: Mapping[str, str]) -> tuple[int, socket.socket]:
        """A new environment: its pid, and the channel on which it says first that it is ready. Raises EOFError, OSError."""
        ours, theirs = socket.socketpair()
        try:
            with theirs, self._lock:
                document = framing.pack({"handler": handler, "variables": dict(variables)})
                # The descriptor travels with the first byte; what a full buffer leaves is sent after it.
                sent = socket.send_fds(self._channel, [document], [theirs.fileno()])
                self._channel.sendall(document[sent:])
                return int(framing.receive(self._channel)["pid"]), ours
        except (OSError, EOFError):
            ours.close()
            raise

    def close(self) -> None:
        """End the nursery and all environments."""
        with suppress(ProcessLookupError):
            os.killpg(self._running.pid, signal.SIGKILL)
        self._running.wait()
        with self._lock:
            self._channel.close()


def main(descriptor: int) -> None:
    """Import, then fork one environment for each request, until the stack has gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # environments that end leave nothing to be collected
    prepare()
    with socket.socket(fileno=descriptor) as channel:
        while (request := _next(channel)) is not None:
            document, theirs = request
            pid = os.fork()
            if pid == 0:
                channel.close()
                _be_an_environment(document, theirs)
            os.close(theirs)
            framing.send(channel, {"pid": pid})
    os.killpg(os.getpgid(0), signal.SIGKILL)


def prepare() -> None:
    """Import whatever environments import, and read the models of AWS's services once for all of them."""
    everything = [module.name for module in pkgutil.walk_packages(handler.__path__, "handler.")]
    for name in (*everything, *IMPORTED_LATER):
        importlib.import_module(name)
    importlib.import_module("handler.bootstrap").import_lazy_modules()
    _share_aws_models()
    gc.freeze()  # environments share these pages with the nursery, as long as no collector touches them


def _share_aws_models() -> None:
    """Botocore reads a megabyte of JSON for each session: let all sessions have one reader, which keeps what it read."""
    import botocore.session
    from boto3.session import Session

    shared = botocore.session.create_loader()
    botocore.session.create_loader = lambda *_: shared
    session = Session(region_name="us-east-1", aws_access_key_id="made-up", aws_secret_access_key="made-up")
    for name in CLIENTS:
        session.client(name).close()


def _next(channel: socket.socket) -> tuple[Any, int] | None:
    """The next request, and the environment's end of its channel."""
    data, descriptors, _, _ = socket.recv_fds(channel, 1 << 16, 1)
    if not data:
        return None
    return framing.complete(channel, data), descriptors[0]


def _be_an_environment(document: Mapping[str, Any], descriptor: int) -> None:
    from infra.local.environment import live

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        with socket.socket(fileno=descriptor) as channel:
            live(channel, document["handler"], document["variables"])
    finally:
        sys.stdout.flush()
        os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
