"""How fast the reconciler asks, so that people's commands get most of the bot's requests."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar
from zlib import crc32

from handler.runtime.clock import Clock, iso

T = TypeVar("T")

# Of the bot's 50 a second (Discord docs, "Rate Limits", Global Rate Limit); two guilds run at once, so a fifth in all.
REQUESTS_PER_SECOND: Final = 5.0


class Pace:
    """Spaces requests evenly. It does not wait for a 429: that ends the run, and the next one goes on."""

    def __init__(self, clock: Clock, per_second: float = REQUESTS_PER_SECOND) -> None:
        self._clock = clock
        self._gap = timedelta(seconds=1 / per_second)
        self._next: datetime | None = None

    async def __call__(self, requests: int = 1) -> None:
        """Wait until it is time to make so many requests."""
        now = self._clock.now()
        turn = max(now, self._next or now)
        self._next = turn + self._gap * requests
        if turn > now:
            await self._clock.sleep((turn - now).total_seconds())


def rotate(items: Sequence[T], now: datetime) -> list[T]:
    """The items from another one on in each run, so that those that fail do not keep the others from their turn."""
    first = crc32(iso(now).encode()) % len(items) if items else 0
    return [*items[first:], *items[:first]]


def growing_pause(since: datetime, now: datetime, shortest: timedelta, longest: timedelta) -> timedelta:
    """The pause before the next try: as long as it has failed, since `since`, within these bounds."""
    return min(max(now - since, shortest), longest)
