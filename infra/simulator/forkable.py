"""ForkableDict: a dictionary of frozen values that is cheap to fork and to compare."""

from collections.abc import Hashable, ItemsView, Iterable, ValuesView
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value", bound=Hashable)


class ForkableDict(Generic[Key, Value]):
    """Forks share one dictionary until one of them changes it. The fingerprint is kept until the next change."""

    __slots__ = ("_fingerprint", "_shared", "_values")

    def __init__(self) -> None:
        self._values: dict[Key, Value] = {}
        self._shared = False
        self._fingerprint: frozenset[tuple[Key, Value]] | None = None

    def __contains__(self, key: Key) -> bool:
        return key in self._values

    def __getitem__(self, key: Key) -> Value:
        return self._values[key]

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Key) -> Value | None:
        return self._values.get(key)

    def values(self) -> ValuesView[Value]:
        return self._values.values()

    def items(self) -> ItemsView[Key, Value]:
        return self._values.items()

    def put(self, key: Key, value: Value) -> None:
        self._writable()[key] = value

    def put_all(self, items: Iterable[tuple[Key, Value]]) -> None:
        self._writable().update(items)

    def discard(self, key: Key) -> None:
        """Remove a key if it is there."""
        if key in self._values:
            del self._writable()[key]

    def clear(self) -> None:
        if self._values:
            self._values, self._shared, self._fingerprint = {}, False, None

    def fork(self) -> "ForkableDict[Key, Value]":
        """An independent dictionary with the same items."""
        twin: ForkableDict[Key, Value] = ForkableDict.__new__(ForkableDict)
        twin._values = self._values
        twin._fingerprint = self._fingerprint
        twin._shared = self._shared = True
        return twin

    def fingerprint(self) -> frozenset[tuple[Key, Value]]:
        """A hashable value, equal for dictionaries with the same items."""
        if self._fingerprint is None:
            self._fingerprint = frozenset(self._values.items())
        return self._fingerprint

    def _writable(self) -> dict[Key, Value]:
        if self._shared:
            self._values, self._shared = self._values.copy(), False
        self._fingerprint = None
        return self._values
