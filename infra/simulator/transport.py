"""The simulated Discord behind httpx: `httpx.AsyncClient(transport=SimulatedTransport(...))`."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import httpx

from infra.simulator.exchange import API_PREFIX, MAX_HANG_SECONDS, Drop, Hang, Outcome, Request, Response
from infra.simulator.simulated_discord import SimulatedDiscord


class PlainTransport(httpx.AsyncBaseTransport):
    """A transport that is written without httpx's requests: by `send`."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        sent = Request(
            request.method,
            request.url.path.removeprefix(API_PREFIX),
            dict(request.url.params),
            {name.lower(): value for name, value in request.headers.items()},
            await request.aread(),
        )
        response = await self.send(sent, request.extensions.get("timeout", {}).get("read"))
        return httpx.Response(response.status, headers=dict(response.headers), content=response.body)

    async def send(self, request: Request, read_timeout: float | None) -> Response:
        """Answer a request whose read time-out is so many seconds. Raises httpx's exceptions."""
        raise NotImplementedError


class SimulatedTransport(PlainTransport):
    """Sends requests for any host, below `/api/v10`, to the simulated Discord.

    A refused connection is `httpx.ConnectError`, an answer lost after the effect `httpx.ReadError`, a hang
    `httpx.ReadTimeout` after the request's own read time-out. A late effect happens on the running loop, even if the caller
    has been cancelled by then.
    """

    def __init__(
        self,
        discord: SimulatedDiscord,
        now: Callable[[], datetime],
        *,
        latency: float = 0.0,  # seconds before a request arrives
        observe: Callable[[Request, Outcome], None] | None = None,  # called with each request and its outcome
    ) -> None:
        self._discord = discord
        self._now = now
        self._latency = latency
        self._observe = observe

    async def send(self, request: Request, read_timeout: float | None) -> Response:
        if self._latency:
            await asyncio.sleep(self._latency)
        outcome = self._discord.exchange(request, self._now())
        if self._observe is not None:
            self._observe(request, outcome)
        if isinstance(outcome, Response):
            return outcome
        if isinstance(outcome, Drop):
            if outcome.had_effect:
                raise httpx.ReadError("the connection broke before the answer came")
            raise httpx.ConnectError("connection refused")
        await self._hang(request, MAX_HANG_SECONDS if read_timeout is None else read_timeout, outcome)
        raise httpx.ReadTimeout("no answer came in time")

    async def _hang(self, request: Request, read_timeout: float, outcome: Hang) -> None:
        if outcome.takes_effect_late:
            delay = read_timeout if outcome.seconds is None else outcome.seconds
            asyncio.get_running_loop().call_later(delay, lambda: self._discord.handle(request, self._now()))
        await asyncio.sleep(read_timeout)
