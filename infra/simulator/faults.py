"""What goes wrong on purpose: answers that are not Discord's, connections that fail, requests that hang."""

import re
from collections.abc import Hashable
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import Literal

from infra.simulator.exchange import Response, json_response
from infra.simulator.refusals import too_many_requests

When = Literal["before", "after", "late"]


class Failure(Enum):
    """What a fault may do instead of answering: the connection breaks, or no answer ever comes."""

    DROP = "drop"
    HANG = "hang"


DROP = Failure.DROP
HANG = Failure.HANG


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule of what goes wrong.

    method  of the request; `*` is any
    route   a template such as `/channels/{channel_id}/messages`, or a path, where `*` stands for one segment and a lone
            `*` for any route
    what    a response to give, DROP or HANG
    when    `before`: the request has no effect; `after`: it has its effect, then this happens; `late` (HANG only): it has its
            effect when the hang ends
    nth     it happens to the nth such request from now on, counted from 1
    times   how often, from that one on
    seconds after how long a late effect comes; None: when the caller gives up, or, behind a socket, in an hour
    """

    method: str
    route: str
    what: Response | Failure
    when: When = "before"
    nth: int = 1
    times: int = 1
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.when == "late" and self.what is not Failure.HANG:
            raise ValueError("only a hang has its effect late")


class Faults:
    """The rules that wait for their request, oldest first. A request meets at most one; all that match count it."""

    __slots__ = ("rules",)

    def __init__(self, rules: tuple[Fault, ...] = ()) -> None:
        self.rules = rules

    def add(self, fault: Fault) -> None:
        self.rules = (*self.rules, fault)

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
        """Adds a rule; the arguments are those of `Fault`."""
        self.add(Fault(method, route, what, when, nth, times, seconds))

    def clear(self) -> None:
        self.rules = ()

    def fork(self) -> "Faults":
        return Faults(self.rules)

    def take(self, method: str, template: str, path: str) -> Fault | None:
        """The fault that this request meets, if any; rules are counted down and used up."""
        if not self.rules:
            return None
        met: Fault | None = None
        remaining = []
        for rule in self.rules:
            if not _matches(rule, method, template, path):
                remaining.append(rule)
            elif rule.nth > 1:
                remaining.append(replace(rule, nth=rule.nth - 1))
            elif met is not None:
                remaining.append(rule)
            else:
                met = rule
                if rule.times > 1:
                    remaining.append(replace(rule, times=rule.times - 1))
        self.rules = tuple(remaining)
        return met

    def fingerprint(self) -> Hashable:
        return tuple(
            (rule.method, rule.route, _hashable(rule.what), rule.when, rule.nth, rule.times, rule.seconds)
            for rule in self.rules
        )


def server_error(status: int = 500) -> Response:
    """Discord itself in trouble."""
    return json_response(status, {"message": f"{status}: Internal Server Error", "code": 0})


def bad_gateway(status: int = 502) -> Response:
    """A proxy in front of Discord in trouble: HTML."""
    page = f"<html>\r\n<head><title>{status} Bad Gateway</title></head>\r\n<body>cloudflare</body>\r\n</html>\r\n"
    return Response(status, {"content-type": "text/html", "server": "cloudflare"}, page.encode())


def rate_limited(retry_after: float, scope: str = "user") -> Response:
    """A 429 of any length, in seconds; `scope` is `user`, `shared` or `global`."""
    return too_many_requests(retry_after, scope)


def error(status: int, code: int, message: str) -> Response:
    """Any JSON error of Discord's."""
    return json_response(status, {"message": message, "code": code})


@lru_cache(maxsize=256)
def _pattern(route: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(re.escape(part) for part in route.split("*")))


def _matches(rule: Fault, method: str, template: str, path: str) -> bool:
    if rule.method not in ("*", method):
        return False
    if rule.route in ("*", template, path):
        return True
    pattern = _pattern(rule.route)
    return pattern.fullmatch(template) is not None or pattern.fullmatch(path) is not None


def _hashable(what: Response | Failure) -> Hashable:
    if isinstance(what, Failure):
        return what
    return (what.status, tuple(sorted(what.headers.items())), what.body)
