"""Rate limits, as far as the answers themselves tell them. Pure: time comes in as `now`. No limit is written down here.

    bucket      what Discord counts requests in. Which one a route belongs to is learned from `X-RateLimit-Bucket`; there
                is one of it for each major parameter (channel, guild, webhook), which the header does not say.
    window      a bucket's count for the moment: so many requests are left until it resets. When it has reset, as many
                may go as its limit says, before any new answer has come: exactly those go on, and the others wait for
                the next reset or for better news.
    in flight   sent, and not answered yet. Discord may or may not have counted them in what it just answered; a new
                window takes them as not counted, so that what is left is never overrated.
    stop        a 429 closes the bucket for its `retry_after`; a global one (`X-RateLimit-Global`) all authorized
                requests; one that is not Discord's own JSON, from a proxy in front, everything from this address.

A 429 that leaves its bucket requests to spare comes from a limit that the headers do not show (renaming has one): who
asked for that waits, and nobody else. A route that was never answered is not held back; its first 429 would be obeyed.
50 requests a second in all are not counted either: other environments share them, so only Discord knows the sum.

Discord docs, "Rate Limits".
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from handler.discord.http import Request, Response

DEFAULT_RETRY_AFTER: Final = 5.0  # seconds, for a 429 that does not say: long enough to be no hammering
MAX_RETRY_AFTER: Final = 86_400.0  # seconds; a number beyond a day is garbage, and would overflow a time
WINDOWS_KEPT: Final = 1_000  # an environment can meet any number of channels: beyond it the expired windows go

_ADDRESS: Final = "address"
_GLOBAL: Final = "global"


@dataclass(frozen=True, slots=True)
class Wait:
    """How long to wait, in seconds, and by whose limit: `user`, `shared`, `global` or `address`."""

    seconds: float
    scope: str


@dataclass(slots=True)
class _Window:
    left: int
    resets_at: datetime
    limit: int | None  # None after a 429 that did not tell: then nothing is known once it is over
    length: float  # seconds, as far as it was seen
    scope: str = "user"

    def wait(self, now: datetime) -> float:
        """Take one of the requests that are left, or say how many seconds there are none."""
        if now >= self.resets_at and self.limit is not None:
            self.left, self.resets_at, self.scope = self.limit, now + timedelta(seconds=self.length), "user"
        if self.left > 0:
            self.left -= 1
            return 0.0
        return max(0.0, (self.resets_at - now).total_seconds())


class RateLimits:
    """What is known of all limits in one execution environment. Shared by all tasks of its event loop."""

    def __init__(self) -> None:
        self._bucket_of: dict[str, str] = {}  # by route
        self._windows: dict[tuple[str, str], _Window] = {}  # by bucket (the route where it is not known) and major
        self._in_flight: Counter[tuple[str, str]] = Counter()  # by route and major
        self._stopped: dict[str, datetime] = {}  # until when, by scope

    def enter(self, request: Request, now: datetime) -> Wait | None:
        """None if the request may go now, and then it counts as sent; else how long to wait before asking again.

        Who was let in must call `leave`, whatever became of the request.
        """
        if (wait := self.foreseen(request, now)) is not None:
            return wait
        self._in_flight[request.route, request.major] += 1
        return None

    def foreseen(self, request: Request, now: datetime) -> Wait | None:
        """How long such a request would have to wait now, as far as is known; nothing counts as sent."""
        for stop in (_ADDRESS, _GLOBAL) if request.authorized else (_ADDRESS,):
            if stop in self._stopped and self._stopped[stop] > now:
                return Wait((self._stopped[stop] - now).total_seconds(), stop)
        window = self._windows.get(self._key(request))
        if window is not None and (seconds := window.wait(now)) > 0:
            return Wait(seconds, window.scope)
        return None

    def leave(self, request: Request, response: Response | None, now: datetime) -> Wait | None:
        """Learn from the answer to a request that was let in (None: there was none). A 429 says how long to wait."""
        place = request.route, request.major
        self._in_flight[place] -= 1
        others = self._in_flight[place]
        if not others:
            del self._in_flight[place]
        if response is None:
            return None
        if (bucket := response.headers.get("x-ratelimit-bucket")) is not None:
            self._bucket_of[request.route] = bucket
        if (told := _Told.by(response.headers)) is not None:
            self._count(self._key(request), told, others, now, refused=response.status == 429)
        return self._stop(request, response, told, now) if response.status == 429 else None

    def _key(self, request: Request) -> tuple[str, str]:
        return self._bucket_of.get(request.route, request.route), request.major

    def _count(self, key: tuple[str, str], told: "_Told", others: int, now: datetime, *, refused: bool) -> None:
        resets_at = now + timedelta(seconds=told.reset_after)
        window = self._windows.get(key)
        if window is None:
            self._windows[key] = _Window(max(0, told.left - others), resets_at, told.limit, told.reset_after)
            self._forget(now)
            return
        # Within a window its end moves by no more than the network's delays; a new window ends a whole one later.
        renewed = resets_at - window.resets_at > timedelta(seconds=window.length / 2)
        window.left = max(0, told.left - others) if renewed else min(window.left, told.left)
        window.limit, window.resets_at, window.scope = told.limit, resets_at, "user"
        if not refused:
            first = told.left >= told.limit - 1  # the request that opened the window tells its whole length
            window.length = told.reset_after if first else max(window.length, told.reset_after)

    def _stop(self, request: Request, response: Response, told: "_Told | None", now: datetime) -> Wait:
        seconds, scope = _retry_after(response)
        until = now + timedelta(seconds=seconds)
        if scope in (_ADDRESS, _GLOBAL):
            self._stopped[scope] = max(until, self._stopped.get(scope, until))
        elif scope == "shared" or told is None or told.left == 0:
            window = self._windows.setdefault(
                self._key(request), _Window(0, until, told.limit if told else None, seconds)
            )
            window.left, window.resets_at, window.scope = 0, until, scope
        return Wait(seconds, scope)

    def _forget(self, now: datetime) -> None:
        if len(self._windows) > WINDOWS_KEPT:
            self._windows = {key: window for key, window in self._windows.items() if window.resets_at > now}


@dataclass(frozen=True, slots=True)
class _Told:
    """What the headers of an answer say of its bucket."""

    limit: int
    left: int
    reset_after: float

    @classmethod
    def by(cls, headers: Mapping[str, str]) -> "_Told | None":
        """None where they are absent or make no sense."""
        limit, left = headers.get("x-ratelimit-limit", ""), headers.get("x-ratelimit-remaining", "")
        reset_after = _seconds(headers.get("x-ratelimit-reset-after"))
        if not (limit.isdecimal() and left.isdecimal()) or int(limit) < 1 or reset_after is None:
            return None
        return cls(int(limit), int(left), reset_after)


def _retry_after(response: Response) -> tuple[float, str]:
    """How long a 429 asks to wait, and by whose limit."""
    try:
        body: Any = msgspec.json.decode(response.body)
    except (msgspec.MsgspecError, ValueError):
        body = None
    own = isinstance(body, dict) and "retry_after" in body
    headers = response.headers
    told = (body["retry_after"] if own else None, headers.get("retry-after"), headers.get("x-ratelimit-reset-after"))
    seconds = next((s for s in map(_seconds, told) if s is not None), DEFAULT_RETRY_AFTER)
    if headers.get("x-ratelimit-global", "").lower() == "true" or (own and body.get("global") is True):
        return seconds, _GLOBAL
    if not own and "x-ratelimit-scope" not in headers and "x-ratelimit-bucket" not in headers:
        return seconds, _ADDRESS
    scope = headers.get("x-ratelimit-scope", "user")
    return seconds, scope if scope in ("shared", _GLOBAL) else "user"


def _seconds(told: Any) -> float | None:
    """A duration as a number or a text; None if it is none, or beyond belief."""
    try:
        seconds = float(told)
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds <= MAX_RETRY_AFTER else None
