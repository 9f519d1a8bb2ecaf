"""Calls that hang until they are released and then take effect, and calls that take effect late."""

import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from infra.virtual_time import parked

T = TypeVar("T")
_PATIENCE_SECONDS: Final = 20.0  # real ones: a hanging call that nobody releases fails instead of stopping the suite


class Hanging:
    """What hangs on a wire, each call in a thread of its own, and what will land on it."""

    def __init__(self) -> None:
        self._held: list[tuple[threading.Event, threading.Event]] = []
        self._begun = threading.Semaphore(0)
        self._late: list[Callable[[], Any]] = []

    def hold(self, effect: Callable[[], T]) -> T:
        """Block this thread until `release`, then have the effect."""
        released, landed = threading.Event(), threading.Event()
        self._held.append((released, landed))
        self._begun.release()
        try:
            with parked():
                if not released.wait(_PATIENCE_SECONDS):
                    raise AssertionError("a hanging call was never released")
            return effect()
        finally:
            landed.set()

    def until_held(self, calls: int) -> None:
        """Block until so many more calls hang. They must have been begun."""
        for _ in range(calls):
            if not self._begun.acquire(timeout=_PATIENCE_SECONDS):
                raise AssertionError("a call that should hang was not made")

    def release(self) -> None:
        """Let the hanging calls go on, and wait until they have had their effect."""
        while self._held:
            released, landed = self._held.pop(0)
            released.set()
            landed.wait(_PATIENCE_SECONDS)

    def put_off(self, effect: Callable[[], Any]) -> None:
        """Keep the effect for `land`."""
        self._late.append(effect)

    def land(self) -> None:
        """Have the effects that were put off, in order."""
        while self._late:
            self._late.pop(0)()
