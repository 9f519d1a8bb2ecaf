"""What housekeeping records on its way to deleting a thread, so that no opener links a thread that is being deleted.

mark           the thread is to be deleted; any open clears the mark before it links the thread (`sessions.update`)
unmark         it is not to be deleted
set_locking    housekeeping is about to lock it: a lock that is found later is not a moderator's
begin          from here on nobody links it: `sessions.update` is lost, and whoever meets it finishes the deletion
resume         somebody else goes on with the deletion
cancel         the thread stays
postpone       its turn to be checked is over
clear_locking  no lock of housekeeping's is left
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from handler.discord.models import Channel
from handler.runtime.clock import iso
from handler.store import clauses
from handler.store.items import Session
from handler.store.parts import Deletion
from handler.store.table import Attributes, Table
from handler.store.writes import Write, update_thread

# A marked session is due before all others: the next run finds it.
DUE_FIRST: Final = "1970-01-01T00:00:00.000Z"
_UNMARKED: Final = f"{clauses.NOT_MARKED} AND {clauses.NOT_BEING_DELETED}"
_MARKED_AS_READ: Final = f"{clauses.MARK_AS_READ} AND {clauses.NOT_BEING_DELETED}"
_BEGUN_AS_READ: Final = "#deleting_at = :read_deleting"
_LOCKING_AS_READ: Final = "#delete_locking_at = :read_locking"


class DeletionStore:
    """Deletions of threads. Each write is also on condition of the generation and the thread that were read."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def mark(self, session: Session, last_message_id: str, *, now: datetime) -> Write:
        """Mark a session that is not marked, with the last message of its thread."""
        due = {"due_at": DUE_FIRST} if session.thread.archived else {}
        sets = {"delete_marked_at": iso(now), "delete_marked_message": last_message_id, **due}
        return await self._update(session, _UNMARKED, sets)

    async def unmark(self, session: Session, *, now: datetime) -> Write:
        """Clear the mark that was read."""
        due = {"due_at": iso(now)} if session.thread.archived else {}
        return await self._update(session, _MARKED_AS_READ, due, Deletion.MARK)

    async def postpone(self, session: Session, *, now: datetime) -> Write:
        """The session was looked at: it is due after all others."""
        return await self._update(session, "attribute_exists(#due_at)", {"due_at": iso(now)})

    async def set_locking(self, session: Session, *, now: datetime) -> Write:
        """Record, before the thread is locked, that the lock is ours."""
        return await self._update(session, _MARKED_AS_READ, {"delete_locking_at": iso(now)})

    async def clear_locking(self, session: Session) -> Write:
        """The lock is gone, and no run can be about to set it."""
        condition = f"{clauses.NOT_MARKED} AND {_LOCKING_AS_READ}"
        return await self._update(session, condition, {}, ["delete_locking_at"])

    async def begin(self, session: Session, thread: Channel, *, now: datetime) -> Write:
        """Begin to delete the thread, on condition of the mark that was read. `thread`: archived and locked, as it is."""
        begun_at = iso(now)
        sets = {
            "deleting_at": begun_at,
            "archived": True,
            "locked": True,
            "archived_at": iso(thread.archive_time) if thread.archive_time is not None else None,
            "due_in": session.guild_id,
            "due_at": DUE_FIRST,
        }
        write = await self._update(session, _MARKED_AS_READ, sets, ["watch_guild_id"])
        return _accept_begun(write, session, begun_at)

    async def resume(self, session: Session, *, now: datetime) -> Write:
        """Go on with a deletion that was left: it counts as begun now."""
        begun_at = iso(now)
        write = await self._update(session, _BEGUN_AS_READ, {"deleting_at": begun_at})
        return _accept_begun(write, session, begun_at)

    async def cancel(self, session: Session, *, keeps_lock: bool = False) -> Write:
        """The thread stays, and may be linked again. A lock of ours is lifted later; `keeps_lock`: no lock is."""
        sets = {"watch_guild_id": session.guild_id}
        locking = ["delete_locking_at"] if keeps_lock else []
        return await self._update(session, _BEGUN_AS_READ, sets, ["deleting_at", *Deletion.MARK, *locking])

    async def _update(self, session: Session, condition: str, sets: Attributes, removes: Sequence[str] = ()) -> Write:
        values = {
            "read_mark": session.deletion.marked_at,
            "read_message": session.deletion.marked_message,
            "read_locking": session.deletion.locking_at,
            "read_deleting": session.deletion.begun_at,
        }
        return await update_thread(self._table, session, condition, sets, removes, values=values)


def _accept_begun(write: Write, session: Session, begun_at: str) -> Write:
    return write.accept_own(lambda s: s.generation == session.generation and s.deletion.begun_at == begun_at)
