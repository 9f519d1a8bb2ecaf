"""Dictionaries of frozen records, cheap to fork and cheap to compare."""

from collections.abc import Hashable, ItemsView, Iterable, ValuesView
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row", bound=Hashable)


class ForkableDict(Generic[Key, Row]):
    """A dictionary that is copied when it is first changed after a fork, and remembers its fingerprint until then."""

    __slots__ = ("_print", "_rows", "_shared")

    def __init__(self) -> None:
        self._rows: dict[Key, Row] = {}
        self._shared = False
        self._print: frozenset[tuple[Key, Row]] | None = None

    def __contains__(self, key: Key) -> bool:
        return key in self._rows

    def __getitem__(self, key: Key) -> Row:
        return self._rows[key]

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: Key) -> Row | None:
        return self._rows.get(key)

    def values(self) -> ValuesView[Row]:
        return self._rows.values()

    def items(self) -> ItemsView[Key, Row]:
        return self._rows.items()

    def put(self, key: Key, row: Row) -> None:
        self._own()[key] = row

    def put_all(self, rows: Iterable[tuple[Key, Row]]) -> None:
        self._own().update(rows)

    def drop(self, key: Key) -> None:
        """Forgets a row; no such row is fine."""
        if key in self._rows:
            del self._own()[key]

    def clear(self) -> None:
        if self._rows:
            self._rows, self._shared, self._print = {}, False, None

    def fork(self) -> "ForkableDict[Key, Row]":
        """A table of its own with the same rows."""
        twin: ForkableDict[Key, Row] = ForkableDict.__new__(ForkableDict)
        twin._rows = self._rows
        twin._print = self._print
        twin._shared = self._shared = True
        return twin

    def fingerprint(self) -> frozenset[tuple[Key, Row]]:
        """A hashable value, the same for tables with the same rows."""
        if self._print is None:
            self._print = frozenset(self._rows.items())
        return self._print

    def _own(self) -> dict[Key, Row]:
        if self._shared:
            self._rows, self._shared = self._rows.copy(), False
        self._print = None
        return self._rows
