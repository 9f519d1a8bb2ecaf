"""A stage for the protocol: one table, one guild with a text channel, and openers in execution environments of their own.

Nothing of the project's own is faked. The clients are those that `handler.bootstrap` builds; DynamoDB ends in moto and
Discord in the simulation, each on its wire; time is virtual. What goes over the wires is noted in `Stage.calls`.
"""

import asyncio
import functools
import inspect
from collections import Counter
from collections.abc import Callable, Coroutine, Hashable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import httpx

from handler import config
from handler.bootstrap import Environment
from handler.clock import Deadline, iso
from handler.config import EnsureConfig, UnlockPolicy
from handler.dynamodb import DynamoDB, to_wire
from handler.errors import OnethreadError
from handler.sessions.model import Opened, OpenRequest, Requester
from handler.sessions.names import Names
from handler.sessions.protocol import Sessions
from handler.time_limit import within
from infra.local.discord.records import Message, Thread
from infra.local.discord.routes import find
from infra.local.discord.state import Switches
from infra.local.discord.transport import API_PREFIX, SimulatedTransport
from infra.local.discord.world import SimulatedDiscord
from tests.kit import virtual_time
from tests.kit.dynamodb import DynamoWire
from tests.kit.virtual_time import START, LoopClock

P = ParamSpec("P")
T = TypeVar("T")

APPLICATION: Final = "1000"
BOT: Final = APPLICATION  # the bot's user id, as for all but old applications
TOKEN: Final = "made-up-bot-token-for-tests"
GUILD: Final = "1"
CHANNEL: Final = "10"
MODERATOR: Final = "2"  # owns the guild, and is who acts on Discord if nobody is named
MEMBER: Final = "3"
NAME: Final = "1a06a43"
NAMES: Final = Names("Session ")
IMPORTED_AT: Final = START - timedelta(hours=1)
GRACE_SECONDS: Final = 0.3  # as the entrances give it past a deadline
DAY_SECONDS: Final = 86_400.0


class Died(BaseException):
    """The process died. Nothing catches it."""


@dataclass(frozen=True, order=True)
class Call:
    """A remote call by name: ``Call("dynamodb", "UpdateItem", 2)`` is the second one of that operation."""

    wire: str
    what: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.wire}: {self.what} #{self.nth}"


class Process:
    """One execution environment: clients of its own over the stage's table and Discord."""

    def __init__(self, stage: "Stage", client: Any = None) -> None:
        environ = {
            "SESSIONS_TABLE": stage.wire.table,
            "DISCORD_APPLICATION_ID": APPLICATION,
            "DISCORD_BOT_TOKEN": TOKEN,
            "UNLOCK_POLICY": stage.unlock_policy,
        }
        self._environment = Environment(
            config.load(EnsureConfig, environ), clock=stage.clock, aws=stage.session, transport=_Noted(stage)
        )
        self._shares_client = client is not None
        if client is not None:
            self._environment.dynamodb = DynamoDB(client, stage.clock)
        self.sessions: Sessions = self._environment.sessions

    async def close(self) -> None:
        await self._environment.http.aclose()
        if not self._shares_client:
            self._environment.dynamodb.close()


class Stage(AbstractContextManager["Stage"]):
    """The whole of it. `imported`: the channel's past is known, up to an hour before the beginning."""

    def __init__(
        self,
        *,
        kind: int = 0,
        imported: bool = True,
        unlock_policy: UnlockPolicy = "moderators",
        latency: float = 0.0,
        wire: DynamoWire | None = None,
        **switches: Any,
    ) -> None:
        self.clock = LoopClock()
        self.kind = kind
        self.unlock_policy: UnlockPolicy = unlock_policy
        self.latency = latency
        self.discord = SimulatedDiscord(application_id=APPLICATION, bot_token=TOKEN, switches=Switches(**switches))
        self.discord.add_guild(GUILD)
        self.discord.add_channel(GUILD, CHANNEL, kind)
        self._own_wire = wire is None
        self.wire = wire or DynamoWire()
        self.session = self.wire.session()
        self.session.events.register("before-call.dynamodb", self._before_dynamodb)
        self.session.events.register("after-call.dynamodb", self._after_dynamodb)
        self.calls: list[Call] = []
        self.dies_after: Call | None = None
        self._dead = False
        self._so_far: Counter[tuple[str, str]] = Counter()
        self._owners = count(1)
        self._processes: list[Process] = []
        if imported:
            self.put_item(self.channel_item(imported_at=IMPORTED_AT))

    def __exit__(self, *_: object) -> None:
        if self._own_wire:
            self.wire.__exit__()

    async def play(self, scenario: Coroutine[Any, Any, T]) -> T:
        """Run a scenario on the running loop, then let go of all processes."""
        try:
            return await scenario
        finally:
            self.wire.release()
            for process in self._processes:
                await process.close()

    # Openers.

    def process(self, client: Any = None) -> Process:
        """One more process beside those that there are."""
        self._processes.append(Process(self, client))
        return self._processes[-1]

    def restart(self) -> Process:
        """The process is gone, with all that it had in memory; another one takes the requests from here on."""
        self._dead, self.dies_after = False, None
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
        return await within(self.clock, deadline, process.sessions.open(request), grace=GRACE_SECONDS)

    async def refused(self, name: str = NAME, **how: Any) -> OnethreadError:
        """The error that an open ends with."""
        try:
            opened = await self.open(name, **how)
        except OnethreadError as error:
            return error
        raise AssertionError(f"the open of {name!r} succeeded: {opened}")

    # Time.

    @property
    def now(self) -> datetime:
        return self.clock.now()

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def days_pass(self, days: float) -> None:
        """Time goes on, and DynamoDB takes what has expired."""
        await asyncio.sleep(days * DAY_SECONDS)
        for item in self.items():
            if item.get("expires_at", self.now.timestamp()) < self.now.timestamp():
                self.lose_item(item)

    # The wires.

    def forget(self) -> None:
        """Count the calls anew from here."""
        self.calls.clear()
        self._so_far.clear()

    def count(self, wire: str) -> int:
        """How many calls went over that wire, ``dynamodb`` or ``discord``."""
        return sum(call.wire == wire for call in self.calls)

    def begins(self, wire: str, what: str) -> Call:
        """Note a call that is about to be made. Raises Died if its process is dead."""
        if self._dead:
            raise Died
        self._so_far[wire, what] += 1
        call = Call(wire, what, self._so_far[wire, what])
        self.calls.append(call)
        return call

    def ends(self, call: Call) -> None:
        """The call had its effect. Raises Died if the process dies of it."""
        if self.dies_after == call:
            self._dead = True
            raise Died

    def _before_dynamodb(self, model: Any, context: dict[str, Any], **_: Any) -> None:
        context["noted"] = self.begins("dynamodb", model.name)

    def _after_dynamodb(self, context: dict[str, Any], **_: Any) -> None:
        self.ends(context["noted"])

    # The table.

    def items(self) -> list[dict[str, Any]]:
        return self.wire.items()

    def item(self, name: str = NAME, channel: str = CHANNEL) -> dict[str, Any] | None:
        """The session's item."""
        return self.find_item(f"CHANNEL#{channel}", f"SESSION#{NAMES.parse(name).key}")

    def pointer(self, thread_id: str) -> dict[str, Any] | None:
        return self.find_item(f"THREAD#{thread_id}", "THREAD")

    def namesakes(self, name: str = NAME) -> list[str]:
        """The ids of the threads that are noted as namesakes of this session."""
        start = f"NAMESAKE#{NAMES.parse(name).key}#"
        return [item["sk"].removeprefix(start) for item in self.items() if item["sk"].startswith(start)]

    def channel_item(self, channel: str = CHANNEL, **attributes: Any) -> dict[str, Any]:
        """What the table would say of the channel; times are written as texts."""
        texts = {name: iso(value) if isinstance(value, datetime) else value for name, value in attributes.items()}
        return {"pk": f"CHANNEL#{channel}", "sk": "CHANNEL", "guild_id": GUILD, "kind": self.kind, **texts}

    def find_item(self, pk: str, sk: str) -> dict[str, Any] | None:
        return next((item for item in self.items() if (item["pk"], item["sk"]) == (pk, sk)), None)

    def put_item(self, item: dict[str, Any]) -> None:
        self.wire.client.put_item(**to_wire({"TableName": self.wire.table, "Item": item}))

    def lose_item(self, item: dict[str, Any]) -> None:
        key = {"pk": item["pk"], "sk": item["sk"]}
        self.wire.client.delete_item(**to_wire({"TableName": self.wire.table, "Key": key}))

    def lose_table(self, *, but: Iterable[str] = ()) -> None:
        """Lose all items but those whose sort key begins with one of these."""
        for item in self.items():
            if not item["sk"].startswith(tuple(but)):
                self.lose_item(item)

    # Discord.

    def person_makes(self, name: str, **how: Any) -> str:
        """A person makes a thread in the channel; `how` as `Hands.create_thread` takes it. Its id."""
        return self.discord.hands.create_thread(CHANNEL, name, **{"now": self.now, "by": MODERATOR, **how})

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
    route, _, _ = find(request.method, request.url.path.removeprefix(API_PREFIX))
    assert route is not None, f"{request.method} {request.url.path} is no route of Discord's"
    return f"{request.method} {route.template}"


def staged(**options: Any) -> Callable[[Callable[Concatenate[Stage, P], Coroutine[Any, Any, None]]], Callable[P, None]]:
    """Make a test of an async function that takes a stage: it is played in virtual time. `options` are the stage's."""

    def decorate(scenario: Callable[Concatenate[Stage, P], Coroutine[Any, Any, None]]) -> Callable[P, None]:
        @functools.wraps(scenario)
        def test(*args: P.args, **given: P.kwargs) -> None:
            with Stage(**options) as stage:
                virtual_time.run(stage.play(scenario(stage, *args, **given)))

        signature = inspect.signature(scenario)
        test.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])  # type: ignore[attr-defined]  # pytest asks for it
        return test

    return decorate
