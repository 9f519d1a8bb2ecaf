"""The folder in which the local stack remembers the table and the simulated Discord, one for each checkout."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from infra.cloudformation import TEMPLATE

_LOCK: Final = "lock"


@contextmanager
def remembered(*, fresh: bool = False) -> Iterator[Path | None]:
    """The folder, which is this process's until the block ends. None if another stack of this checkout has it.

    It is emptied first if `fresh`. The lock ends with the process, however that ends. Raises OSError.
    """
    folder = _path()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        if fresh:
            for file in folder.iterdir():
                if file.name != _LOCK:
                    file.unlink()
        yield folder


def _path() -> Path:
    """In the user's cache, beside the development environment: what is there may be deleted at any time."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    checkout = sha256(str(TEMPLATE.parent).encode()).hexdigest()[:10]
    return Path(cache) / "onethread" / f"state-{checkout}"
