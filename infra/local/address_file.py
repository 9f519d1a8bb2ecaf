"""A small file in the user's cache that tells commands in other terminals where the running stack is."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infra.local.stack import Stack


@contextmanager
def publish_addresses(stack: Stack) -> Iterator[None]:
    """Keep the file while the stack runs. There is one file for a user: of several stacks it names the last one."""
    path = _path()
    addresses = {
        "pid": os.getpid(),
        "gateway": stack.gateway.url,
        "discord": stack.discord.url,
        "invocations": stack.invocations.url,
    }
    text = json.dumps(addresses)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            if path.read_text() == text:
                path.unlink()


def read_addresses() -> dict[str, str] | None:
    """The addresses of the running stack; None if none is running."""
    try:
        addresses: dict[str, str] = json.loads(_path().read_text())
        os.kill(int(addresses["pid"]), 0)
    except (FileNotFoundError, ValueError, KeyError, ProcessLookupError):
        return None
    return addresses


def _path() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "onethread" / "local.json"
