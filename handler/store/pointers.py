"""Merged threads: pointers that say what a duplicate was merged into. From then on no session ever takes that thread."""

from collections.abc import Iterable
from typing import Any

import msgspec

from handler.store import clauses
from handler.store.items import Pointer, Session, pointer_item_key, session_item_key
from handler.store.table import Attributes, Table
from handler.store.writes import key_of


class PointerStore:
    """The part of the Store that is about duplicates."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get_many(self, thread_ids: Iterable[str]) -> dict[str, Pointer]:
        items = await self._table.get_all(pointer_item_key(thread_id) for thread_id in set(thread_ids))
        pointers = [msgspec.convert({**i, "thread_id": i["pk"].partition("#")[2]}, Pointer) for i in items]
        return {pointer.thread_id: pointer for pointer in pointers}

    async def merge(self, session: Session, thread_id: str, pointer: Pointer | None, *, at: str) -> bool:
        """Let the thread's pointer say that it was merged into the session's thread.

        One transaction: the session has that thread at this moment and nobody is about to delete it, the pointer is as it
        was read, and the session that it named has the thread no more. False: one of it is not so. With it the session is
        in use: who had marked it for deletion finds that out.
        """
        kept = session.discord_thread_id or ""
        condition, values = _as_read(pointer)
        item = {**pointer_item_key(thread_id), "merged_into": kept, "merged_at": at}
        operations = [
            self._table.putting(item, condition=condition, values=values),
            self._table.updating(
                key_of(session),
                condition=f"{clauses.SAME_THREAD} AND {clauses.NOT_BEING_DELETED}",
                sets={"opened_at": at},
                removes=["delete_marked_at", "delete_marked_message"],
                values={"thread": kept},
            ),
        ]
        former = _former(pointer, session)
        if former is not None:
            operations.append(
                self._table.checking(former, condition=clauses.HAS_IT_NO_MORE, values={"thread": thread_id})
            )
        reasons = await self._table.transact(*operations)
        return reasons is None or _is_ours(reasons[0], item)

    async def set_link(self, thread_id: str, merged_into: str, message_id: str) -> None:
        """Note the message that links the kept thread, so that nobody posts a second one."""
        await self._table.try_update(
            pointer_item_key(thread_id),
            condition="#merged_into = :kept",
            sets={"link_message_id": message_id},
            values={"kept": merged_into},
        )


def _as_read(pointer: Pointer | None) -> tuple[str, dict[str, Any]]:
    if pointer is None:
        return clauses.ABSENT, {}
    if pointer.merged_into is not None:
        return "#merged_into = :read_merged", {"read_merged": pointer.merged_into}
    return clauses.POINTER_AS_READ, {"read_parent": pointer.parent_channel_id, "read_key": pointer.session_key}


def _former(pointer: Pointer | None, session: Session) -> dict[str, str] | None:
    """The item of another session that the pointer named."""
    if pointer is None or pointer.merged_into is not None:
        return None
    if pointer.names(session.parent_channel_id, session.session_key):
        return None
    return session_item_key(pointer.parent_channel_id or "", pointer.session_key or "")


def _is_ours(in_the_way: Attributes | None, item: Attributes) -> bool:
    """Our own write, repeated after its answer was lost."""
    return in_the_way is not None and in_the_way.get("merged_into") == item["merged_into"]
