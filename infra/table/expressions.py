"""DynamoDB's expressions, as far as the Store writes them: parsed once, then a plain function of an item.

Conditions: comparisons of an attribute with a value, attribute_exists, attribute_not_exists, AND, OR, parentheses. Updates:
SET (also ``if_not_exists``, and a number added to an attribute) and REMOVE. Key conditions: the partition key alone, or with a comparison of the sort key or its
beginning. Attributes are `#names`, or the table's own keys. Everything else raises InvalidCall, also what DynamoDB takes.
"""

import operator
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any, Final

from handler.aws.dynamodb import InvalidCall

Attributes = Mapping[str, Any]
Names = Mapping[str, str]
Test = Callable[[Attributes, Names, Attributes], bool]  # item, names, values

ABSENT: Final = object()
_ATTRIBUTE: Final = r"(#\w+|pk\b|sk\b)"
_TOKEN: Final = re.compile(r"\s*(<>|<=|>=|[=<>()]|[#:]\w+|\w+)")
_SET: Final = re.compile(r"(#\w+) = (?:if_not_exists\((#\w+), (:\w+)\)|(#\w+) \+ (:\w+)|(:\w+))")
_UPDATE: Final = re.compile(r"(?:SET (.+?))?(?: ?REMOVE (#\w+(?:, #\w+)*))?")
_KEY_CONDITION: Final = re.compile(
    rf"{_ATTRIBUTE} = (:\w+)(?: AND (?:begins_with\({_ATTRIBUTE}, (:\w+)\)|{_ATTRIBUTE} (=|<|<=|>|>=) (:\w+)))?"
)
_ORDER: Final = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_PRESENCE: Final = {"attribute_exists": True, "attribute_not_exists": False}


def mentioned(sign: str, *texts: str | None) -> frozenset[str]:
    """The names ("#") or values (":") that the expressions mention."""
    return frozenset(re.findall(rf"{sign}\w+", " ".join(filter(None, texts))))


def name_of(token: str, names: Names) -> str:
    """The attribute that a token of an expression stands for."""
    return names[token] if token.startswith("#") else token


def same(a: Any, b: Any) -> bool:
    """Equal and of one type: True is not 1. What is absent equals nothing."""
    return a is not ABSENT and type(a) is type(b) and a == b


def is_ordered(sign: str, a: Any, b: Any) -> bool:
    """Whether the order holds. There is none between types."""
    return type(a) is type(b) and type(a) in (str, int) and _ORDER[sign](a, b)


@dataclass(frozen=True)
class Condition:
    """A parsed condition. `ordered`: the values that must have an order, so texts or numbers."""

    test: Test
    ordered: frozenset[str]

    def check(self, values: Attributes) -> None:
        """Raise InvalidCall for a value that DynamoDB refuses before it looks at any item."""
        for token in self.ordered:
            if type(values[token]) not in (str, int):
                raise InvalidCall(f"incorrect operand type: {token}")


@cache
def condition(text: str) -> Condition:
    """Parse a condition. Raises InvalidCall."""
    parser = _Parser(text)
    test = parser.disjunction()
    if parser.next:
        raise parser.fault(f"unexpected {parser.next!r}")
    return Condition(test, frozenset(parser.ordered))


class _Parser:
    """OR binds loosest, then AND."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _TOKEN.findall(text)
        if "".join(self._tokens) != re.sub(r"\s", "", text) or not self._tokens:
            raise self.fault("not an expression")
        self._wrapped: Test | None = None  # the test that the last parentheses held
        self.ordered: set[str] = set()

    @property
    def next(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def fault(self, what: str) -> InvalidCall:
        return InvalidCall(f"syntax error in {self._text!r}: {what}")

    def disjunction(self) -> Test:
        test = self._conjunction()
        while self.next == "OR":
            self._take("OR")
            test = _any(test, self._conjunction())
        return test

    def _conjunction(self) -> Test:
        test = self._term()
        while self.next == "AND":
            self._take("AND")
            test = _all(test, self._term())
        return test

    def _term(self) -> Test:
        if self.next == "(":
            self._take(r"\(")
            test = self.disjunction()
            self._take(r"\)")
            if test is self._wrapped:
                raise self.fault("redundant parentheses")
            self._wrapped = test
            return test
        if self.next in _PRESENCE:
            exists = _PRESENCE[self._take(r"\w+")]
            self._take(r"\(")
            token = self._take(_ATTRIBUTE)
            self._take(r"\)")
            return lambda i, n, v: (name_of(token, n) in i) is exists
        return self._comparison()

    def _comparison(self) -> Test:
        token, sign, value = self._take(_ATTRIBUTE), self._take("=|<>|<=|>=|<|>"), self._take(r":\w+")
        if sign in _ORDER:
            self.ordered.add(value)
            return lambda i, n, v: is_ordered(sign, i.get(name_of(token, n), ABSENT), v[value])
        equal = sign == "="
        return lambda i, n, v: same(i.get(name_of(token, n), ABSENT), v[value]) is equal

    def _take(self, pattern: str) -> str:
        if not re.fullmatch(pattern, self.next):
            raise self.fault(f"{pattern} expected, not {self.next!r}")
        return str(self._tokens.pop(0))


def _all(a: Test, b: Test) -> Test:
    return lambda i, n, v: a(i, n, v) and b(i, n, v)


def _any(a: Test, b: Test) -> Test:
    return lambda i, n, v: a(i, n, v) or b(i, n, v)


@dataclass(frozen=True)
class Update:
    """A parsed update: (attribute, the one that keeps its value if it has one or None, new value), and what it removes.

    `adds`: (attribute, the one to whose number the value is added, value).
    """

    sets: tuple[tuple[str, str | None, str], ...]
    adds: tuple[tuple[str, str, str], ...]
    removes: tuple[str, ...]

    def targets(self, names: Names) -> list[str]:
        """The attributes it changes. Raises InvalidCall if one is changed twice."""
        targets = [names[token] for token in (*(clause[0] for clause in (*self.sets, *self.adds)), *self.removes)]
        if len(set(targets)) != len(targets):
            raise InvalidCall(f"two document paths overlap with each other: {targets}")
        return targets

    def apply(self, item: Attributes, names: Names, values: Attributes) -> dict[str, Any]:
        """The new item. All right-hand sides read the old one."""
        new = dict(item)
        for target, kept, value in self.sets:
            new[names[target]] = values[value] if kept is None else item.get(names[kept], values[value])
        for target, added_to, value in self.adds:
            new[names[target]] = _sum(item.get(names[added_to]), values[value])
        for token in self.removes:
            new.pop(names[token], None)
        return new


@cache
def update(text: str) -> Update:
    """Parse an update expression. Raises InvalidCall."""
    parts = _UPDATE.fullmatch(text)
    clauses = list(_SET.finditer(parts[1])) if parts and parts[1] else []
    if not parts or not text or ", ".join(clause[0] for clause in clauses) != (parts[1] or ""):
        raise InvalidCall(f"syntax error in {text!r}")
    sets = tuple((clause[1], clause[2], clause[3] or clause[6]) for clause in clauses if not clause[4])
    adds = tuple((clause[1], clause[4], clause[5]) for clause in clauses if clause[4])
    return Update(sets, adds, tuple(parts[2].split(", ")) if parts[2] else ())


def _sum(a: Any, b: Any) -> int:
    if type(a) is not int or type(b) is not int:
        raise InvalidCall(f"incorrect operand types for +: {type(a).__name__} and {type(b).__name__}")
    return a + b


@dataclass(frozen=True)
class KeyCondition:
    """A parsed key condition, by tokens: the partition key and its value, the sort key, how it is compared, and with what."""

    partition: str
    value: str
    sort: str | None
    sign: str
    bound: str

    def span(self, places: Sequence[Sequence[str]], values: Attributes) -> range:
        """Which of the places, sorted by a sort key, are within the condition."""
        if self.sort is None:
            return range(len(places))
        bound: str = values[self.bound]
        first = bisect_left(places, bound, key=itemgetter(0))
        if self.sign == "begins_with":
            return range(first, bisect_right(places, bound, first, key=lambda place: place[0][: len(bound)]))
        after = bisect_right(places, bound, first, key=itemgetter(0))
        spans = {"=": (first, after), "<": (0, first), "<=": (0, after), ">=": (first, len(places))}
        return range(*spans.get(self.sign, (after, len(places))))


@cache
def key_condition(text: str) -> KeyCondition:
    """Parse a key condition. Raises InvalidCall."""
    parts = _KEY_CONDITION.fullmatch(text)
    if parts is None:
        raise InvalidCall(f"not a key condition: {text!r}")
    return KeyCondition(parts[1], parts[2], parts[3] or parts[5], parts[6] or "begins_with", parts[4] or parts[7] or "")
