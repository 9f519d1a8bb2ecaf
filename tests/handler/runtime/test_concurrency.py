"""Calls side by side: the results in order, and nothing left running, however it ends."""

import asyncio
import gc
import logging
from collections.abc import Coroutine
from typing import Any

import pytest

from handler.runtime.concurrency import gather, gather_limited
from infra.virtual_time import run


async def after(seconds: float, result: str, trace: list[str] | None = None) -> str:
    try:
        await asyncio.sleep(seconds)
    finally:
        if trace is not None:
            trace.append(f"{result} ended")
    return result


async def failing(seconds: float, text: str) -> str:
    await asyncio.sleep(seconds)
    raise ValueError(text)


async def slow_to_end(trace: list[str], seconds: float) -> str:
    """Takes its time to end when it is cancelled, as a call does that gives back a connection."""
    try:
        await asyncio.sleep(100)
    finally:
        await asyncio.sleep(seconds)
        trace.append("ended")
    return ""


def now() -> float:
    return asyncio.get_running_loop().time()


def others() -> int:
    return len(asyncio.all_tasks()) - 1


async def cancel(seconds: float, work: Coroutine[Any, Any, Any]) -> None:
    """Cancel the work after these seconds, and wait until nothing of it runs."""
    task = asyncio.ensure_future(work)
    await asyncio.sleep(seconds)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert others() == 0


async def test_results_come_in_the_order_of_the_calls_after_the_longest_of_them() -> None:
    assert await gather(after(3, "a"), after(1, "b"), after(2, "c")) == ("a", "b", "c")
    assert now() == pytest.approx(3)


async def test_the_first_failure_cancels_the_others_and_awaits_them() -> None:
    trace: list[str] = []
    with pytest.raises(ValueError, match="no"):
        await gather(slow_to_end(trace, 2), failing(1, "no"), after(100, "c", trace))
    assert sorted(trace) == ["c ended", "ended"]
    assert others() == 0
    assert now() == pytest.approx(3)


async def test_of_failures_at_one_moment_the_first_in_order_is_raised() -> None:
    with pytest.raises(ValueError, match="left"):
        await gather(failing(1, "left"), failing(1, "right"))


async def fails_when_cancelled() -> str:
    try:
        await asyncio.sleep(100)
    finally:
        raise OSError("the connection broke")


async def test_a_call_that_fails_while_it_is_cancelled_does_not_hide_the_reason() -> None:
    with pytest.raises(ValueError, match="reason"):
        await gather(after(1, "a"), failing(2, "reason"), fails_when_cancelled())


async def test_an_earlier_call_that_fails_while_it_is_cancelled_is_raised_in_its_turn() -> None:
    """It matters less which of the two is raised than that it is always the same one."""
    with pytest.raises(OSError, match="broke"):
        await gather(fails_when_cancelled(), failing(2, "reason"))


async def test_a_cancellation_from_outside_ends_all_calls_before_it_goes_on() -> None:
    trace: list[str] = []
    await cancel(1, gather(slow_to_end(trace, 2), after(100, "b", trace)))
    assert sorted(trace) == ["b ended", "ended"]


async def test_a_cancellation_reaches_calls_in_calls() -> None:
    trace: list[str] = []
    await cancel(1, gather(gather(slow_to_end(trace, 1), after(100, "b", trace)), after(100, "c", trace)))
    assert sorted(trace) == ["b ended", "c ended", "ended"]


async def cancelled_between_failures() -> None:
    """Two calls have failed, another is slow to end, and only then a cancellation comes from outside."""
    await cancel(2, gather(slow_to_end([], 5), failing(1, "first"), failing(1, "second")))


async def two_failures() -> None:
    with pytest.raises(ValueError, match="first"):
        await gather(failing(1, "first"), failing(1, "second"))


def test_a_cancellation_while_calls_are_ending_waits_for_their_end() -> None:
    run(cancelled_between_failures())


@pytest.mark.parametrize("scenario", [two_failures, cancelled_between_failures])
def test_asyncio_logs_no_failure_that_nobody_fetched(scenario: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="asyncio"):
        run(scenario())
        gc.collect()
    assert not [record for record in caplog.records if "never retrieved" in record.message]


async def test_all_run_but_only_so_many_at_a_time() -> None:
    running, most = 0, 0

    async def one(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(1 + number % 3)
        running -= 1
        return number

    assert await gather_limited(4, [one(number) for number in range(20)]) == list(range(20))
    assert (running, most) == (0, 4)


def test_without_coroutines_the_result_is_empty() -> None:
    none: list[Coroutine[Any, Any, int]] = []
    assert run(gather_limited(4, none)) == []


def test_after_a_failure_those_that_wait_for_their_turn_do_not_begin() -> None:
    begun: list[int] = []

    async def one(number: int) -> None:
        begun.append(number)
        await asyncio.sleep(100 if number else 1)
        raise ValueError(number)

    async def scenario() -> None:
        with pytest.raises(ValueError, match="0"):
            await gather_limited(2, [one(number) for number in range(6)])
        assert others() == 0
        assert now() == pytest.approx(1)

    run(scenario())
    gc.collect()  # a coroutine that was never awaited would warn here, and warnings are errors
    assert not {3, 4, 5} & set(begun)


def test_a_cancellation_of_many_ends_those_that_run_and_those_that_wait() -> None:
    trace: list[str] = []
    run(cancel(1, gather_limited(2, [after(100, str(n), trace) for n in range(5)])))
    gc.collect()
    assert sorted(trace) == ["0 ended", "1 ended"]
