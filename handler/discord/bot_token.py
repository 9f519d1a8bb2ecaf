"""The bot's token: where it is had from, and when it is not used any more.

After a 401 the parameter that holds it is read once more, for the case that somebody renewed the token. If that brings
nothing new, nothing is sent to Discord for a while, and only the parameter is read now and then: an address from which
10 000 requests were refused within 10 minutes is banned (Discord docs, "Rate Limits", Invalid Request Limit), and every
environment of the bot may share that address.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from handler.errors import BotTokenRefused, OnethreadError
from handler.runtime import telemetry
from handler.runtime.clock import Clock
from handler.runtime.secrets import Secret

# Seconds without a request after a 401. A thousand environments together then stay far below the limit above, and a
# token that was renewed meanwhile is found again soon.
REFUSED_PAUSE: Final = 300.0
# Seconds between two readings of the parameter meanwhile: who has just renewed the token does not wait for long.
LOOK_AGAIN_AFTER: Final = 15.0


class TokenSource:
    """Holds the token. `read` fetches it anew (None: it is fixed) and may raise only what `handler.errors` knows."""

    def __init__(
        self, token: Secret | None, *, clock: Clock, read: Callable[[], Awaitable[Secret]] | None = None
    ) -> None:
        if token is None and read is None:
            raise ValueError("a token, or a way to read one, is needed")
        self._token = token
        self._read = read
        self._clock = clock
        self._refused_until: datetime | None = None
        self._look_again_at: datetime | None = None
        self._reading = asyncio.Lock()
        if token is not None:
            telemetry.redact(token)

    @property
    def is_known(self) -> bool:
        """Whether `current` has nothing to read."""
        return self._token is not None

    async def current(self) -> Secret:
        """The token to use; read first where it was not given. Raises BotTokenRefused while it is not to be used."""
        if self._is_refused() and not await self._was_renewed():
            raise BotTokenRefused("the token was refused a short while ago: nothing was sent")
        if self._token is None:
            async with self._reading:
                await self._fetch()
        assert self._token is not None  # noqa: S101 - `_fetch` sets it or raises
        return self._token

    async def renewed(self, refused: Secret) -> bool:
        """Whether there is another token than the `refused` one by now; if there is not, requests stop for a while."""
        async with self._reading:
            if self._token == refused:
                await self._read_again(refused)
            if self._token != refused:
                return True
            self.stop(refused)
            return False

    def stop(self, refused: Secret) -> None:
        """Let nothing be sent with that token for a while."""
        if self._token == refused:
            now = self._clock.now()
            self._refused_until = now + timedelta(seconds=REFUSED_PAUSE)
            self._look_again_at = now + timedelta(seconds=LOOK_AGAIN_AFTER)

    def _is_refused(self) -> bool:
        return self._refused_until is not None and self._clock.now() < self._refused_until

    async def _was_renewed(self) -> bool:
        """During the pause: whether the parameter holds another token by now."""
        async with self._reading:
            now = self._clock.now()
            if not self._is_refused():
                return True  # somebody else has just found it
            if self._read is None or (self._look_again_at is not None and now < self._look_again_at):
                return False
            self._look_again_at = now + timedelta(seconds=LOOK_AGAIN_AFTER)
            try:
                token = await self._read()
            except OnethreadError:
                return False
            if token == self._token:
                return False
            self._token, self._refused_until = token, None
            telemetry.redact(token)
            return True

    async def _read_again(self, refused: Secret) -> None:
        if self._is_refused():
            return  # somebody else has just read it
        self._token = None
        try:
            await self._fetch()
        except OnethreadError:
            pass  # what cannot be read is not renewed
        finally:
            self._token = self._token or refused

    async def _fetch(self) -> None:
        if self._token is None and self._read is not None:
            self._token = await self._read()
            self._refused_until = None
            telemetry.redact(self._token)
