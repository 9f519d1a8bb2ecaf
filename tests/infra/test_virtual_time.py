"""The virtual loop: time jumps, but never past work that is being done."""

import asyncio
import threading
import time
from functools import partial

import pytest

from infra.virtual_time import START, LoopClock, parked, run


def now() -> float:
    return asyncio.get_running_loop().time()


def test_an_hour_passes_at_once() -> None:
    async def scenario() -> float:
        await asyncio.sleep(3600)
        return now()

    begun = time.monotonic()
    assert run(scenario()) == pytest.approx(3600)
    assert time.monotonic() - begun < 60


def test_timers_go_off_in_the_order_of_their_times_and_ties_in_the_order_of_their_setting() -> None:
    order: list[str] = []

    async def after(seconds: float, name: str) -> None:
        await asyncio.sleep(seconds)
        order.append(f"{name} at {now():.0f}")

    async def scenario() -> None:
        await asyncio.gather(after(5, "late"), after(2, "first"), after(2, "second"), after(0, "at once"))

    run(scenario())
    assert order == ["at once at 0", "first at 2", "second at 2", "late at 5"]


def test_each_run_begins_at_the_same_time() -> None:
    async def scenario() -> tuple[float, object]:
        begun = now(), LoopClock().now()
        await asyncio.sleep(1)
        return begun

    assert run(scenario()) == run(scenario()) == (0.0, START)


def test_time_stands_still_while_a_thread_is_at_work() -> None:
    async def scenario() -> None:
        sleeper = asyncio.ensure_future(asyncio.sleep(0.001))
        await asyncio.to_thread(time.sleep, 0.05)  # for real: the loop would have jumped by then
        assert now() == 0.0
        await sleeper

    run(scenario())


def test_time_goes_on_while_a_thread_hangs_by_its_own_word() -> None:
    let_go, gone_on = threading.Event(), threading.Event()

    def hanging() -> str:
        with parked():
            assert let_go.wait(20)
        gone_on.set()
        return "late"

    async def scenario() -> None:
        call = asyncio.ensure_future(asyncio.to_thread(hanging))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await asyncio.shield(call)
        assert now() == pytest.approx(3)
        let_go.set()
        assert gone_on.wait(20)
        assert await call == "late"
        assert now() == pytest.approx(3)

    run(scenario())


def test_a_thread_whose_call_was_cancelled_still_holds_the_time() -> None:
    """What it does lands at the time at which it was begun, not at some later one."""
    begun, go_on, landed = threading.Event(), threading.Event(), list[str]()

    def call() -> None:
        begun.set()
        assert go_on.wait(20)
        landed.append("landed")

    async def scenario() -> None:
        task = asyncio.ensure_future(asyncio.to_thread(call))
        await asyncio.sleep(0)
        assert begun.wait(20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        asyncio.get_running_loop().call_soon(go_on.set)
        await asyncio.sleep(1)
        assert landed == ["landed"]

    run(scenario())


def test_a_thread_that_raises_lets_time_go_on() -> None:
    def broken() -> None:
        raise OSError("no")

    async def scenario() -> float:
        with pytest.raises(OSError, match="no"):
            await asyncio.to_thread(broken)
        await asyncio.sleep(7)
        return now()

    assert run(scenario()) == pytest.approx(7)


def test_waiting_for_what_nobody_will_do_is_a_fault_of_the_test_and_is_said() -> None:
    async def scenario() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="deadlock"):
        run(scenario())


@pytest.mark.parametrize("never_blocks", [True, False])
def test_a_call_that_never_blocks_needs_no_thread(never_blocks: bool) -> None:
    class Called:
        def __init__(self) -> None:
            self.never_blocks = never_blocks

        def thread(self, fails: bool) -> threading.Thread:
            if fails:
                raise ValueError
            return threading.current_thread()

    async def scenario() -> None:
        loop, called = asyncio.get_running_loop(), Called().thread
        assert (await loop.run_in_executor(None, called, False) is threading.current_thread()) is never_blocks
        assert (await loop.run_in_executor(None, partial(called, False)) is threading.current_thread()) is never_blocks
        with pytest.raises(ValueError):  # noqa: PT011 - it has no text
            await loop.run_in_executor(None, called, True)

    run(scenario())


def test_parked_does_nothing_outside_of_an_executor() -> None:
    with parked():
        pass
