"""The protocol's decisions, pure: what was read goes in, what to do comes out. No I/O, no clock."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Final, NoReturn

import msgspec

from handler.clock import iso, parse_iso
from handler.config import UnlockPolicy
from handler.discord import snowflakes
from handler.discord.models import Channel, ChannelType
from handler.discord.permissions import Permission
from handler.errors import (
    DiscordRefused,
    Forbidden,
    MissingAccess,
    MissingPermissions,
    OnethreadError,
    RefusedByAutoMod,
    TooManyThreads,
    UnsupportedChannel,
)
from handler.sessions.model import Outcome, Requester
from handler.table.clauses import LEASE_SECONDS, MARKS
from handler.table.items import Pointer, Session, Status

NONCE_LENGTH: Final = 25  # characters; Discord docs, "Message", nonce of Create Message
CLOCKS_DIFFER: Final = timedelta(seconds=5)  # between two machines of ours, at most
OVERLAP: Final = timedelta(milliseconds=1)  # of archived pages: several threads may be archived in one millisecond

# What each step needs, in the order in which people should grant it.
TO_CREATE: Final = (
    Permission.VIEW_CHANNEL,
    Permission.SEND_MESSAGES,
    Permission.READ_MESSAGE_HISTORY,
    Permission.CREATE_PUBLIC_THREADS,
)
TO_LOOK: Final = (Permission.READ_MESSAGE_HISTORY,)
TO_ANCHOR: Final = (Permission.SEND_MESSAGES,)
TO_START: Final = (Permission.CREATE_PUBLIC_THREADS,)
TO_UNARCHIVE: Final = (Permission.SEND_MESSAGES_IN_THREADS,)
TO_UNLOCK: Final = (Permission.MANAGE_THREADS,)

# Discord's JSON error codes (Discord docs, "Opcodes and Status Codes").
UNKNOWN_CHANNEL: Final = 10003
UNKNOWN_MESSAGE: Final = 10008
THREAD_ALREADY_CREATED: Final = 160004
_MISSING_ACCESS: Final = frozenset({50001, 10004})  # 10004, unknown guild: the bot is no member of it
_AUTOMOD: Final = frozenset({200000, 200001})
_TOO_MANY: Final = frozenset({160006, 160007})
_WRONG_CHANNEL_TYPE: Final = 50024


class Step(Enum):
    """What an opener does next with what is on record."""

    CLAIM = auto()
    RESUME = auto()  # the claim is our own: go on from what is recorded
    TAKE_OVER = auto()  # the claim's lease has ended
    WAIT = auto()  # somebody else is making the thread right now
    REUSE = auto()


def next_step(session: Session | None, *, owner: str, now: datetime) -> Step:
    """What the opener `owner` does with the session as it was read."""
    if session is None:
        return Step.CLAIM
    match session.status:
        case Status.VACANT:
            return Step.CLAIM
        case Status.OPEN | Status.CLOSED:
            return Step.REUSE
        case Status.CREATING:
            if session.lease_owner == owner:
                return Step.RESUME
            return Step.WAIT if is_live(session.lease_expires_at, now) else Step.TAKE_OVER
    raise ValueError(f"unknown status {session.status!r}")


def is_live(lease_expires_at: str | None, now: datetime) -> bool:
    """Whether a lease still runs. One that ends later than any lease can was written by a wrong clock."""
    latest = now + timedelta(seconds=LEASE_SECONDS) + CLOCKS_DIFFER
    return lease_expires_at is not None and iso(now) < lease_expires_at <= iso(latest)


def nonce(parent_channel_id: str, session_key: str, generation: int) -> str:
    """The same for everybody who makes this thread, another one for the next generation."""
    digest = hashlib.sha256(f"{parent_channel_id}\0{session_key}\0{generation}".encode()).hexdigest()
    return digest[:NONCE_LENGTH]


def seen(thread: Channel, now: datetime) -> dict[str, Any]:
    """The attributes of a session that say what Discord shows of its thread. None: the attribute goes."""
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


# Not worth a write by an opener: the time of the last message moves all the time.
_QUIET: Final = frozenset({"last_activity_at", "seen_active_at", "created_at"})


def differences(session: Session, thread: Channel, status: Status, now: datetime) -> dict[str, Any]:
    """What to write down of a thread whose record is `session`; empty if the record says it all."""
    facts = seen(thread, now)
    if status is not session.status:
        facts["status"] = status
    changed = {name for name, value in facts.items() if getattr(session, name) != value}
    return facts if changed - _QUIET else {}


def marks_of(session: Session) -> list[str]:
    """The marks that the reconciler has left on a session whose thread it could not see as it should."""
    return [mark for mark in MARKS if getattr(session, mark) is not None]


def seldom(since: datetime, now: datetime, first: timedelta, latest: timedelta) -> timedelta:
    """The pause before the next try of what has failed since then: as long again as it has, between these two."""
    return min(max(now - since, first), latest)


def traced(
    session: Session, thread: Channel, changes: Mapping[str, Any], now: datetime, trace_after: timedelta | None
) -> dict[str, Any]:
    """What an opener writes down: what differs, and that it was here, where housekeeping has to know.

    So each open of a session that could be marked for deletion makes a write, and the mark goes with it; and so do the
    reconciler's. `trace_after`: idle sessions could be, after so long; None: housekeeping deletes none.
    """
    idle = trace_after is not None and now - _known_active(session, thread) >= trace_after
    marked = marks_of(session)
    if not changes and not idle and not marked and session.delete_marked_at is None:
        return {}
    if marked:  # all of it, because what is marked is watched, and what is archived is not
        changes = {**seen(thread, now), **changes}
    marks = dict.fromkeys(("delete_marked_at", "delete_marked_message", *MARKS))
    return {**changes, **marks, "opened_at": iso(now)}


def fresh(session: Session, thread: Channel) -> Session:
    """The session as Discord shows it now, for an answer: not what is on record, where that needs no write."""
    return msgspec.structs.replace(session, last_activity_at=iso(thread.last_activity))


def active_until(session: Session, thread: Channel) -> datetime:
    """The last activity: a message, an open that left a trace, or the opening of the archived thread by anybody."""
    times = [_known_active(session, thread)]
    opened_by_us = session.delete_locking_at is not None  # an archived thread cannot be locked before it is opened
    if not thread.archived and thread.archive_time is not None and not opened_by_us:
        times.append(thread.archive_time)
    return max(times)


def may_unlock(
    session: Session, thread: Channel, requester: Requester, policy: UnlockPolicy, application_id: str
) -> bool:
    """Whether this requester's opening lifts a lock. A lock is a moderator's decision: by default it stays."""
    ours = session.locked_by == application_id or locked_by_housekeeping(session, thread, application_id)
    return requester.may_unlock or policy == "everyone" or ours


OVER_AFTER: Final = timedelta(minutes=5)  # twice what a run may take: nobody is about to lock or delete any more


def _known_active(session: Session, thread: Channel) -> datetime:
    """The last activity that is told later, too: an opening is forgotten when the thread is archived again."""
    times = [thread.last_activity, snowflakes.time_of(thread.id)]
    if session.opened_at is not None:
        times.append(parse_iso(session.opened_at))
    return max(times)


def locked_by_housekeeping(session: Session, thread: Channel, application_id: str) -> bool:
    """Whether a lock is that of a deletion which was begun and left, as far as can be told.

    Such a thread was archived with the lock, by one request, soon after that was noted. Anybody else's lock, put there
    after the mark was cleared, is not ours to lift.
    """
    if session.delete_locking_at is None or session.locked_by not in (None, application_id):
        return False
    if session.delete_marked_at is not None or session.locked_by == application_id:
        return True
    if not thread.archived or thread.archive_time is None:
        return False
    return abs(thread.archive_time - parse_iso(session.delete_locking_at)) <= OVER_AFTER


def outcome(session: Session, *, owner: str, adopted: bool = False, reopened: bool = False) -> Outcome:
    """How to call it. Who created or adopted the thread is told so, however often he asks."""
    if adopted or session.adopted_by == owner:
        return Outcome.ADOPTED
    if session.lease_owner == owner:
        return Outcome.CREATED
    return Outcome.REOPENED if reopened else Outcome.REUSED


def best_first(threads: Iterable[Channel]) -> list[Channel]:
    """Several threads of one name: most messages first, then the latest activity, then the smallest id."""
    return sorted(threads, key=lambda t: (-(t.message_count or 0), -t.last_activity.timestamp(), int(t.id)))


def is_better(found: Channel, session: Session) -> bool:
    """Whether a thread comes before the one that an import has given the session, in the same order."""
    if session.discord_thread_id is None or session.last_activity_at is None:
        return False
    on_record = (-(session.settled_messages or 0), _negative(session.last_activity_at), int(session.discord_thread_id))
    return (-(found.message_count or 0), _negative(iso(found.last_activity)), int(found.id)) < on_record


def _negative(at: str) -> float:
    return -parse_iso(at).timestamp()


def is_match_type(thread: Channel) -> bool:
    """Whether a thread of this type may be a session's: private threads never are."""
    return thread.type in (ChannelType.PUBLIC_THREAD, ChannelType.ANNOUNCEMENT_THREAD)


def adoptable(pointer: Pointer | None, owner: Session | None, parent_channel_id: str, session_key: str) -> bool:
    """Whether a thread with that pointer may be adopted. `owner` is the session that the pointer names, as read."""
    if pointer is None or pointer.names(parent_channel_id, session_key):
        return True
    if pointer.merged_into is not None:
        return False
    return owner is None or not owner.has(pointer.thread_id)


def next_before(page: Sequence[Channel], fresh: Sequence[Channel]) -> datetime | None:
    """From where the next archived page is read: overlapping, unless that brought nothing new. None: nowhere."""
    times = [t.archive_time for t in page if t.archive_time is not None]
    if not times:
        return None
    return min(times) + OVERLAP if fresh else min(times)


def archived_window(session: Session, thread_id: str) -> tuple[datetime | None, datetime]:
    """Between which archive times a thread that has vanished must be looked for: (before, down to)."""
    if session.archived and session.archived_at is not None:
        at = parse_iso(session.archived_at)
        return at + ARCHIVE_TIME_MARGIN, at - ARCHIVE_TIME_MARGIN
    down_to = parse_iso(session.seen_active_at) if session.seen_active_at else snowflakes.time_of(thread_id)
    return None, down_to - ARCHIVE_TIME_MARGIN


ARCHIVE_TIME_MARGIN: Final = timedelta(minutes=1)  # our clock and Discord's may differ, and records are cut to the ms


def tell(refusal: DiscordRefused, needs: Sequence[Permission]) -> NoReturn:
    """Raise the error that people are told, for a definite refusal of a step that needs these permissions."""
    error = translated(refusal, needs)
    if error is refusal:
        raise refusal
    raise error from refusal


def translated(refusal: DiscordRefused, needs: Sequence[Permission]) -> OnethreadError:
    """The error that people are told, for a definite refusal of a step that needs these permissions."""
    if refusal.code in _MISSING_ACCESS:
        return MissingAccess(str(refusal))
    if refusal.code in _AUTOMOD:
        return RefusedByAutoMod(str(refusal))
    if refusal.code in _TOO_MANY:
        return TooManyThreads(str(refusal))
    if refusal.code == _WRONG_CHANNEL_TYPE:
        return UnsupportedChannel(str(refusal))
    if isinstance(refusal, Forbidden):
        if not needs:
            return MissingAccess(str(refusal))
        return MissingPermissions([p.name for p in needs if p.name], str(refusal))
    return refusal
