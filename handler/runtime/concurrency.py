"""Remote calls side by side, with no task left running afterwards."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar, overload

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")


@overload
async def gather(a: Coroutine[Any, Any, A], b: Coroutine[Any, Any, B], /) -> tuple[A, B]: ...
@overload
async def gather(
    a: Coroutine[Any, Any, A], b: Coroutine[Any, Any, B], c: Coroutine[Any, Any, C], /
) -> tuple[A, B, C]: ...
@overload
async def gather(
    a: Coroutine[Any, Any, A], b: Coroutine[Any, Any, B], c: Coroutine[Any, Any, C], d: Coroutine[Any, Any, D], /
) -> tuple[A, B, C, D]: ...
@overload
async def gather(*coroutines: Coroutine[Any, Any, A]) -> tuple[A, ...]: ...


async def gather(*coroutines: Coroutine[Any, Any, Any]) -> tuple[Any, ...]:
    """Run all side by side and return their results in order.

    If one fails, cancel **and await** the others before its exception is raised: a task that outlives its request would
    go on in the next invocation. Of several failures the first in order is raised.
    """
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        try:
            await _cancel([task for task in tasks if not task.done()])
        finally:
            # Fetch all, even if only one or none is raised: asyncio logs a failure that nobody fetched.
            failures = [task.exception() for task in tasks if not task.cancelled()]
    for failure in failures:
        if failure is not None:
            raise failure
    return tuple(task.result() for task in tasks)


async def _cancel(tasks: "list[asyncio.Task[Any]]") -> None:
    """Cancel the tasks and await them; a further cancellation from outside is delayed until they have ended."""
    interruption: asyncio.CancelledError | None = None
    for task in tasks:
        task.cancel()
    while running := [task for task in tasks if not task.done()]:
        try:
            await asyncio.wait(running)
        except asyncio.CancelledError as again:
            interruption = again
    if interruption is not None:
        raise interruption


async def gather_limited(limit: int, coroutines: list[Coroutine[Any, Any, A]]) -> list[A]:
    """Run all, `limit` at a time, and return their results in order; failures as in `gather`."""
    gate = asyncio.Semaphore(limit)

    async def gated(coroutine: Coroutine[Any, Any, A]) -> A:
        async with gate:
            return await coroutine

    try:
        return list(await gather(*[gated(coroutine) for coroutine in coroutines])) if coroutines else []
    finally:
        for coroutine in coroutines:
            coroutine.close()  # Python warns of a coroutine that was never awaited, as one is that was never started
