"""The Store: every read and every conditional write of the protocol, over one seam, ``call(operation, **parameters)``.

A write's condition is built from the named clauses below. A lost race is a normal result that carries the winner's item
(`Write.won` is False), never an exception. A write of ours whose answer was lost and that was repeated finds its own
item in the way: that is a success, and is told as one.

    claim            absent, vacant  → creating
    take_over, keep  creating        → creating, with another lease
    record           creating        → creating, with the source message; the pointer of the thread-to-be
    commit           creating        → open
    adopt            absent, vacant, creating with nothing recorded → open, next generation; the pointer
    drop_claim       creating with nothing recorded                 → vacant, same generation
    raise_generation creating with nothing recorded                 → creating, next generation
    end_generation   any with or without a thread                   → vacant, next generation; the pointer goes
    observe          open, closed    → open, closed: what Discord shows now
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import msgspec

from handler.store import clauses
from handler.store.items import (
    GENERATION_ATTRIBUTES,
    Pointer,
    Problem,
    Session,
    Status,
    namesake_item_key,
    pointer_item_key,
    session_attributes,
    session_item_key,
)
from handler.store.table import Attributes, Operation, Table
from handler.store.writes import Write, also_won, key_of, session_of, update_session

_READ: Final = ("status", "archived", "locked", "locked_by", "opened_at")  # what a write may depend on


class SessionStore:
    """What is on record of the sessions and their threads."""

    def __init__(self, table: Table) -> None:
        self._table = table

    # Reads, all strongly consistent: the protocol decides by them.

    async def get(self, parent_channel_id: str, session_key: str) -> Session | None:
        return session_of(await self._table.get(session_item_key(parent_channel_id, session_key)))

    async def get_many(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Session]:
        """The sessions on record of these (parent channel, key) pairs."""
        items = await self._table.get_all(session_item_key(*pair) for pair in set(keys))
        found = [s for s in map(session_of, items) if s is not None]
        return {(s.parent_channel_id, s.session_key): s for s in found}

    # The life of a session.

    async def record(self, session: Session, message_id: str) -> Write:
        """Record the source message, and whose the thread-to-be is: it will bear this very id. First writer wins."""
        reasons = await self._table.transact(
            self._table.updating(
                key_of(session),
                condition=clauses.RECORDABLE,
                sets={"source_message_id": message_id},
                values={"creating": Status.CREATING, "generation": session.generation},
            ),
            self._point(message_id, session.parent_channel_id, session.session_key, condition=clauses.POINTER_OURS),
        )
        if reasons is None:
            return Write(True, msgspec.structs.replace(session, source_message_id=message_id))
        if reasons[0] is None:
            return Write(False, session, pointer_taken=True)
        return also_won(Write(False, session_of(reasons[0])), lambda s: s.source_message_id == message_id)

    async def commit(self, session: Session, thread_id: str, seen: Attributes) -> Write:
        """The thread of the recorded source message exists: the session is open. `seen` is what Discord shows of it.

        The lease's owner stays on the record, so that an exact repeat of his request is told "created" again.
        """
        sets, removes = _split(seen, session.guild_id)
        write = await update_session(
            self._table,
            key_of(session),
            condition=f"{clauses.STILL_CREATING} AND {clauses.SAME_GENERATION} AND {clauses.SAME_SOURCE}",
            sets={"status": Status.OPEN, "discord_thread_id": thread_id, **sets},
            removes=["lease_expires_at", "expires_at", *Problem.__struct_fields__, *removes],
            values={
                "creating": Status.CREATING,
                "generation": session.generation,
                "source": session.source_message_id,
            },
        )
        return also_won(write, lambda s: s.discord_thread_id == thread_id and s.status is not Status.VACANT)

    async def adopt(
        self,
        session: Session | None,
        *,
        parent_channel_id: str,
        session_key: str,
        session_name: str,
        guild_id: str,
        thread_id: str,
        pointer: Pointer | None,
        seen: Attributes,
        topic: str | None = None,
        created_by: str | None = None,
        adopted_by: str | None = None,
        settled_in: str | None = None,
        settled_messages: int | None = None,
    ) -> Write:
        """Give a thread that was found to a session that has none, with the next generation.

        `session` and `pointer` are as they were read. A pointer that names another session is taken over only if that
        session has the thread no more, in the same transaction: else two sessions could have it.
        """
        condition, values = clauses.free_as_read(session)
        sets, removes = _split(seen, guild_id)
        sets |= {
            "status": Status.OPEN,
            "parent_channel_id": parent_channel_id,
            "session_key": session_key,
            "guild_id": guild_id,
            "generation": (session.generation if session else 0) + 1,
            "discord_thread_id": thread_id,
            "created_by": created_by,
            "adopted_by": adopted_by,
            "settled_in": settled_in,
            "settled_messages": settled_messages,
        }
        firsts = {
            "session_name": session.session_name if session else session_name,
            "topic": (session.topic if session else None) or topic,
        }
        ours = pointer is None or pointer.names(parent_channel_id, session_key)
        operations = [
            self._table.updating(
                session_item_key(parent_channel_id, session_key),
                condition=condition,
                sets=sets,
                firsts=firsts,
                removes=["lease_owner", "lease_expires_at", "expires_at", *removes],
                values=values,
            ),
            self._point(
                thread_id,
                parent_channel_id,
                session_key,
                condition=clauses.POINTER_OURS if ours else clauses.POINTER_AS_READ,
                values={}
                if ours or pointer is None
                else {"read_parent": pointer.parent_channel_id, "read_key": pointer.session_key},
            ),
        ]
        if not ours and pointer is not None:
            former = session_item_key(pointer.parent_channel_id or "", pointer.session_key or "")
            operations.append(
                self._table.checking(former, condition=clauses.HAS_IT_NO_MORE, values={"thread": thread_id})
            )
        reasons = await self._table.transact(*operations)
        if reasons is None:
            return Write(True, session_of({**sets, **firsts}))
        lost = Write(False, session_of(reasons[0]), pointer_taken=reasons[0] is None)
        return also_won(lost, lambda s: s.discord_thread_id == thread_id and s.adopted_by == adopted_by)

    async def replace_thread(self, session: Session, thread_id: str, *, seen: Attributes) -> bool:
        """Give a session another thread than the one that an import has given it, if nobody has opened that since.

        The former one becomes a namesake.
        """
        former = namesake_item_key(session.parent_channel_id, session.session_key, session.discord_thread_id or "")
        watched = {} if session.thread.archived else {"watch_guild_id": session.guild_id}
        sets, removes = _split(seen, session.guild_id)
        unopened = "#settled_in = :settled_in AND attribute_not_exists(#opened_at)"
        reasons = await self._table.transact(
            self._table.updating(
                key_of(session),
                condition=f"{clauses.READ_GENERATION} AND {clauses.SAME_THREAD} AND {unopened}",
                sets={**sets, "discord_thread_id": thread_id, "generation": session.generation + 1},
                removes=removes,
                values={
                    "read_generation": session.generation,
                    "thread": session.discord_thread_id,
                    "settled_in": session.settlement.import_started_at,
                },
            ),
            self._point(thread_id, session.parent_channel_id, session.session_key, condition=clauses.POINTER_OURS),
            *self._unpoint(session),
            self._table.putting({**former, **watched}),
        )
        return reasons is None or (reasons[0] or {}).get("discord_thread_id") == thread_id

    async def end_generation(self, session: Session, *, now: datetime) -> Write:
        """The thread is gone for good, or was refused: vacant, next generation, and the pointer goes."""
        values: dict[str, Any] = {"read_generation": session.generation}
        conditions = ["#generation = :read_generation"]
        for value, name, same, none in (
            (session.source_message_id, "source", clauses.SAME_SOURCE, clauses.NO_SOURCE),
            (session.discord_thread_id, "thread", clauses.SAME_THREAD, clauses.NO_THREAD),
        ):
            conditions.append(same if value else none)
            values |= {name: value} if value else {}
        update = self._table.updating(
            key_of(session),
            condition=" AND ".join(conditions),
            sets=clauses.vacant(session.generation + 1, now),
            removes=GENERATION_ATTRIBUTES,
            values=values,
        )
        reasons = await self._table.transact(update, *self._unpoint(session))
        if reasons is not None and reasons[0] is None:  # the pointer is another's: it stays, and does not hold us up
            reasons = await self._table.transact(update)
        return Write(reasons is None, None if reasons is None else session_of(reasons[0]))

    async def update(self, session: Session, changes: Attributes, *, as_read: bool = False) -> Write:
        """Write down what Discord shows now (None removes an attribute), if the session still has that thread.

        And if that is not about to be deleted: who loses by it must not link the thread.
        `as_read`: and if what is on record of it is what was read, for what was seen of the thread may be older, and
        nobody has opened it since.
        """
        sets, removes = _split(changes, session.guild_id)
        known = session_attributes(session)
        conditions = [clauses.SAME_GENERATION, clauses.NOT_BEING_DELETED]
        if session.discord_thread_id is not None:
            conditions.append(clauses.SAME_THREAD)
        else:
            conditions += [clauses.NO_THREAD, clauses.SAME_SOURCE]
        if as_read:
            conditions += [clauses.SAME_STATUS, clauses.UNCHANGED]
            conditions.append(clauses.SAME_LOCKER if session.thread.locked_by else clauses.NO_LOCKER)
            conditions.append(clauses.SAME_OPENING if session.opened_at else clauses.NO_OPENING)
        return await update_session(
            self._table,
            key_of(session),
            condition=" AND ".join(conditions),
            sets=sets,
            removes=removes,
            values={
                "generation": session.generation,
                "thread": session.discord_thread_id,
                "source": session.source_message_id,
                **{f"read_{name}": known[name] for name in _READ},
            },
        )

    async def add_topic(self, session: Session, topic: str) -> Write:
        """Record the first topic given."""
        return await update_session(
            self._table,
            key_of(session),
            condition=f"{clauses.SAME_GENERATION} AND attribute_not_exists(#topic)",
            sets={"topic": topic},
            values={"generation": session.generation},
        )

    def _point(
        self, thread_id: str, parent: str, key: str, *, condition: str, values: Attributes | None = None
    ) -> Operation:
        item = {**pointer_item_key(thread_id), "parent_channel_id": parent, "session_key": key}
        return self._table.putting(item, condition=condition, values={**(values or {}), "parent": parent, "key": key})

    def _unpoint(self, session: Session) -> list[Operation]:
        if session.thread_id is None:
            return []
        values = {"parent": session.parent_channel_id, "key": session.session_key}
        return [
            self._table.deleting(pointer_item_key(session.thread_id), condition=clauses.POINTER_OURS, values=values)
        ]


def _split(attributes: Attributes, guild_id: str) -> tuple[dict[str, Any], list[str]]:
    """What to set and what to remove (None). An active thread is watched, an archived one comes to its turn."""
    attributes = dict(attributes)
    if "archived" in attributes:
        archived = attributes["archived"]
        attributes["watch_guild_id"] = None if archived else guild_id
        attributes["due_in"] = guild_id if archived else None
        attributes["due_at"] = (
            (attributes.get("archived_at") or attributes.get("last_activity_at")) if archived else None
        )
    sets = {name: value for name, value in attributes.items() if value is not None}
    return sets, [name for name, value in attributes.items() if value is None]
