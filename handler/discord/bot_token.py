"""The bot's token: where it comes from, and when it must not be used.

After a 401 the parameter that holds the token is read again, in case the operator has renewed it. If it has not
changed, nothing is sent to Discord for some seconds, because a 401 can be a fault of one moment. Then the token is tried
again; each time it is refused the pause grows, up to five minutes, and a success ends it. During a pause only the
parameter is read now and then. Discord bans an IP address from which 10 000 requests were refused within 10 minutes
(Discord docs, "Rate Limits", Invalid Request Limit), and all environments of the bot may share one address.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from handler.errors import BotTokenRefused, OnethreadError
from handler.runtime import telemetry
from handler.runtime.clock import Clock
from handler.runtime.metrics import Metric
from handler.runtime.secrets import Secret

# Without a request after the first 401, then five times as long each time. That is five trials in ten minutes: six hundred
# busy environments, with up to three requests side by side, stay below the limit above.
MIN_REFUSED_PAUSE_SECONDS: Final = 3.0
PAUSE_GROWTH: Final = 5
MAX_REFUSED_PAUSE_SECONDS: Final = 300.0
# Between two readings of the parameter during that pause: a renewed token is soon used.
REREAD_PAUSE_SECONDS: Final = 15.0


class TokenSource:
    """Holds the token. `read` fetches it (None: the token is fixed) and may raise only errors of `handler.errors`."""

    def __init__(
        self, token: Secret | None, *, clock: Clock, read: Callable[[], Awaitable[Secret]] | None = None
    ) -> None:
        if token is None and read is None:
            raise ValueError("a token, or a way to read one, is needed")
        self._token = token
        self._read = read
        self._clock = clock
        self._refused_until: datetime | None = None
        self._next_pause = MIN_REFUSED_PAUSE_SECONDS
        self._reread_at: datetime | None = None
        self._lock = asyncio.Lock()  # held while the parameter is read
        if token is not None:
            telemetry.redact(token)

    @property
    def is_known(self) -> bool:
        """Whether `get` returns the token without reading the parameter."""
        return self._token is not None

    async def get(self) -> Secret:
        """The token to use, read first if it is not known. Raises BotTokenRefused while it must not be used."""
        if self._is_refused() and not await self._find_renewed():
            telemetry.add_metric(Metric.TOKEN_REFUSED)
            raise BotTokenRefused("the token was refused a short while ago: nothing was sent")
        if self._token is None:
            async with self._lock:
                await self._read_if_unknown()
        assert self._token is not None  # noqa: S101 - `_read_if_unknown` sets it or raises
        return self._token

    async def renew(self, refused: Secret) -> bool:
        """Read the token again after a 401. True if it is another than `refused`; otherwise pause all requests."""
        async with self._lock:
            if self._token == refused:
                await self._read_again(refused)
            if self._token != refused:
                self._next_pause = MIN_REFUSED_PAUSE_SECONDS
                return True
            self.pause(refused)
            return False

    def pause(self, refused: Secret) -> None:
        """Send nothing with that token for a while: for longer than last time, if it was not accepted in between."""
        if self._token == refused and not self._is_refused():
            now = self._clock.now()
            self._refused_until = now + timedelta(seconds=self._next_pause)
            self._reread_at = now + timedelta(seconds=REREAD_PAUSE_SECONDS)
            self._next_pause = min(MAX_REFUSED_PAUSE_SECONDS, self._next_pause * PAUSE_GROWTH)

    def accept(self, used: Secret) -> None:
        """Discord has taken that token: a refusal was a fault of one moment."""
        if self._token == used:
            self._refused_until, self._next_pause = None, MIN_REFUSED_PAUSE_SECONDS

    def _is_refused(self) -> bool:
        return self._refused_until is not None and self._clock.now() < self._refused_until

    async def _find_renewed(self) -> bool:
        """During the pause: whether the parameter holds another token by now."""
        async with self._lock:
            now = self._clock.now()
            if not self._is_refused():
                return True  # another task has just found it
            if self._read is None or (self._reread_at is not None and now < self._reread_at):
                return False
            self._reread_at = now + timedelta(seconds=REREAD_PAUSE_SECONDS)
            try:
                token = await self._read()
            except OnethreadError:
                return False
            if token == self._token:
                return False
            self._set(token)
            self._next_pause = MIN_REFUSED_PAUSE_SECONDS
            return True

    async def _read_again(self, refused: Secret) -> None:
        if self._is_refused():
            return  # another task has just read it
        self._token = None
        try:
            await self._read_if_unknown()
        except OnethreadError:
            pass  # a token that cannot be read was not renewed
        finally:
            self._token = self._token or refused

    async def _read_if_unknown(self) -> None:
        if self._token is None and self._read is not None:
            self._set(await self._read())

    def _set(self, token: Secret) -> None:
        self._token, self._refused_until = token, None
        telemetry.redact(token)
