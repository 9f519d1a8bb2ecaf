"""One guild with one channel, and processes that work in it: what the tests of a whole guild begin with.

Nothing of the project's own is faked. Each process is what `handler.bootstrap` builds. Discord ends in the simulation
and DynamoDB in moto or in memory, each on its wire or in place of the library on it; time is virtual. What goes over the
wires is recorded.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Hashable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import cached_property, partial
from itertools import count
from typing import Any, Final, Literal, Self, TypeVar

from nacl.signing import SigningKey

from handler import config
from handler.aws.dynamodb import Call
from handler.bootstrap import C, Environment
from handler.commands.command import Commands, Completions
from handler.commands.registry import COMMANDS, COMPLETIONS
from handler.config import ApiConfig, Config, ReconcilerConfig
from handler.errors import OnethreadError
from handler.runtime.deadline import GRACE_SECONDS, Deadline, run_until
from handler.sessions.context import Context
from handler.sessions.model import Opened, OpenRequest, Requester
from handler.sessions.reconcile.housekeeping import HousekeepingSettings
from handler.sessions.reconcile.pace import Pace
from handler.sessions.reconcile.run import run_once
from handler.store.store import Store
from infra import virtual_time
from infra.interactions import development_key
from infra.simulator.models import Message, Thread
from infra.simulator.simulated_discord import SimulatedDiscord
from infra.simulator.state import Switches
from infra.simulator.transport import PlainTransport, SimulatedTransport
from infra.virtual_time import START, LoopClock
from tests.kit.aws_wire import BUS, QUEUE_URL
from tests.kit.dynamodb import DynamoWire
from tests.kit.hard_table import HardTable
from tests.kit.memory_wire import MemoryWire
from tests.kit.people import People
from tests.kit.plain_client import PlainClient
from tests.kit.recorded_calls import AfterCall, Died, RecordedCalls, RecordedTable, RecordedTransport
from tests.kit.secrets import BOT_TOKEN
from tests.kit.table_view import CHANNEL, GUILD, NAME, NAMES, TableView

T = TypeVar("T")

KEY: Final[SigningKey] = development_key()
APPLICATION: Final = "1000"
BOT: Final = APPLICATION  # the bot's user id, as for all but old applications
MODERATOR: Final = "2"  # owns the guild, and acts on Discord if nobody else is named
MEMBER: Final = "3"
IMPORTED_AT: Final = START - timedelta(hours=1)
# By a run, besides the actions that it carried out.
REPORTED: Final = frozenset({"looked_at", "held", "unclear", "unreadable"})


class Guild:
    """`calls`: the remote calls of all processes. `table`: what is on record. `people`: what others do on Discord.

    `after_call`: awaited when a call of a reconciler's run has had its effect; with `after_every_call`, of any process.
    `connect`: makes a process's way to Discord.
    `seam`: where the calls to a table in memory go; `index`: what its indices show, while they lag.
    """

    def __init__(
        self,
        *,
        table: Literal["memory", "client", "moto"] = "memory",
        reads: Mapping[str, int] | None = None,
        settings: Mapping[str, str] | None = None,
        commands: Commands = COMMANDS,
        kind: int = 0,
        channel: Mapping[str, Any] | None = None,
        imported: bool = True,
        followed: bool = False,
        may_unlock: bool = False,
        latency: float = 0.0,
        bot: str = BOT,
        **switches: Any,
    ) -> None:
        """Set the guild up.

        table: in memory, in place of the seam (fast); behind the seam in place of boto3's client (it can fail); or moto,
            behind boto3, and then Discord behind httpx
        reads: how hard the reads of a table in memory are, as `HardTable` has it
        settings: variables of the functions beside those that each of them needs
        kind: of the channel
        channel: more of it, as `SimulatedDiscord.add_channel` has it
        imported: the channel's past is known, up to an hour before the beginning
        followed: the reconciler has seen guild and channel
        may_unlock: of whoever opens, unless an open says otherwise
        latency: seconds that a request to Discord takes
        bot: the bot's user id
        switches: the simulation's
        """
        random.seed(0)  # the pauses before retries are the same each time
        self.clock = LoopClock()
        self.calls = RecordedCalls()
        self.wire = DynamoWire() if table == "moto" else MemoryWire(**(reads or {}))
        self.seam: Call | None = self.memory if table == "memory" else None
        self.index: Call | None = None
        self.table = TableView(self.wire.table, self.wire.items, self.wire.apply)
        self.discord = SimulatedDiscord(
            application_id=APPLICATION, bot_token=BOT_TOKEN, bot_user_id=bot, switches=Switches(**switches)
        )
        self.discord.add_guild(GUILD)
        self.discord.add_channel(GUILD, CHANNEL, kind, **(channel or {}))
        self.people = People(self.discord, self.clock)
        self.kind = kind
        self.latency = latency
        self.commands = commands
        self.completions: Completions = COMPLETIONS
        self.settings = settings or {}
        self.after_call: AfterCall | None = None
        self.after_every_call = False
        self.connect: Callable[[], PlainTransport] = self._connect
        self._followed, self._may_unlock = followed, may_unlock
        self._owners = count(1)
        self._open = AsyncExitStack()
        self._current: dict[type[Config], Environment[Any]] = {}
        if imported and not followed:
            item = {"pk": f"CHANNEL#{CHANNEL}", "sk": "CHANNEL", "guild_id": GUILD, "kind": kind}
            self.table.put(item, imported_at=IMPORTED_AT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wire.__exit__()

    def run(self, scenario: Coroutine[Any, Any, T]) -> T:
        """Run a scenario in virtual time, then end the processes."""
        return virtual_time.run(self._run(scenario))

    async def _run(self, scenario: Coroutine[Any, Any, T]) -> T:
        try:
            if self._followed:
                await self._follow()
            return await scenario
        finally:
            self.wire.hanging.release()
            await self._open.aclose()
            self._current.clear()

    async def _follow(self) -> None:
        self.people.delete_thread((await self.open("first")).thread_id)
        await self.reconcile()
        self.table.lose(*self.table.of_kind("SESSION#"))

    # Processes.

    def environ(self) -> dict[str, str]:
        """The variables of the functions, all of them."""
        return {
            "SESSIONS_TABLE": self.wire.table,
            "JOBS_QUEUE_URL": QUEUE_URL,
            "RECONCILE_QUEUE_URL": QUEUE_URL,
            "EVENT_BUS_NAME": BUS,
            "PUBLISHER_DEAD_LETTERS_URL": QUEUE_URL,
            "DISCORD_APPLICATION_ID": APPLICATION,
            "DISCORD_PUBLIC_KEY": KEY.verify_key.encode().hex(),
            "DISCORD_BOT_TOKEN": BOT_TOKEN,
            **self.settings,
        }

    def process(self, kind: type[C]) -> Environment[C]:
        """One more execution environment of that function, beside those that there are."""
        return _Process(self, kind)

    def environment(self, kind: type[C]) -> Environment[C]:
        """The function's execution environment, kept like a warm one until `restart`."""
        if kind not in self._current:
            self._current[kind] = self.process(kind)
        return self._current[kind]

    def opener(self) -> Environment[ApiConfig]:
        """One more process that opens sessions."""
        return self.process(ApiConfig)

    def restart(self) -> None:
        """The processes are gone, with all that they had in memory; others take over from here on."""
        self.calls.revive()
        self._current.clear()

    def aws_session(self, kind: type[Config]) -> Any:
        """The boto3 session of a function."""
        return self.wire.session()

    def begin_as(self, other: "Guild", at: datetime) -> None:
        """The table and Discord are as they were in the other guild at the end, at that moment; there are no processes.

        Both tables are in memory, and this guild has not run before.
        """
        self.clock.start = at
        self.discord.state = other.discord.state.fork()
        self.memory.become(other.memory)
        self._owners = count(next(other._owners))

    def _connect(self) -> PlainTransport:
        return SimulatedTransport(self.discord, self.clock.now, latency=self.latency)

    async def _call_memory(self, operation: str, /, **parameters: Any) -> dict[str, Any]:
        lags = self.index is not None and "IndexName" in parameters
        call = self.index if lags else self.seam
        assert call is not None
        return await call(operation, **parameters)

    async def _after_call(self, kind: type[Config]) -> None:
        if self.after_call is not None and (self.after_every_call or kind is ReconcilerConfig):
            await self.after_call()

    @property
    def memory(self) -> HardTable:
        """The table itself, where it is in memory."""
        assert isinstance(self.wire, MemoryWire)
        return self.wire.memory

    @property
    def context(self) -> Context:
        """What the sessions' code is given, in the process that opens them."""
        return self.environment(ApiConfig).sessions.context

    @property
    def store(self) -> Store:
        return self.context.store

    # What they do.

    async def open(
        self,
        name: str = NAME,
        channel: str = CHANNEL,
        *,
        owner: str | None = None,
        user: str | None = MEMBER,
        label: str | None = None,
        topic: str | None = None,
        tags: tuple[str, ...] = (),
        private: bool = False,
        members: tuple[str, ...] = (),
        roles: tuple[str, ...] = (),
        user_roles: frozenset[str] = frozenset(),
        moderates: bool = False,
        message_id: str | None = None,
        user_permissions: int | None = None,
        may_unlock: bool | None = None,
        app_permissions: int | None = None,
        states_channel: bool = True,
        seconds: float | None = None,
        process: Environment[ApiConfig] | None = None,
    ) -> Opened:
        """``/session open``. `states_channel`: the request states the channel's kind and guild.

        `owner` is the interaction's id, a new one if it is not given; `seconds` is the deadline, None for none.
        """
        process = process or self.environment(ApiConfig)
        request = OpenRequest(
            name=NAMES.parse(name),
            parent_channel_id=channel,
            requester=Requester(
                owner=owner or f"interaction-{next(self._owners)}",
                user_id=user,
                label=label,
                user_roles=user_roles,
                moderates=moderates,
                user_permissions=user_permissions,
                may_unlock=self._may_unlock if may_unlock is None else may_unlock,
                app_permissions=app_permissions,
            ),
            topic=topic,
            private=private,
            members=members,
            roles=roles,
            tags=tags,
            message_id=message_id,
            guild_id=GUILD if states_channel else None,
            kind=self.kind if states_channel else None,
        )
        if seconds is None:
            return await process.sessions.open(request)
        deadline = Deadline.after(self.now, seconds)
        return await run_until(self.clock, deadline, process.sessions.open(request), grace=GRACE_SECONDS)

    async def refused(self, name: str = NAME, **how: Any) -> OnethreadError:
        """The error that an open ends with."""
        try:
            opened = await self.open(name, **how)
        except OnethreadError as error:
            return error
        raise AssertionError(f"the open of {name!r} succeeded: {opened}")

    async def death(self, work: Coroutine[Any, Any, Any]) -> None:
        """Let the process die of the work where `calls.dies_after` says; another one takes over."""
        try:
            result = await work
        except Died:
            self.restart()
            return
        raise AssertionError(f"it did not die: {result}")

    async def report(self) -> Counter[str]:
        """One run of the reconciler; all that it reports. Calls are counted from its beginning."""
        self.calls.forget()
        process = self.environment(ReconcilerConfig)
        settings = HousekeepingSettings.from_config(process.config)
        return await run_once(process.sessions.context, GUILD, self.now, pace=Pace(self.clock), settings=settings)

    async def reconcile(self) -> Counter[str]:
        """One run of the reconciler; what it carried out, without what it only reports."""
        counts = await self.report()
        return Counter({name: number for name, number in counts.items() if name not in REPORTED})

    # Time.

    @property
    def now(self) -> datetime:
        return self.clock.now()

    async def wait(self, seconds: float = 0.0, *, minutes: float = 0.0, days: float = 0.0) -> None:
        await asyncio.sleep(timedelta(days=days, minutes=minutes, seconds=seconds).total_seconds())

    async def days_pass(self, days: float) -> None:
        """Time goes on, and DynamoDB takes what has expired."""
        await self.wait(days=days)
        self.table.lose_expired(self.now)

    # What there is.

    def living_threads(self, name: str = NAME, channel: str = CHANNEL, *, private: bool = False) -> list[Thread]:
        """The threads that bear the session's name, active and archived: the public or the `private` ones."""
        key = NAMES.parse(name).key
        threads = self.discord.threads.values()
        return [t for t in threads if t.parent_id == channel and t.is_private is private and NAMES.bears(t.name, key)]

    def source_messages(self, channel: str = CHANNEL) -> list[Message]:
        """What the bot has posted in the channel."""
        messages = self.discord.messages.values()
        return [m for m in messages if m.channel_id == channel and m.author_id == BOT and m.kind == 0]

    def fingerprint(self) -> int:
        """Equal where another process could not tell two guilds with a table in memory apart, at one moment."""
        return hash((self.now, self.memory.fingerprint, self.memory.lagging, self.discord.fingerprint()))

    def everything(self) -> tuple[list[dict[str, Any]], Hashable]:
        """What there is in the table and on Discord: equal where nothing has changed."""
        return self.table.items(), self.discord.fingerprint()


class _Process(Environment[C]):
    """An execution environment of the guild. What is built is what a deployed one builds, when it builds it."""

    def __init__(self, guild: Guild, kind: type[C]) -> None:
        self._guild, self._after_call = guild, partial(guild._after_call, kind)
        self._way = RecordedTransport(guild.connect(), guild.calls, self._after_call)
        super().__init__(
            config.load(kind, guild.environ()),
            clock=guild.clock,
            commands=guild.commands,
            completions=guild.completions,
            aws=guild.aws_session(kind),
            transport=self._way,
        )

    @cached_property
    def http(self) -> Any:
        if isinstance(self._guild.wire, MemoryWire):
            return PlainClient(self._way)
        client = super().http
        self._guild._open.push_async_callback(client.aclose)
        return client

    @cached_property
    def dynamodb(self) -> Any:
        seam: Any = self._guild._call_memory
        if self._guild.seam is None:
            seam = super().dynamodb
            self._guild._open.callback(seam.close)
        return RecordedTable(seam, self._guild.calls, self._after_call)
