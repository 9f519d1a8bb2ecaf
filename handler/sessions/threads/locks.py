"""Locks: who placed a lock, for whom it is lifted, and which threads may be deleted. Pure."""

from datetime import timedelta
from typing import Final

from handler.config import UnlockPolicy
from handler.discord.models import Channel
from handler.runtime.clock import parse_iso
from handler.sessions.model import Requester
from handler.store.items import Session

RUN_OVER_AFTER: Final = timedelta(minutes=5)  # twice what a run may take: it is not about to lock or delete any more


def may_unlock(
    session: Session, thread: Channel, requester: Requester, policy: UnlockPolicy, application_id: str
) -> bool:
    """Whether an open by this requester lifts the lock. A lock is a moderator's decision: by default it stays."""
    ours = is_ours(session, thread, application_id)
    return requester.may_unlock or policy == "everyone" or ours


def is_ours(session: Session, thread: Channel, application_id: str) -> bool:
    """Whether this app has placed the lock: for a close, or for a deletion that was not carried out."""
    if session.thread.locked_by == application_id or locked_by_housekeeping(session, thread, application_id):
        return True
    if session.thread.locked_by is not None or not thread.archived:
        return False
    return _was_archived_about(session.closing.locking_at, thread)


def locked_by_housekeeping(session: Session, thread: Channel, application_id: str) -> bool:
    """Whether the lock seems to come from a deletion that was not carried out.

    Such a thread was locked and archived by one request, soon after `delete_locking_at`. A lock that somebody else placed
    after the mark was cleared is not ours to lift.
    """
    if session.deletion.locking_at is None or session.thread.locked_by not in (None, application_id):
        return False
    if session.deletion.marked_at is not None or session.thread.locked_by == application_id:
        return True
    if not thread.archived:
        return False
    return _was_archived_about(session.deletion.locking_at, thread)


def may_delete(session: Session, thread: Channel, *, bot_user_id: str | None, application_id: str) -> bool:
    """Whether housekeeping may delete the thread: the bot has started it, and nobody else has locked it.

    What a person started is a person's, also if the session has adopted it. A lock whose origin is unknown is a
    moderator's. `bot_user_id` differs from the application's id for old applications.
    """
    if thread.owner_id is None or thread.owner_id != bot_user_id:
        return False
    if not thread.locked or session.thread.locked_by == application_id:
        return True
    return session.thread.locked_by is None and _was_archived_about(session.deletion.locking_at, thread)


def _was_archived_about(locking_at: str | None, thread: Channel) -> bool:
    """Whether the thread was archived, or opened, when this app was about to lock it."""
    if locking_at is None or thread.archive_time is None:
        return False
    return abs(thread.archive_time - parse_iso(locking_at)) <= RUN_OVER_AFTER
