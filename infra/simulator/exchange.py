"""A request and its outcome, independent of any HTTP library."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final

import msgspec

# Where the API begins behind httpx and behind a socket.
API_PREFIX: Final = "/api/v10"
# How long a hang lasts for a caller without a time-out: longer than any Lambda function runs.
MAX_HANG_SECONDS: Final = 3600.0
JSON_TYPE: Final = "application/json"

encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str  # relative to API_PREFIX, without the query
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer by Discord or by a proxy in front of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The decoded body; None if it is empty."""
        return msgspec.json.decode(self.body) if self.body else None


@dataclass(frozen=True, slots=True)
class Drop:
    """No answer: the connection failed."""

    had_effect: bool  # whether Discord carried out the request before that


@dataclass(frozen=True, slots=True)
class Hang:
    """No answer, until the caller's time-out."""

    # True: the transport must call `SimulatedDiscord.handle` later, even if the caller has been cancelled by then.
    takes_effect_late: bool
    seconds: float | None = None  # how much later; None: when the caller times out


Outcome = Response | Drop | Hang


@functools.lru_cache(maxsize=64)
def _http_date(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, UTC), usegmt=True)


def http_date(now: datetime) -> str:
    """`now` as in an HTTP header, to the second."""
    return _http_date(int(now.timestamp()))


def json_response(status: int, document: Any = None, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response; an empty one without a document."""
    if document is None:
        return Response(status, dict(headers or {}), b"")
    return Response(status, {"content-type": JSON_TYPE, **(headers or {})}, encode(document))
