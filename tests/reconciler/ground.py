"""The ground on which the reconciler is tried: a table in memory, a simulated Discord, virtual time; both wires noted.

Nothing of the project's own is faked. Any call may be the last of its process (`dies_after`), and the table's indices
may lag (`index`: what they show).
"""

from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Concatenate, Final, ParamSpec

import httpx

from handler.discord.rest import Discord, RateLimits, TokenSource, build_client, httpx_send
from handler.discord.snowflakes import time_of
from handler.runtime.clock import iso, parse_iso
from handler.runtime.secrets import Secret
from handler.sessions.model import Opened, OpenRequest, Requester
from handler.sessions.names import Names
from handler.sessions.protocol import Sessions
from handler.sessions.reconcile.pace import Pace
from handler.sessions.reconcile.plan import ACTIVITY_STEP
from handler.sessions.reconcile.run import run_once
from handler.store.store import Store
from infra.simulator.exchange import API_PREFIX
from infra.simulator.models import Thread
from infra.simulator.permissions import DEFAULT_PERMISSIONS, PERMISSION_BITS, permission_bits
from infra.simulator.router import find_route
from infra.simulator.simulated_discord import SimulatedDiscord
from infra.simulator.transport import SimulatedTransport
from tests.kit import virtual_time
from tests.kit.memory_table import MemoryTable
from tests.kit.recorded_calls import Died
from tests.kit.virtual_time import LoopClock

P = ParamSpec("P")

APPLICATION: Final = "1000"
GUILD: Final = "1"
CHANNEL: Final = "10"
MODERATOR: Final = "7"
TABLE: Final = "sessions"
NAMES: Final = Names("Session ")
WITHOUT_AUDIT_LOG: Final = permission_bits(DEFAULT_PERMISSIONS) & ~PERMISSION_BITS["VIEW_AUDIT_LOG"]
# What a run reports besides the steps that it carried out.
REPORTED: Final = frozenset({"looked_at", "held", "unclear"})


class Ground:
    """One guild with one channel whose past is known."""

    trace_after: timedelta | None = None

    def __init__(self, *, call: Callable[..., Any] | None = None, table: MemoryTable | None = None) -> None:
        self.clock = LoopClock()
        self.table = table or MemoryTable(TABLE)
        self.index: MemoryTable | None = None
        self.calls: list[str] = []
        self.dies_after: int | None = None
        self._through = call or self.table
        self._dead = False
        self._owners = count(1)
        self.discord = SimulatedDiscord(application_id=APPLICATION, bot_token="made-up")
        self.discord.switch(rename_limit=None)
        self.discord.add_guild(GUILD)
        self.discord.add_channel(GUILD, CHANNEL)
        self.http = build_client("https://discord.test/api/v10", transport=_Noted(self))
        self.restart()

    def restart(self) -> None:
        """A new process takes over from one that died."""
        self._dead, self.dies_after = False, None
        send = httpx_send(self.http, TokenSource(Secret("made-up"), clock=self.clock))
        self.sessions = Sessions(
            store=Store(call=self._call, table=TABLE),
            discord=Discord(
                send=send, application_id=APPLICATION, clock=self.clock, limits=RateLimits(), jitter=lambda: 0.5
            ),
            names=NAMES,
            clock=self.clock,
            application_id=APPLICATION,
            auto_archive_minutes=60,
            unlock_policy="moderators",
            trace_after=self.trace_after,
        )

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def store(self) -> Store:
        return self.sessions.context.store

    async def wait(self, *, minutes: float) -> None:
        await self.clock.sleep(minutes * 60)

    # Who works.

    async def open(self, name: str, channel: str = CHANNEL) -> Opened:
        owner = f"interaction-{next(self._owners)}"
        return await self.sessions.open(
            OpenRequest(
                name=NAMES.parse(name),
                parent_channel_id=channel,
                requester=Requester(owner=owner, user_id="5", may_unlock=True),
                guild_id=GUILD,
                kind=0,
            )
        )

    async def reconcile(self) -> Counter[str]:
        """One run, in a process of its own; what it carried out, without what it only reports."""
        counts = await self.report()
        return Counter({name: n for name, n in counts.items() if name not in REPORTED})

    async def report(self) -> Counter[str]:
        """One run, in a process of its own; all that it tells."""
        self.calls.clear()
        self.discord.calls.clear()
        return await run_once(self.sessions.context, GUILD, self.now, pace=Pace(self.clock))

    # What is noted.

    def noted(self, call: str) -> None:
        if self._dead:
            raise Died
        self.calls.append(call)

    def done(self) -> None:
        """A call had its effect; perhaps its process dies of it."""
        if self.dies_after is not None and len(self.calls) >= self.dies_after:
            self._dead = True
            raise Died

    def asked(self, what: str) -> int:
        """How many calls of that name."""
        return self.calls.count(what)

    async def _call(self, operation: str, /, **parameters: Any) -> dict[str, Any]:
        self.noted(operation)
        lags = self.index is not None and "IndexName" in parameters
        answer = await (self.index if lags and self.index else self._through)(operation, **parameters)
        self.done()
        return dict(answer)

    # What there is.

    def item(self, name: str, channel: str = CHANNEL) -> dict[str, Any]:
        key = (f"CHANNEL#{channel}", f"SESSION#{NAMES.parse(name).key}")
        return next((i for i in self.table.items() if (i["pk"], i["sk"]) == key), {})

    @property
    def guild(self) -> dict[str, Any]:
        return next(i for i in self.table.items() if i["sk"] == "GUILD")

    def of_kind(self, start: str) -> list[dict[str, Any]]:
        return [i for i in self.table.items() if i["sk"].startswith(start)]

    def mappings(self) -> dict[str, str]:
        """The threads on record that live, and for which session."""
        found = {i["discord_thread_id"]: i["sk"] for i in self.of_kind("SESSION#") if "discord_thread_id" in i}
        return {thread: sk for thread, sk in found.items() if thread in self.discord.threads}

    def put(self, **attributes: Any) -> None:
        self.table.apply("put_item", {"TableName": TABLE, "Item": attributes})

    def change(self, item: dict[str, Any], **attributes: Any) -> None:
        """Write some attributes of an item by hand; None takes one away."""
        kept = {name: value for name, value in {**item, **attributes}.items() if value is not None}
        self.put(**kept)

    def archive(self, thread_id: str) -> None:
        self.discord.people.archive(thread_id, now=self.now, by=MODERATOR)

    def delete(self, thread_id: str) -> None:
        self.discord.people.delete_thread(thread_id, now=self.now, by=MODERATOR)

    def rename(self, thread_id: str, name: str) -> None:
        self.discord.people.rename(thread_id, name, now=self.now, by=MODERATOR)

    def person_makes(self, name: str, channel: str = CHANNEL) -> str:
        return self.discord.people.create_thread(channel, name, now=self.now, by=MODERATOR)

    def differences(self) -> list[str]:
        """Where the table does not say what Discord says; for a guild that the bot may see all of."""
        told = [f"{i['sk']}: {fault}" for i in self.of_kind("SESSION#") for fault in self._faults_of(i)]
        placed = {i.get("discord_thread_id") for i in self.of_kind("SESSION#")}
        placed |= {i["sk"].rpartition("#")[2] for i in self.of_kind("NAMESAKE#")}
        placed |= {i["pk"].removeprefix("THREAD#") for i in self.of_kind("THREAD") if "merged_into" in i}
        for thread in self.discord.threads.values():
            if NAMES.session_key_of(thread.name) is not None and not thread.archived and thread.id not in placed:
                told.append(f"nobody knows the active thread {thread.id}, {thread.name!r}")
        return told

    def _faults_of(self, item: dict[str, Any]) -> list[str]:
        thread = self.discord.threads.get(item.get("discord_thread_id", ""))
        status = item["status"]
        if status == "vacant":
            return [f"vacant with {name}" for name in ("discord_thread_id", "source_message_id") if name in item]
        if status == "creating":
            return [] if item["lease_expires_at"] > iso(self.now) else ["a claim that nobody holds"]
        if thread is None:
            return ["its thread is gone"]
        pointer = next((i for i in self.table.items() if i["pk"] == f"THREAD#{thread.id}"), {})
        told = {
            "thread_name": item.get("thread_name") == thread.name,
            "archived": item.get("archived") == thread.archived,
            "locked": item.get("locked") == thread.locked,
            "activity": _is_near(item, thread),
            "status": status == "open" or thread.archived,
            "watched": ("watch_guild_id" in item) is not thread.archived,
            "due": ("due_in" in item) is thread.archived,
            "marks": not {"missing_since", "unreachable_since", "ask_again_at"} & item.keys(),
            "pointer": f"SESSION#{pointer.get('session_key')}" == item["sk"],
        }
        return [f"{name}: {item} beside {thread}" for name, holds in told.items() if not holds]


def _is_near(item: dict[str, Any], thread: Thread) -> bool:
    last = time_of(thread.last_message_id or thread.id)
    return abs(last - parse_iso(item["last_activity_at"])) <= ACTIVITY_STEP


class _Noted(httpx.AsyncBaseTransport):
    """The simulated Discord's transport, which notes each request."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._wire: SimulatedTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        ground = self._ground
        wire = self._wire = self._wire or SimulatedTransport(ground.discord, ground.clock.now)
        route, _, _ = find_route(request.method, request.url.path.removeprefix(API_PREFIX))
        assert route is not None
        ground.noted(f"{request.method} {route.template}")
        response = await wire.handle_async_request(request)
        ground.done()
        return response


async def prepared(ground: Ground) -> None:
    """The guild and the channel are known, the channel's past too; nothing else is there."""
    opened = await ground.open("first")
    ground.delete(opened.thread_id)
    await ground.reconcile()
    ground.table.lose(*((i["pk"], i["sk"]) for i in ground.of_kind("SESSION#")))


def grounded(
    scenario: Callable[Concatenate[Ground, P], Coroutine[Any, Any, None]],
) -> Callable[P, None]:
    """Make a test of an async function that takes the ground: it is played in virtual time."""

    def test(*args: P.args, **given: P.kwargs) -> None:
        async def play() -> None:
            ground = Ground()
            await prepared(ground)
            try:
                await scenario(ground, *args, **given)
            finally:
                await ground.http.aclose()

        virtual_time.run(play())

    return virtual_time.without_first(test, scenario)
