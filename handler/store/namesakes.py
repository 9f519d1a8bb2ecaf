"""Namesake items: the threads that bear a session's name without being its own."""

from collections.abc import Iterable

from handler.store.items import Namesake, Note, namesake_item_key
from handler.store.table import Table


class NamesakeStore:
    """The namesakes of the sessions."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def of_session(self, parent_channel_id: str, session_key: str) -> list[Note]:
        """The threads that are noted as bearing this session's name without being its own."""
        start = f"NAMESAKE#{session_key}#"
        items = await self._table.beginning_with(f"CHANNEL#{parent_channel_id}", start)
        notes = [Note(thread_id=item["sk"][len(start) :], gone_at=item.get("gone_at")) for item in items]
        return [note for note in notes if note.thread_id.isdigit()]  # a key may hold "#": an id must be left alone

    async def set_gone(self, parent_channel_id: str, session_key: str, thread_id: str, gone_at: str | None) -> None:
        """Write down since when a noted thread seems gone; None: it is there."""
        await self._table.try_update(
            namesake_item_key(parent_channel_id, session_key, thread_id),
            condition="attribute_exists(pk)",
            sets={"gone_at": gone_at},
            removes=[] if gone_at else ["gone_at"],
        )

    async def of_channel(self, parent_channel_id: str) -> dict[str, list[str]]:
        """All that is noted in a channel: the ids of the threads, by the session key whose name they bear."""
        noted: dict[str, list[str]] = {}
        for item in await self._table.beginning_with(f"CHANNEL#{parent_channel_id}", "NAMESAKE#"):
            namesake = Namesake.of(item)
            noted.setdefault(namesake.session_key, []).append(namesake.thread_id)
        return noted

    async def watched(self, parent_channel_id: str, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], bool]:
        """Which of these (key, thread) pairs are noted as namesakes, and whether the reconciler watches them."""
        wanted = {(namesake_item_key(parent_channel_id, *pair)["sk"]): pair for pair in pairs}
        items = await self._table.get_all(namesake_item_key(parent_channel_id, *pair) for pair in wanted.values())
        return {wanted[item["sk"]]: "watch_guild_id" in item for item in items}

    async def put(
        self, parent_channel_id: str, session_key: str, thread_id: str, *, guild_id: str, active: bool
    ) -> None:
        """Note that a thread bears a session's name without being its own. `active`: the reconciler watches it."""
        item = namesake_item_key(parent_channel_id, session_key, thread_id)
        watched = {"watch_guild_id": guild_id} if active else {}
        await self._table.put({**item, **watched})

    async def remove(self, parent_channel_id: str, session_key: str, thread_id: str) -> None:
        await self._table.delete(namesake_item_key(parent_channel_id, session_key, thread_id))
