"""Where the running local stack is, for commands in another terminal: a small file in the user's cache."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infra.local.stack import Stack


def whereabouts() -> Path:
    """The file. There is one for a user: of several stacks the last one started is found."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "onethread" / "local.json"


@contextmanager
def announced(stack: Stack) -> Iterator[None]:
    """Say where the stack is, as long as it runs."""
    path = whereabouts()
    text = json.dumps(
        {
            "pid": os.getpid(),
            "gateway": stack.gateway.url,
            "discord": stack.discord.url,
            "invocations": stack.invocations.url,
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            if path.read_text() == text:
                path.unlink()


def find() -> dict[str, str] | None:
    """Where the running stack is; None if there is none."""
    try:
        where: dict[str, str] = json.loads(whereabouts().read_text())
        os.kill(int(where["pid"]), 0)
    except (FileNotFoundError, ValueError, KeyError, ProcessLookupError):
        return None
    return where
