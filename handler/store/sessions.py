"""Session items: what is on record of each session and its thread.

All writes of a session, by the status that they need and the one that they leave:

    claims.claim             absent, vacant → creating  with a lease
    claims.take_over, renew  creating → creating        another lease
    claims.end_lease         creating → creating        the lease ends now
    claims.attempt           creating* → creating       a thread without an anchor may exist from now on
    claims.forget_attempts   creating* → creating       none does
    claims.drop              creating* → vacant         same generation
    claims.raise_generation  creating* → creating       next generation
    sessions.record          creating* → creating       the source message; the pointer of its thread-to-be
    sessions.commit          creating → open            the thread of the source message
    claims.commit_created    creating* → open           a thread without an anchor; its pointer
    sessions.adopt           absent, vacant, creating* → open  a thread that was found; next generation; its pointer
    sessions.replace_thread  open → open                another thread; next generation; pointers; a namesake
    sessions.end_generation  any → vacant               next generation; the pointer is deleted
    sessions.update          any with a thread or source message → any  what Discord shows of the thread, problem flags
    cards.*                  any → same                 a topic to show; what the message above the thread shows
    choices.choose           open, closed → same        what people choose: keep, members
    choices.choose_thread    open, closed → same        another thread; next generation; pointers; a namesake
    closes.*                 open, closed → same        see `closes`; `sessions.update` leaves closed
    deletions.*              open, closed → same        see `deletions`
    pointers.merge           open, closed → same        it counts as an open; the merged thread's pointer

    * with neither a source message nor a thread on record
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import msgspec

from handler.store import clauses
from handler.store.adoption import Adoption
from handler.store.former import Why, with_former
from handler.store.items import (
    GENERATION_ATTRIBUTES,
    Pointer,
    Session,
    Status,
    session_attributes,
    session_from_item,
    session_item_key,
)
from handler.store.listing import listing
from handler.store.parts import Problem
from handler.store.pointers import hand_over, let_go, point, unpoint
from handler.store.private import PRIVATE
from handler.store.reading import Found, read_items
from handler.store.table import Attributes, Table
from handler.store.writes import Write, session_or_none, split_seen, update_session

_READ: Final = ("status", "archived", "locked", "locked_by", "opened_at")  # what `update` may require to be as read

_OF_A_MESSAGE: Final = (
    "topic",
    "topic_to_show",
    "label",
)  # what a source message of ours shows: a found thread has none


class SessionStore:
    """The sessions on record. All reads are strongly consistent: the protocol decides by them."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, parent_channel_id: str, session_key: str) -> Session | None:
        """Raises UnreadableItem, as a write does that is lost to such an item."""
        return session_or_none(await self._table.get(session_item_key(parent_channel_id, session_key)))

    async def get_many(self, keys: Iterable[tuple[str, str]]) -> Found[tuple[str, str], Session]:
        """The sessions on record of these (parent channel, key) pairs."""
        items = await self._table.get_many(session_item_key(*pair) for pair in set(keys))
        sessions, rest = read_items(items, session_from_item)
        pairs = ((i["pk"].removeprefix("CHANNEL#"), i["sk"].removeprefix("SESSION#")) for i in rest)
        return Found({session.pair: session for session in sessions}, pairs)

    async def get_private(self, parent_channel_id: str, session_key: str) -> tuple[Session, ...]:
        """The private sessions of that name, whoever may see them. Raises UnreadableItem."""
        items = await self._table.query_prefix(f"CHANNEL#{parent_channel_id}", f"{PRIVATE}{session_key}#")
        found = map(session_from_item, items)
        return tuple(session for session in found if session.session_key == session_key)  # a key may hold "#"

    async def record(
        self, session: Session, message_id: str, *, is_persons: bool = False, pointer: Pointer | None = None
    ) -> Write:
        """Record the source message and point the thread-to-be, which will have its id, at the session. First writer wins.

        `is_persons`: somebody else than this bot wrote it. `pointer`: that of its thread-to-be, as it was read.
        """
        source = {"source_message_id": message_id, **({"source_is_persons": True} if is_persons else {})}
        reasons = await self._table.transact(
            self._table.build_update(
                session.item_key,
                condition=clauses.RECORDABLE,
                sets=source,
                values={"creating": Status.CREATING, "generation": session.generation},
            ),
            *point(self._table, message_id, session.pair, pointer),
        )
        if reasons is None:
            return Write(
                True, msgspec.structs.replace(session, source_message_id=message_id, source_is_persons=is_persons)
            )
        if reasons[0] is None:
            return Write(False, session, pointer_taken=True)
        return Write(False, session_or_none(reasons[0])).accept_own(lambda s: s.source_message_id == message_id)

    async def commit(self, session: Session, thread_id: str, seen: Attributes) -> Write:
        """Open the session: the thread of its source message exists. `seen` is what Discord shows of the thread."""
        listed = listing(session.listed_in, thread_id, seen)
        sets, removes = split_seen({**seen, **listed}, session.guild_id)
        write = await update_session(
            self._table,
            session.item_key,
            condition=f"{clauses.STILL_CREATING} AND {clauses.SAME_GENERATION} AND {clauses.SAME_SOURCE}",
            sets={"status": Status.OPEN, "discord_thread_id": thread_id, **sets},
            removes=["lease_expires_at", "expires_at", *Problem.__struct_fields__, *removes],
            values={
                "creating": Status.CREATING,
                "generation": session.generation,
                "source": session.source_message_id,
            },
        )
        return write.accept_own(lambda s: s.discord_thread_id == thread_id and s.status is not Status.VACANT)

    async def adopt(self, session: Session | None, adoption: Adoption) -> Write:
        """Give a thread that was found to a session that has none, with the next generation.

        `session` is as it was read. A pointer that names another session is taken over only if that session no longer has
        the thread, in the same transaction: else two sessions could have it.
        """
        condition, values = clauses.adoptable_as_read(session)
        listed = listing(adoption.listed_in, adoption.thread_id, adoption.seen)
        sets, removes = split_seen({**adoption.seen, **listed}, adoption.guild_id)
        sets |= {
            "status": Status.OPEN,
            "parent_channel_id": adoption.parent_channel_id,
            "session_key": adoption.session_key,
            "guild_id": adoption.guild_id,
            "generation": (session.generation if session else 0) + 1,
            "discord_thread_id": adoption.thread_id,
            "created_by": adoption.created_by,
            "adopted_by": adoption.adopted_by,
            **msgspec.to_builtins(adoption.settlement),
            **(adoption.private.attributes if adoption.private else {}),
        }
        defaults = {"session_name": session.session_name if session else adoption.session_name}
        pair = adoption.pair
        reasons = await self._table.transact(
            self._table.build_update(
                session_item_key(*pair),
                condition=condition,
                sets=sets,
                defaults=defaults,
                removes=["lease_owner", "lease_expires_at", "expires_at", *_OF_A_MESSAGE, *removes],
                values=values,
            ),
            *point(self._table, adoption.thread_id, pair, adoption.pointer),
        )
        if reasons is None:
            attempted = {"create_attempted_at": session.create_attempted_at} if session else {}  # it stays on record
            return Write(True, session_or_none({**sets, **defaults, **attempted}))
        lost = Write(False, session_or_none(reasons[0]), pointer_taken=reasons[0] is None)
        return lost.accept_own(
            lambda s: s.discord_thread_id == adoption.thread_id and s.adopted_by == adoption.adopted_by
        )

    async def replace_thread(self, session: Session, thread_id: str, *, seen: Attributes, now: datetime) -> bool:
        """Give a session a better thread than the one that an import gave it, unless somebody has opened that since.

        The former thread becomes a namesake. Returns whether the session has the new one.
        """
        changes = {**seen, **listing(session.listed_in, thread_id, seen), **with_former(session, Why.REPLACED, now)}
        sets, removes = split_seen(changes, session.guild_id)
        unopened = "#settled_in = :settled_in AND attribute_not_exists(#opened_at)"
        reasons = await self._table.transact(
            self._table.build_update(
                session.item_key,
                condition=f"{clauses.READ_GENERATION} AND {clauses.SAME_THREAD} AND {unopened}",
                sets={**sets, "discord_thread_id": thread_id, "generation": session.generation + 1},
                removes=removes,
                values={
                    "read_generation": session.generation,
                    "thread": session.discord_thread_id,
                    "settled_in": session.settlement.import_started_at,
                },
            ),
            *hand_over(self._table, session, thread_id),
        )
        return reasons is None or (reasons[0] or {}).get("discord_thread_id") == thread_id

    async def end_generation(self, session: Session, *, now: datetime, lets_go: bool = False) -> Write:
        """The thread is gone for good, or was refused: the session becomes vacant, and the pointer is deleted.

        `lets_go`: the thread stays, and its pointer says that no session takes it.
        """
        values: dict[str, Any] = {"read_generation": session.generation}
        why = Why.DELETED if session.deletion.begun_at is None else Why.UNUSED
        why = Why.LET_GO if lets_go else why
        of_pointer = let_go(self._table, session, now) if lets_go else unpoint(self._table, session)
        conditions = [clauses.READ_GENERATION]
        for value, name, same, none in (
            (session.source_message_id, "source", clauses.SAME_SOURCE, clauses.NO_SOURCE),
            (session.discord_thread_id, "thread", clauses.SAME_THREAD, clauses.NO_THREAD),
        ):
            conditions.append(same if value else none)
            values |= {name: value} if value else {}
        update = self._table.build_update(
            session.item_key,
            condition=" AND ".join(conditions),
            sets=clauses.vacant_attributes(session.generation + 1, now) | with_former(session, why, now),
            removes=GENERATION_ATTRIBUTES,
            values=values,
        )
        reasons = await self._table.transact(update, *of_pointer)
        if reasons is not None and reasons[0] is None:  # the pointer names another session: it stays
            reasons = await self._table.transact(update)
        return Write(reasons is None, None if reasons is None else session_or_none(reasons[0]))

    async def update(self, session: Session, changes: Attributes, *, as_read: bool = False) -> Write:
        """Update what Discord shows (None removes an attribute), if the session still has that thread.

        Also on condition that nobody is deleting the thread: an opener that loses must not link it. `as_read`: and that
        the record is as it was read and nobody has opened the session since, because what was seen may be older.
        """
        known = session_attributes(session)
        listed = listing(session.listed_in, session.thread_id or "", changes, known)
        sets, removes = split_seen({**changes, **listed}, session.guild_id)
        conditions = [clauses.SAME_GENERATION, clauses.NOT_BEING_DELETED]
        if session.discord_thread_id is not None:
            conditions.append(clauses.SAME_THREAD)
        else:
            conditions += [clauses.NO_THREAD, clauses.SAME_SOURCE]
        if "closing_at" in changes:  # a close that ends is the one that was read
            conditions.append(clauses.SAME_CLOSING if session.closing.begun_at else clauses.NO_CLOSING)
        if as_read:
            conditions += [clauses.SAME_STATUS, clauses.UNCHANGED]
            conditions.append(clauses.SAME_LOCKER if session.thread.locked_by else clauses.NO_LOCKER)
            conditions.append(clauses.SAME_OPENING if session.opened_at else clauses.NO_OPENING)
        return await update_session(
            self._table,
            session.item_key,
            condition=" AND ".join(conditions),
            sets=sets,
            removes=removes,
            values={
                "generation": session.generation,
                "thread": session.discord_thread_id,
                "source": session.source_message_id,
                **{f"read_{name}": known[name] for name in (*_READ, "closing_at")},
            },
        )
