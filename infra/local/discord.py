"""The simulated Discord over HTTP. It records its requests, can be slowed down, and remembers its state in a file."""

from collections.abc import Callable
from dataclasses import replace

from infra.local.calls import Call, Stopwatch, split_environment
from infra.local.recent import Recent
from infra.local.saved_discord import SavedState, SavingLock
from infra.simulator.effects import drop_messages, drop_thread
from infra.simulator.exchange import API_PREFIX, Drop, Outcome, Request, Response
from infra.simulator.server import DiscordServer
from infra.simulator.simulated_discord import SimulatedDiscord
from infra.table.saved_rows import SavedRows


class LocalDiscord(DiscordServer):
    """`delays`: seconds that requests about an id (of a guild, channel or thread) take longer.

    `observe` gets each call of an environment with its outcome. `before` and `after` get a call's environment, method and path
    before it takes effect, and before it is answered; if `before` returns True, the request is lost.
    """

    def __init__(self, discord: SimulatedDiscord, rows: SavedRows, *, port: int = 0) -> None:
        self.delays: dict[str, float] = {}
        self.observe: Callable[[Call], None] = lambda _: None
        self.before: Callable[[int, str, str], bool] = lambda *_: False
        self.after: Callable[[int, str, str], bool] = lambda *_: False
        self._recent: Recent[tuple[str, str]] = Recent()  # methods and paths
        super().__init__(discord, port=port, lock=SavingLock(SavedState(discord.state, rows)))  # serves from here on

    def exchange(self, request: Request) -> Outcome:
        environment, path = split_environment(request.path)
        request = replace(request, path=path)
        if not path.startswith(API_PREFIX):
            return super().exchange(request)
        path = path.removeprefix(API_PREFIX)
        self._recent.add((request.method, path))
        if environment is None:
            return self._exchange_slowly(request, path)
        watch = Stopwatch()
        lost = self.before(environment, request.method, path)
        outcome = Drop(had_effect=False) if lost else self._exchange_slowly(request, path)
        self.after(environment, request.method, path)
        status = outcome.status if isinstance(outcome, Response) else 0
        self.observe(Call(environment, "discord", f"{request.method} {path}", watch.began, watch.seconds, status))
        return outcome

    def _exchange_slowly(self, request: Request, path: str) -> Outcome:
        if delay := max((self.delays.get(segment, 0.0) for segment in path.split("/")), default=0.0):
            self.closing.wait(delay)
        return super().exchange(request)

    @property
    def request_count(self) -> int:
        return self._recent.count

    def requests_since(self, number: int) -> list[tuple[str, str]]:
        """Method and path of each request from that number on."""
        return self._recent.since(number)

    def thread_names(self, channel_id: str) -> dict[str, str]:
        """The names of a channel's threads, archived or not, by id."""
        with self.lock:
            threads = self.discord.state.threads.values()
            return {thread.id: thread.name for thread in threads if thread.parent_id == channel_id}

    def ids_in(self, guild_id: str) -> set[str]:
        """The ids of a guild, its channels and its threads."""
        with self.lock:
            state = self.discord.state
            channels = {channel.id for channel in state.channels.values() if channel.guild_id == guild_id}
            return {guild_id} | channels | {t.id for t in state.threads.values() if t.guild_id == guild_id}

    def remove_guild(self, guild_id: str) -> None:
        """Let there never have been such a guild."""
        with self.lock:
            state = self.discord.state
            for thread in [thread for thread in state.threads.values() if thread.guild_id == guild_id]:
                drop_thread(state, thread)
            for channel in [channel for channel in state.channels.values() if channel.guild_id == guild_id]:
                drop_messages(state, channel.id)
                state.channels.discard(channel.id)
            state.audit.discard(guild_id)
            state.guilds.discard(guild_id)

    def bot_messages(self, channel_id: str) -> list[str]:
        """The ids of the bot's messages in a channel."""
        with self.lock:
            bot = self.discord.state.identity.bot_user_id
            messages = self.discord.state.messages.values()
            return [m.id for m in messages if m.channel_id == channel_id and m.author_id == bot and m.kind == 0]
