"""One item of the table, its fingerprint and its size."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

Attributes = Mapping[str, Any]

_PLAIN: Final = frozenset({str, int, bool})


class Row:
    """An item, never changed once it is here, and the fingerprint of its content."""

    __slots__ = ("_print", "_size", "values")

    def __init__(self, values: dict[str, Any]) -> None:
        self.values: Final = values
        self._print: int | None = None
        self._size = 0

    @property
    def print(self) -> int:
        if self._print is None:
            content = repr(sorted(self.values.items())).encode("utf-8", "surrogatepass")
            self._print = int.from_bytes(blake2b(content, digest_size=16).digest(), "big")
        return self._print

    @property
    def size(self) -> int:
        """Its bytes (DynamoDB docs, "DynamoDB item sizes and formats"): each name and each value."""
        if not self._size:
            self._size = sum(size_of(name) + size_of(value) for name, value in self.values.items())
        return self._size


def size_of(value: Any) -> int:
    """The bytes of a name or a value. A number takes one for two digits, and one or two more; a list three, and one a text."""
    if isinstance(value, list):
        return 3 + sum(1 + size_of(element) for element in value)
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    return 1 if isinstance(value, bool) else (len(str(value)) + 1) // 2 + 1


def plain(attributes: Attributes) -> dict[str, Any]:
    """A copy that holds str, int, bool and lists of str alone. Raises TypeError for anything else."""
    return {name: value if type(value) in _PLAIN else _plain(name, value) for name, value in attributes.items()}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, list) and all(type(element) is str for element in value):
        return list(value)
    for kind in (str, int):  # an enumeration's member is stored as what it stands for
        if isinstance(value, kind):
            return kind.__str__(value) if kind is str else kind(value)
    raise TypeError(f"{name} is a {type(value).__name__}: the table holds str, int, bool and lists of str")
