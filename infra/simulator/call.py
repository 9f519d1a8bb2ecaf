"""One request with the state it meets, and the checks of its body and query."""

import re
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from infra.simulator.exchange import Request, Response
from infra.simulator.models import Channel, Guild, Thread
from infra.simulator.permissions import allows, sees_thread
from infra.simulator.refusals import Error, Refusal, invalid
from infra.simulator.snowflakes import parse_timestamp
from infra.simulator.state import State

_SNOWFLAKE: Final = re.compile(r"[0-9]{1,20}")
# Discord docs, "Audit Log": a reason has 1 to 512 characters.
_MAX_REASON_LENGTH: Final = 512


class Call:
    """A request, the values in its path, the state it meets, and the moment."""

    __slots__ = ("_body", "args", "bot", "now", "request", "state")

    def __init__(self, state: State, request: Request, args: Sequence[str], now: datetime) -> None:
        self.state = state
        self.request = request
        self.args = args
        self.now = now
        self.bot = state.identity.bot_user_id  # the sender of all requests
        self._body: dict[str, Any] | None = None

    @property
    def body(self) -> dict[str, Any]:
        """The body, a JSON object. No body counts as an empty object."""
        if self._body is None:
            self._body = self._object()
        return self._body

    @property
    def reason(self) -> str | None:
        """The decoded reason for the audit log."""
        reason = self.request.headers.get("x-audit-log-reason")
        return unquote(reason)[:_MAX_REASON_LENGTH] if reason else None

    def json(self) -> Any:
        """The body, any JSON value."""
        kind = self.request.headers.get("content-type", "")
        if not kind.startswith("application/json"):
            message = "Expected \"Content-Type\" header to be one of {'application/json', 'multipart/form-data'}."
            raise Refusal(Error.INVALID_FORM, {"_errors": [{"code": "CONTENT_TYPE_INVALID", "message": message}]})
        try:
            return msgspec.json.decode(self.request.body)
        except msgspec.DecodeError:
            raise Refusal(Error.INVALID_JSON) from None

    def find_guild(self, guild_id: str, missing: Error = Error.MISSING_ACCESS) -> Guild:
        """A guild that the bot is a member of."""
        guild = self.state.guilds.get(guild_id)
        if guild is None or not guild.bot_is_member:
            raise Refusal(missing)
        return guild

    def find_channel(self, channel_id: str) -> tuple[Thread | None, Channel]:
        """The thread of that id, if it is a thread, and the channel or the thread's parent. The bot sees both."""
        state = self.state
        thread = state.threads.get(channel_id)
        channel = state.channels.get(thread.parent_id if thread else channel_id)
        if channel is None:
            raise Refusal(Error.UNKNOWN_CHANNEL)
        if not state.guilds[channel.guild_id].bot_is_member or not allows(channel, "VIEW_CHANNEL"):
            raise Refusal(Error.MISSING_ACCESS)
        if thread is not None and not sees_thread(state, thread):
            raise Refusal(Error.MISSING_ACCESS)
        return thread, channel

    def query_integer(self, name: str, default: int, low: int, high: int) -> int:
        """A number in the query."""
        text = self.request.query.get(name)
        if text is None:
            return default
        if not re.fullmatch(r"-?[0-9]+", text):
            raise invalid(name, "NUMBER_TYPE_COERCE", f'Value "{text}" is not int.')
        return _in_range(name, int(text), low, high)

    def query_snowflake(self, name: str) -> int | None:
        """An id in the query."""
        text = self.request.query.get(name)
        if text is None:
            return None
        if not _SNOWFLAKE.fullmatch(text):
            raise invalid(name, "NUMBER_TYPE_COERCE", f'Value "{text}" is not snowflake.')
        return int(text)

    def query_time(self, name: str) -> datetime | None:
        """An ISO 8601 time in the query."""
        text = self.request.query.get(name)
        if text is None:
            return None
        try:
            return parse_timestamp(text)
        except ValueError:
            raise invalid(name, "DATE_TIME_TYPE_PARSE", f'Could not parse "{text}". Should be ISO8601.') from None

    def _object(self) -> dict[str, Any]:
        if not self.request.body:
            return {}
        body = self.json()
        if not isinstance(body, dict):
            message = "Only dictionaries may be used in a DictType"
            raise Refusal(Error.INVALID_FORM, {"_errors": [{"code": "DICT_TYPE_CONVERT", "message": message}]})
        return body


Handler = Callable[[Call], Response]


def utf16_length(text: str) -> int:
    """The length of a text as Discord counts it: in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _in_range(path: str, number: int, low: int, high: int) -> int:
    if number < low:
        raise invalid(path, "NUMBER_TYPE_MIN", f"int value should be greater than or equal to {low}.")
    if number > high:
        raise invalid(path, "MAX_NUMBER_TYPE", f"int value should be less than or equal to {high}.")
    return number


def read_text(body: dict[str, Any], name: str, low: int, high: int, path: str | None = None) -> str:
    """A required text of `low` to `high` units. `path` names the field in the error, if it is nested."""
    path = path or name
    text = body.get(name)
    if text is None:
        raise invalid(path, "BASE_TYPE_REQUIRED", "This field is required")
    if not isinstance(text, str):
        raise invalid(path, "STRING_TYPE_CONVERT", f'Could not interpret "{text}" as string.')
    if low <= utf16_length(text) <= high:
        return text
    if low:
        raise invalid(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
    raise invalid(path, "MAX_BASE_TYPE_LENGTH", f"Must be {high} or fewer in length.")


def read_boolean(body: dict[str, Any], name: str) -> bool | None:
    """A boolean; None if it is absent or null."""
    value = body.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise invalid(name, "BOOLEAN_TYPE_CONVERT", f'Could not interpret "{value}" as boolean.')


def read_integer(body: dict[str, Any], name: str, low: int, high: int) -> int | None:
    """A number; None if it is absent or null."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(name, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
    return _in_range(name, value, low, high)


def read_choice(body: dict[str, Any], name: str, choices: Collection[int]) -> int | None:
    """One of the numbers; None if it is absent or null."""
    value = body.get(name)
    if value is None or (value in choices and not isinstance(value, bool)):
        return value
    listed = ", ".join(str(choice) for choice in choices)
    raise invalid(name, "BASE_TYPE_CHOICES", f"Value must be one of {{{listed}}}.")
