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
from handler.sessions.model import OpenRequest, Requester
from handler.sessions.opening.channel_import import import_afresh
from infra.simulator.people import ImpossibleAction
from tests.reconciler.ground import CHANNEL, GUILD, MODERATOR, NAMES
from tests.reconciler.house import BETWEEN_RUNS, DAY_MINUTES, DELETES, House, housed, runs

SEEDS: Final = range(30)
SESSIONS: Final = ("a", "b", "c")
TITLES: Final = (*(f"Session {name}" for name in SESSIONS), "talk")
PLAYED: Final = timedelta(hours=2)  # around the moment at which all that is idle is to be deleted
RUNS_AFTERWARDS: Final = 14  # more than half an hour: what was held back or begun is carried out
FAULTS: Final = 0.03  # of Discord's answers; half as many are lost besides
KILLED: Final = 0.15
LINK_HOLDS: Final = timedelta(days=1)


class Town:
    """Who is at work, a pair of dice, and what was promised to whom."""

    def __init__(self, house: House, seed: int) -> None:
        self.house, self.dice = house, random.Random(seed)
        self.links: list[tuple[datetime, str]] = []
        self.posts: list[tuple[datetime, str]] = []
        self.deleted_by_the_bot: dict[str, datetime] = {}
        self.deleted_by_people: set[str] = set()
        self.faulty = False
        self.ends = house.now
        house.http._transport = _Faulty(self, house.http._transport)

    async def play(self) -> None:
        self.faulty, self.ends = True, self.house.now + PLAYED
        await asyncio.gather(
            self.again(300, self.runs),
            self.again(3000, self.opens),
            self.again(2000, self.people),
            self.again(7000, self.moderators),
        )
        self.faulty = False

    async def again(self, seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        while self.house.now < self.ends:
            await asyncio.sleep(self.dice.random() * self.dice.choice([0.01, 1, 4]) * seconds)
            await act()

    async def mortal(self, work: Coroutine[Any, Any, Any]) -> Any:
        """The outcome; None if it failed, or was killed on the way."""
        task = asyncio.ensure_future(work)
        if self.dice.random() < KILLED:
            asyncio.get_running_loop().call_later(self.dice.random() * 4, task.cancel)
        with suppress(OnethreadError, asyncio.CancelledError):
            return await task
        return None

    async def runs(self) -> None:
        await asyncio.gather(*(self.mortal(self.house.reconcile()) for _ in range(self.dice.choice([1, 1, 1, 2]))))

    async def opens(self) -> None:
        opened = await self.mortal(self.open(self.dice.choice(SESSIONS)))
        if opened is not None:
            self.links.append((self.house.now, opened.thread_id))

    async def open(self, name: str) -> Any:
        runs.set(False)
        requester = Requester(owner=f"member {self.dice.random()}", user_id="9")
        asked = OpenRequest(
            name=NAMES.parse(name), parent_channel_id=CHANNEL, requester=requester, guild_id=GUILD, kind=0
        )
        return await self.house.sessions.open(asked)

    async def people(self) -> None:
        house, people, now = self.house, self.house.discord.people, self.house.now
        threads = [*house.discord.threads.values()]
        if not threads:
            return
        thread = self.dice.choice(threads)
        with suppress(ImpossibleAction):
            match self.dice.randrange(7):
                case 0 | 1 if not thread.locked:
                    house.post(thread.id)
                    self.posts.append((now, thread.id))
                case 2:
                    house.archive(thread.id)
                case 3:
                    people.edit_thread(thread.id, now=now, by=MODERATOR, archived=False, locked=False)
                case 4:
                    house.delete(thread.id)
                    self.deleted_by_people.add(thread.id)
                case 5 if not thread.archived:
                    house.rename(thread.id, self.dice.choice(TITLES))
                case _:
                    house.person_makes(self.dice.choice(TITLES))

    async def moderators(self) -> None:
        channel = await self.house.store.channels.get(CHANNEL)
        assert channel is not None
        context = self.house.sessions.context
        if channel.imported_at is not None and self.dice.random() < 0.5:
            await self.mortal(merge_duplicates(context, channel))
        else:
            await self.mortal(import_afresh(context, channel, f"{self.dice.random()}", stretch=50))

    def check(self) -> None:
        for at, thread_id in self.links:
            gone = self.deleted_by_the_bot.get(thread_id)
            assert gone is None or gone - at > LINK_HOLDS, f"a link of {at} to {thread_id} was dead at {gone}"
        for at, thread_id in self.posts:
            gone = self.deleted_by_the_bot.get(thread_id)
            assert gone is None or gone < at, f"a message of {at} in {thread_id} was lost at {gone}"
        owned = Counter(
            i["session_key"]
            for i in self.house.of_kind("THREAD")
            if "session_key" in i and i["pk"].removeprefix("THREAD#") in self.house.discord.threads
        )
        assert all(number == 1 for number in owned.values()), owned
        assert self.house.differences() == []


class _Faulty(httpx.AsyncBaseTransport):
    """A Discord that takes its time, fails now and then, and tells who deleted a thread."""

    def __init__(self, town: Town, wire: httpx.AsyncBaseTransport) -> None:
        self._town, self._wire = town, wire

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        town, dice = self._town, self._town.dice.random()
        await asyncio.sleep(town.dice.random() * 0.3)
        if town.faulty and dice < FAULTS:
            return httpx.Response(503)
        before = set(town.house.discord.threads)
        response = await self._wire.handle_async_request(request)
        for thread_id in before - set(town.house.discord.threads):
            town.deleted_by_the_bot[thread_id] = town.house.now
        if town.faulty and dice < FAULTS * 1.5:
            raise httpx.ReadError("the answer was lost")
        return response

    async def aclose(self) -> None:
        await self._wire.aclose()


async def _grown_old(house: House, dice: random.Random) -> None:
    """Sessions and duplicates of them that will soon have been idle for so long that they are to be deleted."""
    for name in SESSIONS:
        await house.open(name)
        for _ in range(dice.randrange(3)):
            house.person_makes(f"Session {name}")
    await house.wait(minutes=61)
    for thread_id in house.discord.threads:
        if dice.random() < 0.6:
            house.discord.people.auto_archive(thread_id, now=house.now)
    await house.reconcile()
    await house.wait(minutes=(29.9 + dice.random() / 5) * DAY_MINUTES)


@pytest.mark.parametrize("seed", SEEDS)
@housed(DELETES)
async def test_whatever_happens_at_once_no_link_dies_and_no_message_is_lost(house: House, seed: int) -> None:
    town = Town(house, seed)
    await _grown_old(house, town.dice)
    await town.play()
    for _ in range(RUNS_AFTERWARDS):
        await house.wait(minutes=BETWEEN_RUNS)
        await house.reconcile()
    assert town.links or town.posts or town.deleted_by_the_bot
    town.check()
