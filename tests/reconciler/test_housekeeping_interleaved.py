"""Deletions between everything else: what happens between any two of their calls, and what dies after any of them."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from handler.errors import DiscordUnavailable
from tests.kit.guild import Guild
from tests.kit.recorded_calls import Died
from tests.kit.table_view import GUILD
from tests.reconciler.differences import WITHOUT_AUDIT_LOG, differences
from tests.reconciler.housekeeping import BETWEEN_RUNS, DELETES, housekeep, idle, living_ids

pytestmark = pytest.mark.guild(settings=DELETES)

CALLS: Final = range(1, 40)  # more than a run makes that deletes one thread
SEEDS: Final = range(60)
MORE_RUNS: Final = 4  # after all that happened: whoever was to be led astray would be by then


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


async def marked(guild: Guild, *, archived: bool = True) -> str:
    thread_id = await idle(guild, archived=archived)
    assert await housekeep(guild) == {"Mark": 1}
    await guild.wait(minutes=BETWEEN_RUNS)
    return thread_id


async def more_runs(guild: Guild) -> None:
    guild.after_call = None
    for _ in range(MORE_RUNS):
        await guild.wait(minutes=BETWEEN_RUNS)
        await guild.reconcile()


@pytest.mark.parametrize("archived", [True, False])
@pytest.mark.parametrize("nth", CALLS)
async def test_an_open_between_any_two_calls_is_led_to_a_thread_that_stays(
    guild: Guild, nth: int, archived: bool
) -> None:
    await marked(guild, archived=archived)
    links: list[str] = []

    async def somebody_opens() -> None:
        links.append((await guild.open("old")).thread_id)

    happened = counted(guild, nth, somebody_opens)
    await guild.reconcile()
    if not happened:
        links.append((await guild.open("old")).thread_id)
    await more_runs(guild)
    assert living_ids(guild, "old") == links
    assert not guild.discord.threads[links[0]].locked
    assert (await guild.open("old")).thread_id == links[0]
    assert differences(guild) == []


@pytest.mark.parametrize("nth", CALLS)
async def test_an_open_between_any_two_calls_of_the_first_run_is_led_to_a_thread_that_stays(
    guild: Guild, nth: int
) -> None:
    thread_id = await idle(guild, archived=False)
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
async def test_what_a_member_writes_between_any_two_calls_is_not_lost(guild: Guild, nth: int, archived: bool) -> None:
    thread_id = await marked(guild, archived=archived)
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
async def test_a_moderator_who_unlocks_between_any_two_calls_loses_no_message(guild: Guild, nth: int) -> None:
    thread_id = await marked(guild)
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
    guild: Guild, nth: int, archived: bool
) -> None:
    """With the audit log: without it, a lock that comes within one call of housekeeping's own looks like that."""
    thread_id = await marked(guild, archived=archived)
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
    guild: Guild, audit_log: bool, locks: bool
) -> None:
    """If the moderator has locked it again, or nobody knows, the lock stays."""
    if not audit_log:
        guild.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG)
    thread_id = await marked(guild)

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
    guild: Guild, nth: int, archived: bool, opens: bool
) -> None:
    thread_id = await marked(guild, archived=archived)
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


@pytest.mark.parametrize("seed", SEEDS)
async def test_opens_messages_and_runs_at_once_in_any_order(guild: Guild, seed: int) -> None:
    chance = random.Random(seed)
    thread_id = await marked(guild, archived=chance.random() < 0.7)
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
