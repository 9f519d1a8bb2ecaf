"""A channel's sessions in the order of their last activity, and by the beginning of their names. For lists.

ActivityIndex, by `listed_in` and `activity`: the sessions of a channel that have a thread: see `listing`. And, in
partitions of their own, the open questions of a thread: see `questions`.
"""

from typing import Any, Final

import msgspec

from handler.store.items import Session, Status, session_from_item, session_item_key
from handler.store.reading import Item, read_items
from handler.store.table import Order, Table

ACTIVITY_INDEX: Final = "ActivityIndex"

_WITH_THREAD: Final = frozenset({Status.OPEN, Status.CLOSED})


class Listed(msgspec.Struct, frozen=True):
    """A session and its place in the index."""

    place: str
    session: Session


class Stretch(msgspec.Struct, frozen=True):
    """Neighbours in the index, the newest first. `more`: the index may go on behind them, in the direction of reading."""

    sessions: tuple[Listed, ...]
    last: str | None  # the place that was read last, whether it could be read or not
    more: bool


class ActivityStore:
    """Reads for lists, which are allowed to lag. Items that cannot be read are passed over."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def newest(self, listed_in: str, limit: int, *, before: str | None = None) -> Stretch:
        """The last active sessions; `before`: those whose place is below that one."""
        items = await self._read(listed_in, limit, ("<", before) if before else None, backwards=True)
        return _stretch(items, items, limit)

    async def newer(self, listed_in: str, limit: int, *, than: str) -> Stretch:
        """The sessions right above that place."""
        items = await self._read(listed_in, limit, (">", than), backwards=False)
        return _stretch(items[::-1], items, limit)

    async def with_beginning(self, parent_channel_id: str, beginning: str, limit: int) -> tuple[Session, ...]:
        """Sessions with a thread whose key begins so, of so many items, in the order of their keys."""
        key = session_item_key(parent_channel_id, beginning)
        items = await self._table.query_prefix(key["pk"], key["sk"], limit=limit)
        sessions, _ = read_items(items, session_from_item)
        return tuple(session for session in sessions if session.status in _WITH_THREAD)

    async def _read(
        self, listed_in: str, limit: int, bound: tuple[Order, str] | None, *, backwards: bool
    ) -> list[dict[str, Any]]:
        return await self._table.query_index(
            ACTIVITY_INDEX,
            ("listed_in", listed_in),
            order=("activity", *bound) if bound else None,
            limit=limit,
            backwards=backwards,
        )


def _stretch(items: list[dict[str, Any]], as_read: list[dict[str, Any]], limit: int) -> Stretch:
    read, _ = read_items(items, _listed)
    entries = tuple(one for one in read if one.session.status in _WITH_THREAD)
    last = as_read[-1]["activity"] if as_read else None
    return Stretch(entries, last, more=len(as_read) >= limit)


def _listed(item: Item) -> Listed:
    return Listed(item["activity"], session_from_item(item))
