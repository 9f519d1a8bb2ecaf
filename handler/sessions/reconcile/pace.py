"""How fast the reconciler asks, so that people's commands get most of the bot's requests."""

from datetime import datetime, timedelta
from typing import Final

from handler.runtime.clock import Clock

# Of the bot's 50 a second (Discord docs, "Rate Limits", Global Rate Limit); two guilds run at once, so a fifth in all.
REQUESTS_PER_SECOND: Final = 5.0


class Pace:
    """Spaces requests evenly. A 429 is not waited out: it ends the run, and the next one goes on."""

    def __init__(self, clock: Clock, per_second: float = REQUESTS_PER_SECOND) -> None:
        self._clock = clock
        self._gap = timedelta(seconds=1 / per_second)
        self._next: datetime | None = None

    async def __call__(self, requests: int = 1) -> None:
        """Wait for one's turn to make so many requests."""
        now = self._clock.now()
        turn = max(now, self._next or now)
        self._next = turn + self._gap * requests
        if turn > now:
            await self._clock.sleep((turn - now).total_seconds())


def growing_pause(since: datetime, now: datetime, first: timedelta, latest: timedelta) -> timedelta:
    """The pause before the next try of what has failed since then: as long again as it has, between these two."""
    return min(max(now - since, first), latest)
