"""Deletions between everything else: what happens between any two of their calls, and what dies after any of them."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from handler.errors import DiscordUnavailable
from tests.kit import virtual_time
from tests.kit.recorded_calls import Died
from tests.reconciler.ground import MODERATOR
from tests.reconciler.house import BETWEEN_RUNS, DELETES, House, housed, play

CALLS: Final = range(1, 40)  # more than a run makes that deletes one thread
SEEDS: Final = range(60)
MORE_RUNS: Final = 4  # after all that happened: whoever was to be led astray would be by then


def counted(house: House, nth: int, act: Callable[[], Awaitable[None]]) -> list[int]:
    """Let `act` happen after the nth call of a run; what is returned is not empty once it has."""
    happened: list[int] = []
    calls = [0]

    async def gate() -> None:
        calls[0] += 1
        if calls[0] == nth and not happened:
            happened.append(nth)
            await act()

    house.gate = gate
    return happened


async def marked(house: House, *, archived: bool = True) -> str:
    thread_id = await house.idle(archived=archived)
    assert await house.steps() == {"Mark": 1}
    await house.between_runs()
    return thread_id


async def more_runs(house: House) -> None:
    house.gate = None
    for _ in range(MORE_RUNS):
        await house.wait(minutes=BETWEEN_RUNS)
        await house.reconcile()


@pytest.mark.parametrize("archived", [True, False])
@pytest.mark.parametrize("nth", CALLS)
@housed(DELETES)
async def test_an_open_between_any_two_calls_is_led_to_a_thread_that_stays(
    house: House, nth: int, archived: bool
) -> None:
    await marked(house, archived=archived)
    links: list[str] = []

    async def somebody_opens() -> None:
        links.append(await house.opened_elsewhere("old"))

    happened = counted(house, nth, somebody_opens)
    await house.reconcile()
    if not happened:
        links.append(await house.opened_elsewhere("old"))
    await more_runs(house)
    assert house.living("old") == links
    assert not house.discord.threads[links[0]].locked
    assert (await house.open("old")).thread_id == links[0]
    assert house.differences() == []


@pytest.mark.parametrize("nth", CALLS)
@housed(DELETES)
async def test_an_open_between_any_two_calls_of_the_first_run_is_led_to_a_thread_that_stays(
    house: House, nth: int
) -> None:
    thread_id = await house.idle(archived=False)
    links: list[str] = []

    async def somebody_opens() -> None:
        links.append(await house.opened_elsewhere("old"))

    happened = counted(house, nth, somebody_opens)
    await house.reconcile()
    await more_runs(house)
    assert house.lives(thread_id) is bool(happened)
    assert all(house.lives(link) for link in links)


@pytest.mark.parametrize("archived", [True, False])
@pytest.mark.parametrize("nth", CALLS)
@housed(DELETES)
async def test_what_a_member_writes_between_any_two_calls_is_not_lost(house: House, nth: int, archived: bool) -> None:
    thread_id = await marked(house, archived=archived)
    written: list[str] = []

    async def a_member_writes() -> None:
        thread = house.discord.threads.get(thread_id)
        if thread is not None and not thread.locked:
            written.append(house.post(thread_id))

    counted(house, nth, a_member_writes)
    await house.reconcile()
    await more_runs(house)
    messages = {message.id for message in house.discord.messages.values()}
    assert set(written) <= messages
    assert house.lives(thread_id) is bool(written)
    if written:
        assert not house.discord.threads[thread_id].locked


@pytest.mark.parametrize("nth", CALLS)
@housed(DELETES)
async def test_a_moderator_who_unlocks_between_any_two_calls_loses_no_message(house: House, nth: int) -> None:
    thread_id = await marked(house)
    written: list[str] = []

    async def a_moderator_writes() -> None:
        thread = house.discord.threads.get(thread_id)
        if thread is not None and house.calls[-1:] != ["GET /channels/{channel_id}"]:  # that look is the last one
            house.discord.people.edit_thread(thread_id, now=house.now, by=MODERATOR, archived=False, locked=False)
            written.append(house.post(thread_id))

    counted(house, nth, a_moderator_writes)
    await house.reconcile()
    await more_runs(house)
    assert set(written) <= {message.id for message in house.discord.messages.values()}
    assert house.lives(thread_id) is bool(written)
    if written:
        assert (await house.open("old")).thread_id == thread_id


@pytest.mark.parametrize("opens", [True, False])
@pytest.mark.parametrize("archived", [True, False])
@pytest.mark.parametrize("nth", CALLS)
@housed(DELETES)
async def test_a_run_that_dies_after_any_call_loses_nothing(
    house: House, nth: int, archived: bool, opens: bool
) -> None:
    thread_id = await marked(house, archived=archived)
    house.dies_after = nth
    try:
        await house.reconcile()
    except Died:
        house.restart()
    house.dies_after = None
    if not opens:
        await more_runs(house)
        assert not house.lives(thread_id)
        assert house.item("old")["status"] == "vacant"
        return
    opened = await house.open("old")
    assert house.living("old") == [opened.thread_id]
    await more_runs(house)
    assert house.living("old") == [opened.thread_id]
    assert not house.discord.threads[opened.thread_id].locked
    item = house.item("old")
    assert not {"delete_marked_at", "deleting_at", "delete_locking_at"} & item.keys()


@pytest.mark.parametrize("seed", SEEDS)
def test_opens_messages_and_runs_at_once_in_any_order(seed: int) -> None:
    virtual_time.run(play(DELETES, lambda house: _at_random(house, random.Random(seed))))


async def _at_random(house: House, dice: random.Random) -> None:
    thread_id = await marked(house, archived=dice.random() < 0.7)
    links: list[str] = []
    refused: list[str] = []
    written: list[str] = []

    async def pause() -> None:
        await asyncio.sleep(dice.random() * dice.choice([0.2, 3.0]))

    async def somebody_opens() -> None:
        await asyncio.sleep(dice.random() * 12)
        try:
            links.append(await house.opened_elsewhere("old"))
        except DiscordUnavailable:  # it was unlocked by this open, written in, and taken, all at once
            refused.append("old")

    async def a_member_writes() -> None:
        await asyncio.sleep(dice.random() * 12)
        thread = house.discord.threads.get(thread_id)
        if thread is not None and not thread.locked:
            written.append(house.post(thread_id))

    house.gate, house.gates_everybody = pause, True
    acts = [somebody_opens() for _ in range(dice.randrange(3))]
    acts += [a_member_writes() for _ in range(dice.randrange(2))]
    await asyncio.gather(house.reconcile(), house.reconcile(), *acts)
    await more_runs(house)
    assert written or not refused
    living = house.living("old")
    assert len(living) <= 1
    assert set(links) <= set(living)
    assert set(written) <= {message.id for message in house.discord.messages.values()}
    assert (await house.open("old")).thread_id in house.living("old")
    assert len(house.living("old")) == 1
