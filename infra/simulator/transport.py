"""The simulated Discord behind httpx: `httpx.AsyncClient(transport=SimulatedTransport(...))`."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

import httpx

from infra.simulator.exchange import Drop, Hang, Outcome, Request, Response
from infra.simulator.simulated_discord import SimulatedDiscord

# How long a hang lasts for a caller without a read time-out: longer than any Lambda function lives.
MAX_HANG: Final = 3600.0
API_PREFIX: Final = "/api/v10"


class SimulatedTransport(httpx.AsyncBaseTransport):
    """Takes requests to the world, at any host, below `/api/v10`.

    `now` tells the moment of each exchange. `latency` seconds pass before the request arrives. `observe` sees each request
    with what became of it, to check requests against a schema or to note their order.

    A refused connection is `httpx.ConnectError`; an answer lost after the effect `httpx.ReadError`; a hang
    `httpx.ReadTimeout` after the request's own read time-out. What lands late lands on the running loop, whether or not
    the caller was cancelled meanwhile.
    """

    def __init__(
        self,
        discord: SimulatedDiscord,
        now: Callable[[], datetime],
        *,
        latency: float = 0.0,
        observe: Callable[[Request, Outcome], None] | None = None,
    ) -> None:
        self._discord = discord
        self._now = now
        self._latency = latency
        self._observe = observe

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        wired = Request(
            request.method,
            request.url.path.removeprefix(API_PREFIX),
            dict(request.url.params),
            {name.lower(): value for name, value in request.headers.items()},
            await request.aread(),
        )
        if self._latency:
            await asyncio.sleep(self._latency)
        outcome = self._discord.exchange(wired, self._now())
        if self._observe is not None:
            self._observe(wired, outcome)
        if isinstance(outcome, Response):
            return httpx.Response(outcome.status, headers=dict(outcome.headers), content=outcome.body)
        if isinstance(outcome, Drop):
            if outcome.had_effect:
                raise httpx.ReadError("the connection broke before the answer came", request=request)
            raise httpx.ConnectError("connection refused", request=request)
        raise await self._hung(request, wired, outcome)

    async def _hung(self, request: httpx.Request, wired: Request, outcome: Hang) -> httpx.ReadTimeout:
        read = request.extensions.get("timeout", {}).get("read")
        patience = MAX_HANG if read is None else float(read)
        if outcome.takes_effect_late:
            delay = patience if outcome.seconds is None else outcome.seconds
            asyncio.get_running_loop().call_later(delay, self._land, wired)
        await asyncio.sleep(patience)
        return httpx.ReadTimeout("no answer came in time", request=request)

    def _land(self, wired: Request) -> None:
        self._discord.handle(wired, self._now())
