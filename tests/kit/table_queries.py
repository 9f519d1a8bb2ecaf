"""Query: the key condition's shape, the order, the page."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from handler.aws.dynamodb import InvalidCall
from tests.kit.conditions import Test, predicate_of
from tests.kit.expressions import Attributes, Node
from tests.kit.table_requests import INDEXES, KEYS, Expressions, expressions, names_of, picked, values_of

_RANGES: Final = frozenset({"=", "<", "<=", ">", ">=", "between", "begins_with"})


def query(items: Iterable[Attributes], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """One page. As DynamoDB does, a page that is full ends with a LastEvaluatedKey, also where nothing follows."""
    names, values, parsed = names_of(parameters), values_of(parameters), expressions(parameters)
    order = _order(parameters.get("IndexName"))
    if "IndexName" in parameters and parameters.get("ConsistentRead"):
        raise InvalidCall("consistent reads are not supported on global secondary indexes")
    partition, test = _conditions(parsed, order, names, values)
    found = [item for item in items if item.get(order[0]) == partition]
    found = [item for item in found if test is None or test(item, names, values)]
    descending = not parameters.get("ScanIndexForward", True)
    found.sort(key=lambda item: _place(item, order), reverse=descending)
    found = _after(found, parameters.get("ExclusiveStartKey"), order, partition, descending)
    limit = _limit(parameters, len(found) + 1)
    scanned = found[:limit]
    kept = [item for item in scanned if parsed.filter is None or parsed.filter.test(item, names, values)]
    answer: dict[str, Any] = {
        "Items": [picked(item, parsed.projection, names) for item in kept],
        "Count": len(kept),
        "ScannedCount": len(scanned),
    }
    if len(scanned) == limit:
        answer["LastEvaluatedKey"] = {name: scanned[-1][name] for name in order}
    return answer


def _limit(parameters: Mapping[str, Any], unlimited: int) -> int:
    limit: int = parameters.get("Limit", unlimited)
    if limit < 1:
        raise InvalidCall("Limit must be at least 1")
    return limit


def _order(index: str | None) -> tuple[str, ...]:
    """The attributes of a place in the table or index: partition key, sort key, then what tells places apart."""
    if index is None:
        return KEYS
    if index not in INDEXES:
        raise InvalidCall(f"the table does not have the specified index: {index}")
    keys = INDEXES[index]
    return (*keys, *(name for name in KEYS if name not in keys))


def _place(item: Attributes, order: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(item[name] for name in order[1:])


def _conditions(
    parsed: Expressions, order: tuple[str, ...], names: Mapping[str, str], values: Attributes
) -> tuple[str, Test | None]:
    """The partition's key, and the test of the sort key (None: the whole partition)."""
    if parsed.key_condition is None:
        raise InvalidCall("KeyConditionExpression is missing")
    parts = list(_conjuncts(parsed.key_condition.tree))
    on = {_attribute(part, names): part for part in parts}
    if len(on) != len(parts):
        raise InvalidCall("KeyConditionExpressions must only contain one condition per key")
    first, rest = on.pop(order[0], None), on.pop(order[1], None)
    if first is None or on:
        raise InvalidCall("Query condition missed key schema element")
    if first[0] != "=":
        raise InvalidCall("Query key condition not supported")
    _refuse_filter(parsed, order, names)
    for _, value in [*first[2:], *(rest or ())[2:]]:
        if not isinstance(values[value], str) or not values[value]:
            raise InvalidCall(f"a key is compared with what no key can be: {value}")
    return values[first[2][1]], None if rest is None else predicate_of(rest)


def _conjuncts(node: Node) -> Iterable[Node]:
    if node[0] == "and":
        for part in node[1:]:
            yield from _conjuncts(part)
    else:
        yield node


def _attribute(part: Node, names: Mapping[str, str]) -> str:
    if part[0] not in _RANGES:
        raise InvalidCall(f"invalid operator used in KeyConditionExpression: {part[0]}")
    (kind, token), *others = part[1:]
    if kind != "name" or any(other[0] != "value" for other in others):
        raise InvalidCall("KeyConditionExpression compares keys with values")
    return names[token] if token.startswith("#") else str(token)


def _refuse_filter(parsed: Expressions, order: tuple[str, ...], names: Mapping[str, str]) -> None:
    if parsed.filter is None:
        return
    used = {names[token] if token.startswith("#") else token for token in _attributes(parsed.filter.tree)}
    if used & set(order[:2]):
        raise InvalidCall("Filter Expression can only contain non-primary key attributes")


def _attributes(node: Node) -> Iterable[str]:
    if node[0] == "name":
        yield node[1]
    elif node[0] != "value":
        for part in node[1:]:
            yield from _attributes(part)


def _after(
    found: list[Attributes], start: Attributes | None, order: tuple[str, ...], partition: str, descending: bool
) -> list[Attributes]:
    if start is None:
        return found
    if set(start) != set(order) or start[order[0]] != partition:
        raise InvalidCall("the provided starting key is invalid")
    place = _place(start, order)
    return [item for item in found if (_place(item, order) < place if descending else _place(item, order) > place)]
