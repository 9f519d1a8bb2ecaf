"""Discord's rate limits, as learned from its responses. Pure: time is the parameter `now`. No limit is hard-coded.

    bucket      what Discord counts requests in. `X-RateLimit-Bucket` names the bucket of a route; there is one for each
                major parameter (channel, guild, webhook), which the header does not name.
    window      a bucket's current count: how many requests are left until it resets. After the reset, as many may go as
                its limit says, before any new response: the others wait for the next reset or for a response.
    in flight   sent, and not answered yet. The response to another request may or may not have counted them; a new
                window assumes that it did not, so that what is left is never overestimated.
    block       a 429 blocks its bucket for `retry_after`; a global one (`X-RateLimit-Global`) blocks all authorized
                requests. One without Discord's own JSON and headers comes from a proxy: it blocks its bucket too, but
                only for `MAX_PROXY_SECONDS`, whatever it says.

A 429 from a bucket with requests left comes from a limit that the headers do not show (renaming has one): only the
refused request waits. A route without any response yet is not held back. The limit of 50 requests a second in all is
not counted: other environments share it, so only Discord knows the count.

Discord docs, "Rate Limits".
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from handler.discord.http import Request, Response

DEFAULT_RETRY_AFTER_SECONDS: Final = 5.0  # for a 429 that does not say: long enough not to hammer
MAX_RETRY_AFTER_SECONDS: Final = 86_400.0  # a longer time is garbage, and would overflow a datetime
# A proxy's 429 names an hour or a day, while other routes and the next request go through (discord-api-docs issues 7040,
# 8570): ask again soon.
MAX_PROXY_SECONDS: Final = 30.0
MAX_WINDOWS: Final = 1_000  # an environment can meet any number of channels: beyond this, expired windows are dropped

_GLOBAL: Final = "global"
_PROXY: Final = "proxy"


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a request has to wait."""

    seconds: float
    scope: str  # whose limit it is: `user`, `shared`, `global` or `proxy`


@dataclass(slots=True)
class _Window:
    left: int  # requests
    resets_at: datetime
    limit: int | None  # None after a 429 without headers: nothing is known once it is over
    length: float  # seconds, as far as seen
    scope: str = "user"

    def wait(self, now: datetime) -> float:
        """The seconds until there are requests left; nothing is taken."""
        if self.left > 0 or now >= self.resets_at:
            return 0.0
        return (self.resets_at - now).total_seconds()

    def take(self, now: datetime) -> None:
        """Take one of the requests that are left."""
        if now >= self.resets_at and self.limit is not None:
            self.left, self.resets_at, self.scope = self.limit, now + timedelta(seconds=self.length), "user"
        self.left = max(0, self.left - 1)


class RateLimits:
    """All limits known to one execution environment. All tasks of its event loop share it."""

    def __init__(self) -> None:
        self._bucket_of: dict[str, str] = {}  # by route
        self._windows: dict[tuple[str, str], _Window] = {}  # by bucket (or route if unknown) and major parameter
        self._in_flight: Counter[tuple[str, str]] = Counter()  # by route and major parameter
        self._blocked_until: datetime | None = None  # by a global 429

    def acquire(self, request: Request, now: datetime) -> Wait | None:
        """None if the request may go now: it then counts as in flight until `release`. Else how long to wait."""
        if (wait := self.known_wait(request, now)) is not None:
            return wait
        if (window := self._windows.get(self._key(request))) is not None:
            window.take(now)
        self._in_flight[request.route, request.major] += 1
        return None

    def known_wait(self, request: Request, now: datetime) -> Wait | None:
        """How long such a request would have to wait now, as far as known. Only looks: nothing is counted."""
        if request.authorized and self._blocked_until is not None and self._blocked_until > now:
            return Wait((self._blocked_until - now).total_seconds(), _GLOBAL)
        window = self._windows.get(self._key(request))
        if window is not None and (seconds := window.wait(now)) > 0:
            return Wait(seconds, window.scope)
        return None

    def release(self, request: Request, response: Response | None, now: datetime) -> Wait | None:
        """Learn from the response to an acquired request (None: it was lost). After a 429, how long to wait."""
        place = request.route, request.major
        self._in_flight[place] -= 1
        others = self._in_flight[place]
        if not others:
            del self._in_flight[place]
        if response is None:
            return None
        if (bucket := response.headers.get("x-ratelimit-bucket")) is not None:
            self._bucket_of[request.route] = bucket
        if (headers := _BucketHeaders.parse(response.headers)) is not None:
            self._update_window(self._key(request), headers, others, now, refused=response.status == 429)
        return self._block(request, response, headers, now) if response.status == 429 else None

    def _key(self, request: Request) -> tuple[str, str]:
        return self._bucket_of.get(request.route, request.route), request.major

    def _update_window(
        self, key: tuple[str, str], headers: "_BucketHeaders", others: int, now: datetime, *, refused: bool
    ) -> None:
        """`others`: how many requests of the same route are in flight."""
        resets_at = now + timedelta(seconds=headers.reset_after)
        window = self._windows.get(key)
        if window is None:
            self._windows[key] = _Window(max(0, headers.left - others), resets_at, headers.limit, headers.reset_after)
            self._drop_expired_windows(now)
            return
        # The end of a window moves by no more than the network's delays; a new window ends a whole length later.
        is_new = resets_at - window.resets_at > timedelta(seconds=window.length / 2)
        window.left = max(0, headers.left - others) if is_new else min(window.left, headers.left)
        window.limit, window.resets_at, window.scope = headers.limit, resets_at, "user"
        if not refused:
            is_first = headers.left >= headers.limit - 1  # the first request of a window sees its whole length
            window.length = headers.reset_after if is_first else max(window.length, headers.reset_after)

    def _block(self, request: Request, response: Response, headers: "_BucketHeaders | None", now: datetime) -> Wait:
        wait = _parse_wait(response)
        until = now + timedelta(seconds=wait.seconds)
        if wait.scope == _GLOBAL:
            self._blocked_until = max(until, self._blocked_until or until)
        elif wait.scope == "shared" or headers is None or headers.left == 0:
            unknown = _Window(0, until, headers.limit if headers else None, wait.seconds)
            window = self._windows.setdefault(self._key(request), unknown)
            window.left, window.resets_at, window.scope = 0, until, wait.scope
        return wait

    def _drop_expired_windows(self, now: datetime) -> None:
        if len(self._windows) > MAX_WINDOWS:
            self._windows = {key: window for key, window in self._windows.items() if window.resets_at > now}


@dataclass(frozen=True, slots=True)
class _BucketHeaders:
    """The state of a bucket, from the headers of a response."""

    limit: int  # requests in a window
    left: int  # requests in this window
    reset_after: float  # seconds

    @classmethod
    def parse(cls, headers: Mapping[str, str]) -> "_BucketHeaders | None":
        """None if they are absent or malformed."""
        limit, left = headers.get("x-ratelimit-limit", ""), headers.get("x-ratelimit-remaining", "")
        reset_after = _parse_seconds(headers.get("x-ratelimit-reset-after"))
        if not (limit.isdecimal() and left.isdecimal()) or int(limit) < 1 or reset_after is None:
            return None
        return cls(int(limit), int(left), reset_after)


def _parse_wait(response: Response) -> Wait:
    """How long a 429 demands to wait, and whose limit it is."""
    headers, body = response.headers, _parse_body(response.body)
    is_discords = "retry_after" in body and ("message" in body or "global" in body or _has_headers(headers))
    candidates = (body.get("retry_after"), headers.get("retry-after"), headers.get("x-ratelimit-reset-after"))
    seconds = next((s for s in map(_parse_seconds, candidates) if s is not None), DEFAULT_RETRY_AFTER_SECONDS)
    scope = headers.get("x-ratelimit-scope", "user")
    if not is_discords:
        return Wait(min(seconds, MAX_PROXY_SECONDS), "user" if _has_headers(headers) else _PROXY)
    if body.get("global") is True or headers.get("x-ratelimit-global", "").lower() == "true" or scope == _GLOBAL:
        return Wait(seconds, _GLOBAL)
    return Wait(seconds, "shared" if scope == "shared" else "user")


def _parse_body(body: bytes) -> Mapping[str, Any]:
    """The JSON object in a body; empty if it is anything else."""
    try:
        parsed = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _has_headers(headers: Mapping[str, str]) -> bool:
    """Whether Discord itself, and no proxy, wrote the response: only Discord sends these headers."""
    return any(name.startswith("x-ratelimit-") for name in headers)


def _parse_seconds(value: Any) -> float | None:
    """A duration, from a number or a text; None if it is neither or out of range."""
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds <= MAX_RETRY_AFTER_SECONDS else None
