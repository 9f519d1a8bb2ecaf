"""Serves the page of one stack on loopback, in a thread of its own."""

import secrets
import socket
import threading
import time
from typing import Final

import uvicorn

from infra.local.discord_client import DiscordClient
from infra.local.stack import Stack
from infra.page.app import Page, build_app
from infra.page.breaks import Breaks
from infra.page.feed import Feed
from infra.page.people import PageUsers
from infra.page.room import Room
from infra.page.tour import PageTour
from infra.page.world import World

FIRST_PORT: Final = 8080
MAX_TRIES: Final = 50
MAX_START_SECONDS: Final = 20.0
CLOSE_SECONDS: Final = 1  # for open connections: the feed never ends by itself


class PageServer:
    """Serves from construction until `close`. `url` has the token after a `#`, which browsers send to nobody.

    `port`: 0 is the first free one from 8080. `feed` is what the page gets to know. Raises OSError.
    """

    def __init__(self, stack: Stack, *, port: int = 0) -> None:
        listener = _listen(port)
        token = secrets.token_urlsafe(16)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/#{token}"
        self.feed = feed = Feed()
        world = World(stack.discord)
        client = DiscordClient(control_url=stack.discord.url, gateway_url=stack.gateway.url)
        users = PageUsers(stack.discord, client, world, feed)
        self._room = Room(stack, feed)
        page = Page(token, feed, world, users, Breaks(stack, client, world, feed), self._room, PageTour(stack, feed))
        config = uvicorn.Config(
            build_app(page), log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=CLOSE_SECONDS
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="page", daemon=True)
        self._thread.start()
        self._wait_until_started()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._room.close()

    def _wait_until_started(self) -> None:
        deadline = time.monotonic() + MAX_START_SECONDS
        while not self._server.started and self._thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)


def _listen(port: int) -> socket.socket:
    """A listening socket on loopback. Raises OSError."""
    tries = [port] if port else [*range(FIRST_PORT, FIRST_PORT + MAX_TRIES), 0]
    for attempt in tries:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", attempt))
        except OSError:
            listener.close()
            if attempt == tries[-1]:
                raise
            continue
        listener.listen()
        return listener
    raise AssertionError("range is not empty")
