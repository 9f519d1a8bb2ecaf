"""What housekeeping writes on its way to deleting a thread. The part of the Store that keeps openers and it apart.

mark          housekeeping means to delete the thread; any open clears the mark before it links (`observe`)
note_locking  it is about to lock the thread: a lock that is found later is no moderator's
take_mark     from here on nobody links the thread: `observe` is lost, and whoever comes by finishes the deletion
give_back     the thread stays after all
"""

from datetime import datetime
from typing import Any, Final

from handler.discord.models import Channel
from handler.runtime.clock import iso
from handler.store import clauses
from handler.store.items import Session
from handler.store.table import Table
from handler.store.writes import Write, also_won, key_of, update_session

# A marked session stands before all whose turn it is to be looked at: the next run finds it again.
FIRST_OF_ALL: Final = "1970-01-01T00:00:00.000Z"
_MARK: Final = ["delete_marked_at", "delete_marked_message"]
_SAME: Final = f"{clauses.SAME_GENERATION} AND {clauses.SAME_THREAD}"
_MARKED_AS_READ: Final = f"{_SAME} AND {clauses.MARK_AS_READ} AND {clauses.NOT_BEING_DELETED}"


class DeletionStore:
    """Marks of sessions whose thread is to be deleted. Each write names the generation and the thread that were read."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def mark(self, session: Session, last_message_id: str, *, now: datetime) -> Write:
        """Mark a session that is not marked, with the last message that its thread has now."""
        first = {"due_at": FIRST_OF_ALL} if session.thread.archived else {}
        return await update_session(
            self._table,
            key_of(session),
            condition=f"{_SAME} AND {clauses.NOT_MARKED} AND {clauses.NOT_BEING_DELETED}",
            sets={"delete_marked_at": iso(now), "delete_marked_message": last_message_id, **first},
            values=_read(session),
        )

    async def unmark(self, session: Session, *, now: datetime) -> Write:
        """Clear the mark that was read: the thread is in use again, or not to be deleted any more."""
        due = {"due_at": iso(now)} if session.thread.archived else {}
        return await update_session(
            self._table, key_of(session), condition=_MARKED_AS_READ, sets=due, removes=_MARK, values=_read(session)
        )

    async def postpone(self, session: Session, *, now: datetime) -> Write:
        """Its turn is over for now: the session goes to the end of the row in which it stands."""
        return await update_session(
            self._table,
            key_of(session),
            condition=f"{_SAME} AND attribute_exists(#due_at)",
            sets={"due_at": iso(now)},
            values=_read(session),
        )

    async def note_lock(self, session: Session, *, now: datetime) -> Write:
        """Say, before the thread is locked, that the lock is ours."""
        return await update_session(
            self._table,
            key_of(session),
            condition=_MARKED_AS_READ,
            sets={"delete_locking_at": iso(now)},
            values=_read(session),
        )

    async def forget_lock(self, session: Session) -> Write:
        """The lock is gone, and nobody is about to lock any more."""
        return await update_session(
            self._table,
            key_of(session),
            condition=f"{_SAME} AND {clauses.NOT_MARKED} AND #delete_locking_at = :read_locking",
            sets={},
            removes=["delete_locking_at"],
            values={**_read(session), "read_locking": session.deletion.locking_at},
        )

    async def begin(self, session: Session, thread: Channel, *, now: datetime) -> Write:
        """Take the mark that was read. The thread, archived and locked, is looked for where it is now, once it is gone."""
        taken_at = iso(now)
        write = await update_session(
            self._table,
            key_of(session),
            condition=_MARKED_AS_READ,
            sets={
                "deleting_at": taken_at,
                "archived": True,
                "locked": True,
                "archived_at": iso(thread.archive_time) if thread.archive_time is not None else None,
                "due_in": session.guild_id,
                "due_at": FIRST_OF_ALL,
            },
            removes=["watch_guild_id"],
            values=_read(session),
        )
        return also_won(write, lambda s: s.generation == session.generation and s.deletion.begun_at == taken_at)

    async def resume(self, session: Session, *, now: datetime) -> Write:
        """Go on with a deletion that somebody left: from here on it is as fresh as one that was just begun."""
        taken_at = iso(now)
        write = await update_session(
            self._table,
            key_of(session),
            condition=f"{_SAME} AND #deleting_at = :read_deleting",
            sets={"deleting_at": taken_at},
            values={**_read(session), "read_deleting": session.deletion.begun_at},
        )
        return also_won(write, lambda s: s.generation == session.generation and s.deletion.begun_at == taken_at)

    async def cancel(self, session: Session) -> Write:
        """The thread whose mark was taken stays: it may be linked again. Whether it is locked by us is found out later."""
        return await update_session(
            self._table,
            key_of(session),
            condition=f"{_SAME} AND #deleting_at = :read_deleting",
            sets={"watch_guild_id": session.guild_id},
            removes=["deleting_at", *_MARK],
            values={**_read(session), "read_deleting": session.deletion.begun_at},
        )


def _read(session: Session) -> dict[str, Any]:
    return {
        "generation": session.generation,
        "thread": session.discord_thread_id,
        "read_mark": session.deletion.marked_at,
        "read_message": session.deletion.marked_message,
    }
