"""Runs of the reconciler on the simulated Discord and an emulated table, counted: what one run asks of each."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from boto3.session import Session
from moto import mock_aws

from handler import config
from handler.aws.dynamodb import DynamoDB, to_wire
from handler.bootstrap import Environment
from handler.config import ReconcilerConfig
from handler.discord.snowflakes import time_of
from handler.runtime.clock import iso
from handler.sessions.model import OpenRequest, Requester
from handler.sessions.reconcile.run import run_once
from infra.cost.units import read_units, write_units
from infra.local.aws_client import MADE_UP, REGION
from infra.local.table import create_table
from infra.simulator.permissions import DEFAULT_PERMISSIONS, PERMISSION_BITS
from infra.simulator.simulated_discord import SimulatedDiscord
from infra.simulator.transport import SimulatedTransport

APPLICATION: Final = "1000"
GUILD: Final = "1"
CHANNEL: Final = "10"
MODERATOR: Final = "2"
TOKEN: Final = "made-up-bot-token"
TABLE: Final = "sessions"
BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)
PERIOD: Final = timedelta(minutes=5)  # the schedule's rate, unless it is set otherwise
RUNS_OF_AN_HOUR: Final = 12  # averaged: a quiet run is written down only every half an hour
ACTIVE: Final = 10  # threads that are active at once: each takes some 600 bytes of the watched index

Act = Callable[[SimulatedDiscord, list[str], datetime], None]


@dataclass(frozen=True)
class Use:
    """What a run asks for: calls to Discord and to DynamoDB, and DynamoDB's units."""

    discord: float = 0.0
    dynamodb: float = 0.0
    reads: float = 0.0
    writes: float = 0.0

    def __sub__(self, other: "Use") -> "Use":
        return Use(
            self.discord - other.discord,
            self.dynamodb - other.dynamodb,
            self.reads - other.reads,
            self.writes - other.writes,
        )

    def over(self, runs: int) -> "Use":
        return Use(self.discord / runs, self.dynamodb / runs, self.reads / runs, self.writes / runs)


@dataclass(frozen=True)
class Measured:
    """`quiet` and `unaudited`: a run with nothing changed, with View Audit Log and without; `changes`: what each adds."""

    quiet: Use
    unaudited: Use
    changes: dict[str, Use]


# One change each, to threads of its own.
CHANGES: Final[dict[str, Act]] = {
    "a thread renamed": lambda d, t, now: d.people.rename(t[0], "Session 0: found it", now=now, by=MODERATOR),
    "a thread locked": lambda d, t, now: d.people.lock(t[1], now=now, by=MODERATOR),
    "a thread archived": lambda d, t, now: d.people.archive(t[2], now=now, by=MODERATOR),
    "a thread unarchived": lambda d, t, now: d.people.unarchive(t[2], now=now, by=MODERATOR),
    "a thread deleted": lambda d, t, now: d.people.delete_thread(t[3], now=now, by=MODERATOR),
    "a thread made by a person": lambda d, t, now: _make(d, now),
}


def _make(discord: SimulatedDiscord, now: datetime) -> None:
    discord.people.create_thread(CHANNEL, "Session made by hand", now=now, by=MODERATOR)


def measure(sessions: int) -> Measured:
    """Runs over a guild with so many sessions on record, `ACTIVE` of them active."""
    with mock_aws(), _no_surroundings(), asyncio.Runner() as runner:
        return runner.run(_measure(sessions))


async def _measure(sessions: int) -> Measured:
    guild = _Guild()
    try:
        await guild.fill(sessions)
        quiet = await guild.hour()
        changes = {}
        for name, act in CHANGES.items():
            act(guild.discord, guild.threads, guild.clock.now())
            await guild.clock.sleep(1)
            changes[name] = await guild.run() - quiet
        guild.discord.people.set_permissions(
            GUILD, DEFAULT_PERMISSIONS & ~PERMISSION_BITS["VIEW_AUDIT_LOG"], now=guild.clock.now()
        )
        await guild.hour()
        return Measured(quiet, await guild.hour(), changes)
    finally:
        await guild.close()


class _Clock:
    """Time goes on only where somebody waits."""

    def __init__(self) -> None:
        self._now = BEGINNING

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        await asyncio.sleep(0)


class _Counted(DynamoDB):
    """The seam over the table; `use` is what went over it."""

    use = Use()

    async def __call__(self, operation: str, /, **parameters: Any) -> dict[str, Any]:
        answer = await super().__call__(operation, **parameters)
        reads, writes = read_units(operation, parameters, answer), write_units(operation, parameters)
        self.use = self.use - Use(0, -1, -reads, -writes)
        return answer


class _Guild:
    """A guild with a channel, and the reconciler's own clients over it."""

    def __init__(self) -> None:
        self.clock = _Clock()
        self.discord = SimulatedDiscord(application_id=APPLICATION, bot_token=TOKEN)
        self.discord.add_guild(GUILD)
        self.discord.add_channel(GUILD, CHANNEL)
        session = Session(aws_access_key_id=MADE_UP, aws_secret_access_key=MADE_UP, region_name=REGION)
        self._client = session.client("dynamodb")
        create_table(self._client, TABLE)
        environ = {
            "SESSIONS_TABLE": TABLE,
            "RECONCILE_QUEUE_URL": "https://sqs.example/guilds",
            "DISCORD_APPLICATION_ID": APPLICATION,
            "DISCORD_BOT_TOKEN": TOKEN,
        }
        transport = SimulatedTransport(self.discord, self.clock.now)
        settings = config.load(ReconcilerConfig, environ)
        self._environment = Environment(settings, clock=self.clock, aws=session, transport=transport)
        self._table = self._environment.dynamodb = _Counted(self._client, self.clock)
        self.threads: list[str] = []

    async def fill(self, sessions: int) -> None:
        """Open the active ones, and one more to be archived: the others on record are copies of its item."""
        for number in range(ACTIVE):
            self.threads.append(await self._open(f"{number}"))
        old = await self._open("old")
        self.discord.people.archive(old, now=self.clock.now(), by=MODERATOR)
        await self.run()
        others = sessions - ACTIVE
        ids = self.discord.people.add_archived_threads(
            CHANNEL, others, newest=BEGINNING - timedelta(days=30), name_of="Session old {}".format
        )
        for number, thread_id in enumerate(ids):
            self._copy(f"old {number}", thread_id)
        await self.run()

    async def run(self) -> Use:
        """One run, a period later."""
        await self.clock.sleep(PERIOD.total_seconds())
        self._table.use, calls = Use(), self._calls()
        environment = self._environment
        await run_once(environment.sessions.context, GUILD, self.clock.now(), pace=environment.pace)
        return self._table.use - Use(calls - self._calls())

    async def hour(self) -> Use:
        """A quiet run, on average."""
        used = Use()
        for _ in range(RUNS_OF_AN_HOUR):
            used = used - (Use() - await self.run())
        return used.over(RUNS_OF_AN_HOUR)

    async def close(self) -> None:
        await self._environment.http.aclose()
        self._table.close()

    async def _open(self, name: str) -> str:
        opened = await self._environment.sessions.open(
            OpenRequest(
                name=self._environment.names.parse(name),
                parent_channel_id=CHANNEL,
                requester=Requester(owner=name, user_id=MODERATOR),
                guild_id=GUILD,
                kind=0,
            )
        )
        return opened.thread_id

    def _copy(self, key: str, thread_id: str) -> None:
        """Put the session of an archived thread on record, as the one that was opened and archived is."""
        thread = self.discord.threads[thread_id]
        texts = {
            "sk": f"SESSION#{key}",
            "session_key": key,
            "session_name": key,
            "thread_name": thread.name,
            "discord_thread_id": thread_id,
            "source_message_id": thread_id,
            "archived_at": iso(thread.archive_timestamp),
            "last_activity_at": iso(time_of(thread.last_message_id or thread_id)),
            "due_at": iso(self.clock.now()),
        }
        old = to_wire({"Key": {"pk": f"CHANNEL#{CHANNEL}", "sk": "SESSION#old"}})["Key"]
        item = self._client.get_item(TableName=TABLE, Key=old)["Item"]
        self._client.put_item(TableName=TABLE, Item={**item, **to_wire({"Item": texts})["Item"]})

    def _calls(self) -> int:
        return sum(self.discord.calls.values())


@contextmanager
def _no_surroundings() -> Iterator[None]:
    """Without the AWS settings of whoever runs this: an endpoint there would lead past the emulation."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("AWS_ENDPOINT_URL")}
    try:
        yield
    finally:
        os.environ.update(kept)
