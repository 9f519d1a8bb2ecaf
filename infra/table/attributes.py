"""Attribute values in DynamoDB's JSON, {"S": …}, and as plain values. The table holds what the Store does: S, BOOL, whole N, and L of S."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from handler.aws.dynamodb import InvalidCall

MAX_DIGITS: Final = 18  # DynamoDB takes 38; the file takes what fits 64 bits
# Where requests and answers hold attributes: one map from names to values, or a list of maps.
_MAPS: Final = frozenset(
    {"Attributes", "ExclusiveStartKey", "ExpressionAttributeValues", "Item", "Key", "LastEvaluatedKey"}
)
_LISTS: Final = frozenset({"Items", "Keys"})


def read_request(part: Mapping[str, Any]) -> dict[str, Any]:
    """A request, or an action of one, with plain values. Raises InvalidCall for what the table cannot hold."""
    return {name: _read_field(name, value) for name, value in part.items()}


def read_item(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _read_value(name, value) for name, value in fields.items()}


def write_answer(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer in DynamoDB's JSON."""
    return {name: _write_field(name, value) for name, value in answer.items()}


def write_item(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _write_value(value) for name, value in item.items()}


def _read_field(name: str, value: Any) -> Any:
    if name in _MAPS:
        return read_item(value)
    if name in _LISTS:
        return [read_item(item) for item in value]
    if name == "RequestItems":
        return {table: read_request(part) for table, part in value.items()}
    if name == "TransactItems":
        return [{kind: read_request(part) for kind, part in item.items()} for item in value]
    return value


def _read_value(name: str, value: Mapping[str, Any]) -> str | int | bool | list[str]:
    match value, len(value):
        case {"S": str(text)}, 1:
            return text
        case {"BOOL": bool(flag)}, 1:
            return flag
        case {"N": str(digits)}, 1:
            return _read_number(digits)
        case {"L": list(elements)}, 1 if all(isinstance(e, dict) and [*e] == ["S"] for e in elements):
            return [element["S"] for element in elements]
    raise InvalidCall(f"{name}: this table holds S, N, BOOL and L of S, not {sorted(value)}")


def _read_number(digits: str) -> int:
    try:
        number = Decimal(digits)
    except InvalidOperation:
        raise InvalidCall(f"The parameter cannot be converted to a numeric value: {digits}") from None
    if not number.is_finite() or number != number.to_integral_value() or number.adjusted() >= MAX_DIGITS:
        raise InvalidCall(f"this table holds whole numbers of at most {MAX_DIGITS} digits, not {digits}")
    return int(number)


def _write_field(name: str, value: Any) -> Any:
    if name in _MAPS:
        return write_item(value)
    if name in _LISTS:
        return [write_item(item) for item in value]
    if name == "Responses":
        return {table: [write_item(item) for item in items] for table, items in value.items()}
    if name == "UnprocessedKeys":
        return {table: write_answer(part) for table, part in value.items()}
    return value


def _write_value(value: str | int | bool | list[str]) -> dict[str, Any]:
    if isinstance(value, list):
        return {"L": [{"S": element} for element in value]}
    if isinstance(value, str):
        return {"S": value}
    return {"BOOL": value} if isinstance(value, bool) else {"N": str(value)}
