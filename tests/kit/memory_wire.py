"""The place of a boto3 client and all behind it, for tests that need tens of thousands of calls.

The seam of `handler.aws.dynamodb` is the real one. Below it, in place of boto3 and moto, there is `MemoryTable` (held to moto
by a test of its own), which fails as it is told to with the exceptions that boto3 raises.
"""

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import cached_property, partial
from typing import Any

from boto3.session import Session
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from handler.aws.dynamodb import ConditionFailed, TransactionFailed, from_wire, to_wire
from tests.kit.dynamodb import Fault, aws_session
from tests.kit.hanging import Hanging
from tests.kit.memory_table import MemoryTable
from tests.kit.recorded_calls import operation_name

_URL = "memory"
Answer = dict[str, Any]


class MemoryWire(AbstractContextManager["MemoryWire"]):
    """A table of its own, and the faults of `tests.kit.dynamodb.Fault` on the way to it."""

    table = "sessions"

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.sent: Counter[str] = Counter()
        self.memory = MemoryTable(self.table)
        self.items, self.apply = self.memory.items, self.memory.apply
        self._tokens: dict[str, str] = {}
        self._one_at_a_time = threading.Lock()
        self.hanging = Hanging()

    def __exit__(self, *_: object) -> None:
        self.hanging.release()

    def session(self) -> Any:
        """A boto3 session whose clients of DynamoDB are connected to this wire."""
        return MemorySession(self)

    def send(self, what: str, operation: str, request: Answer) -> Answer:
        """One request, with what becomes of it. Raises what boto3 would."""
        self.sent[what] += 1
        fault = next((f for f in self.faults if (f.operation, f.nth) == (what, self.sent[what])), None)
        effect = partial(self._effect, operation, request)
        if fault is None:
            return effect()
        if fault.what == "hang":
            return self.hanging.hold(effect)
        if fault.what == "late":
            self.hanging.put_off(partial(self._unheard, effect))
        if fault.what in ("lost", "timeout_after", "500_after"):
            effect()
        raise _failure(fault.what, what, request)

    def _unheard(self, effect: Callable[[], Answer]) -> None:
        """The late effect: what it would be answered nobody hears."""
        with suppress(ClientError):
            effect()

    def _effect(self, operation: str, request: Answer) -> Answer:
        token, content = request.get("ClientRequestToken"), repr(request)
        with self._one_at_a_time:
            if token in self._tokens:
                assert self._tokens[token] == content, "a token was used for another transaction"
                return {}
            try:
                answer = to_wire(self.memory.apply(operation, from_wire(request)))
            except ConditionFailed as lost:
                raise _error("ConditionalCheckFailedException", operation, **_item(lost.item)) from None
            except TransactionFailed as lost:
                reasons = [{"Code": code, **_item(item)} for code, item in lost.reasons]
                raise _error("TransactionCanceledException", operation, CancellationReasons=reasons) from None
            if token is not None:
                self._tokens[token] = content
            return answer


class MemorySession:
    """The place of a boto3 session: its client of DynamoDB ends in memory; what else is asked of it, boto3 does."""

    def __init__(self, wire: MemoryWire) -> None:
        self._wire = wire

    def client(self, name: str, **options: Any) -> Any:
        return MemoryClient(self._wire) if name == "dynamodb" else self._boto3.client(name, **options)  # type: ignore[call-overload]  # as in `handler.aws.clients`

    @property
    def events(self) -> Any:
        return self._boto3.events

    @cached_property
    def _boto3(self) -> Session:
        return aws_session()


class MemoryClient:
    """What of boto3's client `handler.aws.dynamodb` uses."""

    def __init__(self, wire: MemoryWire) -> None:
        self._wire = wire

    def __getattr__(self, operation: str) -> Callable[..., Answer]:
        return partial(self._call, operation)

    def close(self) -> None:
        """There is nothing to close."""

    def _call(self, operation: str, **request: Any) -> Answer:
        return self._wire.send(operation_name(operation), operation, request)


def _item(item: dict[str, Any] | None) -> dict[str, Any]:
    return to_wire({"Item": item}) if item else {}


def _error(code: str, operation: str, status: int = 400, **more: Any) -> ClientError:
    error = {"Code": code, "Message": f"injected {code}"}
    response: Any = {"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return ClientError(response, operation)


def _failure(fault: str, operation: str, request: Answer) -> Exception:
    match fault:
        case "refused":
            return EndpointConnectionError(endpoint_url=_URL, error="connection refused")
        case "lost":
            return ConnectionClosedError(endpoint_url=_URL, error="reset by peer")
        case "timeout_before" | "timeout_after" | "late":
            return ReadTimeoutError(endpoint_url=_URL, error="timed out")
        case "500" | "500_after":
            return _error("InternalServerError", operation, 500)
        case "html":
            return _error("502", operation, 502)
        case "throttled":
            return _error("ThrottlingException", operation)
        case "access_denied":
            return _error("AccessDeniedException", operation)
        case "conflict" if "TransactItems" in request:
            reasons = [{"Code": "TransactionConflict"} for _ in request["TransactItems"]]
            return _error("TransactionCanceledException", operation, CancellationReasons=reasons)
        case "conflict":
            return _error("TransactionConflictException", operation)
    raise AssertionError(f"{fault} of {operation} is no fault that is known")
