"""What a request to the table may hold. Everything else raises InvalidCall: what DynamoDB refuses, and what the Store has
no use for.

The limits are DynamoDB's (docs, "Quotas" and "Constraints"; API reference of each operation).
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from handler.aws.dynamodb import InvalidCall
from infra.table.expressions import mentioned
from infra.table.rows import Attributes, Row, plain, size_of
from infra.table.schema import KEYS, orders

Parameters = Mapping[str, Any]
Key = tuple[str, str]

MAX_ITEM_BYTES: Final = 400 * 1024
KEY_LIMITS: Final = (2048, 1024)  # bytes of a partition key and of a sort key
MAX_EXPRESSION_BYTES: Final = 4096
MAX_IN_BATCH: Final = 100
MAX_IN_BATCH_WRITE: Final = 25
MAX_IN_TRANSACTION: Final = 100
MAX_TRANSACTION_BYTES: Final = 4 * 1024 * 1024
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
            "ScanIndexForward",
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


def refuse_unknown(operation: str, parameters: Parameters) -> None:
    if not parameters.keys() <= _KNOWN[operation]:
        raise InvalidCall(f"{operation} has unknown parameters: {sorted(parameters.keys() - _KNOWN[operation])}")


def placeholders(parameters: Parameters) -> tuple[Mapping[str, str], Mapping[str, Any]]:
    """The names and the plain values of a request. Raises InvalidCall for those that are unused, undefined or none."""
    names, values = parameters.get("ExpressionAttributeNames"), parameters.get("ExpressionAttributeValues")
    texts = tuple(parameters.get(f"{kind}Expression") for kind in ("Condition", "Update", "KeyCondition"))
    _refuse_difference(
        None if names is None else frozenset(names), None if values is None else frozenset(values), *texts
    )
    return names or _NOTHING, plain(values) if values else _NOTHING


@cache
def _refuse_difference(names: frozenset[str] | None, values: frozenset[str] | None, *texts: str | None) -> None:
    for text in filter(None, texts):
        if size_of(text) > MAX_EXPRESSION_BYTES:
            raise InvalidCall(f"an expression has at most {MAX_EXPRESSION_BYTES} bytes, not {size_of(text)}")
    for sign, given in (("#", names), (":", values)):
        if given is not None and not given:
            raise InvalidCall("ExpressionAttributeNames and ExpressionAttributeValues must not be empty")
        if (given or frozenset()) != mentioned(sign, *texts):
            raise InvalidCall(f"defined are {sorted(given or ())}, used are {sorted(mentioned(sign, *texts))}")


def key_of(key: Attributes) -> Key:
    """The key of a request, which holds the key attributes and no others. Raises InvalidCall."""
    if len(key) != len(KEYS):
        raise InvalidCall(f"the provided key element does not match the schema: {sorted(key)}")
    return key_in(key)


def key_in(item: Attributes) -> Key:
    """The key of a whole item. Raises InvalidCall."""
    for name, most in zip(KEYS, KEY_LIMITS, strict=True):
        if name not in item:
            raise InvalidCall(f"one of the required keys was not given a value: {name}")
        refuse_as_key(name, item[name], most)
    return item["pk"], item["sk"]


def refuse_as_key(name: str, value: Any, most: int) -> None:
    """Raise InvalidCall if the value cannot be this attribute of a key of the table or of an index."""
    if not isinstance(value, str):
        raise InvalidCall(f"type mismatch for key {name}: {type(value).__name__}")
    if not value:
        raise InvalidCall(f"a key attribute cannot contain an empty string value: {name}")
    if size_of(value) > most:
        raise InvalidCall(f"a key attribute has at most {most} bytes: {name} has {size_of(value)}")


def refuse_index_keys(item: Attributes) -> None:
    """Raise InvalidCall if an item has what no index takes. Without the attribute, it is only not in the index."""
    for name, most in _index_keys():
        if name in item:
            refuse_as_key(name, item[name], most)


@cache
def _index_keys() -> tuple[tuple[str, int], ...]:
    """The attributes that are keys of indexes, and how large they may be."""
    named = (pair for order in orders().values() for pair in zip(order, KEY_LIMITS, strict=False))
    return tuple({name: most for name, most in named if name not in KEYS}.items())


def refuse_large(row: Row) -> None:
    if row.size > MAX_ITEM_BYTES:
        raise InvalidCall(f"item size has exceeded the maximum allowed size: {row.size} bytes")


def action(item: Parameters) -> tuple[str, Parameters]:
    """The one action of an item of a transaction, and its parameters. Raises InvalidCall."""
    if len(item) != 1 or next(iter(item)) not in ("Put", "Update", "Delete", "ConditionCheck"):
        raise InvalidCall(f"each item of a transaction is one action, not {sorted(item)}")
    ((kind, parameters),) = item.items()
    refuse_unknown(kind, parameters)
    return kind, parameters
