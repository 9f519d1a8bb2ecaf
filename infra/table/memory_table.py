"""The sessions table in memory: `handler.aws.dynamodb.Call` with DynamoDB's meaning.

It serves the local stack, and tests that need millions of calls. It takes what the Store asks for, and refuses everything
else (InvalidCall): what DynamoDB refuses (unused and undefined names and values, keys of a wrong type, two changes of one
item in a transaction, what is too large, …) and what the Store has no use for. It promises no more than DynamoDB does: a
BatchGetItem is not answered in the order of its keys. Its indexes do not lag, nothing expires, and there is no throttling
and no conflict.

Forking is a copy of one dict: items are replaced, never changed. Two tables of equal content have the same
fingerprint, in every process.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from handler.aws.dynamodb import ConditionFailed, InvalidCall, TransactionFailed
from infra.table.expressions import Attributes, condition, key_condition, name_of, update
from infra.table.pages import fill_page, order_of, place_after
from infra.table.requests import (
    MAX_IN_BATCH,
    MAX_IN_BATCH_WRITE,
    MAX_IN_TRANSACTION,
    MAX_TRANSACTION_BYTES,
    Key,
    Parameters,
    action,
    key_in,
    key_of,
    placeholders,
    refuse_index_keys,
    refuse_large,
    refuse_unknown,
)
from infra.table.rows import Row, plain
from infra.table.schema import KEYS, orders
from infra.table.sorted_places import SortedPlaces

_NOTHING: Final[Mapping[str, Any]] = {}


class Change(NamedTuple):
    """What a write would do: the row as it is and as it will be (None: absent)."""

    key: Key
    old: Row | None
    new: Row | None
    lost: bool = False


class MemoryTable:
    """The table. `apply` is the call without waiting.

    `on_commit` is called with the changes of one write, in the order of its items, before the table has them: if it raises,
    nothing is changed.
    """

    __slots__ = ("_print", "_rows", "_shares_places", "_sorted", "name", "on_commit")

    def __init__(self, name: str = "sessions", items: Iterable[Attributes] = ()) -> None:
        self.name = name
        self.on_commit: Callable[[Sequence[Change]], None] | None = None
        self._rows: dict[Key, Row] = {key_in(item): Row(plain(item)) for item in items}
        self._print: int | None = None
        self._sorted: dict[str | None, SortedPlaces] = {}  # by index; None is the table itself
        self._shares_places = False  # with a fork, until one of the two changes

    async def __call__(self, operation: str, /, **parameters: Any) -> dict[str, Any]:
        return self.apply(operation, parameters)

    def apply(self, operation: str, parameters: Parameters) -> dict[str, Any]:
        """Make the call. Raises what `handler.aws.dynamodb` says, StoreUnavailable excepted."""
        if operation not in _OPERATIONS:
            raise InvalidCall(f"{operation} is none of {sorted(_OPERATIONS)}")
        refuse_unknown(operation, parameters)
        return _OPERATIONS[operation](self, parameters)

    def fork(self) -> "MemoryTable":
        """A table of the same content that changes by itself from here on."""
        twin = MemoryTable.__new__(MemoryTable)
        twin.name, twin.on_commit = self.name, None
        twin._rows, twin._print, twin._sorted = self._rows.copy(), self._print, self._sorted
        twin._shares_places = self._shares_places = True
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
        self._commit([Change(key, self._rows[key], None) for key in keys or list(self._rows) if key in self._rows])

    # Reads.

    def _get_item(self, parameters: Parameters) -> dict[str, Any]:
        self._refuse_other(parameters)
        row = self._rows.get(key_of(parameters["Key"]))
        return {} if row is None else {"Item": dict(row.values)}

    def _batch_get_item(self, parameters: Parameters) -> dict[str, Any]:
        ((table, wanted),) = parameters["RequestItems"].items()
        self._refuse_other({"TableName": table})
        refuse_unknown("batch", wanted)
        keys = [key_of(key) for key in wanted["Keys"]]
        if not 1 <= len(keys) <= MAX_IN_BATCH:
            raise InvalidCall(f"a BatchGetItem takes 1 to {MAX_IN_BATCH} keys, not {len(keys)}")
        if len(set(keys)) != len(keys):
            raise InvalidCall("provided list of item keys contains duplicates")
        found = [dict(self._rows[key].values) for key in reversed(keys) if key in self._rows]
        return {"Responses": {table: found}, "UnprocessedKeys": {}}

    def _query(self, parameters: Parameters) -> dict[str, Any]:
        """One page. As DynamoDB does, a page that is full ends with a LastEvaluatedKey, also where nothing follows."""
        self._refuse_other(parameters)
        names, values = placeholders(parameters)
        order = order_of(parameters)
        asked = key_condition(parameters.get("KeyConditionExpression", ""))
        if name_of(asked.partition, names) != order[0] or (asked.sort and name_of(asked.sort, names) != order[1]):
            raise InvalidCall("Query condition missed key schema element")
        for token in (asked.value, asked.bound):
            if token and not (isinstance(values[token], str) and values[token]):
                raise InvalidCall(f"a key is compared with what no key can be: {token}")
        limit = parameters.get("Limit")
        if limit is not None and limit < 1:
            raise InvalidCall("Limit must be at least 1")
        partition = values[asked.value]
        after = place_after(parameters.get("ExclusiveStartKey"), order, partition)
        sorted_places = self._places(parameters.get("IndexName"))
        places = sorted_places[partition]
        span = asked.span(places, values)
        if parameters.get("ScanIndexForward", True):
            order_read = range(span.start if after is None else max(span.start, bisect_right(places, after)), span.stop)
        else:
            stop = span.stop if after is None else min(span.stop, bisect_left(places, after))
            order_read = range(span.start, stop)[::-1]
        rows = (self._rows[sorted_places.key(partition, places[at])] for at in order_read)
        page, is_cut = fill_page(rows, limit)
        answer: dict[str, Any] = {"Items": [dict(row.values) for row in page], "Count": len(page)}
        return {**answer, "LastEvaluatedKey": {n: page[-1].values[n] for n in order}} if is_cut else answer

    def _places(self, index: str | None) -> SortedPlaces:
        if index not in self._sorted:
            if self._shares_places:
                self._sorted = dict(self._sorted)
            self._sorted[index] = SortedPlaces(orders()[index], (row.values for row in self._rows.values()))
        return self._sorted[index]

    def scan(self, limit: int | None = None, after: Attributes | None = None) -> dict[str, Any]:
        """One page of all items, by key. For people who look at the table: nothing of Onethread scans it."""
        keys = sorted(self._rows)
        first = 0 if after is None else bisect_right(keys, key_of(after))
        page, is_cut = fill_page((self._rows[key] for key in keys[first:]), limit)
        answer: dict[str, Any] = {"Items": [dict(row.values) for row in page], "Count": len(page)}
        return {**answer, "LastEvaluatedKey": {name: page[-1].values[name] for name in KEYS}} if is_cut else answer

    # Writes.

    def write_batch(self, puts: Sequence[Attributes], deletions: Sequence[Attributes]) -> None:
        """Put these items and delete those keys, without conditions. For people and tools: the Store has no use for it."""
        actions = [("Put", {"TableName": self.name, "Item": item}) for item in puts]
        actions += [("Delete", {"TableName": self.name, "Key": key}) for key in deletions]
        if not 1 <= len(actions) <= MAX_IN_BATCH_WRITE:
            raise InvalidCall(f"a BatchWriteItem takes 1 to {MAX_IN_BATCH_WRITE} requests, not {len(actions)}")
        self._commit(_of_different_items([self._change(*action) for action in actions]))

    def _write(self, action: str, parameters: Parameters) -> dict[str, Any]:
        change = self._change(action, parameters)
        returned = parameters.get("ReturnValues", "NONE")
        if returned not in ("NONE", "ALL_NEW"):
            raise InvalidCall("ReturnValues is NONE or ALL_NEW, of an update")
        if change.lost:
            raise ConditionFailed(_in_the_way(change, parameters))
        self._commit([change])
        return {"Attributes": dict(change.new.values)} if returned == "ALL_NEW" and change.new else {}

    def _transact_write_items(self, parameters: Parameters) -> dict[str, Any]:
        actions = [action(item) for item in parameters["TransactItems"]]
        if not 1 <= len(actions) <= MAX_IN_TRANSACTION:
            raise InvalidCall(f"a transaction takes 1 to {MAX_IN_TRANSACTION} items, not {len(actions)}")
        changes = _of_different_items([self._change(*action) for action in actions])
        if sum(change.new.size for change in changes if change.new) > MAX_TRANSACTION_BYTES:
            raise InvalidCall(f"a transaction writes at most {MAX_TRANSACTION_BYTES} bytes")
        if any(change.lost for change in changes):
            raise TransactionFailed(
                tuple(
                    ("ConditionalCheckFailed", _in_the_way(change, asked)) if change.lost else ("None", None)
                    for change, (_, asked) in zip(changes, actions, strict=True)
                )
            )
        self._commit(changes)
        return {}

    def _change(self, action: str, parameters: Parameters) -> Change:
        self._refuse_other(parameters)
        names, values = placeholders(parameters)
        key = key_in(parameters["Item"]) if action == "Put" else key_of(parameters["Key"])
        text = parameters.get("UpdateExpression")
        parsed = None if text is None else update(text)
        if parsed and not set(parsed.targets(names)).isdisjoint(KEYS):
            raise InvalidCall("cannot update attributes that are part of the key")
        text = parameters.get("ConditionExpression")
        if action == "ConditionCheck" and text is None:
            raise InvalidCall("ConditionExpression is missing")
        old = self._rows.get(key)
        held: Attributes = old.values if old else _NOTHING
        if text is not None:
            asked = condition(text)
            asked.check(values)
            if not asked.test(held, names, values):
                return Change(key, old, old, lost=True)
        if action in ("Delete", "ConditionCheck"):
            return Change(key, old, None if action == "Delete" else old)
        new = Row(plain(parameters["Item"]) if parsed is None else parsed.apply(held or _item(key), names, values))
        refuse_large(new)
        refuse_index_keys(new.values)
        return Change(key, old, new)

    def _commit(self, changes: Sequence[Change]) -> None:
        changes = [change for change in changes if change.new is not change.old]
        if not changes:
            return
        if self.on_commit is not None:
            self.on_commit(changes)
        if self._shares_places:
            self._sorted, self._shares_places = {}, False
        for key, old, new, _ in changes:
            if new is None:
                del self._rows[key]
            else:
                self._rows[key] = new
            for places in self._sorted.values():
                places.move(old.values if old else None, new.values if new else None)
        self._print = None

    def _refuse_other(self, parameters: Parameters) -> None:
        if parameters.get("TableName") != self.name:
            raise InvalidCall(f"there is no table {parameters.get('TableName')!r}, only {self.name!r}")


def _of_different_items(changes: list[Change]) -> list[Change]:
    if len({change.key for change in changes}) != len(changes):
        raise InvalidCall("a request cannot include multiple operations on one item")
    return changes


def _item(key: Key) -> dict[str, Any]:
    """What an update begins with if there is no item."""
    return dict(zip(KEYS, key, strict=True))


def _in_the_way(change: Change, parameters: Parameters) -> dict[str, Any] | None:
    asked = parameters.get("ReturnValuesOnConditionCheckFailure", "NONE") == "ALL_OLD"
    return dict(change.old.values) if asked and change.old else None


_OPERATIONS: Final[Mapping[str, Callable[[MemoryTable, Parameters], dict[str, Any]]]] = {
    "get_item": MemoryTable._get_item,
    "batch_get_item": MemoryTable._batch_get_item,
    "query": MemoryTable._query,
    "put_item": lambda table, parameters: table._write("Put", parameters),
    "update_item": lambda table, parameters: table._write("Update", parameters),
    "delete_item": lambda table, parameters: table._write("Delete", parameters),
    "transact_write_items": MemoryTable._transact_write_items,
}
