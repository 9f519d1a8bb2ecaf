"""What people do about a session that is to be deleted counts: a lock, an open, an opening by hand, at any moment."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import pytest

from handler.errors import DiscordUnavailable, ThreadLocked
from handler.sessions.model import Opened
from tests.kit.guild import Guild
from tests.kit.recorded_calls import Died
from tests.kit.table_view import CHANNEL, GUILD
from tests.reconciler.differences import WITHOUT_AUDIT_LOG
from tests.reconciler.housekeeping import BETWEEN_RUNS, CLOSES, DAY_MINUTES, DELETES, housekeep, idle, living_ids

pytestmark = pytest.mark.guild(settings=DELETES)

AFTER_A_DAY: Final = {"DELETE_AFTER_DAYS": "1", "DELETE_MODE": "delete"}
CALLS: Final = range(1, 10)  # more than a run makes that closes one session


async def opened_by_a_member(guild: Guild, name: str = "old") -> Opened:
    return await guild.open(name, owner="a member's", user="9", may_unlock=False)


def interrupt(guild: Guild, when: Callable[[], bool], act: Callable[[], Awaitable[object]]) -> None:
    """Let `act` happen once, after the first call of a run after which `when` holds."""

    async def after_call() -> None:
        if when():
            guild.after_call = None
            await act()

    guild.after_call = after_call


async def dies() -> None:
    raise Died


async def left_after_the_take(guild: Guild) -> None:
    """A run takes the mark and dies."""
    interrupt(guild, lambda: "deleting_at" in guild.table.item("old"), dies)
    with pytest.raises(Died):
        await housekeep(guild)
    guild.restart()
    assert "deleting_at" in guild.table.item("old")


async def survives(guild: Guild, thread_id: str, *, runs: int = 3) -> bool:
    for _ in range(runs):
        await housekeep(guild)
        await guild.wait(minutes=BETWEEN_RUNS)
    return thread_id in guild.discord.threads


# A moderator's lock.


async def left_for_an_open(guild: Guild, *, audit: bool) -> str:
    """A run notes that it will lock, and loses its mark to an open before it does; then a moderator locks the thread."""
    if not audit:
        guild.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG)
    thread_id = await idle(guild)
    assert await housekeep(guild) == {"Mark": 1}
    await guild.wait(minutes=BETWEEN_RUNS)
    interrupt(guild, lambda: "delete_locking_at" in guild.table.item("old"), lambda: guild.open("old"))
    assert await housekeep(guild) == {"housekeeping_lost": 1}
    assert guild.after_call is None
    await guild.wait(minutes=1)
    guild.people.lock(thread_id)
    await guild.wait(minutes=1)
    return thread_id


@pytest.mark.parametrize("seen_by_a_run", [True, False])
@pytest.mark.parametrize("audit", [True, False])
async def test_a_moderators_lock_minutes_after_an_open_is_not_lifted_for_a_member(
    guild: Guild, audit: bool, seen_by_a_run: bool
) -> None:
    thread_id = await left_for_an_open(guild, audit=audit)
    if seen_by_a_run:
        await guild.reconcile()
    with pytest.raises(ThreadLocked):
        await opened_by_a_member(guild)
    assert guild.discord.threads[thread_id].locked


@pytest.mark.parametrize("audit", [True, False])
async def test_a_moderators_lock_minutes_after_an_open_is_not_lifted_by_a_later_run(guild: Guild, audit: bool) -> None:
    thread_id = await left_for_an_open(guild, audit=audit)
    carried_out: list[str] = []
    for _ in range(3):
        await guild.wait(minutes=BETWEEN_RUNS)
        carried_out += await housekeep(guild)
    assert carried_out == ["ReleaseLock"]
    assert guild.discord.threads[thread_id].locked
    assert "delete_locking_at" not in guild.table.item("old")
    with pytest.raises(ThreadLocked):
        await opened_by_a_member(guild)


@pytest.mark.parametrize("archived", [True, False])
async def test_a_moderator_who_unlocks_a_thread_right_after_housekeeping_locked_it_keeps_it(
    guild: Guild, archived: bool
) -> None:
    """Nothing but the thread itself tells of it: the bot may not read the audit log."""
    guild.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG)
    thread_id = await idle(guild, archived=archived)
    assert await housekeep(guild) == {"Mark": 1}
    await guild.wait(minutes=BETWEEN_RUNS)

    def is_locked() -> bool:
        thread = guild.discord.threads[thread_id]
        return thread.locked and thread.archived

    async def a_moderator_unlocks() -> None:
        guild.people.edit_thread(thread_id, archived=False, locked=False)

    interrupt(guild, is_locked, a_moderator_unlocks)
    assert await housekeep(guild) == {"housekeeping_lost": 1}
    assert guild.after_call is None
    assert thread_id in guild.discord.threads
    assert "delete_marked_at" not in guild.table.item("old")


# Opens at the last moment.


@pytest.mark.guild(settings=AFTER_A_DAY)
async def test_an_open_a_minute_before_the_day_is_over_keeps_the_thread(guild: Guild) -> None:
    thread_id = (await guild.open("old")).thread_id
    await guild.reconcile()
    await guild.wait(minutes=DAY_MINUTES - 1)
    assert (await guild.open("old")).thread_id == thread_id
    await guild.wait(minutes=2)
    assert await survives(guild, thread_id)
    await guild.wait(minutes=DAY_MINUTES)
    assert not await survives(guild, thread_id)


@pytest.mark.parametrize("slow_minutes", [0.05, 2.0])
async def test_while_a_slow_opener_is_about_to_delete_nobody_is_led_to_that_thread(
    guild: Guild, slow_minutes: float
) -> None:
    """A run took the mark and died; an opener goes on with it and is slow between its last look and its deletion."""
    thread_id = await idle(guild, archived=False)
    await housekeep(guild)
    await guild.wait(minutes=BETWEEN_RUNS)
    await left_after_the_take(guild)
    await guild.wait(minutes=20)
    is_slow, goes_on = asyncio.Event(), asyncio.Event()

    async def is_slow_here() -> None:
        is_slow.set()
        await goes_on.wait()

    guild.calls.forget()
    guild.after_every_call = True
    interrupt(guild, lambda: guild.calls.names[-1] == "GET /channels/{channel_id}", is_slow_here)
    opener = asyncio.ensure_future(guild.open("old"))
    await is_slow.wait()
    guild.people.edit_thread(thread_id, archived=False, locked=False)
    guild.people.post_message(thread_id, "still here")
    await housekeep(guild)
    links: list[str] = []
    with suppress(DiscordUnavailable):  # a deletion is under way: try again
        links.append((await guild.open("old")).thread_id)
    await guild.wait(minutes=slow_minutes)
    goes_on.set()
    links.append((await opener).thread_id)
    assert living_ids(guild, "old") == links
    assert guild.table.item("old")["discord_thread_id"] == links[0]


@pytest.mark.parametrize("nth", CALLS)
@pytest.mark.guild(settings=CLOSES)
async def test_who_opens_a_session_that_is_being_closed_is_led_to_an_open_thread(guild: Guild, nth: int) -> None:
    thread_id = await idle(guild, archived=False)
    guild.calls.forget()
    interrupt(guild, lambda: len(guild.calls) >= nth, lambda: guild.open("old"))
    await housekeep(guild)
    if guild.after_call is not None:  # the run was over before
        guild.after_call = None
        await guild.open("old")
    for _ in range(2):
        assert guild.table.item("old")["status"] == "open"
        assert not guild.discord.threads[thread_id].archived
        await guild.wait(minutes=BETWEEN_RUNS)
        assert (await housekeep(guild)).keys() <= {"ShowCard"}


# Openings by hand.


async def runs_for(guild: Guild, minutes: float) -> None:
    for _ in range(int(minutes / BETWEEN_RUNS)):
        await guild.wait(minutes=BETWEEN_RUNS)
        await guild.reconcile()


@pytest.mark.parametrize("opens", [True, False])
async def test_an_opening_by_hand_is_not_forgotten_when_the_timer_archives_the_thread_again(
    guild: Guild, opens: bool
) -> None:
    thread_id = await idle(guild, days=29.9)
    guild.people.unarchive(thread_id)
    await runs_for(guild, 200)
    if opens:
        assert (await guild.open("old")).thread_id == thread_id
        await guild.wait(minutes=1)
    guild.people.auto_archive(thread_id)
    assert await survives(guild, thread_id)
    await guild.wait(minutes=31 * DAY_MINUTES)
    assert not await survives(guild, thread_id)


async def test_an_old_thread_that_was_opened_by_hand_and_adopted_is_in_use(guild: Guild) -> None:
    thread_id = guild.people.create_thread(CHANNEL, "Session old")
    guild.people.archive(thread_id)
    await guild.reconcile()
    await guild.wait(minutes=31 * DAY_MINUTES)
    guild.people.unarchive(thread_id)
    assert (await guild.open("old")).thread_id == thread_id
    await runs_for(guild, 60)
    assert (await guild.open("old")).thread_id == thread_id
    await guild.wait(minutes=1)
    guild.people.auto_archive(thread_id)
    assert await survives(guild, thread_id)


@pytest.mark.parametrize("audit", [True, False])
async def test_a_moderator_who_opens_a_marked_thread_and_archives_it_again_keeps_it(guild: Guild, audit: bool) -> None:
    if not audit:
        guild.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG)
    thread_id = await idle(guild)
    assert await housekeep(guild) == {"Mark": 1}
    await guild.wait(minutes=2)
    guild.people.unarchive(thread_id)
    await guild.wait(minutes=1)
    guild.people.archive(thread_id)
    await guild.wait(minutes=2)
    assert await housekeep(guild) == {"Unmark": 1}
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await survives(guild, thread_id)
    assert not guild.discord.threads[thread_id].locked


# A pause of housekeeping.


async def test_a_mark_from_before_a_pause_of_housekeeping_is_set_anew_before_anything_is_deleted(guild: Guild) -> None:
    thread_id = await idle(guild)
    assert await housekeep(guild) == {"Mark": 1}
    first = guild.table.item("old")["delete_marked_at"]
    guild.settings = {}
    guild.restart()
    for _ in range(2):
        await guild.wait(minutes=DAY_MINUTES)
        await housekeep(guild)
    guild.settings = DELETES
    guild.restart()
    assert await housekeep(guild) == {"Unmark": 1}
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await housekeep(guild) == {"Mark": 1}
    assert guild.table.item("old")["delete_marked_at"] > first
    assert thread_id in guild.discord.threads
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await housekeep(guild) == {"Delete": 1}
