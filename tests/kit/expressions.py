"""What DynamoDB's condition and update expressions have in common: tokens, operands, names and values.

Attributes are top-level: no paths into documents. What DynamoDB refuses is refused (InvalidCall).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from handler.aws.dynamodb import InvalidCall

Names = Mapping[str, str]
Attributes = Mapping[str, Any]
Read = Callable[[Attributes, Names, Attributes], Any]  # item, names, values → a value, or ABSENT
Node = tuple[Any, ...]

ABSENT: Final = object()
_TOKEN: Final = re.compile(r"\s*(<>|<=|>=|[=<>(),+-]|[#:]\w+|[A-Za-z_]\w*)")
_KEY_NAMES: Final = frozenset({"pk", "sk"})


class Tokens:
    """The tokens of one expression, with what names and values it mentions."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self.text = text

    @property
    def next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self) -> str:
        token = self.next
        self._at += 1
        return token

    def word(self, *words: str) -> bool:
        """Take the next token if it is one of these keywords; keywords are in any case."""
        found = self.next.upper() in words
        self._at += found
        return found

    def expect(self, token: str) -> None:
        if self.take() != token:
            raise self.fault(f"{token} expected")

    def attribute(self) -> Node:
        operand = self.operand()
        if operand[0] != "name":
            raise self.fault("an attribute is required, not a value")
        return operand

    def operand(self) -> Node:
        token = self.take()
        if token.startswith(":"):
            return ("value", token)
        if not token.startswith("#"):
            if not token.isidentifier():
                raise self.fault(f"operand expected, not {token!r}")
            _refuse_reserved(token)
        return ("name", token)

    def end(self) -> None:
        if self.next:
            raise self.fault(f"unexpected {self.next!r}")

    def mentioned(self, sign: str) -> frozenset[str]:
        return frozenset(token for token in self._tokens if token.startswith(sign))

    def fault(self, what: str) -> InvalidCall:
        return InvalidCall(f"syntax error in {self.text!r}: {what}")


def _tokens(text: str) -> Iterator[str]:
    at, end = 0, len(text.rstrip())
    if not end:
        raise InvalidCall("an expression can not be empty")
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise InvalidCall(f"syntax error in {text!r} at {at}")
        yield match[1]
        at = match.end()


def _refuse_reserved(name: str) -> None:
    if name in _KEY_NAMES:
        return
    from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords  # slow to import, and seldom needed

    if name.upper() in ReservedKeywords.get_reserved_keywords():
        raise InvalidCall(f"attribute name is a reserved keyword: {name}")


def read_of(operand: Node) -> Read:
    """The function that reads an operand."""
    kind, token = operand
    if kind == "value":
        return lambda item, names, values: values[token]
    if token.startswith("#"):
        return lambda item, names, values: item.get(names[token], ABSENT)
    return lambda item, names, values: item.get(token, ABSENT)
