"""Deadlines: the moment by which work has to be done, and work that is cut off then."""

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from handler.errors import TimedOut
from handler.runtime.clock import Clock

T = TypeVar("T")

GRACE_SECONDS: Final = 0.5  # past the deadline, for work that knows better than "timed out" why it ends
# How long cancelled work may take to end. It has nothing remote left to do; the bound only keeps a fault from hanging.
CANCEL_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment by which a piece of work has to be done."""

    at: datetime

    def remaining(self, now: datetime) -> float:
        """Seconds left, never negative."""
        return max(0.0, (self.at - now).total_seconds())

    @classmethod
    def after(cls, now: datetime, seconds: float) -> "Deadline":
        return cls(now + timedelta(seconds=seconds))


# The deadline of the work that is running: an invocation's, or a job's where jobs run side by side.
_deadline: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def set_deadline(deadline: Deadline | None) -> None:
    """Make `deadline` that of the current task and of the tasks it starts."""
    _deadline.set(deadline)


def remaining(now: datetime, default: float) -> float:
    """Seconds until the current task's deadline; `default` where there is none."""
    deadline = _deadline.get()
    return default if deadline is None else deadline.remaining(now)


async def run_until(clock: Clock, deadline: Deadline, work: Coroutine[Any, Any, T], *, grace: float = 0.0) -> T:
    """The work's result, if it is there `grace` seconds after its deadline; else it is cancelled where it stands.

    The work knows its deadline and may end by itself with a better answer: the grace is for that. It is awaited even
    when cut off: a task that outlives its request would go on in the next invocation. A call that blocks a thread goes
    on there all the same, so whatever the work asked for may still come about. Raises TimedOut, or what the work raises.
    """
    task = asyncio.ensure_future(_with_deadline(deadline, work))
    try:
        await asyncio.wait({task}, timeout=deadline.remaining(clock.now()) + grace)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=CANCEL_SECONDS)
    if not task.done():
        raise TimedOut("cut off, and does not even end")
    if task.cancelled():
        raise TimedOut("cut off at the deadline")
    return task.result()


async def _with_deadline(deadline: Deadline, work: Coroutine[Any, Any, T]) -> T:
    set_deadline(deadline)  # in this task's own context
    return await work
