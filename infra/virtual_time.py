"""An asyncio event loop whose time jumps: nothing sleeps for real, and every schedule is repeatable.

While anything can run, it runs. When all that is left is timers, time jumps to the earliest. While a thread of the
executor is at work (boto3 calls run in threads) the loop waits for it instead of jumping, unless the thread said by
`parked` that it hangs: then time goes on without it. A call of an object whose
`never_blocks` is true is made in the loop, without a thread.
"""

import asyncio
import concurrent.futures
import contextlib
import selectors
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")
START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_STUCK_SECONDS = 20.0  # real seconds that a thread may take before the test is declared stuck


class _JumpingSelector(selectors.DefaultSelector):
    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.loop.threads_at_work:
            ready = super().select(_STUCK_SECONDS)
            if not ready:
                raise RuntimeError("a thread is at work and does not come back")
            return ready
        if timeout is None:
            raise RuntimeError("deadlock: nothing can run, no timer is set, and no thread is at work")
        self.loop.jump(timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop. `time()` starts at 0."""

    def __init__(self) -> None:
        selector = _JumpingSelector()
        selector.loop = self
        self._virtual = 0.0
        self._at_work = 0
        self._lock = threading.Lock()
        self._pool = concurrent.futures.ThreadPoolExecutor(32, thread_name_prefix="virtual")
        super().__init__(selector)
        # Below it asyncio takes two times for one. After a year in seconds a float does not tell nanoseconds apart.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self._virtual

    def jump(self, seconds: float) -> None:
        self._virtual += max(seconds, 1e-6)

    @property
    def threads_at_work(self) -> int:
        return self._at_work

    def _work(self, change: int) -> None:
        with self._lock:
            self._at_work += change

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> "asyncio.Future[T]":  # type: ignore[override]  # narrower than typeshed's generic form
        def at_work() -> T:
            _current.loop = self
            return func(*args)

        if _never_blocks(func):
            return self._call(func, *args)
        self._work(+1)
        pool = executor or self._pool
        submitted: concurrent.futures.Future[T] = pool.submit(at_work)
        future = asyncio.wrap_future(submitted, loop=self)
        # Registered after asyncio's own callback: the result is delivered first, so there is no gap for a jump. A
        # cancelled call counts until its thread is really done.
        submitted.add_done_callback(lambda _: self._post(lambda: self._work(-1)))
        return future

    def _call(self, func: Callable[..., T], *args: Any) -> "asyncio.Future[T]":
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def _post(self, callback: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody counts any more
            self.call_soon_threadsafe(callback)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        super().close()


def _never_blocks(func: Callable[..., Any]) -> bool:
    """Whether it is, perhaps with arguments already, a method of an object that says so of its calls now."""
    method = func.func if isinstance(func, partial) else func
    return getattr(getattr(method, "__self__", None), "never_blocks", False)


class _Current(threading.local):
    loop: "VirtualLoop | None" = None


_current = _Current()


@contextmanager
def parked() -> Iterator[None]:
    """For code in an executor's thread: while inside, the thread hangs and time goes on without it.

    Whoever lets such a thread go waits, for real, until it has left: before that, the loop does not know of it.
    """
    loop = _current.loop
    if loop is None:
        yield
        return
    loop._work(-1)
    loop._post(lambda: None)
    try:
        yield
    finally:
        loop._work(+1)


class LoopClock:
    """The clock (`handler.clock.Clock`) of a virtual loop, in its executor's threads too."""

    def __init__(self, start: datetime = START) -> None:
        self.start = start

    def now(self) -> datetime:
        loop = _current.loop or asyncio.get_running_loop()
        return self.start + timedelta(seconds=loop.time())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)
