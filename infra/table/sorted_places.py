"""The order of the items, by partition, in the table and in its indexes: made when it is first asked for, then kept up."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from typing import Any

from infra.table.schema import KEYS

Attributes = Mapping[str, Any]
Key = tuple[str, str]
Place = tuple[str, ...]  # an item's sort key, and what tells it from others with the same


class SortedPlaces:
    """One order: a partition key, a sort key, and what tells places apart. An item without one of them is not in it."""

    def __init__(self, order: tuple[str, ...], items: Iterable[Attributes]) -> None:
        self._order = order
        self._key_at = tuple(order.index(name) for name in KEYS)
        self._partitions: dict[str, list[Place]] = {}
        for item in items:
            if whole := self._whole(item):
                self._partitions.setdefault(whole[0], []).append(whole[1:])
        for places in self._partitions.values():
            places.sort()

    def __getitem__(self, partition: str) -> list[Place]:
        """The places of a partition, in order. The caller does not change them."""
        return self._partitions.get(partition, [])

    def key(self, partition: str, place: Place) -> Key:
        """The key of the item that is there."""
        whole = (partition, *place)
        return whole[self._key_at[0]], whole[self._key_at[1]]

    def move(self, old: Attributes | None, new: Attributes | None) -> None:
        """One item has changed; None: there was none, or there is none."""
        before, after = self._whole(old), self._whole(new)
        if before == after:
            return
        if before:
            places = self._partitions[before[0]]
            del places[bisect_left(places, before[1:])]
        if after:
            insort(self._partitions.setdefault(after[0], []), after[1:])

    def _whole(self, item: Attributes | None) -> tuple[str, ...] | None:
        if item is None:
            return None
        whole = tuple([item[name] for name in self._order if name in item])
        return whole if len(whole) == len(self._order) else None
