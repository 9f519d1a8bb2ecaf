"""DynamoDB's JSON protocol over the table (DynamoDB docs, "DynamoDB low-level API" and "Error handling with DynamoDB").

    wire = TableWire(MemoryTable("sessions"))
    wire.answer("GetItem", {"TableName": "sessions", "Key": {"pk": {"S": "A"}, "sk": {"S": "1"}}})   # status, document

Beside what the Store asks for, it answers what people use to look at a table and to fill it: Scan, BatchWriteItem,
DescribeTable, ListTables.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple

from handler.aws.dynamodb import ConditionFailed, InvalidCall, TransactionFailed
from infra.table.attributes import read_item, read_request, write_answer, write_item
from infra.table.memory_table import MemoryTable
from infra.table.schema import create_table_parameters

TOKEN_SECONDS: Final = 600.0  # AWS: "TransactWriteItems", Idempotency
_CALLS: Final = {
    "GetItem": "get_item",
    "BatchGetItem": "batch_get_item",
    "Query": "query",
    "PutItem": "put_item",
    "UpdateItem": "update_item",
    "DeleteItem": "delete_item",
    "TransactWriteItems": "transact_write_items",
}
# Error codes that do not come from DynamoDB's own namespace.
_NAMESPACES: Final = {
    "ValidationException": "com.amazon.coral.validate",
    "SerializationException": "com.amazon.coral.service",
    "UnknownOperationException": "com.amazon.coral.service",
}
_NAMESPACE: Final = "com.amazonaws.dynamodb.v20120810"

Document = dict[str, Any]
Request = Mapping[str, Any]


class Answer(NamedTuple):
    """The HTTP status, and the JSON of the body."""

    status: int
    document: Document


class _Refused(Exception):
    """`answer` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.answer = error(code, message)


class TableWire:
    """Answers one request at a time, from any thread."""

    def __init__(self, table: MemoryTable, now: Callable[[], float] = time.time) -> None:
        self.table = table
        self._now = now
        self._lock = threading.Lock()
        # The transactions that succeeded: when, and the hash of their content, by token, the oldest first.
        self._tokens: dict[str, tuple[float, bytes]] = {}
        self._others: Mapping[str, Callable[[Request], Document]] = {
            "Scan": self._scan,
            "BatchWriteItem": self._write_batch,
            "DescribeTable": self._describe,
            "ListTables": lambda request: {"TableNames": [table.name]},
        }

    def answer(self, operation: str, request: Any) -> Answer:
        """Carry out one request, or refuse it in DynamoDB's words."""
        try:
            with self._lock:
                return Answer(200, self._carry_out(operation, request))
        except _Refused as refused:
            return refused.answer
        except ConditionFailed as lost:
            return error("ConditionalCheckFailedException", "The conditional request failed", **_item(lost.item))
        except TransactionFailed as lost:
            return _cancelled(lost)
        except InvalidCall as fault:
            return error("ValidationException", str(fault))
        except KeyError as missing:
            return error("ValidationException", f"Value at '{missing.args[0]}' failed to satisfy constraint: not null")
        except (TypeError, ValueError, AttributeError) as fault:  # not of the types that the API reference gives
            return error("SerializationException", str(fault))

    def lose(self, ids: Collection[str] | None = None) -> int:
        """Lose the items of these guilds, channels and threads, by their ids, or all: an accident. Returns how many."""
        with self._lock:
            keys = [(item["pk"], item["sk"]) for item in self.table.items()]
            lost = [key for key in keys if ids is None or key[0].partition("#")[2] in ids]
            if lost:
                self.table.lose(*lost)
        return len(lost)

    def _carry_out(self, operation: str, request: Request) -> Document:
        if operation not in _CALLS and operation not in self._others:
            raise _Refused("UnknownOperationException", f"the local table does not know {operation}")
        if any(name != self.table.name for name in _tables_in(operation, request)):
            raise _Refused("ResourceNotFoundException", "Requested resource not found")
        if operation in self._others:
            return self._others[operation](request)
        token = request.get("ClientRequestToken")
        return self._call(operation, request) if token is None else self._call_once(operation, request, token)

    def _call(self, operation: str, request: Request) -> Document:
        return write_answer(self.table.apply(_CALLS[operation], read_request(request)))

    def _call_once(self, operation: str, request: Request, token: str) -> Document:
        """Let a transaction that succeeded under this token succeed again without effect."""
        self._forget_old_tokens()
        content = sha256(repr(request).encode("utf-8", "surrogatepass")).digest()
        known = self._tokens.get(token)
        if known is not None and known[1] != content:
            raise _Refused("IdempotentParameterMismatchException", "the token belongs to another transaction")
        if known is None:
            self._call(operation, request)
            self._tokens[token] = self._now(), content
        return {}

    def _forget_old_tokens(self) -> None:
        while self._tokens and (oldest := next(iter(self._tokens))):
            if self._tokens[oldest][0] + TOKEN_SECONDS > self._now():
                return
            del self._tokens[oldest]

    # What people and tools use beside.

    def _scan(self, request: Request) -> Document:
        _refuse_others(request, "TableName", "Limit", "ExclusiveStartKey", "ConsistentRead")
        start = request.get("ExclusiveStartKey")
        return write_answer(self.table.scan(request.get("Limit"), None if start is None else read_item(start)))

    def _write_batch(self, request: Request) -> Document:
        _refuse_others(request, "RequestItems")
        (parts,) = request["RequestItems"].values()
        puts = [read_item(part["PutRequest"]["Item"]) for part in parts if "PutRequest" in part]
        deletions = [read_item(part["DeleteRequest"]["Key"]) for part in parts if "PutRequest" not in part]
        self.table.write_batch(puts, deletions)
        return {"UnprocessedItems": {}}

    def _describe(self, request: Request) -> Document:
        described = create_table_parameters(self.table.name)
        mode = {"BillingMode": described.pop("BillingMode")}
        return {"Table": {**described, "TableStatus": "ACTIVE", "BillingModeSummary": mode}}


def error(code: str, message: str, **more: Any) -> Answer:
    """An error of the client's, as DynamoDB writes it."""
    return Answer(400, {"__type": f"{_NAMESPACES.get(code, _NAMESPACE)}#{code}", "message": message, **more})


def _cancelled(lost: TransactionFailed) -> Answer:
    codes = ", ".join(code for code, _ in lost.reasons)
    reasons = [
        {"Code": code, **({} if code == "None" else {"Message": "The conditional request failed"}), **_item(item)}
        for code, item in lost.reasons
    ]
    text = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    return error("TransactionCanceledException", text, CancellationReasons=reasons)


def _item(item: Mapping[str, Any] | None) -> Document:
    return {"Item": write_item(item)} if item else {}


def _tables_in(operation: str, request: Request) -> Iterator[str]:
    """The names of the tables that a request is about."""
    if "RequestItems" in request:
        yield from request["RequestItems"]
    elif "TransactItems" in request:
        yield from (part["TableName"] for item in request["TransactItems"] for part in item.values())
    elif operation != "ListTables":
        yield request["TableName"]


def _refuse_others(request: Request, *known: str) -> None:
    if others := sorted(request.keys() - set(known)):
        raise InvalidCall(f"the local table does not know these parameters: {others}")
