"""Channel items: what kind of channel it is, how far its past is known, and its settings."""

from typing import Any, Final

from handler.store.clauses import ABSENT
from handler.store.items import ChannelItem, channel_item_key
from handler.store.reading import unreadable
from handler.store.table import Attributes, Lost, Table

# Where an import is, and all that it leaves.
_CURSOR: Final = ("import_started_at", "import_before", "import_since")
_KIND_AS_READ: Final = "#kind = :read_kind"
_IMPORT: Final = (*_CURSOR, "imported_at", "import_pages", "import_threads", "import_sessions")


class ChannelStore:
    """The channels in which sessions were opened."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, channel_id: str) -> ChannelItem | None:
        """Raises UnreadableItem."""
        item = await self._table.get(channel_item_key(channel_id))
        return None if item is None else ChannelItem.from_item(item)

    async def register(self, channel: ChannelItem) -> None:
        """Record a channel at first contact. Repeatable."""
        facts = {"guild_id": channel.guild_id, "kind": channel.kind}
        await self._table.try_update(channel_item_key(channel.channel_id), condition=ABSENT, sets=facts)

    async def correct_kind(self, channel: ChannelItem, kind: int) -> None:
        """Record the channel's kind as Discord says it, unless the record has changed."""
        await self._table.try_update(
            channel_item_key(channel.channel_id),
            condition=_KIND_AS_READ,
            sets={"kind": kind},
            values={"read_kind": channel.kind},
        )

    async def forget(self, channel: ChannelItem) -> None:
        """Take a channel that is none off the record, unless the record has changed."""
        key, values = channel_item_key(channel.channel_id), {"read_kind": channel.kind}
        await self._table.transact(self._table.build_delete(key, condition=_KIND_AS_READ, values=values))

    async def advance_import(self, channel: ChannelItem, then: ChannelItem) -> bool:
        """Advance the import from exactly where it was read. False: somebody else did."""
        cursor = {name: None if then.imported_at else getattr(then, name) for name in _CURSOR}
        clauses: list[str] = []
        values: dict[str, Any] = {}
        for name in ("import_started_at", "import_before", "import_asked_by"):
            value = getattr(channel, name)
            clauses.append(f"#{name} = :read_{name}" if value else f"attribute_not_exists(#{name})")
            values |= {f"read_{name}": value} if value else {}
        return await self._table.try_update(
            channel_item_key(channel.channel_id),
            condition=" AND ".join([*clauses, "attribute_not_exists(#imported_at)"]),
            sets={
                "guild_id": then.guild_id,
                "kind": then.kind,
                "import_pages": then.import_pages,
                "import_threads": then.import_threads,
                "import_sessions": then.import_sessions,
                "imported_at": then.imported_at,
                **cursor,
            },
            removes=[name for name, value in cursor.items() if value is None],
            values=values,
        )

    async def reopen_import(self, channel: ChannelItem) -> None:
        """Import what was archived since the channel's watermark, which was read: too much for one look-up."""
        await self._table.try_update(
            channel_item_key(channel.channel_id),
            condition="#imported_at = :read",
            sets={"import_since": channel.imported_at},
            removes=[name for name in _IMPORT if name != "import_since"],
            values={"read": channel.imported_at},
        )

    async def restart_import(self, channel: ChannelItem, asked_by: str) -> None:
        """Import the past again, unless this very request began that already."""
        await self._table.try_update(
            channel_item_key(channel.channel_id),
            condition="attribute_not_exists(#import_asked_by) OR #import_asked_by <> :import_asked_by",
            sets={"guild_id": channel.guild_id, "kind": channel.kind, "import_asked_by": asked_by},
            removes=_IMPORT,
            values={},
        )

    async def update(self, channel_id: str, changes: Attributes) -> None:
        """Change attributes of a channel that is on record; None removes one."""
        await self._table.try_update(
            channel_item_key(channel_id),
            condition="attribute_exists(pk)",
            sets={name: value for name, value in changes.items() if value is not None},
            removes=[name for name, value in changes.items() if value is None],
        )

    async def choose(self, channel: ChannelItem, choices: Attributes) -> ChannelItem:
        """Write what moderators have set for the channel, by attribute; None removes it. Returns the item as it is then.

        Raises UnreadableItem.
        """
        try:
            item = await self._table.update(
                channel_item_key(channel.channel_id),
                condition=f"{ABSENT} OR #guild_id = :guild_id",
                sets={"guild_id": channel.guild_id, "kind": channel.kind, **choices},
                removes=[name for name, value in choices.items() if value is None],
            )
        except Lost as lost:  # a channel has one guild, for ever
            raise unreadable(lost.item or {}) from None
        return ChannelItem.from_item(item)

    async def advance_watermark(self, channel: ChannelItem, to: str) -> None:
        """Advance the watermark from the value that was read: all threads archived before `to` are settled."""
        await self._table.try_update(
            channel_item_key(channel.channel_id),
            condition="#imported_at = :read AND #imported_at < :to",
            sets={"imported_at": to},
            values={"read": channel.imported_at, "to": to},
        )
