"""What the reconciler writes to a session: attributes by name, where None removes one. Pure."""

from datetime import datetime, timedelta
from typing import Any, Final

from handler.discord.models import Channel
from handler.runtime.clock import iso, parse_iso
from handler.sessions.reconcile.pace import growing_pause
from handler.sessions.threads.record import differences, thread_attributes
from handler.store.items import Session, Status

MIN_ACTIVITY_STEP: Final = timedelta(hours=1)  # smaller moves of `last_activity_at` are not worth a write
MIN_UNREACHABLE_PAUSE: Final = timedelta(hours=1)  # until a thread out of reach is fetched again
MAX_UNREACHABLE_PAUSE: Final = timedelta(days=7)  # and at least this often, however long it is out of reach


def changes_from_thread(
    session: Session, thread: Channel, now: datetime, *, locked_by: str | None = None
) -> dict[str, Any]:
    """What differs between the record and the thread. A closed session stays closed while its thread is archived.

    `locked_by`: who locked it last, if known.
    """
    status = session.status if thread.archived else Status.OPEN
    changes = differences(session, thread, status, now)
    if flags := session.problem.flags:  # write all: a session with a problem is watched, an archived one is not
        changes = {**thread_attributes(thread, now), **changes, **dict.fromkeys(flags)}
    if not changes and _has_new_activity(session, thread):
        changes = {"last_activity_at": iso(thread.last_activity)}
        changes |= {} if thread.archived else {"seen_active_at": iso(now)}
    if thread.locked and locked_by is not None and locked_by != session.thread.locked_by:
        changes["locked_by"] = locked_by
    if (opened_at := _find_opened_at(session, thread)) is not None:
        changes["opened_at"] = opened_at
    return changes


def _has_new_activity(session: Session, thread: Channel) -> bool:
    if session.thread.last_activity_at is None:
        return True
    return thread.last_activity - parse_iso(session.thread.last_activity_at) >= MIN_ACTIVITY_STEP


def _find_opened_at(session: Session, thread: Channel) -> str | None:
    """When somebody opened the archived thread, by hand too; it may be archived again. Housekeeping counts it as activity.

    None if nobody did.
    """
    if not session.thread.archived or session.thread.archived_at is None or thread.archive_time is None:
        return None
    if session.deletion.locking_at is not None:  # we opened it: an archived thread cannot be locked
        return None
    changed_at = iso(thread.archive_time)
    return changed_at if changed_at > max(session.thread.archived_at, session.opened_at or "") else None


def changes_out_of_reach(session: Session, now: datetime, *, checks_archived: bool = False) -> dict[str, Any]:
    """The thread cannot be read: keep the session, and fetch the thread less and less often.

    `checks_archived`: an archived one comes up for a check anyway. It is not watched, or else the whole past of a lost
    channel would be.
    """
    since = parse_iso(session.problem.unreachable_since) if session.problem.unreachable_since else now
    pause = growing_pause(since, now, MIN_UNREACHABLE_PAUSE, MAX_UNREACHABLE_PAUSE)
    return {
        "unreachable_since": iso(since),
        "ask_again_at": iso(now + pause),
        "missing_since": None,
        "watch_guild_id": None if checks_archived and session.thread.archived else session.guild_id,
    }


def changes_to_ask_again(session: Session, now: datetime) -> dict[str, Any]:
    """Something about the thread is still to be found out: watch it, so that the next run fetches it."""
    return {"ask_again_at": iso(now), "watch_guild_id": session.guild_id}


def changes_of_held(session: Session, now: datetime) -> dict[str, Any]:
    """The end is held back: watch the session, archived or not, so that the next run sees it. Once."""
    if session.problem.missing_since is not None:
        return {}
    return {"missing_since": iso(now), "ask_again_at": None, "watch_guild_id": session.guild_id}
