"""DynamoDB's update expressions: parsed once, then a plain function from item to item.

Known are SET (also ``if_not_exists``, ``+`` and ``-``), REMOVE, and ADD of numbers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from handler.aws.dynamodb import InvalidCall
from tests.kit.expressions import ABSENT, Attributes, Names, Node, Read, Tokens, read_of

_SECTIONS: Final = ("SET", "REMOVE", "ADD")
_REFUSED: Final = "an operand in the update expression has an incorrect data type"


@dataclass(frozen=True)
class Update:
    """A parsed update: what it sets (attribute, new value), what it removes, and what it adds to."""

    sets: tuple[tuple[str, Read], ...]
    removes: tuple[str, ...]
    adds: tuple[tuple[str, Read], ...]
    names: frozenset[str]
    values: frozenset[str]

    def targets(self, names: Names) -> list[str]:
        """The attributes it changes. Raises InvalidCall if one is changed twice."""
        tokens = [token for token, _ in self.sets + self.adds] + list(self.removes)
        targets = [names[token] if token.startswith("#") else token for token in tokens]
        if len(set(targets)) != len(targets):
            raise InvalidCall(f"two document paths overlap with each other: {targets}")
        return targets

    def apply(self, item: Attributes, names: Names, values: Attributes) -> dict[str, Any]:
        """The new item. All right-hand sides read the old one."""
        new = dict(item)
        for token, read in self.sets:
            new[_name(token, names)] = _present(read(item, names, values))
        for token, read in self.adds:
            name = _name(token, names)
            new[name] = _number(item.get(name, 0)) + _number(read(item, names, values))
        for token in self.removes:
            new.pop(_name(token, names), None)
        return new


@cache
def update(text: str) -> Update:
    """Parse an update expression. Raises InvalidCall."""
    tokens = Tokens(text)
    sections: dict[str, list[Any]] = {}
    while tokens.next:
        section = tokens.next.upper()
        if not tokens.word(*_SECTIONS):
            raise tokens.fault(f"unexpected {tokens.next!r}")
        if section in sections:
            raise tokens.fault(f"the {section} section can only be used once")
        sections[section] = [_CLAUSES[section](tokens)]
        while tokens.next == ",":
            tokens.take()
            sections[section].append(_CLAUSES[section](tokens))
    return Update(
        sets=tuple(sections.get("SET", ())),
        removes=tuple(sections.get("REMOVE", ())),
        adds=tuple(sections.get("ADD", ())),
        names=tokens.mentioned("#"),
        values=tokens.mentioned(":"),
    )


def _set(tokens: Tokens) -> tuple[str, Read]:
    target = tokens.attribute()[1]
    tokens.expect("=")
    left = _term(tokens)
    if tokens.next not in ("+", "-"):
        return target, left
    sign = 1 if tokens.take() == "+" else -1
    return target, _sum(left, sign, _term(tokens))


def _sum(left: Read, sign: int, right: Read) -> Read:
    return lambda i, n, v: _number(_present(left(i, n, v))) + sign * _number(_present(right(i, n, v)))


def _term(tokens: Tokens) -> Read:
    if tokens.next != "if_not_exists":
        return read_of(tokens.operand())
    tokens.take()
    tokens.expect("(")
    first = read_of(tokens.attribute())
    tokens.expect(",")
    other = _term(tokens)
    tokens.expect(")")
    return lambda i, n, v: other(i, n, v) if (found := first(i, n, v)) is ABSENT else found


def _remove(tokens: Tokens) -> str:
    token: str = tokens.attribute()[1]
    return token


def _add(tokens: Tokens) -> tuple[str, Read]:
    target = tokens.attribute()[1]
    operand: Node = tokens.operand()
    if operand[0] != "value":
        raise tokens.fault("ADD takes a value")
    return target, read_of(operand)


_CLAUSES: Final[Mapping[str, Callable[[Tokens], Any]]] = {"SET": _set, "REMOVE": _remove, "ADD": _add}


def _name(token: str, names: Names) -> str:
    return names[token] if token.startswith("#") else token


def _present(value: Any) -> Any:
    if value is ABSENT:
        raise InvalidCall("the provided expression refers to an attribute that does not exist in the item")
    return value


def _number(value: Any) -> int:
    if type(value) is not int:
        raise InvalidCall(_REFUSED)
    return value
