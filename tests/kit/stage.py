"""A stage for the protocol: one table, one guild with a text channel, and openers in execution environments of their own.

Nothing of the project's own is faked. The clients are those that `handler.bootstrap` builds; DynamoDB ends in moto and
Discord in the simulation, each on its wire; time is virtual. What goes over the wires is noted in `Stage.calls`.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import httpx

from handler import config
from handler.aws.dynamodb import DynamoDB
from handler.bootstrap import Environment
from handler.config import EnsureConfig, UnlockPolicy
from handler.errors import OnethreadError
from handler.runtime.deadline import GRACE_SECONDS, Deadline, run_until
from handler.sessions.model import Opened, OpenRequest, Requester
from infra.simulator.exchange import API_PREFIX
from infra.simulator.models import Message, Thread
from infra.simulator.router import find_route
from infra.simulator.simulated_discord import SimulatedDiscord
from infra.simulator.state import Switches
from infra.simulator.transport import SimulatedTransport
from tests.kit import virtual_time
from tests.kit.dynamodb import DynamoWire
from tests.kit.journal import Died, Journal
from tests.kit.memory_wire import MemoryClient, MemoryWire
from tests.kit.secrets import BOT_TOKEN
from tests.kit.table_view import CHANNEL, GUILD, NAME, NAMES, TableView
from tests.kit.virtual_time import START, LoopClock

P = ParamSpec("P")
T = TypeVar("T")

APPLICATION: Final = "1000"
BOT: Final = APPLICATION  # the bot's user id, as for all but old applications
MODERATOR: Final = "2"  # owns the guild, and is who acts on Discord if nobody is named
MEMBER: Final = "3"
IMPORTED_AT: Final = START - timedelta(hours=1)
DAY_SECONDS: Final = 86_400.0


class Process:
    """One execution environment: clients of its own over the stage's table and Discord."""

    def __init__(self, stage: "Stage") -> None:
        environ = {
            "SESSIONS_TABLE": stage.wire.table,
            "DISCORD_APPLICATION_ID": APPLICATION,
            "DISCORD_BOT_TOKEN": BOT_TOKEN,
            "UNLOCK_POLICY": stage.unlock_policy,
        }
        settings = config.load(EnsureConfig, environ)
        self._environment = Environment(settings, clock=stage.clock, aws=stage.aws(), transport=_Noted(stage))
        if isinstance(stage.wire, MemoryWire):
            client = MemoryClient(stage.wire, stage)
            self._environment.dynamodb = DynamoDB(client, stage.clock, jitter=lambda: 0.5)
        self.sessions = self._environment.sessions

    async def close(self) -> None:
        await self._environment.http.aclose()
        self._environment.dynamodb.close()


class Stage(Journal, TableView, AbstractContextManager["Stage"]):
    """The whole of it. `imported`: the channel's past is known, up to an hour before the beginning.

    `memory`: the table is in memory, without boto3 and moto, for tests that make very many calls.
    """

    def __init__(
        self,
        *,
        kind: int = 0,
        imported: bool = True,
        unlock_policy: UnlockPolicy = "moderators",
        latency: float = 0.0,
        memory: bool = False,
        **switches: Any,
    ) -> None:
        Journal.__init__(self)
        TableView.__init__(self, MemoryWire() if memory else DynamoWire())
        self.clock = LoopClock()
        self.kind = kind
        self.unlock_policy: UnlockPolicy = unlock_policy
        self.latency = latency
        self.discord = SimulatedDiscord(application_id=APPLICATION, bot_token=BOT_TOKEN, switches=Switches(**switches))
        self.discord.add_guild(GUILD)
        self.discord.add_channel(GUILD, CHANNEL, kind)
        self._owners = count(1)
        self._processes: list[Process] = []
        if imported:
            self.put_item(self.channel_item(imported_at=IMPORTED_AT))

    def __exit__(self, *_: object) -> None:
        if isinstance(self.wire, DynamoWire):
            self.wire.__exit__()

    def aws(self) -> Any:
        """A boto3 session whose calls end in moto and are noted; None where there is no boto3."""
        if isinstance(self.wire, MemoryWire):
            return None
        session = self.wire.session()
        session.events.register("before-call.dynamodb", self._before_dynamodb)
        session.events.register("after-call.dynamodb", self._after_dynamodb)
        return session

    async def play(self, scenario: Coroutine[Any, Any, T]) -> T:
        """Run a scenario on the running loop, then let go of all processes."""
        try:
            return await scenario
        finally:
            self.wire.hanging.release()
            for process in self._processes:
                await process.close()

    # Openers.

    def process(self) -> Process:
        """One more process beside those that there are."""
        self._processes.append(Process(self))
        return self._processes[-1]

    def restart(self) -> Process:
        """The process is gone, with all that it had in memory; another one takes the requests from here on."""
        self.live_again()
        return self.process()

    async def open(
        self,
        name: str = NAME,
        *,
        owner: str | None = None,
        user: str | None = MEMBER,
        topic: str | None = None,
        may_unlock: bool = False,
        app_permissions: int | None = None,
        channel: str = CHANNEL,
        told: bool = True,
        seconds: float | None = None,
        process: Process | None = None,
    ) -> Opened:
        """``/session open`` in the newest process. `told`: the interaction tells the channel's kind and guild.

        `owner` is the interaction's id, a new one if it is not given; `seconds` is the deadline, None for none.
        """
        if process is None:
            process = self._processes[-1] if self._processes else self.process()
        request = OpenRequest(
            name=NAMES.parse(name),
            parent_channel_id=channel,
            requester=Requester(
                owner=owner or f"interaction-{next(self._owners)}",
                user_id=user,
                may_unlock=may_unlock,
                app_permissions=app_permissions,
            ),
            topic=topic,
            guild_id=GUILD if told else None,
            kind=self.kind if told else None,
        )
        if seconds is None:
            return await process.sessions.open(request)
        deadline = Deadline.after(self.clock.now(), seconds)
        return await run_until(self.clock, deadline, process.sessions.open(request), grace=GRACE_SECONDS)

    async def refused(self, name: str = NAME, **how: Any) -> OnethreadError:
        """The error that an open ends with."""
        try:
            opened = await self.open(name, **how)
        except OnethreadError as error:
            return error
        raise AssertionError(f"the open of {name!r} succeeded: {opened}")

    async def death(self, work: Coroutine[Any, Any, Opened]) -> None:
        """Let the process die where `dies_after` says; the next opens are another one's."""
        try:
            opened = await work
        except Died:
            self.restart()
            return
        raise AssertionError(f"it did not die: {opened}")

    # Time.

    @property
    def now(self) -> datetime:
        return self.clock.now()

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def days_pass(self, days: float) -> None:
        """Time goes on, and DynamoDB takes what has expired."""
        await asyncio.sleep(days * DAY_SECONDS)
        self.lose_expired(self.now)

    def _before_dynamodb(self, model: Any, context: dict[str, Any], **_: Any) -> None:
        context["noted"] = self.begins("dynamodb", model.name)

    def _after_dynamodb(self, context: dict[str, Any], **_: Any) -> None:
        self.ends(context["noted"])

    # Discord.

    def person_makes(self, name: str, **how: Any) -> str:
        """A person makes a thread in the channel; `how` as `People.create_thread` takes it. Its id."""
        return self.discord.people.create_thread(CHANNEL, name, **{"now": self.now, "by": MODERATOR, **how})

    def living_threads(self, name: str = NAME, channel: str = CHANNEL) -> list[Thread]:
        """The threads that bear the session's name, active and archived, private ones left out."""
        key = NAMES.parse(name).key
        threads = self.discord.threads.values()
        return [t for t in threads if t.parent_id == channel and not t.is_private and NAMES.bears(t.name, key)]

    def source_messages(self, channel: str = CHANNEL) -> list[Message]:
        """What the bot has posted in the channel."""
        messages = self.discord.messages.values()
        return [m for m in messages if m.channel_id == channel and m.author_id == BOT and m.kind == 0]

    def everything(self) -> tuple[list[dict[str, Any]], Hashable]:
        """What there is in the table and on Discord: equal where nothing has changed."""
        return self.items(), self.discord.fingerprint()


class _Noted(httpx.AsyncBaseTransport):
    """The simulated Discord's transport, which notes each request with the stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._wire = SimulatedTransport(stage.discord, stage.clock.now, latency=stage.latency)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        call = self._stage.begins("discord", _route(request))
        response = await self._wire.handle_async_request(request)
        self._stage.ends(call)
        return response


def _route(request: httpx.Request) -> str:
    route, _, _ = find_route(request.method, request.url.path.removeprefix(API_PREFIX))
    assert route is not None, f"{request.method} {request.url.path} is no route of Discord's"
    return f"{request.method} {route.template}"


def staged(**options: Any) -> Callable[[Callable[Concatenate[Stage, P], Coroutine[Any, Any, None]]], Callable[P, None]]:
    """Make a test of an async function that takes a stage: it is played in virtual time. `options` are the stage's."""

    def decorate(scenario: Callable[Concatenate[Stage, P], Coroutine[Any, Any, None]]) -> Callable[P, None]:
        def test(*args: P.args, **given: P.kwargs) -> None:
            with Stage(**options) as stage:
                virtual_time.run(stage.play(scenario(stage, *args, **given)))

        return virtual_time.without_first(test, scenario)

    return decorate
