"""The simulated Discord behind httpx: `httpx.AsyncClient(transport=SimulatedTransport(...))`."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import httpx

from infra.simulator.exchange import API_PREFIX, MAX_HANG_SECONDS, Drop, Hang, Outcome, Request, Response
from infra.simulator.simulated_discord import SimulatedDiscord


class SimulatedTransport(httpx.AsyncBaseTransport):
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

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        sent = Request(
            request.method,
            request.url.path.removeprefix(API_PREFIX),
            dict(request.url.params),
            {name.lower(): value for name, value in request.headers.items()},
            await request.aread(),
        )
        if self._latency:
            await asyncio.sleep(self._latency)
        outcome = self._discord.exchange(sent, self._now())
        if self._observe is not None:
            self._observe(sent, outcome)
        if isinstance(outcome, Response):
            return httpx.Response(outcome.status, headers=dict(outcome.headers), content=outcome.body)
        if isinstance(outcome, Drop):
            if outcome.had_effect:
                raise httpx.ReadError("the connection broke before the answer came", request=request)
            raise httpx.ConnectError("connection refused", request=request)
        await self._hang(request, sent, outcome)
        raise httpx.ReadTimeout("no answer came in time", request=request)

    async def _hang(self, request: httpx.Request, sent: Request, outcome: Hang) -> None:
        read = request.extensions.get("timeout", {}).get("read")
        timeout = MAX_HANG_SECONDS if read is None else float(read)
        if outcome.takes_effect_late:
            delay = timeout if outcome.seconds is None else outcome.seconds
            asyncio.get_running_loop().call_later(delay, lambda: self._discord.handle(sent, self._now()))
        await asyncio.sleep(timeout)
