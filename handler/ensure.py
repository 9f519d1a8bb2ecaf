"""`EnsureFunction`: the same get-or-create for programs, invoked directly by those whom IAM allows to.

    {"session_name", "parent_channel_id", "topic"?, "unlock"?, "request_id"?}
      → {"outcome", "session", "thread": {"id", "url"}}
      → {"error": {"kind", "message", "retryable", …}}, for a locked thread with "session" and "thread" beside it

Errors are returned; only a fault of our own raises. A repeat with the same `request_id` is the same request:
give each request one of its own.
"""

import contextlib
from typing import Any, Final

import msgspec

from handler import bootstrap
from handler.bootstrap import Environment
from handler.commands.outcomes import log_failure, open_and_log
from handler.config import EnsureConfig
from handler.discord.snowflakes import is_snowflake
from handler.errors import ConfigurationError, InvalidRequest, OnethreadError, ThreadLocked, TimedOut
from handler.runtime import telemetry
from handler.runtime.deadline import GRACE_SECONDS, Deadline, run_until
from handler.sessions.model import Opened, OpenRequest, Requester
from handler.sessions.names import MAX_TOPIC_LENGTH, Names
from handler.store.items import session_attributes

MARGIN_SECONDS: Final = 2.0  # before Lambda ends the invocation: for the grace, for letting go, and for answering
LETTING_GO_SECONDS: Final = 0.5  # two requests to DynamoDB, best effort
MAX_REQUEST_ID_LENGTH: Final = 128  # characters; any UUID, ARN-like name or build number fits, and the item stays small
FIELD_NAME_SHOWN: Final = 50  # characters of an unknown field's name in the answer: enough to recognise it

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


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A program's request, checked."""

    session_name: str
    parent_channel_id: str
    topic: str | None
    unlock: bool
    request_id: str | None


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """One request of a program."""
    seconds = context.get_remaining_time_in_millis() / 1000
    request_id = context.aws_request_id
    return bootstrap.invoke(EnsureConfig, lambda environment: handle(environment, event, request_id, seconds))


async def handle(environment: Environment[EnsureConfig], event: Any, request_id: str, seconds: float) -> dict[str, Any]:
    """The answer to `event`, at most `seconds` from now. Raises OnethreadError, without details, for a fault of ours."""
    deadline = Deadline.after(environment.clock.now(), seconds - MARGIN_SECONDS)
    with telemetry.log_request(function="ensure", request_id=request_id):
        try:
            request = _open_request(read(event), environment.names, request_id)
            return found(await _opened(environment, request, deadline))
        except ConfigurationError:
            raise
        except OnethreadError as error:
            log_failure(error)
            return refused(error)
        except Exception:
            telemetry.logger.exception("a fault of ours")
        # Raised anew, outside of the handler: Lambda shows the caller the whole chain.
        raise OnethreadError(f"a fault of ours: see the log of request {request_id}")


async def _opened(environment: Environment[EnsureConfig], request: OpenRequest, deadline: Deadline) -> Opened:
    """The session's thread by the deadline. Who is cut off does not come back, so his claim is let go."""
    work = environment.with_token(open_and_log(environment.sessions, request))
    try:
        return await run_until(environment.clock, deadline, work, grace=GRACE_SECONDS)
    except TimedOut:
        ends = Deadline.after(environment.clock.now(), LETTING_GO_SECONDS)
        with contextlib.suppress(OnethreadError):
            await run_until(environment.clock, ends, environment.sessions.let_go(request))
        raise


def read(event: Any) -> Request:
    """The request in an event; null is as good as absent. Raises InvalidRequest, naming every field at fault."""
    if not isinstance(event, dict):
        raise InvalidRequest("not an object", message="The request must be a JSON object.")
    faults = [
        f"unknown field {str(name)[:FIELD_NAME_SHOWN]!r}" for name in event if name not in Request.__struct_fields__
    ]
    faults += [fault for check in (_name, _channel, _topic, _unlock, _request_id) if (fault := check(event))]
    if faults:
        text = "; ".join(faults)
        raise InvalidRequest(text, message=f"The request is malformed: {text}.")
    return Request(
        session_name=event["session_name"],
        parent_channel_id=event["parent_channel_id"],
        topic=(event.get("topic") or "").strip() or None,
        unlock=event.get("unlock") or False,
        request_id=event.get("request_id"),
    )


def found(opened: Opened) -> dict[str, Any]:
    """The answer for a thread that can be used."""
    return {"outcome": opened.outcome.value, **_linked(opened)}


def refused(error: OnethreadError) -> dict[str, Any]:
    """The answer for an error; a locked thread is shown all the same."""
    shown = _linked(error.opened) if isinstance(error, ThreadLocked) and isinstance(error.opened, Opened) else {}
    return {"error": error.public(), **shown}


def _linked(opened: Opened) -> dict[str, Any]:
    known = session_attributes(opened.session)
    return {
        "session": {name: known[name] for name in SESSION_FIELDS if known[name] is not None},
        "thread": {"id": opened.thread_id, "url": opened.url},
    }


def _open_request(request: Request, names: Names, request_id: str) -> OpenRequest:
    owner = request.request_id or request_id
    return OpenRequest(
        name=names.parse(request.session_name),
        parent_channel_id=request.parent_channel_id,
        requester=Requester(owner=owner, may_unlock=request.unlock),
        topic=request.topic,
    )


def _name(event: dict[str, Any]) -> str | None:
    if "session_name" not in event:
        return "'session_name' is missing"
    return None if isinstance(event["session_name"], str) else "'session_name' must be a string"


def _channel(event: dict[str, Any]) -> str | None:
    value = event.get("parent_channel_id")
    if "parent_channel_id" not in event:
        return "'parent_channel_id' is missing"
    if isinstance(value, str) and is_snowflake(value):
        return None
    return "'parent_channel_id' must be a channel's id, as a string of digits"


def _topic(event: dict[str, Any]) -> str | None:
    value = event.get("topic")
    if value is None:
        return None
    if not isinstance(value, str) or not _is_unicode(value):
        return "'topic' must be a string"
    return None if len(value) <= MAX_TOPIC_LENGTH else f"'topic' must have at most {MAX_TOPIC_LENGTH} characters"


def _unlock(event: dict[str, Any]) -> str | None:
    return None if isinstance(event.get("unlock"), bool | None) else "'unlock' must be true or false"


def _request_id(event: dict[str, Any]) -> str | None:
    value = event.get("request_id")
    if value is None:
        return None
    if isinstance(value, str) and 0 < len(value) <= MAX_REQUEST_ID_LENGTH and _is_unicode(value):
        return None
    return f"'request_id' must be a string of 1 to {MAX_REQUEST_ID_LENGTH} characters"


def _is_unicode(text: str) -> bool:
    """Whether it can be written down: JSON's escapes allow halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


bootstrap.prepare(EnsureConfig)
