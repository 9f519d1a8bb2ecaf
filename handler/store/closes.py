"""What is recorded of a close on its way, so that whoever comes next finishes it or ends it.

begin        the thread is to be archived, by whom and why; from here on an open ends the close with its own write
resume       somebody goes on with a close that was left: a lock of ours is about to be placed
set_message  the message in the thread that says so
give_up      Discord refuses: the session stays open

It is finished, or ended by an open, with `sessions.update`, on condition that it is the close that was read.
"""

from collections.abc import Sequence
from datetime import datetime

from handler.runtime.clock import iso
from handler.store import clauses
from handler.store.items import Session
from handler.store.parts import Closing, Deletion
from handler.store.table import Attributes, Table
from handler.store.writes import Write, update_thread


class CloseStore:
    """Closes. Each write is also on condition of the generation and the thread that were read."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def begin(
        self, session: Session, *, request: str, closed_by: str, reason: str | None, lock: bool, now: datetime
    ) -> Write:
        """Begin to close the session. A mark for deletion is cleared: somebody has just thought of the session."""
        begun_at = iso(now)
        sets = {
            "closing_at": begun_at,
            "closed_by": closed_by,
            "close_reason": reason,
            "close_lock": lock or None,
            "close_locking_at": begun_at if lock else None,
            "close_request": request,
            "watch_guild_id": session.guild_id,
        }
        condition = f"{clauses.NO_CLOSING} AND {clauses.ANOTHER_REQUEST} AND {clauses.NOT_BEING_DELETED}"
        write = await self._update(session, condition, sets, [*Closing.UNTIL_REOPENED, *Deletion.MARK])
        return write.accept_own(lambda s: s.closing.request == request and s.closing.begun_at == begun_at)

    async def resume(self, session: Session, *, now: datetime) -> Write:
        """Go on with a close that was left, which may place a lock."""
        return await self._update(session, clauses.SAME_CLOSING, {"close_locking_at": iso(now)})

    async def set_message(self, session: Session, message_id: str) -> Write:
        """Record the message that says so, so that nobody posts a second one."""
        return await self._update(session, clauses.SAME_CLOSING, {"close_message_id": message_id})

    async def give_up(self, session: Session) -> Write:
        """The session cannot be closed."""
        return await self._update(session, clauses.SAME_CLOSING, {}, [*Closing.UNTIL_REOPENED, "close_request"])

    async def _update(self, session: Session, condition: str, sets: Attributes, removes: Sequence[str] = ()) -> Write:
        values = {"read_closing_at": session.closing.begun_at}
        return await update_thread(self._table, session, condition, sets, removes, values=values)
