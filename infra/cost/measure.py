"""Runs of the reconciler on the simulated Discord and the table in memory, counted: what one run asks of each."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, cast

from handler import config
from handler.aws.dynamodb import DynamoDB
from handler.bootstrap import Environment
from handler.config import ReconcilerConfig
from handler.sessions.model import OpenRequest, Requester
from handler.sessions.reconcile.run import run_once
from infra.cost.counted_table import CountedTable, Use
from infra.simulator.permissions import default_permissions_without
from infra.simulator.simulated_discord import SimulatedDiscord
from infra.simulator.transport import SimulatedTransport

GUILD: Final = "1"
CHANNEL: Final = "10"
MODERATOR: Final = "2"
ENVIRON: Final = {
    "SESSIONS_TABLE": "sessions",
    "RECONCILE_QUEUE_URL": "https://sqs.example/guilds",
    "DISCORD_APPLICATION_ID": "1000",
    "DISCORD_BOT_TOKEN": "made-up-bot-token",
}
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
PERIOD: Final = timedelta(minutes=5)  # ReconcileMinutes, unless it is set otherwise
RUNS_PER_HOUR: Final = 12  # averaged: a quiet run is written down only every half an hour
ACTIVE: Final = 10  # threads that are active at once: each takes some 600 bytes of the watched index

Change = Callable[[SimulatedDiscord, list[str], datetime], object]


@dataclass(frozen=True)
class Measured:
    """What runs were measured to use."""

    quiet: Use  # with nothing changed
    unaudited: Use  # the same, without View Audit Log
    changes: dict[str, Use]  # what each change adds


# One change each, to threads of its own.
CHANGES: Final[dict[str, Change]] = {
    "a thread renamed": lambda d, t, now: d.people.rename(t[0], "Session 0: found it", now=now, by=MODERATOR),
    "a thread locked": lambda d, t, now: d.people.lock(t[1], now=now, by=MODERATOR),
    "a thread archived": lambda d, t, now: d.people.archive(t[2], now=now, by=MODERATOR),
    "a thread unarchived": lambda d, t, now: d.people.unarchive(t[2], now=now, by=MODERATOR),
    "a thread deleted": lambda d, t, now: d.people.delete_thread(t[3], now=now, by=MODERATOR),
    "a thread made by a person": lambda d, t, now: d.people.create_thread(
        CHANNEL, "Session made by hand", now=now, by=MODERATOR
    ),
}


def measure(sessions: int) -> Measured:
    """Run over a guild with so many sessions on record, `ACTIVE` of them active."""
    with asyncio.Runner() as runner:
        return runner.run(_measure(sessions))


async def _measure(sessions: int) -> Measured:
    guild = _Guild()
    try:
        threads = await guild.fill(sessions)
        quiet = await guild.run_for_an_hour()
        changes = {}
        for name, change in CHANGES.items():
            change(guild.discord, threads, guild.clock.now())
            await guild.clock.sleep(1)
            changes[name] = await guild.run() - quiet
        allowed = default_permissions_without("VIEW_AUDIT_LOG")
        guild.discord.people.set_permissions(GUILD, allowed, now=guild.clock.now())
        await guild.run_for_an_hour()
        return Measured(quiet, await guild.run_for_an_hour(), changes)
    finally:
        await guild.close()


class _Clock:
    """Time advances only when somebody sleeps."""

    def __init__(self) -> None:
        self._now = START

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        await asyncio.sleep(0)


class _Guild:
    """A guild with a channel, and a reconciler as `handler.bootstrap` builds it."""

    def __init__(self) -> None:
        self.clock = _Clock()
        settings = config.load(ReconcilerConfig, ENVIRON)
        self.discord = SimulatedDiscord(application_id=settings.application_id, bot_token=ENVIRON["DISCORD_BOT_TOKEN"])
        self.discord.add_guild(GUILD)
        self.discord.add_channel(GUILD, CHANNEL)
        transport = SimulatedTransport(self.discord, self.clock.now)
        self._environment = Environment(settings, clock=self.clock, transport=transport)
        self._table = CountedTable(settings.sessions_table)
        self._environment.dynamodb = cast("DynamoDB", self._table)  # all that the Store does is call it

    async def fill(self, sessions: int) -> list[str]:
        """Put sessions on record: import the archived ones, open the active ones. Returns the active threads."""
        newest = START - timedelta(days=30)
        name_of = "Session old {}".format
        self.discord.people.add_archived_threads(CHANNEL, sessions - ACTIVE, newest=newest, name_of=name_of)
        threads = [await self._open(str(number)) for number in range(ACTIVE)]
        await self.run()
        await self.run()
        return threads

    async def run(self) -> Use:
        """One run, a period later."""
        await self.clock.sleep(PERIOD.total_seconds())
        before = self._use()
        await run_once(self._environment.sessions.context, GUILD, self.clock.now(), pace=self._environment.pace)
        return self._use() - before

    async def run_for_an_hour(self) -> Use:
        """A run's use on average."""
        return sum([await self.run() for _ in range(RUNS_PER_HOUR)], Use()).over(RUNS_PER_HOUR)

    async def close(self) -> None:
        await self._environment.http.aclose()

    async def _open(self, name: str) -> str:
        request = OpenRequest(
            name=self._environment.sessions.context.names.parse(name),
            parent_channel_id=CHANNEL,
            requester=Requester(owner=name, user_id=MODERATOR),
            guild_id=GUILD,
            kind=0,
        )
        return (await self._environment.sessions.open(request)).thread_id

    def _use(self) -> Use:
        """All of it, so far."""
        return self._table.use + Use(discord=sum(self.discord.calls.values()))
