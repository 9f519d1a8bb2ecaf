"""Requests and responses, apart from any HTTP library, and what else may become of an exchange."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final

import msgspec

JSON_TYPE: Final = "application/json"

encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent.

    `path` begins below `/api/v10` and has no query; header names are in lower case.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """What Discord, or a proxy in front of it, answers."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, decoded; None when there is none."""
        return msgspec.json.decode(self.body) if self.body else None


@dataclass(frozen=True, slots=True)
class Drop:
    """No answer: the connection failed. `had_effect` says whether the request had its effect before."""

    had_effect: bool


@dataclass(frozen=True, slots=True)
class Hang:
    """No answer, ever; the caller's patience ends it.

    `takes_effect_late`: the request has its effect later, after `seconds` or when the caller gives up, whether or not anybody waits
    still; the transport then calls `SimulatedDiscord.handle`. False: all the effect it will ever have, it has had.
    """

    takes_effect_late: bool
    seconds: float | None = None


Outcome = Response | Drop | Hang


@functools.lru_cache(maxsize=64)
def _http_date(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, UTC), usegmt=True)


def http_date(now: datetime) -> str:
    """`now` as an HTTP header writes it, to the second."""
    return _http_date(int(now.timestamp()))


def json_response(status: int, document: Any = None, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response; without a document an empty one."""
    if document is None:
        return Response(status, dict(headers or {}), b"")
    return Response(status, {"content-type": JSON_TYPE, **(headers or {})}, encode(document))
