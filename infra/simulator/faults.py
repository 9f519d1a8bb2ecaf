"""Faults on purpose: wrong answers, connections that fail, requests that hang."""

import re
from collections.abc import Hashable
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import Literal

from infra.simulator.exchange import Response, json_response

When = Literal["before", "after", "late"]


class Failure(Enum):
    """What a fault may do instead of answering."""

    DROP = "drop"  # the connection breaks
    HANG = "hang"  # no answer ever comes


DROP = Failure.DROP
HANG = Failure.HANG


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong."""

    method: str  # of the request; `*` is any
    # A template such as `/channels/{channel_id}/messages`, or a path, where `*` stands for one segment. `*` alone is any route.
    route: str
    what: Response | Failure
    # `before`: the request has no effect. `after`: it has its effect first. `late`: it has its effect when the hang ends.
    when: When = "before"
    nth: int = 1  # it happens to the nth such request from now on
    times: int = 1  # and to this many in a row
    seconds: float | None = (
        None  # until a late effect; None: when the caller times out, or, behind a socket, in an hour
    )

    def __post_init__(self) -> None:
        if self.when == "late" and self.what is not Failure.HANG:
            raise ValueError("only a hang has its effect late")


class Faults:
    """The faults still to come, oldest first. A request meets at most one; all that match count it."""

    __slots__ = ("pending",)

    def __init__(self, pending: tuple[Fault, ...] = ()) -> None:
        self.pending = pending

    def inject(
        self,
        method: str,
        route: str,
        what: Response | Failure,
        *,
        when: When = "before",
        nth: int = 1,
        times: int = 1,
        seconds: float | None = None,
    ) -> None:
        """Add a fault; the arguments are those of `Fault`."""
        self.pending = (*self.pending, Fault(method, route, what, when, nth, times, seconds))

    def clear(self) -> None:
        self.pending = ()

    def fork(self) -> "Faults":
        return Faults(self.pending)

    def take(self, method: str, template: str, path: str) -> Fault | None:
        """The fault that this request meets, if any. Counts down and uses up the pending ones."""
        if not self.pending:
            return None
        met: Fault | None = None
        remaining = []
        for fault in self.pending:
            if not _matches(fault, method, template, path):
                remaining.append(fault)
            elif fault.nth > 1:
                remaining.append(replace(fault, nth=fault.nth - 1))
            elif met is not None:
                remaining.append(fault)
            else:
                met = fault
                if fault.times > 1:
                    remaining.append(replace(fault, times=fault.times - 1))
        self.pending = tuple(remaining)
        return met

    def fingerprint(self) -> Hashable:
        return tuple(
            (fault.method, fault.route, _hashable(fault.what), fault.when, fault.nth, fault.times, fault.seconds)
            for fault in self.pending
        )


def server_error(status: int = 500) -> Response:
    """A failure of Discord itself."""
    return error(status, 0, f"{status}: Internal Server Error")


def bad_gateway(status: int = 502) -> Response:
    """A failure of a proxy in front of Discord: HTML."""
    page = f"<html>\r\n<head><title>{status} Bad Gateway</title></head>\r\n<body>cloudflare</body>\r\n</html>\r\n"
    return Response(status, {"content-type": "text/html", "server": "cloudflare"}, page.encode())


def error(status: int, code: int, message: str) -> Response:
    """A JSON error in Discord's form."""
    return json_response(status, {"message": message, "code": code})


def proxy_limit(retry_after: int = 3600) -> Response:
    """A 429 of a proxy in front of Discord: no JSON, none of Discord's headers. An hour or a day was seen."""
    headers = {"content-type": "text/plain; charset=UTF-8", "server": "cloudflare", "retry-after": str(retry_after)}
    return Response(429, headers, b"error code: 1015")


def blocked() -> Response:
    """Cloudflare's block, as JSON since 2023. It says nothing about permissions."""
    return error(403, 40333, "internal network error")


@lru_cache(maxsize=256)
def _pattern(route: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(re.escape(part) for part in route.split("*")))


def _matches(fault: Fault, method: str, template: str, path: str) -> bool:
    if fault.method not in ("*", method):
        return False
    if fault.route in ("*", template, path):
        return True
    pattern = _pattern(fault.route)
    return pattern.fullmatch(template) is not None or pattern.fullmatch(path) is not None


def _hashable(what: Response | Failure) -> Hashable:
    if isinstance(what, Failure):
        return what
    return (what.status, tuple(sorted(what.headers.items())), what.body)
