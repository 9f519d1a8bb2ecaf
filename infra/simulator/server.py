"""The simulated Discord behind a real socket on loopback: the API below `/api/v10`, the control path below `/_/`.

with DiscordServer(discord) as server:
    server.url           # http://127.0.0.1:PORT
    server.api_url       # the same with /api/v10
"""

import socket
import struct
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from infra.loopback import Connection, Listener
from infra.simulator.control import PREFIX, control
from infra.simulator.exchange import Drop, Hang, Outcome, Request, Response, json_response
from infra.simulator.simulated_discord import SimulatedDiscord

API_PREFIX: Final = "/api/v10"
# How long a hang lasts at most, in seconds: longer than any Lambda function lives.
MAX_HANG: Final = 3600.0
# Seconds after which an idle connection is let go; longer than other servers here, as Discord keeps its own.
IDLE_CONNECTION: Final = 120.0
# With this socket option a close resets the connection instead of ending it in an orderly way.
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


def _clock() -> datetime:
    return datetime.now(UTC)


class DiscordServer:
    """Serves one world on 127.0.0.1 from threads of its own; one lock around the world makes requests follow one another.

    A dropped connection is reset without a byte; a hang keeps it open without an answer.
    """

    def __init__(self, discord: SimulatedDiscord, *, port: int = 0, now: Callable[[], datetime] = _clock) -> None:
        self.discord = discord
        self.lock = threading.Lock()
        self.now = now
        self.closing = threading.Event()
        self._listener = _Listener(self, port)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    @property
    def api_url(self) -> str:
        return self.url + API_PREFIX

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Ends hangs without effect, and listens no more."""
        self.closing.set()
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()

    def __enter__(self) -> "DiscordServer":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def exchange(self, request: Request) -> Outcome:
        """One request, whatever path it is for."""
        with self.lock:
            if request.path.startswith(PREFIX):
                return control(self.discord, request, self.now())
            if not request.path.startswith(API_PREFIX + "/"):
                return json_response(404, {"message": "404: Not Found", "code": 0})
            return self.discord.exchange(_below_prefix(request), self.now())

    def land(self, request: Request) -> None:
        """The late effect of a request that hung."""
        with self.lock:
            self.discord.handle(_below_prefix(request), self.now())


class _Listener(Listener):
    def __init__(self, owner: DiscordServer, port: int) -> None:
        self.owner = owner
        super().__init__(port, _Connection)


class _Connection(Connection):
    server: _Listener
    timeout = IDLE_CONNECTION

    def _serve(self) -> None:
        owner = self.server.owner
        url = urlsplit(self.path)
        request = Request(
            self.command,
            unquote(url.path),
            dict(parse_qsl(url.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(int(self.headers.get("content-length") or 0)),
        )
        outcome = owner.exchange(request)
        if isinstance(outcome, Response):
            self.send(outcome.status, outcome.headers, outcome.body)
            return
        if isinstance(outcome, Hang):
            self._hang(request, outcome)
        self._break(outcome)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  # http.server's own names

    def _hang(self, request: Request, outcome: Hang) -> None:
        owner = self.server.owner
        seconds = MAX_HANG if outcome.seconds is None else outcome.seconds
        if not owner.closing.wait(seconds) and outcome.takes_effect_late:
            owner.land(request)

    def _break(self, outcome: Drop | Hang) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)


def _below_prefix(request: Request) -> Request:
    path = request.path.removeprefix(API_PREFIX)
    return Request(request.method, path, request.query, request.headers, request.body)
