"""Compare a session's record with its thread: what differs, and when it was last active. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from handler.discord import snowflakes
from handler.discord.models import Channel
from handler.runtime.clock import iso, parse_iso
from handler.store.items import Session, Status, session_attributes
from handler.store.parts import Closing, Deletion, Problem


def thread_attributes(thread: Channel, now: datetime) -> dict[str, Any]:
    """The attributes of a session that say what Discord shows of its thread; None removes the attribute."""
    changed_at = thread.archive_time
    facts: dict[str, Any] = {
        "thread_name": thread.name,
        "archived": thread.archived,
        "locked": thread.locked,
        "archived_at": iso(changed_at) if thread.archived and changed_at is not None else None,
        "last_activity_at": iso(thread.last_activity),
        "created_at": iso(snowflakes.time_of(thread.id)),
    }
    if not thread.archived:
        facts["seen_active_at"] = iso(now)
    if not thread.locked:
        facts["locked_by"] = None
    return facts


# Not worth a write by an opener: they change all the time.
_QUIET: Final = frozenset({"last_activity_at", "seen_active_at", "created_at"})


def differences(session: Session, thread: Channel, status: Status, now: datetime) -> dict[str, Any]:
    """The attributes that bring the record up to date with the thread; empty if nothing that matters differs."""
    facts = thread_attributes(thread, now)
    if status is not session.status:
        facts["status"] = status
        if status is Status.OPEN:
            facts |= dict.fromkeys(Closing.UNTIL_REOPENED)
    known = session_attributes(session)
    changed = {name for name, value in facts.items() if known[name] != value}
    return facts if changed - _QUIET else {}


def changes_with_trace(
    session: Session, thread: Channel, changes: Mapping[str, Any], now: datetime, trace_after: timedelta | None
) -> dict[str, Any]:
    """What an opener writes: `changes`, and a trace of the open where housekeeping or the reconciler has to know of it.

    So every open of a session that could be marked for deletion makes a write, which clears the mark and the
    reconciler's problem flags. `trace_after`: how long such a session has been idle; None: housekeeping deletes none.
    """
    idle = trace_after is not None and now - _known_active(session, thread) >= trace_after
    flagged = session.problem.flags
    if not changes and not idle and not flagged and session.deletion.marked_at is None:
        return {}
    if flagged:  # all attributes, because a flagged session is watched, and an archived one is not
        changes = {**thread_attributes(thread, now), **changes}
    cleared = dict.fromkeys((*Deletion.MARK, *Problem.__struct_fields__))
    return {**changes, **cleared, "opened_at": iso(now)}


def with_last_activity(session: Session, thread: Channel) -> Session:
    """The session with the thread's last activity, for an answer: the record may be older, to save writes."""
    shown = msgspec.structs.replace(session.thread, last_activity_at=iso(thread.last_activity))
    return msgspec.structs.replace(session, thread=shown)


def last_active_at(session: Session, thread: Channel) -> datetime:
    """The last activity: a message, an open that left a trace, or anybody's unarchiving of the thread."""
    times = [_known_active(session, thread)]
    opened_by_us = session.deletion.locking_at is not None  # an archived thread cannot be locked before it is opened
    if not thread.archived and thread.archive_time is not None and not opened_by_us:
        times.append(thread.archive_time)
    return max(times)


def _known_active(session: Session, thread: Channel) -> datetime:
    """The last activity that stays known: an unarchiving is forgotten when the thread is archived again."""
    times = [thread.last_activity, snowflakes.time_of(thread.id)]
    if session.opened_at is not None:
        times.append(parse_iso(session.opened_at))
    return max(times)


def last_message(thread: Channel) -> str:
    """The id of the thread's last message, or of the thread if it has none."""
    return thread.last_message_id or thread.id


def is_untouched(session: Session, thread: Channel) -> bool:
    """Whether nobody has used the thread since it was marked: it is locked and archived, and has no newer message."""
    return thread.locked and thread.archived and last_message(thread) == session.deletion.marked_message
