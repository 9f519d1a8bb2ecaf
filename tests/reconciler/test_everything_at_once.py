"""Opens, runs that delete, merges, imports and people, side by side at random; a part of them dies, and Discord fails now
and then. Nobody is led to a thread that goes, no message is lost, and each session ends with one thread."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
import pytest

from handler.errors import OnethreadError
from handler.sessions.duplicates.merge import merge_duplicates
from handler.sessions.opening.channel_import import import_afresh
from infra.simulator.exchange import Request, Response
from infra.simulator.people import ImpossibleAction
from infra.simulator.transport import PlainTransport
from tests.kit.guild import Guild
from tests.kit.table_view import CHANNEL
from tests.reconciler.differences import differences
from tests.reconciler.housekeeping import BETWEEN_RUNS, DAY_MINUTES, DELETES

SEEDS: Final = range(20)
SESSIONS: Final = ("a", "b", "c")
TITLES: Final = (*(f"Session {name}" for name in SESSIONS), "talk")
PLAYED: Final = timedelta(hours=2)  # around the moment at which all that is idle is to be deleted
RUNS_AFTERWARDS: Final = 14  # more than half an hour: what was held back or begun is carried out
FAULTS: Final = 0.03  # of Discord's answers; half as many are lost besides
KILLED: Final = 0.15
LINK_HOLDS: Final = timedelta(days=1)


class Play:
    """Who is at work, what comes to pass by chance, and what was promised to whom."""

    def __init__(self, guild: Guild, seed: int) -> None:
        self.guild, self.random = guild, random.Random(seed)
        self.links: list[tuple[datetime, str]] = []
        self.posts: list[tuple[datetime, str]] = []
        self.deleted_by_the_bot: dict[str, datetime] = {}
        self.deleted_by_people: set[str] = set()
        self.faulty = False
        self.ends = guild.now
        connect = guild.connect
        guild.connect = lambda: _Faulty(self, connect())
        guild.restart()

    async def run(self) -> None:
        self.faulty, self.ends = True, self.guild.now + PLAYED
        await asyncio.gather(
            self.again(300, self.runs),
            self.again(3000, self.opens),
            self.again(2000, self.people),
            self.again(7000, self.moderators),
        )
        self.faulty = False

    async def again(self, seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        while self.guild.now < self.ends:
            await asyncio.sleep(self.random.random() * self.random.choice([0.01, 1, 4]) * seconds)
            await act()

    async def may_die(self, work: Coroutine[Any, Any, Any]) -> Any:
        """The outcome; None if it failed, or was killed on the way."""
        task = asyncio.ensure_future(work)
        if self.random.random() < KILLED:
            asyncio.get_running_loop().call_later(self.random.random() * 4, task.cancel)
        with suppress(OnethreadError, asyncio.CancelledError):
            return await task
        return None

    async def runs(self) -> None:
        await asyncio.gather(*(self.may_die(self.guild.reconcile()) for _ in range(self.random.choice([1, 1, 1, 2]))))

    async def opens(self) -> None:
        opened = await self.may_die(self.open(self.random.choice(SESSIONS)))
        if opened is not None:
            self.links.append((self.guild.now, opened.thread_id))

    async def open(self, name: str) -> Any:
        return await self.guild.open(name, owner=f"member {self.random.random()}", user="9", may_unlock=False)

    async def people(self) -> None:
        guild, now = self.guild, self.guild.now
        threads = [*guild.discord.threads.values()]
        if not threads:
            return
        thread = self.random.choice(threads)
        with suppress(ImpossibleAction):
            match self.random.randrange(7):
                case 0 | 1 if not thread.locked:
                    guild.people.post_message(thread.id, "still here")
                    self.posts.append((now, thread.id))
                case 2:
                    guild.people.archive(thread.id)
                case 3:
                    guild.people.edit_thread(thread.id, archived=False, locked=False)
                case 4:
                    guild.people.delete_thread(thread.id)
                    self.deleted_by_people.add(thread.id)
                case 5 if not thread.archived:
                    guild.people.rename(thread.id, self.random.choice(TITLES))
                case _:
                    guild.people.create_thread(CHANNEL, self.random.choice(TITLES))

    async def moderators(self) -> None:
        channel = await self.guild.store.channels.get(CHANNEL)
        assert channel is not None
        context = self.guild.context
        if channel.imported_at is not None and self.random.random() < 0.5:
            await self.may_die(merge_duplicates(context, channel))
        else:
            await self.may_die(import_afresh(context, channel, f"{self.random.random()}", stretch=50))

    def check(self) -> None:
        for at, thread_id in self.links:
            gone = self.deleted_by_the_bot.get(thread_id)
            assert gone is None or gone - at > LINK_HOLDS, f"a link of {at} to {thread_id} was dead at {gone}"
        for at, thread_id in self.posts:
            gone = self.deleted_by_the_bot.get(thread_id)
            assert gone is None or gone < at, f"a message of {at} in {thread_id} was lost at {gone}"
        owned = Counter(
            i["session_key"]
            for i in self.guild.table.of_kind("THREAD")
            if "session_key" in i and i["pk"].removeprefix("THREAD#") in self.guild.discord.threads
        )
        assert all(number == 1 for number in owned.values()), owned
        assert differences(self.guild) == []


class _Faulty(PlainTransport):
    """A Discord that takes its time, fails now and then, and tells who deleted a thread."""

    def __init__(self, play: Play, wire: PlainTransport) -> None:
        self._play, self._wire = play, wire

    async def send(self, request: Request, read_timeout: float | None) -> Response:
        play, chance = self._play, self._play.random.random()
        await asyncio.sleep(play.random.random() * 0.3)
        if play.faulty and chance < FAULTS:
            return Response(503, {}, b"")
        before = set(play.guild.discord.threads)
        response = await self._wire.send(request, read_timeout)
        for thread_id in before - set(play.guild.discord.threads):
            play.deleted_by_the_bot[thread_id] = play.guild.now
        if play.faulty and chance < FAULTS * 1.5:
            raise httpx.ReadError("the answer was lost")
        return response


async def _grown_old(guild: Guild, chance: random.Random) -> None:
    """Sessions and duplicates of them that will soon have been idle for so long that they are to be deleted."""
    for name in SESSIONS:
        await guild.open(name)
        for _ in range(chance.randrange(3)):
            guild.people.create_thread(CHANNEL, f"Session {name}")
    await guild.wait(minutes=61)
    for thread_id in guild.discord.threads:
        if chance.random() < 0.6:
            guild.people.auto_archive(thread_id)
    await guild.reconcile()
    await guild.wait(minutes=(29.9 + chance.random() / 5) * DAY_MINUTES)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.guild(settings=DELETES)
async def test_whatever_happens_at_once_no_link_dies_and_no_message_is_lost(guild: Guild, seed: int) -> None:
    play = Play(guild, seed)
    await _grown_old(guild, play.random)
    await play.run()
    for _ in range(RUNS_AFTERWARDS):
        await guild.wait(minutes=BETWEEN_RUNS)
        await guild.reconcile()
    assert play.links or play.posts or play.deleted_by_the_bot
    play.check()
