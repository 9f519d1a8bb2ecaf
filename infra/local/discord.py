"""The simulated Discord over HTTP. It records its requests, and can be slowed down."""

import threading

from infra.simulator.exchange import API_PREFIX, Outcome, Request
from infra.simulator.server import DiscordServer
from infra.simulator.simulated_discord import SimulatedDiscord


class LocalDiscord(DiscordServer):
    """`delays`: seconds that requests about an id (of a guild, channel or thread) take longer."""

    def __init__(self, discord: SimulatedDiscord, *, port: int = 0) -> None:
        self.delays: dict[str, float] = {}
        self._requests: list[tuple[str, str]] = []
        self._requests_lock = threading.Lock()
        super().__init__(discord, port=port)  # serves from here on

    def exchange(self, request: Request) -> Outcome:
        if not request.path.startswith(API_PREFIX):
            return super().exchange(request)
        path = request.path.removeprefix(API_PREFIX)
        with self._requests_lock:
            self._requests.append((request.method, path))
        if delay := max((self.delays.get(segment, 0.0) for segment in path.split("/")), default=0.0):
            self.closing.wait(delay)
        return super().exchange(request)

    @property
    def request_count(self) -> int:
        return len(self._requests)

    def requests_since(self, number: int) -> list[tuple[str, str]]:
        """Method and path of each request from that number on."""
        with self._requests_lock:
            return self._requests[number:]

    def thread_names(self, channel_id: str) -> dict[str, str]:
        """The names of a channel's threads, archived or not, by id."""
        with self.lock:
            threads = self.discord.threads.values()
            return {thread.id: thread.name for thread in threads if thread.parent_id == channel_id}

    def bot_messages(self, channel_id: str) -> list[str]:
        """The ids of the bot's messages in a channel."""
        with self.lock:
            bot = self.discord.state.identity.bot_user_id
            messages = self.discord.messages.values()
            return [m.id for m in messages if m.channel_id == channel_id and m.author_id == bot and m.kind == 0]
