"""What people do about a session that is to be deleted counts: a lock, an open, an opening by hand, at any moment."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import pytest

from handler.errors import DiscordUnavailable, ThreadLocked
from handler.sessions.model import Opened, OpenRequest, Requester
from handler.sessions.reconcile.housekeeping import HousekeepingSettings
from tests.kit.recorded_calls import Died
from tests.reconciler.ground import CHANNEL, GUILD, MODERATOR, NAMES, WITHOUT_AUDIT_LOG
from tests.reconciler.house import BETWEEN_RUNS, CLOSES, DAY_MINUTES, DELETES, House, housed

AFTER_A_DAY: Final = HousekeepingSettings.of(0, 1, "delete")
OFF: Final = HousekeepingSettings()
CALLS: Final = range(1, 10)  # more than a run makes that closes one session


async def opened_by_a_member(house: House, name: str = "old") -> Opened:
    return await house.sessions.open(
        OpenRequest(
            name=NAMES.parse(name),
            parent_channel_id=CHANNEL,
            requester=Requester(owner="a member's", user_id="9", may_unlock=False),
            guild_id=GUILD,
            kind=0,
        )
    )


def gated(house: House, when: Callable[[], bool], act: Callable[[], Awaitable[object]]) -> None:
    """Let `act` happen once, after the first call of a run after which `when` holds."""

    async def gate() -> None:
        if when():
            house.gate = None
            await act()

    house.gate = gate


async def dies() -> None:
    raise Died


async def left_after_the_take(house: House) -> None:
    """A run takes the mark and dies."""
    gated(house, lambda: "deleting_at" in house.item("old"), dies)
    with pytest.raises(Died):
        await house.steps()
    house.restart()
    assert "deleting_at" in house.item("old")


async def survives(house: House, thread_id: str, *, runs: int = 3) -> bool:
    for _ in range(runs):
        await house.steps()
        await house.between_runs()
    return house.lives(thread_id)


# A moderator's lock.


async def left_for_an_open(house: House, *, audit: bool) -> str:
    """A run notes that it will lock, and loses its mark to an open before it does; then a moderator locks the thread."""
    if not audit:
        house.discord.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG, now=house.now)
    thread_id = await house.idle()
    assert await house.steps() == {"Mark": 1}
    await house.between_runs()
    gated(house, lambda: "delete_locking_at" in house.item("old"), lambda: house.opened_elsewhere("old"))
    assert await house.steps() == {"housekeeping_lost": 1}
    assert house.gate is None
    await house.wait(minutes=1)
    house.discord.people.lock(thread_id, now=house.now, by=MODERATOR)
    await house.wait(minutes=1)
    return thread_id


@pytest.mark.parametrize("seen_by_a_run", [True, False])
@pytest.mark.parametrize("audit", [True, False])
@housed(DELETES)
async def test_a_moderators_lock_minutes_after_an_open_is_not_lifted_for_a_member(
    house: House, audit: bool, seen_by_a_run: bool
) -> None:
    thread_id = await left_for_an_open(house, audit=audit)
    if seen_by_a_run:
        await house.reconcile()
    with pytest.raises(ThreadLocked):
        await opened_by_a_member(house)
    assert house.discord.threads[thread_id].locked


@pytest.mark.parametrize("audit", [True, False])
@housed(DELETES)
async def test_a_moderators_lock_minutes_after_an_open_is_not_lifted_by_a_later_run(house: House, audit: bool) -> None:
    thread_id = await left_for_an_open(house, audit=audit)
    carried_out: list[str] = []
    for _ in range(3):
        await house.between_runs()
        carried_out += await house.steps()
    assert carried_out == ["ReleaseLock"]
    assert house.discord.threads[thread_id].locked
    assert "delete_locking_at" not in house.item("old")
    with pytest.raises(ThreadLocked):
        await opened_by_a_member(house)


# Opens at the last moment.


@housed(AFTER_A_DAY)
async def test_an_open_a_minute_before_the_day_is_over_keeps_the_thread(house: House) -> None:
    thread_id = (await house.open("old")).thread_id
    await house.reconcile()
    await house.wait(minutes=DAY_MINUTES - 1)
    assert await house.opened_elsewhere("old") == thread_id
    await house.wait(minutes=2)
    assert await survives(house, thread_id)
    await house.wait(minutes=DAY_MINUTES)
    assert not await survives(house, thread_id)


@pytest.mark.parametrize("slow_minutes", [0.05, 2.0])
@housed(DELETES)
async def test_while_a_slow_opener_is_about_to_delete_nobody_is_led_to_that_thread(
    house: House, slow_minutes: float
) -> None:
    """A run took the mark and died; an opener goes on with it and is slow between its last look and its deletion."""
    thread_id = await house.idle(archived=False)
    await house.steps()
    await house.between_runs()
    await left_after_the_take(house)
    await house.wait(minutes=20)
    is_slow, goes_on = asyncio.Event(), asyncio.Event()

    async def is_slow_here() -> None:
        is_slow.set()
        await goes_on.wait()

    house.calls.clear()
    house.gates_everybody = True
    gated(house, lambda: house.calls[-1] == "GET /channels/{channel_id}", is_slow_here)
    opener = asyncio.ensure_future(house.open("old"))
    await is_slow.wait()
    house.discord.people.edit_thread(thread_id, now=house.now, by=MODERATOR, archived=False, locked=False)
    house.post(thread_id)
    await house.steps()
    links: list[str] = []
    with suppress(DiscordUnavailable):  # a deletion is under way: try again
        links.append(await house.opened_elsewhere("old"))
    await house.wait(minutes=slow_minutes)
    goes_on.set()
    links.append((await opener).thread_id)
    assert house.living("old") == links
    assert house.item("old")["discord_thread_id"] == links[0]


@pytest.mark.parametrize("nth", CALLS)
@housed(CLOSES)
async def test_who_opens_a_session_that_is_being_closed_is_led_to_an_open_thread(house: House, nth: int) -> None:
    thread_id = await house.idle(archived=False)
    house.calls.clear()
    gated(house, lambda: len(house.calls) >= nth, lambda: house.opened_elsewhere("old"))
    await house.steps()
    if house.gate is not None:  # the run was over before
        house.gate = None
        await house.opened_elsewhere("old")
    for _ in range(2):
        assert house.item("old")["status"] == "open"
        assert not house.discord.threads[thread_id].archived
        await house.between_runs()
        assert await house.steps() == {}


# Openings by hand.


async def runs_for(house: House, minutes: float) -> None:
    for _ in range(int(minutes / BETWEEN_RUNS)):
        await house.between_runs()
        await house.reconcile()


@pytest.mark.parametrize("opens", [True, False])
@housed(DELETES)
async def test_an_opening_by_hand_is_not_forgotten_when_the_timer_archives_the_thread_again(
    house: House, opens: bool
) -> None:
    thread_id = await house.idle(days=29.9)
    house.discord.people.unarchive(thread_id, now=house.now)
    await runs_for(house, 200)
    if opens:
        assert await house.opened_elsewhere("old") == thread_id
        await house.wait(minutes=1)
    house.discord.people.auto_archive(thread_id, now=house.now)
    assert await survives(house, thread_id)
    await house.wait(minutes=31 * DAY_MINUTES)
    assert not await survives(house, thread_id)


@housed(DELETES)
async def test_an_old_thread_that_was_opened_by_hand_and_adopted_is_in_use(house: House) -> None:
    thread_id = house.person_makes("Session old")
    house.archive(thread_id)
    await house.reconcile()
    await house.wait(minutes=31 * DAY_MINUTES)
    house.discord.people.unarchive(thread_id, now=house.now)
    assert await house.opened_elsewhere("old") == thread_id
    await runs_for(house, 60)
    assert await house.opened_elsewhere("old") == thread_id
    await house.wait(minutes=1)
    house.discord.people.auto_archive(thread_id, now=house.now)
    assert await survives(house, thread_id)


@pytest.mark.parametrize("audit", [True, False])
@housed(DELETES)
async def test_a_moderator_who_opens_a_marked_thread_and_archives_it_again_keeps_it(house: House, audit: bool) -> None:
    if not audit:
        house.discord.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG, now=house.now)
    thread_id = await house.idle()
    assert await house.steps() == {"Mark": 1}
    await house.wait(minutes=2)
    house.discord.people.unarchive(thread_id, now=house.now, by=MODERATOR)
    await house.wait(minutes=1)
    house.archive(thread_id)
    await house.wait(minutes=2)
    assert await house.steps() == {"Unmark": 1}
    await house.between_runs()
    assert await survives(house, thread_id)
    assert not house.discord.threads[thread_id].locked


# A pause of housekeeping.


@housed(DELETES)
async def test_a_mark_from_before_a_pause_of_housekeeping_is_set_anew_before_anything_is_deleted(house: House) -> None:
    thread_id = await house.idle()
    assert await house.steps() == {"Mark": 1}
    first = house.item("old")["delete_marked_at"]
    house.wanted = OFF
    for _ in range(2):
        await house.wait(minutes=DAY_MINUTES)
        await house.steps()
    house.wanted = DELETES
    assert await house.steps() == {"Unmark": 1}
    await house.between_runs()
    assert await house.steps() == {"Mark": 1}
    assert house.item("old")["delete_marked_at"] > first
    assert house.lives(thread_id)
    await house.between_runs()
    assert await house.steps() == {"Delete": 1}
