"""What programs are told when a session changes, from the item before and after. Pure. `docs/schema/` has the JSON Schemas.

One change of an item makes at most one event. An event says how the session is now; where it has no thread any more, how
it was.
"""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from handler.programs.answers import SessionAnswer, ThreadAnswer, describe
from handler.store.items import Session, Status

SOURCE: Final = "onethread"
EVENT_ID_LENGTH: Final = 32  # hexadecimal digits: enough to tell all events apart


class EventType(StrEnum):
    """What happened: the event's detail type."""

    SESSION_OPENED = "SessionOpened"  # it has a thread: a new one, or one that was found
    SESSION_REOPENED = "SessionReopened"  # its thread was unarchived
    SESSION_ARCHIVED = "SessionArchived"  # by Discord or by a person
    SESSION_CLOSED = "SessionClosed"
    SESSION_DELETED = "SessionDeleted"  # its thread is gone


class SessionEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The detail of a session's event."""

    event_id: str  # the same each time that the event is delivered
    at: str  # when the table changed
    session: SessionAnswer
    thread: ThreadAnswer


DETAILS: Final[Mapping[EventType, type[msgspec.Struct]]] = dict.fromkeys(EventType, SessionEvent)


def event_type(old: Session | None, new: Session | None) -> EventType | None:
    """What a change of a session's item means to programs; None: nothing."""
    before = old.discord_thread_id if old is not None and _has_thread(old) else None
    after = new.discord_thread_id if new is not None and _has_thread(new) else None
    if after is None:
        return None if before is None else EventType.SESSION_DELETED
    if before != after or old is None or new is None:
        return EventType.SESSION_OPENED
    if new.status is not old.status:
        return EventType.SESSION_CLOSED if new.status is Status.CLOSED else EventType.SESSION_REOPENED
    if new.thread.archived != old.thread.archived and new.status is Status.OPEN:
        return EventType.SESSION_ARCHIVED if new.thread.archived else EventType.SESSION_REOPENED
    return None


def session_event(event_id: str, at: str, old: Session | None, new: Session | None) -> SessionEvent:
    """The detail for a change that is an event."""
    shown = new if new is not None and _has_thread(new) else old
    assert shown is not None  # noqa: S101 - a change that is an event has a thread before or after
    return SessionEvent(event_id=event_id, at=at, **describe(shown))


def event_id(*parts: str) -> str:
    """An id that is the same for the same change, however often it is published."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:EVENT_ID_LENGTH]


def _has_thread(session: Session) -> bool:
    match session.status:
        case Status.OPEN | Status.CLOSED:
            return True
        case Status.VACANT | Status.CREATING:
            return False
    raise ValueError(f"unknown status {session.status!r}")
