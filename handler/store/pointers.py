"""Pointer items: whose a thread is, or what it was merged into. No session takes a merged thread."""

from collections.abc import Iterable
from datetime import datetime

from handler.runtime.clock import iso
from handler.store import clauses
from handler.store.items import Pointer, Session, namesake_item_key, pointer_item_key, session_item_key
from handler.store.parts import Deletion
from handler.store.reading import Found, read_items
from handler.store.table import Attributes, Operation, Table


class PointerStore:
    """The pointers of threads. Those to a session change in its own transactions, in `sessions`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get_many(self, thread_ids: Iterable[str]) -> Found[str, Pointer]:
        items = await self._table.get_many(pointer_item_key(thread_id) for thread_id in set(thread_ids))
        pointers, rest = read_items(items, Pointer.from_item)
        return Found({p.thread_id: p for p in pointers}, (i["pk"].removeprefix("THREAD#") for i in rest))

    async def merge(self, session: Session, thread_id: str, pointer: Pointer | None, *, at: str) -> bool:
        """Record that the thread was merged into the session's thread. False: a condition failed.

        One transaction, on condition that the session has its thread and nobody is deleting it, that the pointer is as it
        was read, and that the session that it named no longer has the merged thread. It counts as a use of the session:
        a mark for deletion is cleared.
        """
        kept = session.discord_thread_id or ""
        condition, values = _as_read(pointer)
        item = {**pointer_item_key(thread_id), "merged_into": kept, "merged_at": at}
        reasons = await self._table.transact(
            self._table.build_put(item, condition=condition, values=values),
            self._table.build_update(
                session.item_key,
                condition=f"{clauses.SAME_THREAD} AND {clauses.NOT_BEING_DELETED}",
                sets={"opened_at": at},
                removes=Deletion.MARK,
                values={"thread": kept},
            ),
            *check_former_owner(self._table, pointer, session.pair, thread_id),
        )
        if reasons is None:
            return True
        return (reasons[0] or {}).get("merged_into") == kept  # our own write, repeated after its answer was lost

    async def discard(self, session: Session, thread_id: str, *, now: datetime) -> bool:
        """Keep every session from taking an extra thread, which is to be deleted. False: the session, or the thread, changed.

        On condition that the session has its own thread, and that the extra one is nobody's.
        """
        item = {
            **pointer_item_key(thread_id),
            "parent_channel_id": session.parent_channel_id,
            "session_key": session.pair[1],
            "discarded_at": iso(now),
            "expires_at": int((now + clauses.VACANT_KEPT).timestamp()),  # nobody removes it once the thread is deleted
        }
        reasons = await self._table.transact(
            self._table.build_put(item, condition=f"{clauses.ABSENT} OR {clauses.DISCARDED}", values={}),
            self._table.build_check(
                session.item_key, condition=clauses.SAME_THREAD, values={"thread": session.discord_thread_id}
            ),
        )
        return reasons is None

    async def keep(self, thread_id: str) -> None:
        """The extra thread is not deleted after all: a session may take it."""
        delete = self._table.build_delete(pointer_item_key(thread_id), condition=clauses.DISCARDED, values={})
        await self._table.transact(delete)

    async def set_link(self, thread_id: str, merged_into: str, message_id: str) -> None:
        """Record the message that links the kept thread, so that nobody posts a second one."""
        await self._table.try_update(
            pointer_item_key(thread_id),
            condition="#merged_into = :kept",
            sets={"link_message_id": message_id},
            values={"kept": merged_into},
        )


def point(table: Table, thread_id: str, pair: tuple[str, str], read: Pointer | None = None) -> list[Operation]:
    """Point a thread at the session of that (parent channel, key) pair.

    `read`: the thread's pointer as it was read. If it names another session, it is taken over as it was read, on
    condition that the session no longer has the thread; else it must be absent or name this very session.
    """
    parent, key = pair
    condition = clauses.POINTER_OURS
    values: dict[str, str | None] = {"parent": parent, "key": key}
    if read is not None and not read.names(parent, key):
        condition = clauses.POINTER_AS_READ
        values |= {"read_parent": read.parent_channel_id, "read_key": read.session_key}
    item = {**pointer_item_key(thread_id), "parent_channel_id": parent, "session_key": key}
    put = table.build_put(item, condition=condition, values=values)
    return [put, *check_former_owner(table, read, pair, thread_id)]


def unpoint(table: Table, session: Session) -> list[Operation]:
    """Delete the pointer of the session's thread, if there is a thread."""
    if session.thread_id is None:
        return []
    parent, key = session.pair
    values = {"parent": parent, "key": key}
    return [table.build_delete(pointer_item_key(session.thread_id), condition=clauses.POINTER_OURS, values=values)]


def let_go(table: Table, session: Session, now: datetime) -> list[Operation]:
    """Keep every session from taking the session's thread, which stays."""
    parent, key = session.pair
    item = {"parent_channel_id": parent, "session_key": key, "discarded_at": iso(now)}
    values = {"parent": parent, "key": key}
    pointer = {**pointer_item_key(session.thread_id or ""), **item}
    return [table.build_put(pointer, condition=clauses.POINTER_OURS, values=values)]


def hand_over(table: Table, session: Session, thread_id: str, read: Pointer | None = None) -> list[Operation]:
    """What goes with a session's change to another thread: both pointers, and the namesake that the former thread becomes."""
    former = namesake_item_key(*session.pair, session.discord_thread_id or "")
    watched = {} if session.thread.archived else {"watch_guild_id": session.guild_id}
    pointers = [*point(table, thread_id, session.pair, read), *unpoint(table, session)]
    return [*pointers, table.build_put({**former, **watched})]


def check_former_owner(table: Table, pointer: Pointer | None, pair: tuple[str, str], thread_id: str) -> list[Operation]:
    """Check that another session that the pointer names no longer has the thread: else two could have it."""
    if pointer is None or pointer.merged_into is not None or pointer.names(*pair):
        return []
    former = session_item_key(pointer.parent_channel_id or "", pointer.session_key or "")
    return [table.build_check(former, condition=clauses.THREAD_NOT_HELD, values={"thread": thread_id})]


def _as_read(pointer: Pointer | None) -> tuple[str, Attributes]:
    """The condition, and its values, that the pointer is as it was read."""
    if pointer is None:
        return clauses.ABSENT, {}
    if pointer.merged_into is not None:
        return "#merged_into = :read_merged", {"read_merged": pointer.merged_into}
    return clauses.POINTER_AS_READ, {"read_parent": pointer.parent_channel_id, "read_key": pointer.session_key}
