"""What programs are told when a session or a question changes, from the item before and after. Pure. `docs/schema/` has the JSON Schemas.

One change of an item makes at most one event. An event says how the session is now; where it has no thread any more, how
it was.
"""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from handler.programs.answers import QuestionAnswer, SessionAnswer, ThreadAnswer, describe, question_answer
from handler.sessions.model import channel_url
from handler.store.items import Session, Status
from handler.store.private import name_of
from handler.store.question_items import Question, QuestionState

SOURCE: Final = "onethread"
EVENT_ID_LENGTH: Final = 32  # hexadecimal digits: enough to tell all events apart


class EventType(StrEnum):
    """What happened: the event's detail type."""

    SESSION_OPENED = "SessionOpened"  # it has a thread: a new one, or one that was found
    SESSION_REOPENED = "SessionReopened"  # its thread was unarchived
    SESSION_ARCHIVED = "SessionArchived"  # by Discord or by a person
    SESSION_CLOSED = "SessionClosed"
    SESSION_DELETED = "SessionDeleted"  # its thread is gone
    QUESTION_ASKED = "QuestionAsked"  # it is on record; its message follows
    QUESTION_ANSWERED = "QuestionAnswered"
    QUESTION_EXPIRED = "QuestionExpired"  # its default, if it has one, is the answer
    QUESTION_CANCELLED = "QuestionCancelled"


class SessionEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The detail of a session's event."""

    event_id: str  # the same each time that the event is delivered
    at: str  # when the table changed
    session: SessionAnswer
    thread: ThreadAnswer


class SessionOfQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What tells the session of a question from others."""

    session_key: str
    parent_channel_id: str
    guild_id: str


class QuestionEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The detail of a question's event."""

    event_id: str  # the same each time that the event is delivered
    at: str  # when the table changed
    question: QuestionAnswer
    session: SessionOfQuestion
    thread: ThreadAnswer


_QUESTIONS: Final[Mapping[QuestionState, EventType]] = {
    QuestionState.OPEN: EventType.QUESTION_ASKED,
    QuestionState.ANSWERED: EventType.QUESTION_ANSWERED,
    QuestionState.EXPIRED: EventType.QUESTION_EXPIRED,
    QuestionState.CANCELLED: EventType.QUESTION_CANCELLED,
}
DETAILS: Final[Mapping[EventType, type[msgspec.Struct]]] = {
    kind: QuestionEvent if kind in _QUESTIONS.values() else SessionEvent for kind in EventType
}


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


def question_event_type(old: Question | None, new: Question | None) -> EventType | None:
    """What a change of a question's item means to programs; None: nothing, as when it is no longer remembered."""
    if new is None or (old is not None and new.state is old.state):
        return None
    return _QUESTIONS[new.state]


def question_event(event_id: str, at: str, question: Question) -> QuestionEvent:
    """The detail for a question as it is after the change."""
    channel_id, key = question.pair
    return QuestionEvent(
        event_id=event_id,
        at=at,
        question=question_answer(question),
        session=SessionOfQuestion(session_key=name_of(key), parent_channel_id=channel_id, guild_id=question.guild_id),
        thread=ThreadAnswer(
            id=question.discord_thread_id, url=channel_url(question.guild_id, question.discord_thread_id)
        ),
    )


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
