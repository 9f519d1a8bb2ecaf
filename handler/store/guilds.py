"""Guild items, and what the reconciler finds by two of the sparse indices.

WatchIndex, by `watch_guild_id`: all that is active in a guild: claims, sessions, namesakes and the guild's own item;
and its parked channels.
DueIndex, by `due_in` and `due_at`: a guild's archived sessions, those not looked at for longest first; and, in
partitions of their own, all guilds, and each guild's questions.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from handler.discord.snowflakes import is_snowflake
from handler.runtime.clock import iso
from handler.store.items import ChannelItem, Namesake, Session, guild_item_key, session_from_item
from handler.store.private import PRIVATE
from handler.store.reading import Item, read_item, read_items
from handler.store.table import Attributes, Table

KNOWN_GUILDS: Final = "GUILDS"  # the partition of DueIndex that holds the guilds
MAX_SKIPPED: Final = 200  # unreadable sessions at the head of DueIndex, which stay there: about 100 KB to read
WATCH_INDEX: Final = "WatchIndex"
DUE_INDEX: Final = "DueIndex"


class GuildItem(msgspec.Struct, frozen=True, kw_only=True):
    """A guild item."""

    guild_id: str
    audit_watermark: str | None = None  # the id of the last audit entry that was carried out
    audit_denied_since: str | None = None  # the bot may not read the audit log
    audit_again_at: str | None = None  # and asks for it again then
    reconciled_at: str | None = None  # the start of the last complete run
    due_at: str | None = None  # of a parked guild: when it is due again
    parked: int = 0  # how often in a row it did not answer
    let_through_until: str | None = None  # until then, deletions that are held back are carried out
    run_counts: str | None = None  # of the run at `reconciled_at`, as JSON

    @classmethod
    def from_item(cls, item: Item) -> "GuildItem":
        """Raises UnreadableItem."""
        return read_item(item, {**item, "guild_id": item["pk"].removeprefix("GUILD#")}, cls)

    @classmethod
    def from_broken_item(cls, item: Item) -> "GuildItem":
        """What can be read of an item that cannot. The rest counts as absent: a run finds all of it out again."""
        keys = {"pk": item["pk"], "sk": item["sk"]}
        kept = dict(keys)
        for name in cls.__struct_fields__:
            if name in item and read_items([{**keys, name: item[name]}], cls.from_item)[0]:
                kept[name] = item[name]
        return cls.from_item(kept)


class Watched(msgspec.Struct, frozen=True):
    """A guild's partition of WatchIndex, which may lag."""

    guild: GuildItem
    sessions: tuple[Session, ...]
    namesakes: tuple[Namesake, ...]
    parked: tuple[ChannelItem, ...] = ()  # channels
    unreadable: tuple[Item, ...] = ()


def read_counts(guild: GuildItem) -> dict[str, int]:
    """The counts of the run at `reconciled_at`, by name; empty if the attribute was edited by hand."""
    try:
        return msgspec.json.decode(guild.run_counts or "{}", type=dict[str, int])
    except msgspec.DecodeError:
        return {}


def write_counts(counts: Mapping[str, int]) -> str:
    """The attribute: those that are not zero."""
    return msgspec.json.encode({name: count for name, count in counts.items() if count}).decode()


class GuildStore:
    """The guilds, and the sessions and namesakes that the reconciler watches in each."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def due(self, now: datetime) -> list[str]:
        """The ids of the known guilds that are due, those that wait longest first."""
        items = await self._table.query_index(DUE_INDEX, ("due_in", KNOWN_GUILDS), order=("due_at", "<=", iso(now)))
        ids = (item["pk"].removeprefix("GUILD#") for item in items)
        return [guild_id for guild_id in ids if is_snowflake(guild_id)]

    async def watched(self, guild_id: str) -> Watched:
        items = await self._table.query_index(WATCH_INDEX, ("watch_guild_id", guild_id))
        guilds, broken = read_items((i for i in items if i["sk"] == "GUILD"), GuildItem.from_item)
        guilds += tuple(map(GuildItem.from_broken_item, broken))
        kinds = ("SESSION#", PRIVATE)
        sessions, bad = read_items((i for i in items if i["sk"].startswith(kinds)), session_from_item)
        namesakes, worse = read_items((i for i in items if i["sk"].startswith("NAMESAKE#")), Namesake.from_item)
        channels, lost = read_items((i for i in items if i["sk"] == "CHANNEL"), ChannelItem.from_item)
        guild = guilds[0] if guilds else GuildItem(guild_id=guild_id)
        return Watched(guild, sessions, namesakes, channels, unreadable=(*broken, *bad, *worse, *lost))

    async def due_sessions(self, guild_id: str, limit: int) -> tuple[tuple[Session, ...], tuple[Item, ...]]:
        """The archived sessions that were not looked at for longest, and items among them that cannot be read."""
        items = await self._table.query_index(DUE_INDEX, ("due_in", guild_id), limit=limit)
        sessions, rest = read_items(items, session_from_item)
        if rest:  # nobody moves them to the end: look behind them
            items = await self._table.query_index(DUE_INDEX, ("due_in", guild_id), limit=limit + MAX_SKIPPED)
            sessions, rest = read_items(items, session_from_item)
        return sessions[:limit], rest

    async def make_due(self, guild_id: str, *, now: datetime) -> None:
        """Register a guild that is in use; one that is parked is due at once."""
        known = {"guild_id": guild_id, "watch_guild_id": guild_id, "due_in": KNOWN_GUILDS, "due_at": iso(now)}
        await self._table.try_update(
            guild_item_key(guild_id),
            condition="attribute_not_exists(#due_at) OR #due_at > :now",
            sets={**known, "parked": 0},
            values={"now": iso(now)},
        )

    async def let_through(self, guild_id: str, *, until: datetime) -> None:
        """Until then, carry out the deletions that are held back in a guild that is on record."""
        await self._table.try_update(
            guild_item_key(guild_id), condition="attribute_exists(pk)", sets={"let_through_until": iso(until)}
        )

    async def update(self, guild: GuildItem, changes: Attributes) -> None:
        """Record how a run went; None removes an attribute."""
        await self._table.try_update(
            guild_item_key(guild.guild_id),
            condition="attribute_exists(pk)",
            sets={name: value for name, value in changes.items() if value is not None},
            removes=[name for name, value in changes.items() if value is None],
        )
