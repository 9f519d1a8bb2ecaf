"""The sessions table in memory: `handler.dynamodb.Call` with DynamoDB's semantics, for tests that need millions of calls.

It refuses what DynamoDB refuses (unused and undefined names and values, keys of a wrong type, two changes of one item
in a transaction, …) with InvalidCall, and promises no more than DynamoDB does: a BatchGetItem is not answered in the
order of its question. Its index does not lag. There is no throttling, no conflict and no size limit, and no
ClientRequestToken is remembered.

Forking is a copy of one dict: items are replaced, never changed. Two tables of equal content have the same
fingerprint, in every process.
"""

from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from handler.aws.dynamodb import ConditionFailed, InvalidCall, TransactionFailed
from tests.kit.expressions import Attributes
from tests.kit.table_queries import query
from tests.kit.table_requests import (
    KEYS,
    Key,
    expressions,
    key_in,
    key_of,
    names_of,
    picked,
    plain,
    refuse_index_keys,
    values_of,
)

Parameters = Mapping[str, Any]

MAX_IN_BATCH: Final = 100
MAX_IN_TRANSACTION: Final = 100

_WRITE: Final = "TableName ConditionExpression ExpressionAttributeNames ExpressionAttributeValues"
_PLAIN_WRITE: Final = f"{_WRITE} ReturnValues ReturnValuesOnConditionCheckFailure"
_READ: Final = "ConsistentRead ProjectionExpression ExpressionAttributeNames"
_KNOWN: Final = {
    "get_item": frozenset(f"TableName Key {_READ}".split()),
    "batch_get_item": frozenset(["RequestItems"]),
    "batch": frozenset(f"Keys {_READ}".split()),
    "query": frozenset(
        "TableName IndexName KeyConditionExpression FilterExpression ExpressionAttributeValues Limit"
        f" ScanIndexForward ExclusiveStartKey {_READ}".split()
    ),
    "put_item": frozenset(f"Item {_PLAIN_WRITE}".split()),
    "update_item": frozenset(f"Key UpdateExpression {_PLAIN_WRITE}".split()),
    "delete_item": frozenset(f"Key {_PLAIN_WRITE}".split()),
    "transact_write_items": frozenset(["TransactItems", "ClientRequestToken"]),
    "Put": frozenset(f"Item {_WRITE} ReturnValuesOnConditionCheckFailure".split()),
    "Update": frozenset(f"Key UpdateExpression {_WRITE} ReturnValuesOnConditionCheckFailure".split()),
    "Delete": frozenset(f"Key {_WRITE} ReturnValuesOnConditionCheckFailure".split()),
    "ConditionCheck": frozenset(f"Key {_WRITE} ReturnValuesOnConditionCheckFailure".split()),
}
_RETURNS: Final = {
    "Put": frozenset({"NONE", "ALL_OLD"}),
    "Delete": frozenset({"NONE", "ALL_OLD"}),
    "Update": frozenset({"NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"}),
}


class _Row:
    """An item, never changed once it is here, and what is remembered of its content."""

    __slots__ = ("_print", "values")

    def __init__(self, values: dict[str, Any]) -> None:
        self.values: Final = values
        self._print: int | None = None

    @property
    def print(self) -> int:
        if self._print is None:
            content = repr(sorted(self.values.items())).encode("utf-8", "surrogatepass")
            self._print = int.from_bytes(blake2b(content, digest_size=16).digest(), "big")
        return self._print


class _Change(NamedTuple):
    """What a write would do: the row as it is and as it will be (None: absent)."""

    key: Key
    old: _Row | None
    new: _Row | None
    lost: bool = False
    touched: tuple[str, ...] = ()


class MemoryTable:
    """The table. `apply` is the call without waiting."""

    __slots__ = ("_print", "_rows", "name")

    def __init__(self, name: str = "sessions", items: Iterable[Attributes] = ()) -> None:
        self.name = name
        self._rows: dict[Key, _Row] = {key_in(item): _Row(plain(item)) for item in items}
        self._print: int | None = None

    async def __call__(self, operation: str, /, **parameters: Any) -> dict[str, Any]:
        return self.apply(operation, parameters)

    def apply(self, operation: str, parameters: Parameters) -> dict[str, Any]:
        """Make the call. Raises what `handler.aws.dynamodb` says, StoreUnavailable excepted."""
        if operation not in _OPERATIONS:
            raise InvalidCall(f"{operation} is none of {sorted(_OPERATIONS)}")
        _refuse_unknown(operation, parameters)
        return _OPERATIONS[operation](self, parameters)

    def fork(self) -> "MemoryTable":
        """A table of the same content that changes by itself from here on."""
        twin = MemoryTable.__new__(MemoryTable)
        twin.name, twin._rows, twin._print = self.name, self._rows.copy(), self._print
        return twin

    @property
    def fingerprint(self) -> int:
        """128 bits that depend on the content alone."""
        if self._print is None:
            self._print = 0
            for row in self._rows.values():
                self._print ^= row.print
        return self._print

    def items(self) -> list[dict[str, Any]]:
        """Copies of all items, by key."""
        return [dict(self._rows[key].values) for key in sorted(self._rows)]

    def lose(self, *keys: Key) -> None:
        """Drop these items, all if none is named: what a lost table or TTL does."""
        for key in keys or list(self._rows):
            self._rows.pop(key, None)
        self._print = None

    # Reads.

    def _get_item(self, parameters: Parameters) -> dict[str, Any]:
        self._refuse_other(parameters)
        item = self._read(parameters["Key"], parameters)
        return {} if item is None else {"Item": item}

    def _batch_get_item(self, parameters: Parameters) -> dict[str, Any]:
        answers: dict[str, list[dict[str, Any]]] = {}
        for table, asked in parameters["RequestItems"].items():
            self._refuse_other({"TableName": table})
            _refuse_unknown("batch", asked)
            keys = [key_of(key) for key in asked["Keys"]]
            if not 1 <= len(keys) <= MAX_IN_BATCH:
                raise InvalidCall(f"a BatchGetItem takes 1 to {MAX_IN_BATCH} keys, not {len(keys)}")
            if len(set(keys)) != len(keys):
                raise InvalidCall("provided list of item keys contains duplicates")
            found = [self._read(key, asked) for key in reversed(asked["Keys"])]
            answers[table] = [item for item in found if item is not None]
        return {"Responses": answers, "UnprocessedKeys": {}}

    def _query(self, parameters: Parameters) -> dict[str, Any]:
        self._refuse_other(parameters)
        return query((row.values for row in self._rows.values()), parameters)

    def _read(self, key: Attributes, parameters: Parameters) -> dict[str, Any] | None:
        row, parsed = self._rows.get(key_of(key)), expressions(parameters)
        return None if row is None else picked(row.values, parsed.projection, names_of(parameters))

    # Writes.

    def _write(self, action: str, parameters: Parameters) -> dict[str, Any]:
        returns = parameters.get("ReturnValues", "NONE")
        if returns not in _RETURNS[action]:
            raise InvalidCall(f"ReturnValues {returns} is not for {action}")
        change = self._change(action, parameters)
        if change.lost:
            raise ConditionFailed(_in_the_way(change, parameters))
        self._commit(change)
        attributes = _returned(returns, change)
        return {"Attributes": attributes} if attributes else {}

    def _transact_write_items(self, parameters: Parameters) -> dict[str, Any]:
        actions = [_action(item) for item in parameters["TransactItems"]]
        if not 1 <= len(actions) <= MAX_IN_TRANSACTION:
            raise InvalidCall(f"a transaction takes 1 to {MAX_IN_TRANSACTION} items, not {len(actions)}")
        changes = [self._change(*action) for action in actions]
        if len({change.key for change in changes}) != len(changes):
            raise InvalidCall("transaction request cannot include multiple operations on one item")
        if any(change.lost for change in changes):
            raise TransactionFailed(
                tuple(
                    ("ConditionalCheckFailed", _in_the_way(change, asked)) if change.lost else ("None", None)
                    for change, (_, asked) in zip(changes, actions, strict=True)
                )
            )
        for change in changes:
            self._commit(change)
        return {}

    def _change(self, action: str, parameters: Parameters) -> _Change:
        self._refuse_other(parameters)
        parsed, names, values = expressions(parameters), names_of(parameters), values_of(parameters)
        key = key_in(parameters["Item"]) if action == "Put" else key_of(parameters["Key"])
        touched = tuple(parsed.update.targets(names)) if parsed.update else ()
        if not set(touched).isdisjoint(KEYS):
            raise InvalidCall(f"cannot update attributes that are part of the key: {touched}")
        if action == "ConditionCheck" and parsed.condition is None:
            raise InvalidCall("ConditionExpression is missing")
        old = self._rows.get(key)
        held: Attributes = old.values if old else {}
        if parsed.condition is not None and not parsed.condition.test(held, names, values):
            return _Change(key, old, old, lost=True)
        if action in ("Delete", "ConditionCheck"):
            return _Change(key, old, None if action == "Delete" else old)
        if action == "Put":
            new = plain(parameters["Item"])
        else:
            start = held or {"pk": key[0], "sk": key[1]}
            new = parsed.update.apply(start, names, values) if parsed.update else dict(start)
        refuse_index_keys(new)
        return _Change(key, old, _Row(new), touched=touched)

    def _commit(self, change: _Change) -> None:
        if change.new is change.old:
            return
        if change.new is None:
            del self._rows[change.key]
        else:
            self._rows[change.key] = change.new
        self._print = None

    def _refuse_other(self, parameters: Parameters) -> None:
        if parameters.get("TableName") != self.name:
            raise InvalidCall(f"there is no table {parameters.get('TableName')!r}, only {self.name!r}")


def _refuse_unknown(operation: str, parameters: Parameters) -> None:
    if not parameters.keys() <= _KNOWN[operation]:
        raise InvalidCall(f"{operation} has unknown parameters: {sorted(parameters.keys() - _KNOWN[operation])}")


def _action(item: Parameters) -> tuple[str, Parameters]:
    if len(item) != 1 or next(iter(item)) not in ("Put", "Update", "Delete", "ConditionCheck"):
        raise InvalidCall(f"each item of a transaction is one action, not {sorted(item)}")
    ((action, parameters),) = item.items()
    _refuse_unknown(action, parameters)
    return action, parameters


def _in_the_way(change: _Change, parameters: Parameters) -> dict[str, Any] | None:
    asked = parameters.get("ReturnValuesOnConditionCheckFailure", "NONE") == "ALL_OLD"
    return dict(change.old.values) if asked and change.old else None


def _returned(returns: str, change: _Change) -> dict[str, Any]:
    row = change.new if returns.endswith("NEW") else change.old
    if returns == "NONE" or row is None:
        return {}
    if returns.startswith("ALL"):
        return dict(row.values)
    return {name: row.values[name] for name in change.touched if name in row.values}


_OPERATIONS: Final[Mapping[str, Callable[[MemoryTable, Parameters], dict[str, Any]]]] = {
    "get_item": MemoryTable._get_item,
    "batch_get_item": MemoryTable._batch_get_item,
    "query": MemoryTable._query,
    "put_item": lambda table, parameters: table._write("Put", parameters),
    "update_item": lambda table, parameters: table._write("Update", parameters),
    "delete_item": lambda table, parameters: table._write("Delete", parameters),
    "transact_write_items": MemoryTable._transact_write_items,
}
