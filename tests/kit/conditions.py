"""DynamoDB's condition, filter and key condition expressions: parsed once, then a plain function of an item.

Known are comparisons, BETWEEN, IN, attribute_exists, attribute_not_exists, begins_with, contains, AND, OR, NOT and
parentheses; not ``size``, not ``attribute_type``. Redundant parentheses are refused, as DynamoDB does.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from tests.kit.expressions import ABSENT, Attributes, Names, Node, Read, Tokens, read_of

Test = Callable[[Attributes, Names, Attributes], bool]  # item, names, values
Check = Callable[[Attributes], str | None]  # values → what is wrong with them

_FUNCTIONS: Final = {"attribute_exists": 1, "attribute_not_exists": 1, "begins_with": 2, "contains": 2}
_ORDER: Final = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@dataclass(frozen=True)
class Condition:
    """A parsed condition. `tree` is for key conditions, whose shape matters; `checks` look at the values' types."""

    test: Test
    tree: Node
    checks: tuple[Check, ...]
    names: frozenset[str]
    values: frozenset[str]


@cache
def condition(text: str) -> Condition:
    """Parse a condition, filter or key condition. Raises InvalidCall."""
    tokens = Tokens(text)
    tree = _Conditions(tokens).disjunction()
    tokens.end()
    return Condition(
        test=predicate_of(tree),
        tree=tree,
        checks=tuple(_checks(tree)),
        names=tokens.mentioned("#"),
        values=tokens.mentioned(":"),
    )


class _Conditions:
    """The grammar of conditions: OR binds loosest, then AND, then NOT."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._wrapped: Node | None = None  # what stood in the last parentheses

    def disjunction(self) -> Node:
        node = self._conjunction()
        while self._tokens.word("OR"):
            node = ("or", node, self._conjunction())
        return node

    def _conjunction(self) -> Node:
        node = self._negation()
        while self._tokens.word("AND"):
            node = ("and", node, self._negation())
        return node

    def _negation(self) -> Node:
        if self._tokens.word("NOT"):
            return ("not", self._negation())
        if self._tokens.next == "(":
            return self._parentheses()
        if self._tokens.next in _FUNCTIONS:
            return self._function()
        return self._comparison()

    def _parentheses(self) -> Node:
        self._tokens.expect("(")
        node = self.disjunction()
        self._tokens.expect(")")
        if node is self._wrapped:
            raise self._tokens.fault("the expression has redundant parentheses")
        self._wrapped = node
        return node

    def _function(self) -> Node:
        name = self._tokens.take()
        self._tokens.expect("(")
        operands = [self._tokens.attribute()]
        for _ in range(_FUNCTIONS[name] - 1):
            self._tokens.expect(",")
            operands.append(self._tokens.operand())
        self._tokens.expect(")")
        return self._distinct((name, *operands))

    def _comparison(self) -> Node:
        left = self._tokens.operand()
        if self._tokens.word("BETWEEN"):
            low = self._tokens.operand()
            if not self._tokens.word("AND"):
                raise self._tokens.fault("AND expected")
            return self._distinct(("between", left, low, self._tokens.operand()))
        if self._tokens.word("IN"):
            return self._distinct(("in", left, *self._listed()))
        sign = self._tokens.take()
        if sign not in ("=", "<>", *_ORDER):
            raise self._tokens.fault(f"operator expected, not {sign!r}")
        return self._distinct((sign, left, self._tokens.operand()))

    def _listed(self) -> list[Node]:
        self._tokens.expect("(")
        operands = [self._tokens.operand()]
        while self._tokens.next == ",":
            self._tokens.take()
            operands.append(self._tokens.operand())
        self._tokens.expect(")")
        return operands

    def _distinct(self, node: Node) -> Node:
        if node[1] in node[2:]:
            raise self._tokens.fault(f"the first operand of {node[0]} must be distinct from the others")
        return node


def predicate_of(node: Node) -> Test:
    """The function of a condition's tree."""
    kind = node[0]
    if kind in ("and", "or", "not"):
        tests = [predicate_of(part) for part in node[1:]]
        return _LOGIC[kind](*tests)
    return _LEAVES[kind](*[read_of(operand) for operand in node[1:]])


def _and(a: Test, b: Test) -> Test:
    return lambda i, n, v: a(i, n, v) and b(i, n, v)


def _or(a: Test, b: Test) -> Test:
    return lambda i, n, v: a(i, n, v) or b(i, n, v)


def _not(a: Test) -> Test:
    return lambda i, n, v: not a(i, n, v)


def same(a: Any, b: Any) -> bool:
    """Equal and of one type: True is not 1. What is absent equals nothing."""
    return a is not ABSENT and type(a) is type(b) and a == b


def _ordered(compare: Callable[[Any, Any], bool], a: Any, b: Any) -> bool:
    return type(a) is type(b) and type(a) in (str, int) and compare(a, b)


def _order(compare: Callable[[Any, Any], bool]) -> Callable[[Read, Read], Test]:
    return lambda a, b: lambda i, n, v: _ordered(compare, a(i, n, v), b(i, n, v))


def _text(compare: Callable[[str, str], bool], a: Any, b: Any) -> bool:
    return type(a) is str and type(b) is str and compare(a, b)


def _between(a: Read, low: Read, high: Read) -> Test:
    above, below = _order(operator.ge)(a, low), _order(operator.le)(a, high)
    return lambda i, n, v: above(i, n, v) and below(i, n, v)


def _in(a: Read, *others: Read) -> Test:
    return lambda i, n, v: any(same(a(i, n, v), other(i, n, v)) for other in others)


_LOGIC: Final[Mapping[str, Callable[..., Test]]] = {"and": _and, "or": _or, "not": _not}
_LEAVES: Final[Mapping[str, Callable[..., Test]]] = {
    "=": lambda a, b: lambda i, n, v: same(a(i, n, v), b(i, n, v)),
    "<>": lambda a, b: lambda i, n, v: not same(a(i, n, v), b(i, n, v)),
    **{sign: _order(compare) for sign, compare in _ORDER.items()},
    "between": _between,
    "in": _in,
    "attribute_exists": lambda a: lambda i, n, v: a(i, n, v) is not ABSENT,
    "attribute_not_exists": lambda a: lambda i, n, v: a(i, n, v) is ABSENT,
    "begins_with": lambda a, b: lambda i, n, v: _text(str.startswith, a(i, n, v), b(i, n, v)),
    "contains": lambda a, b: lambda i, n, v: _text(operator.contains, a(i, n, v), b(i, n, v)),
}


def _checks(node: Node) -> Iterator[Check]:
    """What DynamoDB looks at before it looks at the item."""
    if node[0] in ("and", "or", "not"):
        for part in node[1:]:
            yield from _checks(part)
        return
    kinds: tuple[type, ...] = (str, int) if node[0] in ("between", *_ORDER) else (str,)
    if node[0] in ("begins_with", "between", *_ORDER):
        yield from (_of_type(operand[1], kinds, node[0]) for operand in node[1:] if operand[0] == "value")
    if node[0] == "between" and node[2][0] == node[3][0] == "value":
        yield _bounds(node[2][1], node[3][1])


def _of_type(name: str, kinds: tuple[type, ...], where: str) -> Check:
    return lambda values: None if type(values[name]) in kinds else f"incorrect operand type for {where}: {name}"


def _bounds(low: str, high: str) -> Check:
    return lambda v: (
        None if _ordered(operator.le, v[low], v[high]) else f"bounds of BETWEEN are out of order: {low}, {high}"
    )
