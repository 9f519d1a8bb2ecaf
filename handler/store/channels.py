"""Channel items and namesakes: how far a channel's past is known, and which threads bear names that are not theirs."""

from collections.abc import Iterable
from typing import Any

import msgspec

from handler.store.clauses import ABSENT
from handler.store.items import ChannelItem, Namesake, Note, channel_item_key, namesake_item_key
from handler.store.table import Attributes, Lost, Table


class ChannelItems:
    """The part of the Store that is about channels, not about one session."""

    _table: Table

    async def namesakes(self, parent_channel_id: str, session_key: str) -> list[Note]:
        """The threads that are noted as bearing this session's name without being its own."""
        start = f"NAMESAKE#{session_key}#"
        items = await self._table.beginning_with(f"CHANNEL#{parent_channel_id}", start)
        notes = [Note(thread_id=item["sk"][len(start) :], gone_at=item.get("gone_at")) for item in items]
        return [note for note in notes if note.thread_id.isdigit()]  # a key may hold "#": an id must be left alone

    async def mark_namesake(
        self, parent_channel_id: str, session_key: str, thread_id: str, gone_at: str | None
    ) -> None:
        """Write down since when a noted thread seems gone; None: it is there."""
        await self._attempt(
            namesake_item_key(parent_channel_id, session_key, thread_id),
            condition="attribute_exists(pk)",
            sets={"gone_at": gone_at},
            removes=[] if gone_at else ["gone_at"],
        )

    async def all_namesakes(self, parent_channel_id: str) -> dict[str, list[str]]:
        """All that is noted in a channel: the ids of the threads, by the session key whose name they bear."""
        noted: dict[str, list[str]] = {}
        for item in await self._table.beginning_with(f"CHANNEL#{parent_channel_id}", "NAMESAKE#"):
            namesake = Namesake.of(item)
            noted.setdefault(namesake.session_key, []).append(namesake.thread_id)
        return noted

    async def noted_namesakes(
        self, parent_channel_id: str, pairs: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], bool]:
        """Which of these (key, thread) pairs are noted as namesakes, and whether the reconciler watches them."""
        wanted = {(namesake_item_key(parent_channel_id, *pair)["sk"]): pair for pair in pairs}
        items = await self._table.get_all(namesake_item_key(parent_channel_id, *pair) for pair in wanted.values())
        return {wanted[item["sk"]]: "watch_guild_id" in item for item in items}

    async def channel(self, channel_id: str) -> ChannelItem | None:
        item = await self._table.get(channel_item_key(channel_id))
        return None if item is None else msgspec.convert({**item, "channel_id": channel_id}, ChannelItem)

    # Namesakes.

    async def note_namesake(
        self, parent_channel_id: str, session_key: str, thread_id: str, *, guild_id: str, active: bool
    ) -> None:
        """Note that a thread bears a session's name without being its own. `active`: the reconciler watches it."""
        item = namesake_item_key(parent_channel_id, session_key, thread_id)
        watched = {"watch_guild_id": guild_id} if active else {}
        await self._table.put({**item, **watched})

    async def drop_namesake(self, parent_channel_id: str, session_key: str, thread_id: str) -> None:
        await self._table.delete(namesake_item_key(parent_channel_id, session_key, thread_id))

    # Channels and their import.

    async def register_channel(self, channel: ChannelItem) -> None:
        """First contact: what kind of channel it is. Repeatable."""
        facts = {"guild_id": channel.guild_id, "kind": channel.kind}
        await self._attempt(channel_item_key(channel.channel_id), condition=ABSENT, sets=facts)

    async def advance_import(self, channel: ChannelItem, then: ChannelItem) -> bool:
        """Move the import on, from exactly where it was read. False: somebody else moved it."""
        clauses: list[str] = []
        values: dict[str, Any] = {}
        for name in ("import_started_at", "import_before", "import_asked_by"):
            value = getattr(channel, name)
            clauses.append(f"#{name} = :read_{name}" if value else f"attribute_not_exists(#{name})")
            values |= {f"read_{name}": value} if value else {}
        return await self._attempt(
            channel_item_key(channel.channel_id),
            condition=" AND ".join([*clauses, "attribute_not_exists(#imported_at)"]),
            sets={
                "guild_id": then.guild_id,
                "kind": then.kind,
                "import_started_at": None if then.imported_at else then.import_started_at,
                "import_before": None if then.imported_at else then.import_before,
                "import_pages": then.import_pages,
                "import_threads": then.import_threads,
                "import_sessions": then.import_sessions,
                "imported_at": then.imported_at,
            },
            removes=["import_started_at", "import_before"] if then.imported_at else [],
            values=values,
        )

    async def import_afresh(self, channel: ChannelItem, asked_by: str) -> None:
        """Forget how far the past is known, unless this very request has begun it already."""
        await self._attempt(
            channel_item_key(channel.channel_id),
            condition="attribute_not_exists(#import_asked_by) OR #import_asked_by <> :import_asked_by",
            sets={"guild_id": channel.guild_id, "kind": channel.kind, "import_asked_by": asked_by},
            removes=[
                "imported_at",
                "import_started_at",
                "import_before",
                "import_pages",
                "import_threads",
                "import_sessions",
            ],
            values={},
        )

    async def move_mark(self, channel: ChannelItem, to: str) -> None:
        """All threads archived before `to` are settled: the mark moves on, from the value that was read."""
        await self._attempt(
            channel_item_key(channel.channel_id),
            condition="#imported_at = :read AND #imported_at < :to",
            sets={"imported_at": to},
            values={"read": channel.imported_at, "to": to},
        )

    async def _attempt(self, key: Attributes, **parts: Any) -> bool:
        """Whether the conditional update was won."""
        try:
            await self._table.update(key, **parts)
        except Lost:
            return False
        return True
