"""An event loop without I/O and without time: it runs what is ready, and returns."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")


class StepLoop(asyncio.AbstractEventLoop):
    """Just enough of an event loop for tasks, futures and locks. A timer is a fault: the protocol's clock is injected."""

    def __init__(self) -> None:
        self._ready: deque[asyncio.Handle] = deque()

    def run_ready(self) -> None:
        """Run until everything waits for a future that somebody else completes."""
        asyncio._set_running_loop(self)
        try:
            while self._ready:
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            asyncio._set_running_loop(None)

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> asyncio.Handle:  # type: ignore[override]  # typeshed's signature is a TypeVarTuple
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Any:  # type: ignore[override]  # as above
        raise AssertionError("the protocol set a timer of its own instead of asking its clock")

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(self, coro: Coroutine[Any, Any, T], **keywords: Any) -> "asyncio.Task[T]":  # type: ignore[override]  # as above
        keywords.pop("eager_start", None)
        return asyncio.Task(coro, loop=self, **keywords)

    def time(self) -> float:
        return 0.0

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """A task that is dropped while it waits is how an actor dies here: nothing to tell."""
