"""The simulated Discord behind a real socket on loopback: the API below `/api/v10`, the control path below `/_/`.

with DiscordServer(discord) as server:
    server.url           # http://127.0.0.1:PORT
    server.api_url       # the same with /api/v10
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from infra import loopback
from infra.simulator.control import PREFIX, control
from infra.simulator.exchange import API_PREFIX, MAX_HANG_SECONDS, Hang, Outcome, Request, Response, json_response
from infra.simulator.simulated_discord import SimulatedDiscord

# Discord keeps idle connections open for longer than other servers do.
IDLE_SECONDS: Final = 120.0


def _clock() -> datetime:
    return datetime.now(UTC)


class DiscordServer:
    """Serves one simulated Discord on 127.0.0.1 from construction until `close`.

    One lock around it makes requests follow one another; whoever acts on it beside them takes the `lock`. A dropped connection is reset without a byte; a hang keeps the
    connection open without an answer.
    """

    def __init__(
        self,
        discord: SimulatedDiscord,
        *,
        port: int = 0,
        now: Callable[[], datetime] = _clock,
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:
        self.discord = discord
        self.lock = lock or threading.Lock()
        self.now = now
        self.closing = threading.Event()
        self._loopback = loopback.Loopback(self._answer, port=port, idle_seconds=IDLE_SECONDS)

    @property
    def url(self) -> str:
        return self._loopback.url

    @property
    def api_url(self) -> str:
        return self.url + API_PREFIX

    def close(self) -> None:
        """End hangs without effect, and stop listening."""
        self.closing.set()
        self._loopback.close()

    def __enter__(self) -> "DiscordServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def exchange(self, request: Request) -> Outcome:
        """Handle a request, whose path here is the whole path."""
        with self.lock:
            if request.path.startswith(PREFIX):
                return control(self.discord, request, self.now())
            if not request.path.startswith(API_PREFIX + "/"):
                return json_response(404, {"message": "404: Not Found", "code": 0})
            return self.discord.exchange(_below_prefix(request), self.now())

    def take_effect(self, request: Request) -> None:
        """Carry out a request that hung, late."""
        with self.lock:
            self.discord.handle(_below_prefix(request), self.now())

    def _answer(self, received: loopback.Request) -> loopback.Response | None:
        url = urlsplit(received.target)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        request = Request(received.method, unquote(url.path), query, received.headers, received.body)
        outcome = self.exchange(request)
        if isinstance(outcome, Response):
            return loopback.Response(outcome.status, outcome.headers, outcome.body)
        if isinstance(outcome, Hang):
            seconds = MAX_HANG_SECONDS if outcome.seconds is None else outcome.seconds
            if not self.closing.wait(seconds) and outcome.takes_effect_late:
                self.take_effect(request)
        return None


def _below_prefix(request: Request) -> Request:
    return replace(request, path=request.path.removeprefix(API_PREFIX))
