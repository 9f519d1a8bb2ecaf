"""Waiting for other processes and threads, which no virtual clock moves."""

import threading
import time
from collections.abc import Callable
from typing import Final

PATIENCE_SECONDS: Final = 120.0  # a machine that is busy with other tests starts processes slowly
LOOK_SECONDS: Final = 0.02


def eventually(holds: Callable[[], bool]) -> None:
    """Look again and again until it holds; an AssertionError if it never does."""
    overdue, over = time.monotonic() + PATIENCE_SECONDS, threading.Event()
    while not holds():
        assert time.monotonic() < overdue, "it never came about"
        over.wait(LOOK_SECONDS)
