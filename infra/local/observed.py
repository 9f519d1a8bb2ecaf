"""The simulated Discord behind HTTP, with what a tour needs besides: what it was asked, and how slow it is."""

import threading

from infra.simulator.exchange import API_PREFIX, Outcome, Request
from infra.simulator.server import DiscordServer
from infra.simulator.simulated_discord import SimulatedDiscord


class ObservedDiscord(DiscordServer):
    """`slow`: requests about these ids (of guilds, channels, threads) take so many seconds longer."""

    def __init__(self, discord: SimulatedDiscord, *, port: int = 0) -> None:
        self.slow: dict[str, float] = {}
        self._asked: list[tuple[str, str]] = []
        self._noting = threading.Lock()
        super().__init__(discord, port=port)  # serves from here on

    def exchange(self, request: Request) -> Outcome:
        if not request.path.startswith(API_PREFIX):
            return super().exchange(request)
        path = request.path.removeprefix(API_PREFIX)
        with self._noting:
            self._asked.append((request.method, path))
        if pause := max((self.slow.get(segment, 0.0) for segment in path.split("/")), default=0.0):
            self.closing.wait(pause)
        return super().exchange(request)

    @property
    def count(self) -> int:
        """How many requests there were."""
        return len(self._asked)

    def asked(self, since: int = 0) -> list[tuple[str, str]]:
        """Method and path of each request from number `since` on."""
        with self._noting:
            return self._asked[since:]

    def living(self, channel_id: str) -> dict[str, str]:
        """The threads of a channel, archived or not: names by id."""
        with self.lock:
            threads = self.discord.threads.values()
            return {thread.id: thread.name for thread in threads if thread.parent_id == channel_id}

    def messages(self, channel_id: str) -> list[str]:
        """The ids of the messages in a channel that the bot wrote."""
        with self.lock:
            bot = self.discord.state.identity.bot_user_id
            said = self.discord.messages.values()
            return [m.id for m in said if m.channel_id == channel_id and m.author_id == bot and m.kind == 0]
