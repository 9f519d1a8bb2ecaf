"""A choice of the kept thread beside merges and opens, and a process that dies of it: one thread is the session's."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from handler.sessions.duplicates.choose import choose_kept
from handler.sessions.duplicates.find import find_duplicates
from handler.sessions.duplicates.merge import merge_duplicates
from handler.store.items import ChannelItem
from tests.kit.guild import Guild
from tests.kit.recorded_calls import Call
from tests.kit.table_view import CHANNEL, NAME

Act = Callable[[Guild], Coroutine[Any, Any, Any]]


async def channel(guild: Guild) -> ChannelItem:
    found = await guild.store.channels.get(CHANNEL)
    assert found is not None
    return found


async def make(guild: Guild) -> tuple[str, str]:
    """A session, and another thread of its name, which is noted as one."""
    own = (await guild.open()).thread_id
    other = guild.people.create_thread(CHANNEL, f"Session {NAME}")
    await find_duplicates(guild.context, await channel(guild))
    return own, other


async def choose(guild: Guild, thread_id: str) -> Any:
    return await choose_kept(guild.opener().sessions.context, await channel(guild), thread_id)


async def merge(guild: Guild) -> None:
    await merge_duplicates(guild.opener().sessions.context, await channel(guild))


async def reopen(guild: Guild) -> None:
    await guild.open(process=guild.opener())


def run(play: Callable[[Guild], Coroutine[Any, Any, None]]) -> None:
    with Guild() as guild:
        guild.run(play(guild))


async def check(guild: Guild, threads: set[str]) -> str:
    """After a merge exactly one of the threads is the session's, by the record and by the pointers."""
    await merge(guild)
    (thread,) = guild.living_threads()
    (merged,) = threads - {thread.id}
    assert guild.table.item()["discord_thread_id"] == thread.id
    assert guild.table.pointer(thread.id)["session_key"] == NAME
    assert guild.table.pointer(merged)["merged_into"] == thread.id
    assert set(guild.table.namesakes()) <= {thread.id}  # noted just before it was chosen, which harms nobody
    assert (await guild.open()).thread_id == thread.id
    return thread.id


@pytest.mark.parametrize("beside", [merge, reopen])
def test_a_choice_between_any_two_calls_of_another_process_leaves_one_kept_thread(beside: Act) -> None:
    kept = set()

    def at(number: int) -> int:
        passed = 0

        async def play(guild: Guild) -> None:
            own, other = await make(guild)
            if beside is reopen:
                guild.people.edit_thread(own, archived=True)

            async def meet() -> None:
                nonlocal passed
                passed += 1
                if passed == number:
                    guild.after_call = None
                    await choose(guild, other)

            guild.after_every_call, guild.after_call = True, meet
            await beside(guild)
            guild.after_call = None
            kept.add((await check(guild, {own, other})) == other)

        run(play)
        return passed

    number = 1
    while at(number) == number:
        number += 1
    assert number > 3
    assert True in kept


def test_after_a_death_of_the_choice_a_repeat_finishes_it() -> None:
    async def calls(guild: Guild) -> None:
        _, other = await make(guild)
        guild.calls.forget()
        assert await choose(guild, other) is not None
        seen.extend(guild.calls)

    seen: list[Call] = []
    run(calls)
    for call in seen:

        async def play(guild: Guild, call: Call = call) -> None:
            own, other = await make(guild)
            guild.restart()
            guild.calls.forget()
            guild.calls.dies_after = call
            await guild.death(choose(guild, other))
            await choose(guild, other)
            assert await check(guild, {own, other}) == other

        run(play)


def test_the_reconciler_leaves_a_choice_as_it_is() -> None:
    async def play(guild: Guild) -> None:
        own, other = await make(guild)
        await choose(guild, other)
        before = guild.table.items()
        assert not await guild.reconcile()
        assert [item for item in guild.table.items() if not item["pk"].startswith("GUILD")] == [
            item for item in before if not item["pk"].startswith("GUILD")
        ]
        assert {thread.id for thread in guild.living_threads()} == {own, other}

    run(play)
