"""What programs are answered, one struct for each kind of answer. Pure. `docs/schema/` has their JSON Schemas.

What there is nothing to say of is left out, never null.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from handler.errors import OnethreadError
from handler.programs.requests import Ask, Await, Cancel, Close, Ensure, Get, List, Post, Replies, Request, Update
from handler.questions.model import Answer as QuestionsAnswer
from handler.questions.model import read_answer
from handler.sessions.model import Outcome, thread_url
from handler.store.items import Session, Status, session_attributes
from handler.store.parts import WorkState
from handler.store.question_items import Question, QuestionState


class SessionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A session as it is on record."""

    session_name: str
    session_key: str
    parent_channel_id: str
    guild_id: str
    discord_thread_id: str | UnsetType = UNSET
    status: Status
    generation: int
    archived: bool
    locked: bool
    created_at: str | UnsetType = UNSET
    last_activity_at: str | UnsetType = UNSET
    topic: str | UnsetType = UNSET
    state: WorkState | UnsetType = UNSET  # what a program says of its work, and its note
    note: str | UnsetType = UNSET
    waiting_since: str | UnsetType = UNSET  # a question is open since then
    keep: bool | UnsetType = UNSET
    data: dict[str, Any] | UnsetType = UNSET  # what a program keeps with the session


class ThreadAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The session's thread on Discord."""

    id: str
    url: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The session and its thread."""

    session: SessionAnswer
    thread: ThreadAnswer


class EnsureAnswer(Answer, frozen=True, kw_only=True):
    """How the session got its thread, too."""

    outcome: Outcome


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A message of somebody else's."""

    id: str
    author_id: str
    content: str  # empty if it is hidden
    timestamp: str


class ListAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a channel's sessions."""

    sessions: list[SessionAnswer]
    cursor: str | UnsetType = UNSET  # give it to the next request; none if this is the end


class RepliesAnswer(Answer, frozen=True, kw_only=True):
    """What others have said, oldest first."""

    messages: list[Reply]
    after: str  # go on from here; the same as in the request if there is nothing newer
    content_hidden: bool  # some content is empty, because the application lacks the Message Content intent


class PostOutcome(StrEnum):
    """What became of a message."""

    POSTED = "posted"
    EDITED = "edited"  # it was there already, and shows this now
    REPEATED = "repeated"  # an earlier request with the same id did it


class PostedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the bot's."""

    id: str
    url: str


class PostAnswer(Answer, frozen=True, kw_only=True):
    """The message, too."""

    message: PostedMessage
    outcome: PostOutcome


class QuestionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A question, and its answer if it has one."""

    id: str
    state: QuestionState
    asked_at: str
    expires_at: str  # from then on no answer is taken
    message_id: str | UnsetType = UNSET  # of the message with the buttons
    answer: QuestionsAnswer | UnsetType = UNSET  # of an expired question: its default


class AskAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The question. Session and thread are left out if the session has lost its thread since."""

    question: QuestionAnswer
    session: SessionAnswer | UnsetType = UNSET
    thread: ThreadAnswer | UnsetType = UNSET


class AwaitAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The question as it is now."""

    question: QuestionAnswer


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong. Retry only if `retryable` is true."""

    kind: str
    message: str
    retryable: bool
    permissions: list[str] | UnsetType = UNSET  # with `missing_permissions`: those that the bot lacks
    retry_after: float | UnsetType = UNSET  # with `rate_limited`: seconds
    progress: dict[str, int] | UnsetType = UNSET  # with `importing`
    status: int | UnsetType = UNSET  # with `discord_refused`: Discord's HTTP status
    code: int | UnsetType = UNSET  # and its error code, 0 if there is none


class ErrorAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An error; where the session has a thread that may not be used, both are beside it."""

    error: Failure
    session: SessionAnswer | UnsetType = UNSET
    thread: ThreadAnswer | UnsetType = UNSET


def describe(session: Session) -> dict[str, Any]:
    """The parts `session` and `thread` of an answer; the session has its thread."""
    return {
        "session": session_answer(session),
        "thread": ThreadAnswer(id=session.discord_thread_id or "", url=thread_url(session)),
    }


def session_answer(session: Session) -> SessionAnswer:
    """The session as programs see it."""
    known = {name: value for name, value in session_attributes(session).items() if value is not None}
    known |= {"state": session.progress.state or UNSET, "note": session.progress.note or UNSET}
    known |= {"keep": session.keep or UNSET, "data": UNSET if session.data is None else read_data(session.data)}
    return msgspec.convert({name: value for name, value in known.items() if value is not UNSET}, SessionAnswer)


def read_data(text: str) -> dict[str, Any] | UnsetType:
    """What a program keeps with a session; nothing if somebody has edited it into something else."""
    try:
        data = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return UNSET
    return data if isinstance(data, dict) else UNSET


def question_answer(question: Question) -> QuestionAnswer:
    """The question as programs see it."""
    return QuestionAnswer(
        id=question.id,
        state=question.state,
        asked_at=question.asked_at,
        expires_at=question.closes_at,
        message_id=question.message_id or UNSET,
        answer=read_answer(question) or UNSET,
    )


def failure(error: OnethreadError, session: Session | None = None) -> ErrorAnswer:
    """The answer for an error, with the session whose thread may not be used."""
    parts = {} if session is None else describe(session)
    return ErrorAnswer(error=msgspec.convert(error.public(), Failure), **parts)


ANSWERS: Final[Mapping[type[Request], type[msgspec.Struct]]] = {
    Ensure: EnsureAnswer,
    Get: Answer,
    Close: Answer,
    Update: Answer,
    Ask: AskAnswer,
    Await: AwaitAnswer,
    Cancel: AwaitAnswer,
    List: ListAnswer,
    Post: PostAnswer,
    Replies: RepliesAnswer,
}
