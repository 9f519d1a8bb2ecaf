"""Turn Discord's response into the value that was asked for, or into one of our errors. Pure.

    2xx with the expected body     the value. One bad entry of a list costs nobody the others: see `thread_list`, `audit_page`
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
from handler.discord.models import AuditEntry, AuditPage, Channel, ChannelType, Member, Message, ThreadList, User
from handler.discord.snowflakes import is_snowflake, time_of
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
# An id from further ahead is none: taken for a watermark, it would hide all that follows.
CLOCK_MARGIN: Final = timedelta(days=1)
MAX_ERROR_LENGTH: Final = 300  # characters of Discord's own error text in a log: enough for a nested form error

# Other statuses need no class.
_ERROR_BY_STATUS: Final[Mapping[int, type[DiscordRefused]]] = {403: Forbidden, 404: NotFound}


# Fields of the JSON in which Cloudflare refuses a request itself (RFC 9457, with its own additions).
_CLOUDFLARES: Final = frozenset({"cloudflare_error", "error_code", "ray_id"})


class _ActiveThreads(msgspec.Struct, frozen=True):
    threads: tuple[msgspec.Raw, ...]
    has_more: bool | None = None  # Discord leaves it out


class _ThreadPage(msgspec.Struct, frozen=True):
    threads: tuple[msgspec.Raw, ...]
    has_more: bool


class _AuditLog(msgspec.Struct, frozen=True):
    audit_log_entries: tuple[msgspec.Raw, ...]


_audit_entry = msgspec.json.Decoder(AuditEntry)
_audit_log = msgspec.json.Decoder(_AuditLog)
_channel = msgspec.json.Decoder(Channel)
_message = msgspec.json.Decoder(Message)
_member = msgspec.json.Decoder(Member)
_messages = msgspec.json.Decoder(tuple[Message, ...])
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
    kind = _ERROR_BY_STATUS.get(response.status, DiscordRefused)
    refusal = kind(response.status, code, text, route=request.route)
    refusal.fields = fields
    return refusal


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


def member(response: Response) -> Member:
    return _member.decode(response.body)


def messages(response: Response) -> tuple[Message, ...]:
    """A page of messages, oldest first."""
    return tuple(sorted(_messages.decode(response.body), key=lambda message: int(message.id)))


def user(response: Response) -> User:
    return _user.decode(response.body)


def thread_list(response: Response, now: datetime, *, needs_ids: bool = True) -> ThreadList:
    """The list of active threads. Raises ValueError for half a list: it has no pages.

    An entry of a shape that is not known costs nobody the others: see `Channel.is_readable`. With `needs_ids`, a list in
    which no entry has an id is none: a look-up must not conclude from it that there is no thread.
    """
    found = _active_threads.decode(response.body)
    threads = _read_threads(found.threads, needs_ids=needs_ids)
    if found.has_more:
        raise ValueError("a list without pages says that another one follows")
    return ThreadList(threads, False, _read_date(response, now))


def thread_page(response: Response, now: datetime, channel_id: str, before: datetime | None) -> ThreadList:
    """The page of the channel's archived threads before that time, newest first.

    Its entries are read as those of `thread_list`. Raises ValueError for a page that contradicts itself or the
    request: whoever believed it would miss threads.
    """
    found = _thread_page.decode(response.body)
    threads = _read_threads(found.threads)
    if any(thread.parent_id != channel_id for thread in threads if thread.is_readable):
        raise ValueError("a thread of another channel")
    # A thread that was opened a moment ago may still be listed; its time is that of the opening.
    times = [t.archive_time for t in threads if t.archived and t.archive_time is not None]
    if found.has_more and not times:
        raise ValueError("another page follows, and nothing says from where")
    if any(time > oldest + ORDER_MARGIN for time, oldest in zip(times, accumulate(times, min), strict=True)):
        raise ValueError("not the newest first")
    if before is not None and times and times[0] > before + ORDER_MARGIN:
        raise ValueError("another page than the one that was asked for")
    return ThreadList(threads, found.has_more, _read_date(response, now))


def private_threads(response: Response, channel_id: str) -> tuple[Channel, ...]:
    """A page of the channel's archived private threads. Raises ValueError for another channel's."""
    threads = _read_threads(_thread_page.decode(response.body).threads)
    if any(thread.parent_id != channel_id for thread in threads if thread.is_readable):
        raise ValueError("a thread of another channel")
    return threads


def search_hits(response: Response) -> tuple[Channel, ...]:
    """What the thread search found; nothing while its index is not ready (202)."""
    if response.status == 202:
        return ()
    return tuple(map(_read_thread, _thread_page.decode(response.body).threads))


def _read_threads(entries: Sequence[msgspec.Raw], *, needs_ids: bool = True) -> tuple[Channel, ...]:
    """The threads of a list. Raises ValueError if not one of them has so much as an id: that is no list of threads."""
    threads = tuple(map(_read_thread, entries))
    if needs_ids and threads and not any(thread.id for thread in threads):
        raise ValueError("no thread in the list has an id")
    return threads


def _read_thread(entry: msgspec.Raw) -> Channel:
    """The thread in an entry of a list; of the type UNREADABLE, with what can be read, if its shape is not known."""
    try:
        return _check_thread(_channel.decode(entry))
    except (msgspec.MsgspecError, ValueError, OverflowError):
        content = _read_object(entry)
    known = {key: content[key] for key in ("id", "name", "parent_id") if isinstance(content.get(key), str)}
    thread_id = known.pop("id", "")
    return Channel(thread_id if is_snowflake(thread_id) else "", ChannelType.UNREADABLE, **known)


def audit_page(response: Response, now: datetime) -> AuditPage:
    """A page of the audit log. Of an entry whose changes cannot be read, the rest is."""
    latest = _read_date(response, now) + CLOCK_MARGIN
    entries: list[AuditEntry] = []
    unreadable: list[str] = []
    for given in _audit_log.decode(response.body).audit_log_entries:
        entry = _read_audit_entry(given)
        entry_id = entry.id if entry is not None else str(_read_object(given).get("id"))
        is_id = is_snowflake(entry_id) and time_of(entry_id) <= latest
        if entry is not None and is_id:
            entries.append(entry)
        else:
            unreadable.append(entry_id if is_id else "")
    ids = [*(entry.id for entry in entries), *filter(None, unreadable)]
    return AuditPage(tuple(entries), tuple(unreadable), max(ids, key=int, default=None))


def _read_audit_entry(given: msgspec.Raw) -> AuditEntry | None:
    try:
        return _audit_entry.decode(given)
    except (msgspec.MsgspecError, ValueError):
        content = _read_object(given)
        content.pop("changes", None)
    try:
        return msgspec.convert(content, AuditEntry)
    except msgspec.MsgspecError:
        return None


def _read_object(given: msgspec.Raw) -> dict[str, Any]:
    """The fields of an entry; none if it is no object."""
    try:
        content: Any = msgspec.json.decode(given)
    except (msgspec.MsgspecError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _check_thread(thread: Channel) -> Channel:
    """Raise ValueError unless a list's thread has what tells whose it is and in what state."""
    if thread.is_thread and None in (thread.name, thread.parent_id, thread.thread_metadata):
        raise ValueError("a thread without name, parent or state")
    return _check_times(thread)


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
