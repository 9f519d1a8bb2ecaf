"""Deletions between everything else: what happens between any two of their calls, and what dies after any of them."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Final

import pytest

from handler.errors import DiscordUnavailable
from tests.kit.guild import Guild
from tests.kit.moments import Moment
from tests.kit.recorded_calls import Died
from tests.kit.table_view import GUILD
from tests.reconciler.differences import WITHOUT_AUDIT_LOG, differences
from tests.reconciler.housekeeping import BETWEEN_RUNS, DELETES, housekeep, idle, living_ids

pytestmark = pytest.mark.guild(settings=DELETES, followed=False, imported=False)

CALLS: Final = range(1, 31)  # one more than a run makes that deletes one thread
CALLS_OF_MARKING: Final = range(1, 10)  # the same of a run that marks one
CALLS_OF_OPENING: Final = range(1, 9)  # the same of an open that makes no new thread
SEEDS: Final = range(15)
MORE_RUNS: Final = 3  # after all that happened: whoever was to be led astray would be by then


Moments = Mapping[tuple[bool, bool], Moment]
Begin = Callable[..., Awaitable[str]]


@pytest.fixture(scope="module")
def moments() -> Moments:
    """An idle session, its thread archived or not, marked or not."""
    return {(archived, marked): _reach(archived, marked) for archived in (True, False) for marked in (True, False)}


def _reach(archived: bool, marked: bool) -> Moment:
    async def reach() -> Moment:
        await idle(guild, archived=archived)
        if marked:
            assert await housekeep(guild) == {"Mark": 1}
            await guild.wait(minutes=BETWEEN_RUNS)
        return Moment(guild)

    with Guild(settings=DELETES, followed=True, may_unlock=True) as guild:
        return guild.run(reach())


@pytest.fixture
def begin(guild: Guild, moments: Moments) -> Begin:
    """Go on from one of these moments; the result is the thread's id."""

    async def go_on(*, archived: bool = True, marked: bool = True) -> str:
        await moments[archived, marked].go_on(guild)
        return str(guild.table.item("old")["discord_thread_id"])

    return go_on


def counted(guild: Guild, nth: int, act: Callable[[], Awaitable[None]]) -> list[int]:
    """Let `act` happen after the nth call of a run; what is returned is not empty once it has."""
    happened: list[int] = []
    calls = [0]

    async def after_call() -> None:
        calls[0] += 1
        if calls[0] == nth and not happened:
            happened.append(nth)
            await act()

    guild.after_call = after_call
    return happened


async def more_runs(guild: Guild) -> None:
    guild.after_call = None
    for _ in range(MORE_RUNS):
        await guild.wait(minutes=BETWEEN_RUNS)
        await guild.reconcile()


@pytest.mark.parametrize(
    ("archived", "marked", "opens", "calls"),
    [(True, True, False, CALLS), (False, False, False, CALLS_OF_MARKING), (True, True, True, CALLS_OF_OPENING)],
)
async def test_as_many_calls_are_tried_as_there_are_and_one_more(
    guild: Guild, begin: Begin, archived: bool, marked: bool, opens: bool, calls: Sequence[int]
) -> None:
    await begin(archived=archived, marked=marked)
    await (guild.open("old") if opens else guild.reconcile())
    assert len(guild.calls) + 1 == max(calls)


@pytest.mark.parametrize("nth", CALLS_OF_MARKING)
async def test_an_open_between_any_two_calls_of_the_first_run_is_led_to_a_thread_that_stays(
    guild: Guild, begin: Begin, nth: int
) -> None:
    thread_id = await begin(archived=False, marked=False)
    links: list[str] = []

    async def somebody_opens() -> None:
        links.append((await guild.open("old")).thread_id)

    happened = counted(guild, nth, somebody_opens)
    await guild.reconcile()
    await more_runs(guild)
    assert (thread_id in guild.discord.threads) is bool(happened)
    assert all(link in guild.discord.threads for link in links)


@pytest.mark.parametrize("archived", [True, False])
@pytest.mark.parametrize("nth", CALLS)
async def test_what_a_member_writes_between_any_two_calls_is_not_lost(
    guild: Guild, begin: Begin, nth: int, archived: bool
) -> None:
    thread_id = await begin(archived=archived)
    written: list[str] = []

    async def a_member_writes() -> None:
        thread = guild.discord.threads.get(thread_id)
        if thread is not None and not thread.locked:
            written.append(guild.people.post_message(thread_id, "still here"))

    counted(guild, nth, a_member_writes)
    await guild.reconcile()
    await more_runs(guild)
    messages = {message.id for message in guild.discord.messages.values()}
    assert set(written) <= messages
    assert (thread_id in guild.discord.threads) is bool(written)
    if written:
        assert not guild.discord.threads[thread_id].locked


@pytest.mark.parametrize("nth", CALLS)
async def test_a_moderator_who_unlocks_between_any_two_calls_loses_no_message(
    guild: Guild, begin: Begin, nth: int
) -> None:
    thread_id = await begin()
    written: list[str] = []

    async def a_moderator_writes() -> None:
        thread = guild.discord.threads.get(thread_id)
        if thread is not None and guild.calls.names[-1:] != ["GET /channels/{channel_id}"]:  # that look is the last one
            guild.people.edit_thread(thread_id, archived=False, locked=False)
            written.append(guild.people.post_message(thread_id, "still here"))

    counted(guild, nth, a_moderator_writes)
    await guild.reconcile()
    await more_runs(guild)
    assert set(written) <= {message.id for message in guild.discord.messages.values()}
    assert (thread_id in guild.discord.threads) is bool(written)
    if written:
        assert (await guild.open("old")).thread_id == thread_id


@pytest.mark.parametrize("archived", [True, False])
@pytest.mark.parametrize("nth", CALLS)
async def test_a_thread_that_a_moderator_locks_between_any_two_calls_stays_locked(
    guild: Guild, begin: Begin, nth: int, archived: bool
) -> None:
    """With the audit log: without it, a lock that comes within one call of housekeeping's own looks like that."""
    thread_id = await begin(archived=archived)
    locked: list[str] = []

    async def a_moderator_locks() -> None:
        thread = guild.discord.threads.get(thread_id)
        if thread is not None and not thread.locked:
            guild.people.edit_thread(thread_id, archived=False, locked=True)
            locked.append(thread_id)
            if archived:
                guild.people.archive(thread_id)

    counted(guild, nth, a_moderator_locks)
    await guild.reconcile()
    await more_runs(guild)
    assert (thread_id in guild.discord.threads) is bool(locked)
    if locked:
        assert guild.discord.threads[thread_id].locked


@pytest.mark.parametrize("locks", [True, False])
@pytest.mark.parametrize("audit_log", [True, False])
async def test_a_moderator_who_opens_what_a_dead_run_was_about_to_delete_keeps_it(
    guild: Guild, begin: Begin, audit_log: bool, locks: bool
) -> None:
    """If the moderator has locked it again, or nobody knows, the lock stays."""
    thread_id = await begin()
    if not audit_log:
        guild.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG)

    async def dies_once_it_has_begun() -> None:
        if "deleting_at" in guild.table.item("old"):
            guild.after_call = None
            raise Died

    guild.after_call = dies_once_it_has_begun
    with pytest.raises(Died):
        await guild.reconcile()
    guild.restart()
    await guild.wait(seconds=10)
    guild.people.edit_thread(thread_id, archived=False)
    if locks:
        guild.people.unlock(thread_id)
        guild.people.lock(thread_id)
    guild.people.archive(thread_id)
    await more_runs(guild)
    assert guild.discord.threads[thread_id].locked is (locks or not audit_log)
    assert not {"delete_marked_at", "deleting_at", "delete_locking_at"} & guild.table.item("old").keys()


@pytest.mark.parametrize("opens", [True, False])
@pytest.mark.parametrize("archived", [True, False])
@pytest.mark.parametrize("nth", CALLS)
async def test_a_run_that_dies_after_any_call_loses_nothing(
    guild: Guild, begin: Begin, nth: int, archived: bool, opens: bool
) -> None:
    thread_id = await begin(archived=archived)
    guild.calls.dies_after = nth
    try:
        await guild.reconcile()
    except Died:
        guild.restart()
    guild.calls.dies_after = None
    if not opens:
        await more_runs(guild)
        assert thread_id not in guild.discord.threads
        assert guild.table.item("old")["status"] == "vacant"
        return
    opened = await guild.open("old")
    assert living_ids(guild, "old") == [opened.thread_id]
    await more_runs(guild)
    assert living_ids(guild, "old") == [opened.thread_id]
    assert not guild.discord.threads[opened.thread_id].locked
    item = guild.table.item("old")
    assert not {"delete_marked_at", "deleting_at", "delete_locking_at"} & item.keys()


# Both stop: one of them after one of its calls, then the other one; then the first one goes on to its end, then the other.


class AtWork:
    """Who stops after one of its calls until it may go on."""

    current: ContextVar["AtWork"] = ContextVar("current")

    def __init__(self, work: Coroutine[Any, Any, Any], stops_after: int) -> None:
        self._work, self._calls_left = work, stops_after
        self._stands, self._may_go_on = asyncio.Event(), asyncio.Event()
        self.result: Any = None
        self.left_nothing = False  # to go on with when it stands: it has come to its end, or the thread is deleted

    async def begin(self) -> None:
        """Work until it stops, or to the end."""
        self._task = asyncio.ensure_future(self._do())
        await self._stands.wait()

    async def _do(self) -> None:
        AtWork.current.set(self)
        with suppress(DiscordUnavailable):  # it opened a thread whose deletion had just begun: "try again"
            self.result = await self._work
        self.left_nothing |= not self._stands.is_set()
        self._stands.set()

    async def end(self) -> None:
        self._may_go_on.set()
        await self._task

    async def after_call(self) -> None:
        self._calls_left -= 1
        if self._calls_left == 0:
            self._stands.set()
            await self._may_go_on.wait()


async def stop_who_is_at_work() -> None:
    if (at_work := AtWork.current.get(None)) is not None:
        await at_work.after_call()


@pytest.mark.parametrize("archived", [True, False])
@pytest.mark.parametrize("nth", CALLS_OF_OPENING)
@pytest.mark.parametrize("first", ["the open", "the run"])
def test_wherever_an_open_and_a_run_stop_nobody_is_led_to_a_thread_that_is_about_to_go(
    moments: Moments, first: str, nth: int, archived: bool
) -> None:
    """The open stops after its nth call, the run after each of its calls."""
    for nth_of_run in CALLS:
        with Guild(settings=DELETES, imported=False, may_unlock=True) as guild:
            an_open, a_run = AtWork(guild.open("old"), nth), AtWork(guild.reconcile(), nth_of_run)
            order = (an_open, a_run) if first == "the open" else (a_run, an_open)
            links = guild.run(work_in_order(guild, moments[archived, True], an_open, order))
        assert len({*links}) == 1, f"the run stopped after call {nth_of_run}: {links}"
        if order[0].left_nothing:
            return
    assert first == "the open", "a run makes more calls"


async def work_in_order(guild: Guild, moment: Moment, an_open: AtWork, order: tuple[AtWork, AtWork]) -> list[str]:
    """The links that were given then and later, and the living threads."""
    await moment.go_on(guild)
    guild.after_call, guild.after_every_call = stop_who_is_at_work, True
    for at_work in order:
        await at_work.begin()
        at_work.left_nothing |= not guild.discord.threads
    for at_work in order:
        await at_work.end()
    links = [] if an_open.result is None else [an_open.result.thread_id, (await guild.open("old")).thread_id]
    await more_runs(guild)
    links.append((await guild.open("old")).thread_id)
    assert differences(guild) == []
    assert not guild.discord.threads[links[-1]].locked
    return [*links, *living_ids(guild, "old")]


@pytest.mark.parametrize("seed", SEEDS)
async def test_opens_messages_and_runs_at_once_in_any_order(guild: Guild, begin: Begin, seed: int) -> None:
    chance = random.Random(seed)
    thread_id = await begin(archived=chance.random() < 0.7)
    links: list[str] = []
    refused: list[str] = []
    written: list[str] = []

    async def pause() -> None:
        await asyncio.sleep(chance.random() * chance.choice([0.2, 3.0]))

    async def somebody_opens() -> None:
        await asyncio.sleep(chance.random() * 12)
        try:
            links.append((await guild.open("old")).thread_id)
        except DiscordUnavailable:  # it was unlocked by this open, written in, and taken, all at once
            refused.append("old")

    async def a_member_writes() -> None:
        await asyncio.sleep(chance.random() * 12)
        thread = guild.discord.threads.get(thread_id)
        if thread is not None and not thread.locked:
            written.append(guild.people.post_message(thread_id, "still here"))

    guild.after_call, guild.after_every_call = pause, True
    acts = [somebody_opens() for _ in range(chance.randrange(3))]
    acts += [a_member_writes() for _ in range(chance.randrange(2))]
    await asyncio.gather(guild.reconcile(), guild.reconcile(), *acts)
    await more_runs(guild)
    assert written or not refused
    living = living_ids(guild, "old")
    assert len(living) <= 1
    assert set(links) <= set(living)
    assert set(written) <= {message.id for message in guild.discord.messages.values()}
    assert (await guild.open("old")).thread_id in living_ids(guild, "old")
    assert len(living_ids(guild, "old")) == 1
