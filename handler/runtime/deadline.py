"""Deadlines: the moment by which work has to be done, and work that is cancelled then."""

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from handler.errors import TimedOut
from handler.runtime.clock import Clock

T = TypeVar("T")

GRACE_SECONDS: Final = 0.5  # after the deadline, for work that can say more than "timed out"
# For cancelled work to end. It has no remote call left to make; the bound only keeps a fault of ours from hanging.
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


# The deadline of the current work: of an invocation, or of a job where jobs run side by side.
_deadline: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def set_deadline(deadline: Deadline | None) -> None:
    """Set the deadline of the current task and of the tasks that it starts."""
    _deadline.set(deadline)


def remaining(now: datetime, default: float) -> float:
    """Seconds until the current task's deadline; `default` if it has none."""
    deadline = _deadline.get()
    return default if deadline is None else deadline.remaining(now)


# Work of the current task that must not be cut short: see `run_to_end`.
_unending: ContextVar["set[asyncio.Future[Any]] | None"] = ContextVar("unending", default=None)


async def run_until(clock: Clock, deadline: Deadline, work: Coroutine[Any, Any, T], *, grace: float = 0.0) -> T:
    """Return the work's result, or cancel the work `grace` seconds after its deadline. Raises TimedOut, or what it raises.

    The grace is for work that knows its deadline and ends by itself with a better answer. Cancelled work is awaited: a
    task that outlives its request would go on in the next invocation. A call that blocks a thread goes on there, so it
    may still have its effect. What runs in `run_to_end` is awaited, too.
    """
    unending: set[asyncio.Future[Any]] = set()
    task = asyncio.ensure_future(_set_deadline_and_run(deadline, unending, work))
    try:
        await asyncio.wait({task}, timeout=deadline.remaining(clock.now()) + grace)
    finally:
        if not task.done():
            task.cancel()
            if unending:
                await asyncio.wait(set(unending))
            await asyncio.wait({task}, timeout=CANCEL_SECONDS)
    if not task.done():
        raise TimedOut("cancelled at the deadline, and does not end")
    if task.cancelled():
        raise TimedOut("cancelled at the deadline")
    return task.result()


async def run_for(clock: Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """`run_until`, with a deadline that many seconds from now."""
    return await run_until(clock, Deadline.after(clock.now(), seconds), work)


async def run_to_end(clock: Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of work that nobody cuts short, because it would not be known what became of it.

    Raises TimedOut, with nothing begun, if less than `seconds` are left, or if it takes longer. If the current task is
    cancelled all the same, it ends after the work.
    """
    now = clock.now()
    if remaining(now, seconds) < seconds:
        work.close()
        raise TimedOut(f"less than {seconds} s are left")
    unending = _unending.get()
    task = asyncio.ensure_future(run_for(clock, seconds, work))
    if unending is not None:
        unending.add(task)
        task.add_done_callback(unending.discard)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


async def _set_deadline_and_run(
    deadline: Deadline, unending: "set[asyncio.Future[Any]]", work: Coroutine[Any, Any, T]
) -> T:
    set_deadline(deadline)  # in this task's own context
    _unending.set(unending)
    return await work
