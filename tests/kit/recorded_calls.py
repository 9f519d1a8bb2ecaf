"""The remote calls of a test's processes, and the death of a process right after one of them."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from handler.aws import dynamodb
from infra.simulator.exchange import Request, Response
from infra.simulator.router import find_route
from infra.simulator.transport import PlainTransport

T = TypeVar("T")


class Died(BaseException):
    """The process died. Nothing catches it."""


@dataclass(frozen=True, order=True)
class Call:
    """A remote call by name: ``Call("dynamodb", "UpdateItem", 2)`` is the second one of that operation."""

    wire: str
    what: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.wire}: {self.what} #{self.nth}"


class RecordedCalls:
    """The calls since the last `forget`, in the order in which they began.

    `dies_after`: a call, or how many calls in all. Where that one has had its effect its process dies of it: Died is
    raised there, and by every other call until `revive`.
    """

    def __init__(self) -> None:
        self.dies_after: Call | int | None = None
        self._dead = False
        self._calls: list[Call] = []
        self._so_far: Counter[tuple[str, str]] = Counter()

    def __iter__(self) -> Iterator[Call]:
        return iter(self._calls)

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def names(self) -> list[str]:
        """DynamoDB's operations and Discord's routes."""
        return [call.what for call in self._calls]

    def of(self, wire: str) -> list[str]:
        """The names of the calls over one wire, ``dynamodb`` or ``discord``."""
        return [call.what for call in self._calls if call.wire == wire]

    def count(self, what: str) -> int:
        return self.names.count(what)

    def forget(self) -> None:
        """Count the calls anew from here."""
        self._calls.clear()
        self._so_far.clear()

    def revive(self) -> None:
        """The calls from here on are another process's."""
        self._dead, self.dies_after = False, None

    def begin(self, wire: str, what: str) -> Call:
        """A call is about to be made. Raises Died if its process is dead."""
        if self._dead:
            raise Died
        self._so_far[wire, what] += 1
        call = Call(wire, what, self._so_far[wire, what])
        self._calls.append(call)
        return call

    def end(self, call: Call) -> None:
        """The call has had its effect. Raises Died if its process dies of it."""
        after = self.dies_after
        if after is not None and (call == after if isinstance(after, Call) else len(self._calls) >= after):
            self._dead = True
            raise Died

    def around(self, wire: str, what: str, work: Callable[[], T]) -> T:
        """A call that blocks its thread, with what it does."""
        call = self.begin(wire, what)
        try:
            return work()
        finally:
            self.end(call)


AfterCall = Callable[[], Awaitable[None]]


class RecordedTable:
    """`handler.aws.dynamodb.Call`, recorded. `after_call` is awaited when a call has had its effect."""

    def __init__(self, call: dynamodb.Call, calls: RecordedCalls, after_call: AfterCall) -> None:
        self._call, self._calls, self._after_call = call, calls, after_call

    async def __call__(self, operation: str, /, **parameters: Any) -> dict[str, Any]:
        call = self._calls.begin("dynamodb", operation_name(operation))
        try:
            answer = await self._call(operation, **parameters)
        except Exception:
            await self._end(call)
            raise
        await self._end(call)
        return answer

    async def _end(self, call: Call) -> None:
        self._calls.end(call)
        await self._after_call()


class RecordedTransport(PlainTransport):
    """A transport to Discord, recorded; `after_call` as for the table."""

    def __init__(self, transport: PlainTransport, calls: RecordedCalls, after_call: AfterCall) -> None:
        self._transport, self._calls, self._after_call = transport, calls, after_call

    async def send(self, request: Request, read_timeout: float | None) -> Response:
        route, _, _ = find_route(request.method, request.path)
        assert route is not None, f"{request.method} {request.path} is no route of Discord's"
        call = self._calls.begin("discord", f"{request.method} {route.template}")
        response = await self._transport.send(request, read_timeout)
        self._calls.end(call)
        await self._after_call()
        return response


@cache
def operation_name(operation: str) -> str:
    """DynamoDB's own name: ``get_item`` is GetItem."""
    return "".join(word.capitalize() for word in operation.split("_"))
