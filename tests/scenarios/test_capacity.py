"""A server that is full of active threads: the idlest session of the bot's own makes room, and nothing of anybody else's."""

import pytest

from handler.errors import TooManyThreads
from handler.sessions.opening import capacity
from infra.simulator.faults import error
from tests.kit.guild import Guild
from tests.kit.table_view import CHANNEL

LIMIT = 4


def archived(guild: Guild, name: str) -> bool:
    (thread,) = guild.living_threads(name)
    return thread.archived


async def fill(guild: Guild, *names: str) -> None:
    """Sessions that were last used an hour apart, the first one longest ago; then the server is full."""
    for name in names:
        await guild.open(name)
        await guild.wait(minutes=61)
    guild.discord.switch(active_thread_limit=len(names))


async def test_in_a_full_server_a_new_session_takes_the_place_of_the_idlest_one(guild: Guild) -> None:
    await fill(guild, "a", "b", "c")
    await guild.open("new")
    assert [archived(guild, name) for name in ("a", "b", "c", "new")] == [True, False, False, False]
    item = guild.table.item("a")
    assert (item["status"], item["archived"]) == ("open", True)
    assert (await guild.open("a")).outcome == "reopened"
    assert [archived(guild, name) for name in ("a", "b", "c", "new")] == [False, True, False, False]


async def test_an_archived_session_is_reopened_in_a_full_server(guild: Guild) -> None:
    await guild.open("old")
    guild.people.archive(guild.living_threads("old")[0].id)
    await fill(guild, "a", "b")
    assert (await guild.open("old")).outcome == "reopened"
    assert [archived(guild, name) for name in ("old", "a", "b")] == [False, True, False]


@pytest.mark.guild(kind=15)
async def test_in_a_full_server_a_new_post_takes_the_place_of_the_idlest_one(guild: Guild) -> None:
    await fill(guild, "a", "b")
    assert (await guild.open("new")).outcome == "created"
    assert [archived(guild, name) for name in ("a", "b", "new")] == [True, False, False]


async def test_a_session_that_is_kept_or_waits_for_an_answer_is_not_archived(guild: Guild) -> None:
    await fill(guild, "kept", "waiting", "c")
    guild.table.put(guild.table.item("kept"), keep=True)
    guild.table.put(guild.table.item("waiting"), waiting_since=guild.now)
    await guild.open("new")
    assert [archived(guild, name) for name in ("kept", "waiting", "c")] == [False, False, True]


@pytest.mark.parametrize("adopted", [False, True])
async def test_a_persons_thread_is_never_archived(guild: Guild, adopted: bool) -> None:
    guild.people.create_thread(CHANNEL, "Session theirs")
    if adopted:
        await guild.open("theirs")
    await guild.wait(minutes=61)
    guild.discord.switch(active_thread_limit=1)
    assert isinstance(await guild.refused("new"), TooManyThreads)
    assert not archived(guild, "theirs")
    assert not guild.source_messages()


async def test_a_thread_of_the_bots_that_no_session_has_or_a_moderator_locked_is_left_alone(guild: Guild) -> None:
    await fill(guild, "lost", "locked")
    guild.table.lose(guild.table.item("lost"), guild.table.pointer(guild.living_threads("lost")[0].id))
    guild.people.lock(guild.living_threads("locked")[0].id)
    assert isinstance(await guild.refused("new"), TooManyThreads)
    assert [archived(guild, name) for name in ("lost", "locked")] == [False, False]


async def test_a_session_that_was_used_in_the_last_hour_is_not_archived(guild: Guild) -> None:
    await guild.open("a")
    await guild.wait(minutes=59)
    guild.discord.switch(active_thread_limit=1)
    refused = await guild.refused("new")
    assert "Archive some, then try again" in refused.message
    assert not archived(guild, "a")


async def test_one_open_archives_one_session_at_most(guild: Guild, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(guild, "a", "b", "c")
    guild.discord.switch(active_thread_limit=1)
    monkeypatch.setattr(capacity, "NEAR_LIMIT", 1)  # room is made before Discord refuses, and not enough
    assert isinstance(await guild.refused("new"), TooManyThreads)
    assert [archived(guild, name) for name in ("a", "b", "c")] == [True, False, False]


async def test_a_message_at_the_last_moment_keeps_its_thread_open(guild: Guild) -> None:
    await fill(guild, "a")
    (thread,) = guild.living_threads("a")

    async def somebody_writes() -> None:
        if any(call.startswith("GET /guilds") for call in guild.calls.names[-1:]) and len(guild.calls) > 5:
            guild.people.post_message(thread.id)

    guild.after_call, guild.after_every_call = somebody_writes, True
    guild.calls.forget()
    assert isinstance(await guild.refused("new"), TooManyThreads)
    guild.after_call = None
    assert not archived(guild, "a")


async def test_near_the_limit_room_is_made_before_discord_refuses_and_without_another_list(
    guild: Guild, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(guild, "a", "b", "c")
    guild.discord.switch(active_thread_limit=1000)
    monkeypatch.setattr(capacity, "NEAR_LIMIT", LIMIT)
    guild.calls.forget()
    await guild.open("d")
    assert guild.calls.count("GET /guilds/{guild_id}/threads/active") == 1
    assert not archived(guild, "a")
    await guild.wait(minutes=61)
    guild.calls.forget()
    await guild.open("new")
    assert guild.calls.count("GET /guilds/{guild_id}/threads/active") == 1
    assert [archived(guild, name) for name in ("a", "b", "c", "d", "new")] == [True, False, False, False, False]


async def test_an_open_far_from_the_limit_archives_nothing_and_asks_for_nothing_more(guild: Guild) -> None:
    await guild.open("a")
    await guild.wait(minutes=61)
    await guild.open("b")
    assert not archived(guild, "a")


async def test_a_fault_while_room_is_made_is_told_as_too_many_threads(guild: Guild) -> None:
    await fill(guild, "a")
    guild.discord.faults.inject("PATCH", "/channels/{channel_id}", error(403, 50013, "Missing Permissions"))
    assert isinstance(await guild.refused("new"), TooManyThreads)
    assert not archived(guild, "a")


async def test_a_death_after_any_call_leaves_one_thread_for_the_next_open(guild: Guild) -> None:
    deaths = 0
    while True:
        for name in (f"a{deaths}",):
            await guild.open(name)
        await guild.wait(minutes=61)
        active = [t for t in guild.discord.threads.values() if not t.archived]
        guild.discord.switch(active_thread_limit=len(active))
        guild.calls.forget()
        guild.calls.dies_after = deaths + 1
        work = guild.open(f"n{deaths}")
        try:
            await guild.death(work)
        except AssertionError:
            break
        guild.discord.switch(active_thread_limit=1000)
        await guild.wait(seconds=20)
        await guild.open(f"n{deaths}")
        assert len(guild.living_threads(f"n{deaths}")) == 1
        deaths += 1
    assert deaths > 10
