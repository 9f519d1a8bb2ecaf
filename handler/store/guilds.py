"""Guild items, and what the reconciler finds by the two sparse indices.

WatchIndex, by `watch_guild_id`: all that is active in a guild: claims, sessions, namesakes and the guild's own item.
DueIndex, by `due_in` and `due_at`: a guild's archived sessions, those not looked at for longest first; and, in a
partition of their own, all guilds.
"""

from datetime import datetime
from typing import Final

import msgspec

from handler.runtime.clock import iso
from handler.store.items import GuildItem, Namesake, Session, guild_item_key, session_from_item
from handler.store.table import Attributes, Table

KNOWN_GUILDS: Final = "GUILDS"  # the partition of DueIndex that holds the guilds
WATCH_INDEX: Final = "WatchIndex"
DUE_INDEX: Final = "DueIndex"


class Watched(msgspec.Struct, frozen=True):
    """A guild's partition of WatchIndex, which may lag."""

    guild: GuildItem
    sessions: tuple[Session, ...]
    namesakes: tuple[Namesake, ...]


class GuildStore:
    """The guilds, and the sessions and namesakes that the reconciler watches in each."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def due(self, now: datetime) -> list[str]:
        """The ids of the known guilds that are due, those that wait longest first."""
        items = await self._table.query_index(DUE_INDEX, ("due_in", KNOWN_GUILDS), up_to=("due_at", iso(now)))
        return [item["guild_id"] for item in items]

    async def watched(self, guild_id: str) -> Watched:
        items = await self._table.query_index(WATCH_INDEX, ("watch_guild_id", guild_id))
        guilds = [msgspec.convert(item, GuildItem) for item in items if item["sk"] == "GUILD"]
        return Watched(
            guild=guilds[0] if guilds else GuildItem(guild_id=guild_id),
            sessions=tuple(session_from_item(i) for i in items if i["sk"].startswith("SESSION#")),
            namesakes=tuple(Namesake.from_item(item) for item in items if item["sk"].startswith("NAMESAKE#")),
        )

    async def due_sessions(self, guild_id: str, limit: int) -> list[Session]:
        """The archived sessions that were not looked at for longest."""
        items = await self._table.query_index(DUE_INDEX, ("due_in", guild_id), limit=limit)
        return [session_from_item(item) for item in items]

    async def make_due(self, guild_id: str, *, now: datetime) -> None:
        """Register a guild that is in use; one that is parked is due at once."""
        known = {"guild_id": guild_id, "watch_guild_id": guild_id, "due_in": KNOWN_GUILDS, "due_at": iso(now)}
        await self._table.try_update(
            guild_item_key(guild_id),
            condition="attribute_not_exists(#due_at) OR #due_at > :now",
            sets={**known, "parked": 0},
            values={"now": iso(now)},
        )

    async def update(self, guild: GuildItem, changes: Attributes) -> None:
        """Record how a run went; None removes an attribute."""
        await self._table.try_update(
            guild_item_key(guild.guild_id),
            condition="attribute_exists(pk)",
            sets={name: value for name, value in changes.items() if value is not None},
            removes=[name for name, value in changes.items() if value is None],
        )
