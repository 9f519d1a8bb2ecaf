"""What an answer of Discord means: the value that was asked for, or one of our errors. Pure.

    2xx that reads as asked     the value
    401 to the bot's token      BotTokenRefused
    404 · 403 · other 4xx       NotFound · Forbidden · DiscordRefused, with Discord's code
    anything else               DiscordUnavailable; OutcomeUnknown where the request may have changed something

A proxy in front of Discord can answer with a page instead of JSON. With a 4xx such a page is the proxy's own refusal,
not Discord's word on a permission or a channel: it counts as DiscordUnavailable, and nothing was applied.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar

import msgspec

from handler.discord.http import Request, Response
from handler.discord.models import AuditEntry, Channel, Message, User
from handler.errors import BotTokenRefused, DiscordRefused, DiscordUnavailable, Forbidden, NotFound, OutcomeUnknown

T = TypeVar("T")
Read = Callable[[Response], T]  # raises ValueError, or one of msgspec's errors, if the answer is not what was asked for
ERRORS_SHOWN: Final = 300  # characters of Discord's own words that go into a log: enough for a nested form error

_REFUSALS: Final[Mapping[int, type[DiscordRefused]]] = {403: Forbidden, 404: NotFound}  # those that callers tell apart


class Threads(msgspec.Struct, frozen=True):
    """A list of threads as it comes; the active list has no `has_more`."""

    threads: tuple[Channel, ...]
    has_more: bool = False


class AuditLog(msgspec.Struct, frozen=True):
    """One page of the audit log, as it comes."""

    audit_log_entries: tuple[AuditEntry, ...]


_audit_log = msgspec.json.Decoder(AuditLog)
_channel = msgspec.json.Decoder(Channel)
_message = msgspec.json.Decoder(Message)
_threads = msgspec.json.Decoder(Threads)
_user = msgspec.json.Decoder(User)


def understood(request: Request, response: Response, read: Read[T]) -> T:
    """What `read` makes of a successful answer; raises what the table above says for all others."""
    if 200 <= response.status < 300:
        try:
            return read(response)
        except (msgspec.MsgspecError, ValueError, OverflowError) as fault:
            raise lost(request, f"answered {response.status} with nonsense ({type(fault).__name__})") from fault
    if 400 <= response.status < 500:
        raise _refusal(request, response)
    raise lost(request, f"answered {response.status}")


def lost(request: Request, what: str) -> DiscordUnavailable:
    """The error for a request of which it is not known what became: only what changes nothing is harmless."""
    kind = OutcomeUnknown if request.changes_something else DiscordUnavailable
    return kind(f"{request.route} {what}")


def _refusal(request: Request, response: Response) -> Exception:
    if response.status == 401 and request.authorized:
        return BotTokenRefused(f"{request.route} answered 401")
    if "text/html" in response.headers.get("content-type", ""):
        return DiscordUnavailable(f"{request.route} answered {response.status} with a proxy's page")
    code, text = _error_of(response.body)
    return _REFUSALS.get(response.status, DiscordRefused)(response.status, code, text, route=request.route)


def _error_of(body: bytes) -> tuple[int, str]:
    """Discord's JSON error code and words; 0 and nothing where the body is something else."""
    try:
        error: Any = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError):
        return 0, ""
    if not isinstance(error, dict):
        return 0, ""
    code, text = error.get("code"), str(error.get("message", ""))
    if "errors" in error:
        text += " " + msgspec.json.encode(error["errors"]).decode()
    return code if type(code) is int else 0, text[:ERRORS_SHOWN]


def anything(response: Response) -> Response:
    return response


def nothing(response: Response) -> None:
    """For routes whose answer nobody reads: the status said it all."""


def channel(response: Response) -> Channel:
    return _sound(_channel.decode(response.body))


def message(response: Response) -> Message:
    return _message.decode(response.body)


def user(response: Response) -> User:
    return _user.decode(response.body)


def threads(response: Response) -> Threads:
    found = _threads.decode(response.body)
    for thread in found.threads:
        _sound(thread)
    return found


def audit_entries(response: Response) -> tuple[AuditEntry, ...]:
    entries = _audit_log.decode(response.body).audit_log_entries
    for entry in entries:
        int(entry.id)
    return entries


def _sound(found: Channel) -> Channel:
    """The same, once its ids and times have proved readable: later, far from the wire, they must not raise."""
    _ = found.last_activity, found.archive_time
    return found


def date(response: Response, fallback: datetime) -> datetime:
    """Discord's own time of the answer, to the second; `fallback` where the header is missing or garbage."""
    try:
        moment = parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError, TypeError, OverflowError):
        return fallback
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
