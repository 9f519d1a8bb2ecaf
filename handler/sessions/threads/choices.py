"""What people choose for a session that has its thread: written on record as it is now, however many choose at once."""

from collections.abc import Callable
from typing import Any, Final

from handler.errors import SessionNotFound, StoreUnavailable
from handler.sessions.context import Context
from handler.store.items import Session

MAX_ATTEMPTS: Final = 10  # far more than people and programs choose for one session in a moment

Change = Callable[[Session], dict[str, Any]]  # what is to be different on record, by attribute; None removes one


async def choose(context: Context, session: Session, change: Change) -> Session:
    """The session, changed. `change` gets it as it is on record, again each time that somebody was first.

    Raises SessionNotFound if the session has lost its thread.
    """
    for _ in range(MAX_ATTEMPTS):
        changes = change(session)
        if not changes:
            return session
        write = await context.store.choices.choose(session, changes)
        if write.won:
            return write.mine
        if write.session is None or write.session.discord_thread_id != session.discord_thread_id:
            raise SessionNotFound("its thread has gone")
        session = write.session
    raise StoreUnavailable("the session kept changing")


async def keep_open(context: Context, session: Session, *, on: bool) -> Session:
    """Whether the reconciler opens the thread again when Discord archives it. It never does when a person has archived it."""
    return await choose(context, session, lambda read: {} if read.keep is on else {"keep": on or None})
