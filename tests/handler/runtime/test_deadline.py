"""Work is cut off at its deadline, and awaited."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from handler.errors import StoreUnavailable, TimedOut
from handler.runtime.deadline import Deadline, remaining, run_to_end, run_until
from infra.virtual_time import START, LoopClock

CLOCK = LoopClock()


def limited(work: Coroutine[Any, Any, Any], seconds: float, **more: Any) -> Any:
    return run_until(CLOCK, Deadline.after(START, seconds), work, **more)


async def slow(seconds: float, trace: list[str] | None = None) -> str:
    try:
        await asyncio.sleep(seconds)
    finally:
        if trace is not None:
            trace.append("ended")
    return "done"


async def test_work_done_in_time_gives_its_result() -> None:
    assert await limited(slow(1.0), 2.0) == "done"


async def test_work_that_fails_raises_its_own_error() -> None:
    async def failing() -> None:
        raise StoreUnavailable

    with pytest.raises(StoreUnavailable):
        await limited(failing(), 2.0)


async def test_work_not_done_in_time_is_cancelled_and_awaited() -> None:
    trace: list[str] = []
    with pytest.raises(TimedOut):
        await limited(slow(9.0, trace), 2.0)
    assert trace == ["ended"]
    assert len(asyncio.all_tasks()) == 1
    assert asyncio.get_running_loop().time() == pytest.approx(2.0)


async def test_a_deadline_that_has_passed_leaves_no_time() -> None:
    with pytest.raises(TimedOut):
        await limited(slow(0.1), -5.0)


async def test_in_the_grace_work_that_knows_its_deadline_can_answer_better() -> None:
    async def knowing() -> str:
        await asyncio.sleep(remaining(CLOCK.now(), 99.0) + 0.1)
        return "a better answer"

    assert await limited(knowing(), 2.0, grace=0.5) == "a better answer"


async def test_the_deadline_holds_only_for_that_work() -> None:
    await limited(slow(0.0), 2.0)
    assert remaining(CLOCK.now(), 99.0) == 99.0


async def test_cancelled_work_that_does_not_end_is_abandoned() -> None:
    async def stubborn() -> None:
        while True:
            try:
                await asyncio.sleep(1.0)
            except asyncio.CancelledError:
                if asyncio.get_running_loop().time() > 5.0:
                    raise

    with pytest.raises(TimedOut, match="does not end"):
        await limited(stubborn(), 2.0)
    assert asyncio.get_running_loop().time() == pytest.approx(2.2)
    await asyncio.sleep(10.0)


async def test_cancelling_the_caller_cancels_the_work() -> None:
    trace: list[str] = []

    waiting = asyncio.ensure_future(limited(slow(9.0, trace), 5.0))
    await asyncio.sleep(1.0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert trace == ["ended"]


async def test_work_that_must_not_be_cut_short_is_not_begun_if_too_little_time_is_left() -> None:
    trace: list[str] = []
    with pytest.raises(TimedOut):
        await limited(run_to_end(CLOCK, 3.0, slow(1.0, trace)), 2.0)
    assert trace == []


async def test_work_that_must_not_be_cut_short_goes_on_to_its_end_when_its_task_is_cancelled() -> None:
    trace: list[str] = []

    async def cancelled() -> None:
        work = asyncio.ensure_future(limited(run_to_end(CLOCK, 3.0, _noting(trace)), 9.0))
        await asyncio.sleep(1.0)
        work.cancel()
        await asyncio.wait({work})
        assert work.cancelled()

    await cancelled()
    assert trace == ["done"]
    assert len(asyncio.all_tasks()) == 1


async def _noting(trace: list[str]) -> None:
    await asyncio.sleep(2.0)
    trace.append("done")


async def test_work_that_must_not_be_cut_short_has_its_own_deadline() -> None:
    with pytest.raises(TimedOut):
        await run_to_end(CLOCK, 3.0, slow(60.0))
    assert asyncio.get_running_loop().time() == pytest.approx(3.0)
