"""The sessions table in memory: `handler.aws.dynamodb.Call` with DynamoDB's meaning, for tests that need millions of calls.

It takes what the Store asks for, and refuses everything else (InvalidCall): what DynamoDB refuses (unused and undefined names
and values, keys of a wrong type, two changes of one item in a transaction, …) and what the Store has no use for. It promises
no more than DynamoDB does: a BatchGetItem is not answered in the order of its keys. Its indices do not lag. There is no
throttling, no conflict and no size limit, and it remembers no ClientRequestToken.

Forking is a copy of one dict: items are replaced, never changed. Two tables of equal content have the same
fingerprint, in every process.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from handler.aws.dynamodb import ConditionFailed, InvalidCall, TransactionFailed
from tests.kit.expressions import Attributes, condition, key_condition, mentioned, name_of, update

Parameters = Mapping[str, Any]
Key = tuple[str, str]

MAX_IN_BATCH: Final = 100
MAX_IN_TRANSACTION: Final = 100
KEYS: Final = ("pk", "sk")
INDEXES: Final = {"WatchIndex": ("watch_guild_id", "pk"), "DueIndex": ("due_in", "due_at")}  # partition, sort key
_INDEXED: Final = tuple({name for keys in INDEXES.values() for name in keys} - set(KEYS))
_PLAIN: Final = frozenset({str, int, bool})
_NOTHING: Final[Mapping[str, Any]] = {}

_WRITE: Final = "TableName ConditionExpression ExpressionAttributeNames ExpressionAttributeValues ReturnValuesOnConditionCheckFailure"
_KNOWN: Final = {
    "get_item": frozenset(["TableName", "Key", "ConsistentRead"]),
    "batch_get_item": frozenset(["RequestItems"]),
    "batch": frozenset(["Keys", "ConsistentRead"]),
    "query": frozenset(
        [
            "TableName",
            "IndexName",
            "KeyConditionExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
            "Limit",
            "ExclusiveStartKey",
            "ConsistentRead",
        ]
    ),
    "put_item": frozenset(f"Item {_WRITE}".split()),
    "update_item": frozenset(f"Key UpdateExpression ReturnValues {_WRITE}".split()),
    "delete_item": frozenset(f"Key {_WRITE}".split()),
    "transact_write_items": frozenset(["TransactItems", "ClientRequestToken"]),
    "Put": frozenset(f"Item {_WRITE}".split()),
    "Update": frozenset(f"Key UpdateExpression {_WRITE}".split()),
    "Delete": frozenset(f"Key {_WRITE}".split()),
    "ConditionCheck": frozenset(f"Key {_WRITE}".split()),
}


class _Row:
    """An item, never changed once it is here, and the fingerprint of its content."""

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


class MemoryTable:
    """The table. `apply` is the call without waiting."""

    __slots__ = ("_print", "_rows", "name")

    def __init__(self, name: str = "sessions", items: Iterable[Attributes] = ()) -> None:
        self.name = name
        self._rows: dict[Key, _Row] = {_key_in(item): _Row(plain(item)) for item in items}
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
        row = self._rows.get(_key_of(parameters["Key"]))
        return {} if row is None else {"Item": dict(row.values)}

    def _batch_get_item(self, parameters: Parameters) -> dict[str, Any]:
        ((table, wanted),) = parameters["RequestItems"].items()
        self._refuse_other({"TableName": table})
        _refuse_unknown("batch", wanted)
        keys = [_key_of(key) for key in wanted["Keys"]]
        if not 1 <= len(keys) <= MAX_IN_BATCH:
            raise InvalidCall(f"a BatchGetItem takes 1 to {MAX_IN_BATCH} keys, not {len(keys)}")
        if len(set(keys)) != len(keys):
            raise InvalidCall("provided list of item keys contains duplicates")
        found = [dict(self._rows[key].values) for key in reversed(keys) if key in self._rows]
        return {"Responses": {table: found}, "UnprocessedKeys": {}}

    def _query(self, parameters: Parameters) -> dict[str, Any]:
        """One page. As DynamoDB does, a page that is full ends with a LastEvaluatedKey, also where nothing follows."""
        self._refuse_other(parameters)
        names, values = _placeholders(parameters)
        order = _order(parameters)
        asked = key_condition(parameters.get("KeyConditionExpression", ""))
        if name_of(asked.partition, names) != order[0] or (asked.sort and name_of(asked.sort, names) != order[1]):
            raise InvalidCall("Query condition missed key schema element")
        for token in (asked.value, asked.bound):
            if token and not (isinstance(values[token], str) and values[token]):
                raise InvalidCall(f"a key is compared with what no key can be: {token}")
        after = _place(parameters.get("ExclusiveStartKey"), order, values[asked.value])
        items = (row.values for row in self._rows.values())
        places = sorted(
            (tuple(item[name] for name in order[1:]), item)
            for item in (i for i in items if i.get(order[0]) == values[asked.value])
            if asked.holds(item[order[1]], values)
        )
        found = [item for place, item in places if after is None or place > after]
        limit = parameters.get("Limit", len(found) + 1)
        if limit < 1:
            raise InvalidCall("Limit must be at least 1")
        page = found[:limit]
        answer: dict[str, Any] = {"Items": [dict(item) for item in page], "Count": len(page)}
        return answer if len(page) < limit else {**answer, "LastEvaluatedKey": {n: page[-1][n] for n in order}}

    # Writes.

    def _write(self, action: str, parameters: Parameters) -> dict[str, Any]:
        change = self._change(action, parameters)
        if change.lost:
            raise ConditionFailed(_in_the_way(change, parameters))
        self._commit(change)
        if "ReturnValues" not in parameters:
            return {}
        if parameters["ReturnValues"] != "ALL_NEW" or change.new is None:
            raise InvalidCall("ReturnValues is ALL_NEW, of an update")
        return {"Attributes": dict(change.new.values)}

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
        names, values = _placeholders(parameters)
        key = _key_in(parameters["Item"]) if action == "Put" else _key_of(parameters["Key"])
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
                return _Change(key, old, old, lost=True)
        if action in ("Delete", "ConditionCheck"):
            return _Change(key, old, None if action == "Delete" else old)
        start = held or {"pk": key[0], "sk": key[1]}
        new = plain(parameters["Item"]) if action == "Put" else dict(start)
        new = new if parsed is None else parsed.apply(start, names, values)
        for name in _INDEXED:  # an absent attribute only leaves the item out of the index
            if name in new:
                _refuse_as_key(name, new[name])
        return _Change(key, old, _Row(new))

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


def plain(attributes: Attributes) -> dict[str, Any]:
    """A copy that holds str, int and bool alone. Raises TypeError for anything else."""
    return {name: value if type(value) in _PLAIN else _plain(name, value) for name, value in attributes.items()}


def _plain(name: str, value: Any) -> Any:
    for kind in (str, int):  # an enumeration's member is stored as what it stands for
        if isinstance(value, kind):
            return kind.__str__(value) if kind is str else kind(value)
    raise TypeError(f"{name} is a {type(value).__name__}: the table holds str, int and bool")


def _placeholders(parameters: Parameters) -> tuple[Mapping[str, str], Mapping[str, Any]]:
    """The names and the plain values of a request. Raises InvalidCall for those that are unused, undefined or none."""
    names, values = parameters.get("ExpressionAttributeNames"), parameters.get("ExpressionAttributeValues")
    texts = tuple(parameters.get(f"{kind}Expression") for kind in ("Condition", "Update", "KeyCondition"))
    _refuse_difference(
        None if names is None else frozenset(names), None if values is None else frozenset(values), *texts
    )
    return names or _NOTHING, plain(values) if values else _NOTHING


@cache
def _refuse_difference(names: frozenset[str] | None, values: frozenset[str] | None, *texts: str | None) -> None:
    for sign, given in (("#", names), (":", values)):
        if given is not None and not given:
            raise InvalidCall("ExpressionAttributeNames and ExpressionAttributeValues must not be empty")
        if (given or frozenset()) != mentioned(sign, *texts):
            raise InvalidCall(f"defined are {sorted(given or ())}, used are {sorted(mentioned(sign, *texts))}")


def _order(parameters: Parameters) -> tuple[str, ...]:
    """The attributes of a place in the table or index: partition key, sort key, then what tells places apart."""
    index = parameters.get("IndexName")
    if index is None:
        return KEYS
    if index not in INDEXES:
        raise InvalidCall(f"the table does not have the specified index: {index}")
    if parameters.get("ConsistentRead"):
        raise InvalidCall("consistent reads are not supported on global secondary indexes")
    keys = INDEXES[index]
    return (*keys, *(name for name in KEYS if name not in keys))


def _place(start: Attributes | None, order: tuple[str, ...], partition: str) -> tuple[str, ...] | None:
    """The place after which a page begins; None for the first page."""
    if start is None:
        return None
    if set(start) != set(order) or start[order[0]] != partition:
        raise InvalidCall("the provided starting key is invalid")
    return tuple(start[name] for name in order[1:])


def _key_of(key: Attributes) -> Key:
    """The key of a request, which holds the key attributes and no others. Raises InvalidCall."""
    if len(key) != len(KEYS):
        raise InvalidCall(f"the provided key element does not match the schema: {sorted(key)}")
    return _key_in(key)


def _key_in(item: Attributes) -> Key:
    """The key of a whole item. Raises InvalidCall."""
    for name in KEYS:
        if name not in item:
            raise InvalidCall(f"one of the required keys was not given a value: {name}")
        _refuse_as_key(name, item[name])
    return item["pk"], item["sk"]


def _refuse_as_key(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise InvalidCall(f"type mismatch for key {name}: {type(value).__name__}")
    if not value:
        raise InvalidCall(f"a key attribute cannot contain an empty string value: {name}")


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


_OPERATIONS: Final[Mapping[str, Callable[[MemoryTable, Parameters], dict[str, Any]]]] = {
    "get_item": MemoryTable._get_item,
    "batch_get_item": MemoryTable._batch_get_item,
    "query": MemoryTable._query,
    "put_item": lambda table, parameters: table._write("Put", parameters),
    "update_item": lambda table, parameters: table._write("Update", parameters),
    "delete_item": lambda table, parameters: table._write("Delete", parameters),
    "transact_write_items": MemoryTable._transact_write_items,
}
