"""Namesake items: the threads that bear a session's name and are not its own."""

from collections.abc import Iterable

from handler.store.items import Namesake, namesake_item_key
from handler.store.reading import read_items
from handler.store.table import Table


class NamesakeStore:
    """The namesakes of sessions."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def of_session(self, parent_channel_id: str, session_key: str) -> list[Namesake]:
        """The threads that bear this session's name and are not its own."""
        found = await self._query(parent_channel_id, f"NAMESAKE#{session_key}#")
        return [namesake for namesake in found if namesake.session_key == session_key]  # a key may hold "#"

    async def of_channel(self, parent_channel_id: str) -> dict[str, list[str]]:
        """The ids of a channel's namesakes, by the session key whose name they bear."""
        by_key: dict[str, list[str]] = {}
        for namesake in await self._query(parent_channel_id, "NAMESAKE#"):
            by_key.setdefault(namesake.session_key, []).append(namesake.thread_id)
        return by_key

    async def are_watched(
        self, parent_channel_id: str, pairs: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], bool]:
        """Which of these (key, thread) pairs are namesakes, and whether the reconciler watches them."""
        wanted = {namesake_item_key(parent_channel_id, *pair)["sk"]: pair for pair in pairs}
        items = await self._table.get_many(namesake_item_key(parent_channel_id, *pair) for pair in wanted.values())
        return {wanted[item["sk"]]: "watch_guild_id" in item for item in items}

    async def add(
        self,
        parent_channel_id: str,
        session_key: str,
        thread_id: str,
        *,
        guild_id: str,
        active: bool,
        thread_name: str | None = None,
    ) -> None:
        """Add a namesake, or replace it. The reconciler watches an `active` one. `thread_name`: see `Namesake`."""
        item = namesake_item_key(parent_channel_id, session_key, thread_id)
        watched = {"watch_guild_id": guild_id} if active else {}
        named = {"thread_name": thread_name} if thread_name else {}
        await self._table.put({**item, **watched, **named})

    async def set_gone(self, namesake: Namesake, gone_at: str | None) -> None:
        """Set since when the thread seems to be gone; None: it is there."""
        await self._table.try_update(
            namesake.item_key,
            condition="attribute_exists(pk)",
            sets={"gone_at": gone_at},
            removes=[] if gone_at else ["gone_at"],
        )

    async def set_passed(self, namesake: Namesake, at: str) -> None:
        """Set when a look-up that could not read all of the namesakes read this one, and could not adopt it."""
        await self._table.try_update(
            namesake.item_key, condition="attribute_exists(pk)", sets={"passed_at": at}, removes=[]
        )

    async def remove(self, parent_channel_id: str, session_key: str, thread_id: str) -> None:
        await self._table.delete(namesake_item_key(parent_channel_id, session_key, thread_id))

    async def _query(self, parent_channel_id: str, start: str) -> tuple[Namesake, ...]:
        """Without those that cannot be read: they name no thread, or say of none when it was gone."""
        items = await self._table.query_prefix(f"CHANNEL#{parent_channel_id}", start)
        return read_items(items, Namesake.from_item)[0]
