"""Requests to a table: their expressions, keys and items, checked as DynamoDB checks them before it looks at any item."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from handler.aws.dynamodb import InvalidCall
from tests.kit.conditions import Condition, condition
from tests.kit.expressions import Attributes, Tokens
from tests.kit.updates import Update, update

Key = tuple[str, str]

KEYS: Final = ("pk", "sk")
INDEXES: Final = {
    "WatchIndex": ("watch_guild_id", "pk"),
    "DueIndex": ("due_in", "due_at"),
}  # name → partition and sort key
_INDEXED: Final = tuple(sorted({name for keys in INDEXES.values() for name in keys} - set(KEYS)))
_NOTHING: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Expressions:
    """The expressions of a request, parsed. `projection`: the tokens of the attributes that are asked for."""

    condition: Condition | None
    update: Update | None
    key_condition: Condition | None
    filter: Condition | None
    projection: tuple[str, ...] | None


def expressions(parameters: Mapping[str, Any]) -> Expressions:
    """The request's expressions. Raises InvalidCall, also for names and values that are unused or undefined."""
    get = parameters.get
    names, values = get("ExpressionAttributeNames"), get("ExpressionAttributeValues")
    found = _expressions(
        get("ConditionExpression"),
        get("UpdateExpression"),
        get("KeyConditionExpression"),
        get("FilterExpression"),
        get("ProjectionExpression"),
        None if names is None else frozenset(names),
        None if values is None else frozenset(values),
    )
    for parsed in (found.condition, found.key_condition, found.filter):
        for check in parsed.checks if parsed else ():
            if fault := check(values or _NOTHING):
                raise InvalidCall(fault)
    return found


@cache
def _expressions(
    condition_text: str | None,
    update_text: str | None,
    key_text: str | None,
    filter_text: str | None,
    projection_text: str | None,
    names: frozenset[str] | None,
    values: frozenset[str] | None,
) -> Expressions:
    parsed = [None if text is None else condition(text) for text in (condition_text, key_text, filter_text)]
    change = None if update_text is None else update(update_text)
    projection = None if projection_text is None else _projection(projection_text)
    using = [part for part in (*parsed, change) if part is not None]
    names_used = {name for part in using for name in part.names} | {t for t in projection or () if t.startswith("#")}
    _refuse_difference("ExpressionAttributeNames", names, names_used)
    _refuse_difference("ExpressionAttributeValues", values, {value for part in using for value in part.values})
    return Expressions(parsed[0], change, parsed[1], parsed[2], projection)


def _projection(text: str) -> tuple[str, ...]:
    tokens = Tokens(text)
    found = [tokens.attribute()[1]]
    while tokens.next == ",":
        tokens.take()
        found.append(tokens.attribute()[1])
    tokens.end()
    return tuple(found)


def _refuse_difference(what: str, given: frozenset[str] | None, used: set[str]) -> None:
    if given is not None and not given:
        raise InvalidCall(f"{what} must not be empty")
    if unused := (given or frozenset()) - used:
        raise InvalidCall(f"{what} unused in expressions: {sorted(unused)}")
    if undefined := used - (given or frozenset()):
        raise InvalidCall(f"{what} not defined: {sorted(undefined)}")


def names_of(parameters: Mapping[str, Any]) -> Mapping[str, str]:
    return parameters.get("ExpressionAttributeNames") or _NOTHING


def values_of(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values, plain. Raises TypeError for one that the table never holds."""
    values = parameters.get("ExpressionAttributeValues")
    return plain(values) if values else _NOTHING


def plain(attributes: Attributes) -> dict[str, Any]:
    """A copy that holds str, int and bool alone. Raises TypeError for anything else."""
    return {name: value if type(value) in _PLAIN else _plain(name, value) for name, value in attributes.items()}


_PLAIN: Final = frozenset({str, int, bool})


def _plain(name: str, value: Any) -> Any:
    for kind in (str, int):  # an enumeration's member is stored as what it stands for
        if isinstance(value, kind):
            return kind.__str__(value) if kind is str else kind(value)
    raise TypeError(f"{name} is a {type(value).__name__}: the table holds str, int and bool")


def key_of(key: Attributes) -> Key:
    """The key of a request, which holds the key attributes and no others. Raises InvalidCall."""
    if len(key) != len(KEYS):
        raise InvalidCall(f"the provided key element does not match the schema: {sorted(key)}")
    return key_in(key)


def key_in(item: Attributes) -> Key:
    """The key of a whole item. Raises InvalidCall."""
    for name in KEYS:
        if name not in item:
            raise InvalidCall(f"one of the required keys was not given a value: {name}")
        _refuse_as_key(name, item[name])
    return item["pk"], item["sk"]


def refuse_index_keys(item: Attributes) -> None:
    """Raise InvalidCall where an index could not hold the item. An absent attribute only leaves it out."""
    for name in _INDEXED:
        if name in item:
            _refuse_as_key(name, item[name])


def _refuse_as_key(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise InvalidCall(f"type mismatch for key {name}: {type(value).__name__}")
    if not value:
        raise InvalidCall(f"a key attribute cannot contain an empty string value: {name}")


def picked(item: Attributes, projection: tuple[str, ...] | None, names: Mapping[str, str]) -> dict[str, Any]:
    """A copy of the item, or of what the projection asks for."""
    if projection is None:
        return dict(item)
    wanted = [names[token] if token.startswith("#") else token for token in projection]
    return {name: item[name] for name in wanted if name in item}
