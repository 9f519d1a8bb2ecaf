"""`EnsureFunction`: the same get-or-create for programs, which IAM principals invoke directly.

    {"session_name", "parent_channel_id", "topic"?, "unlock"?, "request_id"?, "label"?}
      → {"outcome", "session", "thread": {"id", "url"}}
      → {"error": {"kind", "message", "retryable", …}}, for a locked thread with "session" and "thread" beside it

Errors are returned; only a fault of ours raises. A repeat with the same `request_id` is the same request: give each
request an id of its own.
"""

import contextlib
from typing import Annotated, Any, Final

import msgspec

from handler import bootstrap
from handler.bootstrap import Environment
from handler.commands.outcomes import log_failure, open_and_log
from handler.config import EnsureConfig
from handler.discord.snowflakes import is_snowflake
from handler.errors import ConfigurationError, OnethreadError, ThreadLocked, TimedOut
from handler.runtime import telemetry
from handler.runtime.deadline import GRACE_SECONDS, Deadline, run_for, run_until
from handler.runtime.validation import read_request
from handler.sessions.model import Opened, OpenRequest, Requester
from handler.sessions.names import MAX_TOPIC_LENGTH, Names
from handler.store.items import session_attributes

MARGIN_SECONDS: Final = 2.0  # before Lambda ends the invocation: for the grace, releasing the claim, and the answer
RELEASE_SECONDS: Final = 0.5  # two requests to DynamoDB, best effort
MAX_LABEL_LENGTH: Final = (
    80  # characters; no application has a longer name, and the line above the thread stays one line
)
MAX_REQUEST_ID_LENGTH: Final = 128  # characters; any UUID, ARN-like name or build number fits, and the item stays small

SESSION_FIELDS: Final = (
    "session_name",
    "session_key",
    "parent_channel_id",
    "guild_id",
    "discord_thread_id",
    "status",
    "generation",
    "archived",
    "locked",
    "created_at",
    "last_activity_at",
    "topic",
)

# What a field must be. An id is not empty; a text can be encoded, unlike the halves of characters that JSON's escapes allow.
_CHARACTERS: Final = r"^[^\ud800-\udfff]*\Z"
Text = Annotated[str, msgspec.Meta(description="a string")]
Flag = Annotated[bool, msgspec.Meta(description="true or false")]
ChannelId = Annotated[
    str, msgspec.Meta(description="a channel's id, as a string of digits", extra={"check": is_snowflake})
]
Topic = Annotated[
    str,
    msgspec.Meta(
        max_length=MAX_TOPIC_LENGTH,
        pattern=_CHARACTERS,
        description=f"a string of at most {MAX_TOPIC_LENGTH} characters",
    ),
]
Label = Annotated[
    str,
    msgspec.Meta(
        max_length=MAX_LABEL_LENGTH,
        pattern=_CHARACTERS,
        description=f"a string of at most {MAX_LABEL_LENGTH} characters",
    ),
]
RequestId = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=MAX_REQUEST_ID_LENGTH,
        pattern=_CHARACTERS,
        description=f"a string of 1 to {MAX_REQUEST_ID_LENGTH} characters",
    ),
]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a program sends."""

    session_name: Text
    parent_channel_id: ChannelId
    topic: Topic | None = None
    unlock: Flag = False
    request_id: RequestId | None = None
    label: Label | None = None  # what the program calls itself: "opened by *label*"


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """One request of a program."""
    return bootstrap.invoke(EnsureConfig, handle, event, context)


async def handle(environment: Environment[EnsureConfig], event: Any, request_id: str, seconds: float) -> dict[str, Any]:
    """The answer to the request in `event`, within `seconds`. Raises OnethreadError, without details, for a fault of ours."""
    deadline = Deadline.after(environment.clock.now(), seconds - MARGIN_SECONDS)
    with telemetry.log_request(function="ensure", request_id=request_id):
        try:
            request = _open_request(read_request(event, Request), environment.names, request_id)
            return _answer(await _open(environment, request, deadline))
        except ConfigurationError:
            raise
        except OnethreadError as error:
            log_failure(error)
            return _answer_error(error)
        except Exception:
            telemetry.log_fault()
        # Raised outside of the except block: Lambda shows the caller the whole chain of exceptions.
        raise OnethreadError(f"a fault of ours: see the log of request {request_id}")


def _open_request(request: Request, names: Names, request_id: str) -> OpenRequest:
    return OpenRequest(
        name=names.parse(request.session_name),
        parent_channel_id=request.parent_channel_id,
        requester=Requester(
            owner=request.request_id or request_id,
            label=(request.label or "").strip() or None,
            may_unlock=request.unlock,
        ),
        topic=(request.topic or "").strip() or None,
    )


async def _open(environment: Environment[EnsureConfig], request: OpenRequest, deadline: Deadline) -> Opened:
    """The session's thread by the deadline. On time-out the caller will not retry, so release its claim."""
    work = environment.with_token(open_and_log(environment.sessions, request))
    try:
        return await run_until(environment.clock, deadline, work, grace=GRACE_SECONDS)
    except TimedOut:
        with contextlib.suppress(OnethreadError):
            await run_for(environment.clock, RELEASE_SECONDS, environment.sessions.end_lease(request))
        raise


def _answer(opened: Opened) -> dict[str, Any]:
    return {"outcome": opened.outcome.value, **_describe(opened)}


def _answer_error(error: OnethreadError) -> dict[str, Any]:
    """The error; for a locked thread, the thread too."""
    answer = {"error": error.public()}
    if isinstance(error, ThreadLocked) and isinstance(error.opened, Opened):
        answer |= _describe(error.opened)
    return answer


def _describe(opened: Opened) -> dict[str, Any]:
    known = session_attributes(opened.session)
    return {
        "session": {name: known[name] for name in SESSION_FIELDS if known[name] is not None},
        "thread": {"id": opened.thread_id, "url": opened.url},
    }


bootstrap.prepare(EnsureConfig)
