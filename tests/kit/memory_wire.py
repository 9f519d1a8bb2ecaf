"""The place of a boto3 client and all behind it, for tests that need tens of thousands of calls.

The seam of `handler.aws.dynamodb` is the real one. Below it, in place of boto3 and moto, there is `MemoryTable` (held to moto
by a test of its own), which fails as it is told to with the exceptions that boto3 raises.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cached_property, partial
from typing import Any, NoReturn

from boto3.session import Session
from botocore.exceptions import ClientError

from infra.table.wire import TableWire
from tests.kit.aws_faults import FaultyWire
from tests.kit.dynamodb import aws_session
from tests.kit.hard_table import HardTable
from tests.kit.recorded_calls import operation_name

Answer = dict[str, Any]


class MemoryWire(FaultyWire, AbstractContextManager["MemoryWire"]):
    """A table of its own, and the wire's faults on the way to it. `reads`: how hard they are, as `HardTable` has it."""

    table = "sessions"

    def __init__(self, **reads: int) -> None:
        super().__init__()
        self.memory = HardTable(self.table, **reads)
        self.items, self.apply = self.memory.items, self.memory.apply
        self._protocol = TableWire(self.memory)

    def __exit__(self, *_: object) -> None:
        self.hanging.release()

    @property
    def never_blocks(self) -> bool:
        """Whether none of the next calls will hang: then none needs a thread."""
        return all(fault.what != "hang" for fault in self.faults)

    def session(self) -> Any:
        """A boto3 session whose clients of DynamoDB are connected to this wire."""
        return MemorySession(self)

    def call(self, operation: str, **request: Any) -> Answer:
        """One request. Raises what boto3 would."""
        effect = partial(self._effect, operation, request)
        return self.send(operation_name(operation), request, effect, partial(_refuse, operation))

    def _effect(self, operation: str, request: Answer) -> Answer:
        status, document = self._protocol.answer(operation_name(operation), request)
        if status == 200:
            return document
        kind, text = document.pop("__type").rpartition("#")[2], document.pop("message")
        return _refuse(operation, status, kind, text, **document)


class MemorySession:
    """The place of a boto3 session: its client of DynamoDB ends in memory; what else is asked of it, boto3 does.

    boto3's own session takes longer to make than most tests, so it is made for the first client that needs it.
    """

    def __init__(self, wire: MemoryWire) -> None:
        self._wire = wire
        self._handlers: list[tuple[str, Callable[..., Any]]] = []

    def client(self, name: str, **options: Any) -> Any:
        return MemoryClient(self._wire) if name == "dynamodb" else self._boto3.client(name, **options)  # type: ignore[call-overload]  # as in `handler.aws.clients`

    @property
    def events(self) -> "MemorySession":
        return self

    def register(self, event: str, handler: Callable[..., Any]) -> None:
        """For the clients that are made after it."""
        self._handlers.append((event, handler))

    @cached_property
    def _boto3(self) -> Session:
        session = aws_session()
        for event, handler in self._handlers:
            session.events.register(event, handler)
        return session


class MemoryClient:
    """What of boto3's client `handler.aws.dynamodb` uses."""

    def __init__(self, wire: MemoryWire) -> None:
        self._wire = wire

    def __getattr__(self, operation: str) -> Callable[..., Answer]:
        return partial(self._wire.call, operation)

    def close(self) -> None:
        """There is nothing to close."""


def _refuse(operation: str, status: int, code: str, text: str = "injected", **more: Any) -> NoReturn:
    response: Any = {
        "Error": {"Code": code, "Message": text},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **more,
    }
    raise ClientError(response, operation) from None
