"""Turn Discord's response into the value that was asked for, or into one of our errors. Pure.

    2xx with the expected body     the value
    401 to the bot's token         BotTokenRefused
    4xx that means "not now"       DiscordUnavailable or RateLimited, and nothing was applied: see `handler.discord.refusals`
    404 · 403 · other 4xx          NotFound · Forbidden · DiscordRefused, with Discord's code
    anything else                  DiscordUnavailable; OutcomeUnknown if the request may have changed something

A proxy in front of Discord can refuse a request itself, with a page, a line of text or JSON of its own. That says nothing
about a permission or a channel: it counts as DiscordUnavailable, and nothing was applied.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import accumulate
from typing import Any, Final, TypeVar

import msgspec

from handler.discord import refusals
from handler.discord.http import Request, Response
from handler.discord.models import AuditEntry, Channel, Message, ThreadList, User
from handler.errors import (
    BotTokenRefused,
    DiscordRefused,
    DiscordUnavailable,
    Forbidden,
    NotFound,
    OutcomeUnknown,
    RateLimited,
)

T = TypeVar("T")
Decode = Callable[[Response], T]  # raises ValueError or one of msgspec's errors for an unexpected body
# How far archive times may be out of order: Discord may sort by a coarser time than it shows.
ORDER_MARGIN: Final = timedelta(seconds=1)
MAX_ERROR_LENGTH: Final = 300  # characters of Discord's own error text in a log: enough for a nested form error

_ERROR_BY_STATUS: Final[Mapping[int, type[DiscordRefused]]] = {
    403: Forbidden,
    404: NotFound,
}  # other statuses need no class


# Fields of the JSON in which Cloudflare refuses a request itself (RFC 9457, with its own additions).
_CLOUDFLARES: Final = frozenset({"cloudflare_error", "error_code", "ray_id"})


class _ActiveThreads(msgspec.Struct, frozen=True):
    threads: tuple[Channel, ...]
    has_more: bool | None = None  # Discord leaves it out


class _ThreadPage(msgspec.Struct, frozen=True):
    threads: tuple[Channel, ...]
    has_more: bool


class _AuditLog(msgspec.Struct, frozen=True):
    audit_log_entries: tuple[AuditEntry, ...]


_audit_log = msgspec.json.Decoder(_AuditLog)
_channel = msgspec.json.Decoder(Channel)
_message = msgspec.json.Decoder(Message)
_active_threads = msgspec.json.Decoder(_ActiveThreads)
_thread_page = msgspec.json.Decoder(_ThreadPage)
_user = msgspec.json.Decoder(User)


def decode_response(request: Request, response: Response, decode: Decode[T]) -> T:
    """Decode a successful response; raise the error of the table above for any other."""
    if 200 <= response.status < 300:
        try:
            return decode(response)
        except (msgspec.MsgspecError, ValueError, OverflowError) as fault:
            raise outage(request, f"answered {response.status} with nonsense ({type(fault).__name__})") from fault
    if 400 <= response.status < 500:
        raise _refusal(request, response)
    raise outage(request, f"answered {response.status}")


def outage(request: Request, what: str) -> DiscordUnavailable:
    """The error for a request without a usable response: OutcomeUnknown if it may have changed something."""
    kind = OutcomeUnknown if request.changes_something else DiscordUnavailable
    return kind(f"{request.route} {what}")


def _refusal(request: Request, response: Response) -> Exception:
    if response.status == 401 and request.authorized:
        return BotTokenRefused(f"{request.route} answered 401")
    error = _read_error(response.body)
    if error is None:
        return DiscordUnavailable(f"{request.route} answered {response.status} without Discord's own JSON")
    code, text, fields = error
    if code in refusals.NOT_NOW:
        return DiscordUnavailable(f"{request.route} answered {response.status}, code {code}: {text}")
    if code in refusals.TOO_FAST:
        return RateLimited(refusals.TOO_FAST_SECONDS, route=request.route)
    refusal = _ERROR_BY_STATUS.get(response.status, DiscordRefused)
    return refusal(response.status, code, text, route=request.route, fields=fields)


def _read_error(body: bytes) -> tuple[int, str, frozenset[str]] | None:
    """Discord's JSON error code and text, and the form's fields that it names; 0 and empty where they are missing.

    None for a proxy's answer.
    """
    try:
        error: Any = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError):
        return None
    if not isinstance(error, dict):
        return 0, "", frozenset()
    if not _CLOUDFLARES.isdisjoint(error):
        return None
    code, text = error.get("code"), str(error.get("message", ""))
    if "errors" in error:
        text += " " + msgspec.json.encode(error["errors"]).decode()
    # Without a code, the body itself may hold the form's errors, each a list, as older versions of the API send them.
    old_form = (name for name, value in error.items() if isinstance(value, list))
    fields = frozenset(_fields(error.get("errors")) if "code" in error else old_form)
    return code if type(code) is int else 0, text[:MAX_ERROR_LENGTH], fields


def _fields(errors: Any) -> Iterator[str]:
    """The names of the form's fields with errors, at any depth."""
    if isinstance(errors, dict):
        for name, nested in errors.items():
            if name != "_errors":
                yield name
                yield from _fields(nested)


def raw_response(response: Response) -> Response:
    return response


def no_body(response: Response) -> None:
    """For routes whose status says everything."""


def channel(response: Response) -> Channel:
    return _check_times(_channel.decode(response.body))


def message(response: Response) -> Message:
    return _message.decode(response.body)


def user(response: Response) -> User:
    return _user.decode(response.body)


def thread_list(response: Response, now: datetime) -> ThreadList:
    """The list of active threads. Raises ValueError for half a list: it has no pages."""
    found = _active_threads.decode(response.body)
    _check_threads(found.threads)
    if found.has_more:
        raise ValueError("a list without pages says that another one follows")
    return ThreadList(found.threads, False, _read_date(response, now))


def thread_page(response: Response, now: datetime, channel_id: str, before: datetime | None) -> ThreadList:
    """The page of the channel's archived threads before that time, newest first.

    Raises ValueError for a page that contradicts itself or the request: whoever believed it would miss threads.
    """
    found = _thread_page.decode(response.body)
    _check_threads(found.threads)
    if any(thread.parent_id != channel_id for thread in found.threads):
        raise ValueError("a thread of another channel")
    # A thread that was opened a moment ago may still be listed; its time is that of the opening.
    times = [t.archive_time for t in found.threads if t.archived and t.archive_time is not None]
    if found.has_more and not times:
        raise ValueError("another page follows, and nothing says from where")
    if any(time > oldest + ORDER_MARGIN for time, oldest in zip(times, accumulate(times, min), strict=True)):
        raise ValueError("not the newest first")
    if before is not None and times and times[0] > before + ORDER_MARGIN:
        raise ValueError("another page than the one that was asked for")
    return ThreadList(found.threads, found.has_more, _read_date(response, now))


def search_hits(response: Response) -> tuple[Channel, ...]:
    """What the thread search found; nothing while its index is not ready (202)."""
    if response.status == 202:
        return ()
    hits = _thread_page.decode(response.body).threads
    _check_threads(hits)
    return hits


def audit_entries(response: Response) -> tuple[AuditEntry, ...]:
    entries = _audit_log.decode(response.body).audit_log_entries
    for entry in entries:
        int(entry.id)
    return entries


def _check_threads(threads: Sequence[Channel]) -> None:
    """Raise ValueError unless each thread has what tells whose it is and in what state."""
    for thread in threads:
        _check_times(thread)
        if thread.is_thread and None in (thread.name, thread.parent_id, thread.thread_metadata):
            raise ValueError("a thread without name, parent or state")


def _check_times(found: Channel) -> Channel:
    """Read the ids and times now: they are computed properties and must not raise later, outside this module."""
    _ = found.last_activity, found.archive_time
    return found


def _read_date(response: Response, now: datetime) -> datetime:
    """When Discord responded, by its own clock, to the second; `now` if the header is missing, malformed or later.

    A watermark that comes from an earlier time only costs requests; one from a later time would hide threads.
    """
    try:
        moment = parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError, TypeError, OverflowError):
        return now
    return min(now, moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC))
