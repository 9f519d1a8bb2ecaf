"""Work that is cut off when its time is over."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from handler.clock import Clock, Deadline, set_deadline
from handler.errors import TimedOut

T = TypeVar("T")

GRACE_SECONDS: Final = 0.5  # past the deadline, for work that knows better than "timed out" why it ends
# How long cancelled work may take to end. It has nothing remote left to do; the bound only keeps a fault from hanging.
ENDING_SECONDS: Final = 0.2


async def within(clock: Clock, deadline: Deadline, work: Coroutine[Any, Any, T], *, grace: float = 0.0) -> T:
    """The work's result, if it is there `grace` seconds after its deadline; else it is cancelled where it stands.

    The work knows its deadline and may end by itself with a better answer: the grace is for that. It is awaited even
    when cut off: a task that outlives its request would go on in the next invocation. A call that blocks a thread goes
    on there all the same, so whatever the work asked for may still come about. Raises TimedOut, or what the work raises.
    """
    task = asyncio.ensure_future(_knowing(deadline, work))
    try:
        await asyncio.wait({task}, timeout=deadline.remaining(clock.now()) + grace)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=ENDING_SECONDS)
    if not task.done():
        raise TimedOut("cut off, and does not even end")
    if task.cancelled():
        raise TimedOut("cut off at the deadline")
    return task.result()


async def _knowing(deadline: Deadline, work: Coroutine[Any, Any, T]) -> T:
    set_deadline(deadline)  # in this task's own context
    return await work
