"""Rate limits: one bucket for each route and main resource, and the global one (Discord docs, "Rate Limits").

A route without a rule has no limit; its headers show a large bucket that is always nearly full. Rules are found by method and
route template. The rule of ("*", "*") is the global limit, which does not count the routes of interactions.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from infra.simulator.exchange import Response
from infra.simulator.models import Window
from infra.simulator.refusals import too_many_requests
from infra.simulator.state import State

GLOBAL: Final = ("*", "*")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a limit says to one request."""

    limit: int
    remaining: int  # requests in this window
    resets_in: float  # seconds until the next window
    exceeded: bool = False

    @property
    def retry_after(self) -> float:
        """Seconds, rounded up to a millisecond."""
        return math.ceil(self.resets_in * 1000) / 1000


# What headers show of a route without a rule.
_AMPLE: Final = Usage(limit=50, remaining=49, resets_in=1)


def count_request(
    state: State, method: str, template: str, args: Sequence[str], now: datetime, *, counts_globally: bool
) -> tuple[dict[str, str], Response | None]:
    """Count a request. Return the headers of its answer, and the 429 if a limit is exceeded."""
    if counts_globally and (rule := state.rules.get(GLOBAL)) is not None:
        usage = count(state, GLOBAL, rule.limit, rule.per, now)
        if usage.exceeded:
            return {}, too_many_requests(usage.retry_after, "global")
    rule = state.rules.get((method, template))
    if rule is None:
        return _headers(method, template, _AMPLE, now), None
    usage = count(state, (method, template, *args[:1]), rule.limit, rule.per, now)
    limited = too_many_requests(usage.retry_after, rule.scope) if usage.exceeded else None
    return _headers(method, template, _AMPLE if rule.hidden else usage, now), limited


def count(state: State, key: tuple[str, ...], limit: int, seconds: float, now: datetime) -> Usage:
    """Count one more of what is limited to `limit` in `seconds`, unless it is too many."""
    window = state.windows.get(key)
    if window is None or now >= window.opened_at + timedelta(seconds=seconds):
        window = Window(now, 0)
    resets_in = seconds - (now - window.opened_at).total_seconds()
    if window.used >= limit:
        return Usage(limit, 0, resets_in, exceeded=True)
    state.windows.put(key, Window(window.opened_at, window.used + 1))
    return Usage(limit, limit - window.used - 1, resets_in)


@lru_cache(maxsize=256)
def _bucket(method: str, template: str) -> str:
    """The name of a route's bucket, as opaque as Discord's."""
    return hashlib.md5(f"{method} {template}".encode(), usedforsecurity=False).hexdigest()


def _headers(method: str, template: str, usage: Usage, now: datetime) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(usage.limit),
        "x-ratelimit-remaining": str(usage.remaining),
        "x-ratelimit-reset": f"{now.timestamp() + usage.resets_in:.3f}",
        "x-ratelimit-reset-after": f"{usage.resets_in:.3f}",
        "x-ratelimit-bucket": _bucket(method, template),
    }
