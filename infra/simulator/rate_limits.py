"""Rate limits: one bucket for each route and main resource, and the global one (Discord docs, "Rate Limits").

A route without a rule is not limited; its headers show an ample bucket that is always nearly full. Settable rules are found by
method and route template; the rule of ("*", "*") is the global limit, for which the routes of interactions do not count.
"""

import hashlib
import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from infra.simulator.exchange import Response
from infra.simulator.models import RateRule, Window
from infra.simulator.refusals import too_many_requests
from infra.simulator.state import State

GLOBAL: Final = ("*", "*")
_AMPLE: Final = RateRule(limit=50, per=1)


@lru_cache(maxsize=256)
def bucket_of(method: str, template: str) -> str:
    """The name of a route's bucket, as opaque as Discord's."""
    return hashlib.md5(f"{method} {template}".encode(), usedforsecurity=False).hexdigest()


def limit(
    state: State, method: str, template: str, args: Sequence[str], now: datetime, *, counts_globally: bool
) -> tuple[dict[str, str], Response | None]:
    """Counts a request. Gives the headers that its answer bears, and the 429 if there is one."""
    if counts_globally and (rule := state.rules.get(GLOBAL)) is not None:
        wait = _take(state, GLOBAL, rule, now)[1]
        if wait:
            return {}, too_many_requests(wait, "global")
    rule = state.rules.get((method, template))
    if rule is None:
        return _headers(method, template, _AMPLE, _AMPLE.limit - 1, now, _AMPLE.per), None
    remaining, wait, resets_in = _take_shown(state, (method, template, *args[:1]), rule, now)
    headers = _headers(method, template, rule, remaining, now, resets_in)
    if rule.hidden:
        headers = _headers(method, template, _AMPLE, _AMPLE.limit - 1, now, _AMPLE.per)
    return headers, too_many_requests(wait, rule.scope) if wait else None


def _take(state: State, key: tuple[str, ...], rule: RateRule, now: datetime) -> tuple[int, float]:
    remaining, wait, _ = _take_shown(state, key, rule, now)
    return remaining, wait


def _take_shown(state: State, key: tuple[str, ...], rule: RateRule, now: datetime) -> tuple[int, float, float]:
    """What remains, the seconds to wait (0: let through), and the seconds until the window resets."""
    window = state.windows.get(key)
    if window is None or now >= window.opened_at + timedelta(seconds=rule.per):
        window = Window(now, 0)
    resets_in = rule.per - (now - window.opened_at).total_seconds()
    if window.used >= rule.limit:
        return 0, math.ceil(resets_in * 1000) / 1000, resets_in
    state.windows.put(key, Window(window.opened_at, window.used + 1))
    return rule.limit - window.used - 1, 0.0, resets_in


def _headers(
    method: str, template: str, rule: RateRule, remaining: int, now: datetime, resets_in: float
) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(rule.limit),
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": f"{now.timestamp() + resets_in:.3f}",
        "x-ratelimit-reset-after": f"{resets_in:.3f}",
        "x-ratelimit-bucket": bucket_of(method, template),
    }
