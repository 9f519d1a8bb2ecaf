"""The requests of programs, one struct for each operation, told apart by `operation`. Pure.

`docs/schema/` has their JSON Schemas (`make schemas`). An optional field that is null counts as absent.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from handler.programs.fields import (
    MAX_WAIT,
    ChannelId,
    Choices,
    Content,
    Cursor,
    Data,
    Embeds,
    Flag,
    Form,
    Label,
    MessageId,
    Note,
    PageSize,
    QuestionId,
    QuestionText,
    Reason,
    RequestId,
    SessionState,
    Tags,
    TaskToken,
    Text,
    Topic,
    UserIds,
    Wait,
    WorkStateName,
)
from handler.questions.model import DEFAULT_SECONDS, Answerers, Default, Seconds, Spec
from handler.runtime.characters import shows_something
from handler.runtime.validation import invalid, read_request


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="operation"):
    """What a program sends."""


class SessionRequest(Request, frozen=True, kw_only=True):
    """A request about one session. A thread's id as the channel means the thread's parent."""

    session_name: Text
    parent_channel_id: ChannelId
    private: Flag = False  # the private session of that name, which only some people see; its name is the programs' own


class Ensure(SessionRequest, frozen=True, kw_only=True, tag="ensure"):
    """Get the session's thread: find, reopen or create it."""

    topic: Topic | None = None
    unlock: Flag = False
    request_id: RequestId | None = None
    members: UserIds = ()  # of a private session: who sees it besides moderators
    tags: Tags = ()  # by name, of a post in a forum or media channel
    keep: Flag | None = None  # whether the thread is opened again when Discord archives it
    data: Data | None = None  # kept with the session, and shown by /session info
    label: Label | None = None  # what the program calls itself: "opened by *label*"


class Close(SessionRequest, frozen=True, kw_only=True, tag="close"):
    """Close the session: its thread is archived."""

    lock: Flag = False
    reason: Reason | None = None
    request_id: RequestId | None = None
    label: Label | None = None  # what the program calls itself: "closed by *label*"


class Update(SessionRequest, frozen=True, kw_only=True, tag="update"):
    """Say how the work in the session goes. It is shown above the thread."""

    state: WorkStateName | None = None
    note: Note | None = None  # an empty one takes the note away
    topic: Topic | None = None

    def faults(self) -> Iterator[str]:
        """What is wrong with the whole."""
        if self.state is None and self.note is None and self.topic is None:
            yield "nothing is to be updated: give 'state', 'note' or 'topic'"


class Get(SessionRequest, frozen=True, kw_only=True, tag="get"):
    """Read the session as it is on record. Nothing is opened."""


class List(Request, frozen=True, kw_only=True, tag="list"):
    """List the channel's sessions that have a thread, the last active first."""

    parent_channel_id: ChannelId
    state: SessionState | None = None
    limit: PageSize = 50  # as for replies
    cursor: Cursor | None = None  # of the answer before


class Replies(SessionRequest, frozen=True, kw_only=True, tag="replies"):
    """Read what others have said in the session's thread."""

    after: MessageId | None = None  # the `after` of the answer before
    limit: PageSize = 50  # messages that are looked at: half of what Discord gives at once


class Post(SessionRequest, frozen=True, kw_only=True, tag="post"):
    """Post a message in the session's thread, once; or edit the message of that key."""

    request_id: RequestId
    content: Content
    embeds: Embeds | None = None
    message_key: RequestId | None = None

    def faults(self) -> Iterator[str]:
        """What is wrong with the whole."""
        if not self.embeds and not shows_something(self.content):
            yield "'content' must show something"


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told of the answer, besides whoever awaits it."""

    task_token: TaskToken  # of Step Functions


class Ask(SessionRequest, frozen=True, kw_only=True, tag="ask"):
    """Ask people in the session's thread. With neither choices nor a form, the answer is a text."""

    request_id: RequestId
    question: QuestionText
    choices: Choices | None = None
    form: Form | None = None
    allow_other: Flag = False  # besides the choices, a text is an answer
    answerers: Answerers | None = None  # absent: whoever sees the thread
    expires_in: Seconds = DEFAULT_SECONDS  # a week
    default: Default | None = None
    remind_in: Seconds | None = None
    callback: Callback | None = None

    @property
    def spec(self) -> Spec:
        """What is asked."""
        who = self.answerers or Answerers()
        return Spec(
            question=self.question,
            choices=self.choices or (),
            form=self.form or (),
            allow_other=self.allow_other,
            user_ids=who.user_ids or (),
            role_ids=who.role_ids or (),
            expires_in=self.expires_in,
            remind_in=self.remind_in,
            default=self.default,
        )

    def faults(self) -> Iterator[str]:
        """What is wrong with the question as a whole."""
        if not shows_something(self.question):
            yield "'question' must show something"
        if self.answerers is not None and not (self.answerers.user_ids or self.answerers.role_ids):
            # A program whose list of approvers came out empty does not mean everybody.
            yield "'answerers' must name a user or a role; leave it out if everybody may answer"
        yield from self.spec.faults()


class Await(Request, frozen=True, kw_only=True, tag="await"):
    """Wait for the answer to a question."""

    question_id: QuestionId
    wait: Wait = MAX_WAIT  # as long as one request can wait


class Cancel(Request, frozen=True, kw_only=True, tag="cancel"):
    """Withdraw a question, if it is open."""

    question_id: QuestionId


REQUESTS: Final[tuple[type[Request], ...]] = (
    Ensure,
    Get,
    List,
    Close,
    Update,
    Post,
    Replies,
    Ask,
    Await,
    Cancel,
)
DEFAULT: Final = Ensure

_BY_OPERATION: Final = {kind.__struct_config__.tag: kind for kind in REQUESTS}


def read(event: Any) -> Request:
    """The request in an event. Raises InvalidRequest, naming all faults."""
    if not isinstance(event, dict) or event.get("operation") is None:
        return read_request(event, DEFAULT)
    operation = event["operation"]
    kind = _BY_OPERATION.get(operation) if isinstance(operation, str) else None
    if kind is None:
        known = ", ".join(f"'{name}'" for name in _BY_OPERATION)
        raise invalid([f"'operation' must be one of {known}"])
    return read_request(event, kind)
