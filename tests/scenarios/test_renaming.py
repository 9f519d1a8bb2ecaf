"""Threads are renamed on Discord: a session keeps its thread, whatever that is called."""

import pytest

from handler.sessions.model import Outcome
from tests.kit.guild import Guild
from tests.kit.recorded_calls import Call, Died


async def test_a_renamed_thread_is_reached_by_its_old_name_and_keeps_the_new_one(guild: Guild) -> None:
    first = await guild.open()
    guild.people.rename(first.thread_id, "Session 1a06a43: login bug")
    again = await guild.open()

    item = guild.table.item()
    assert (again.outcome, again.thread_id) == (Outcome.REUSED, first.thread_id)
    assert item["thread_name"] == "Session 1a06a43: login bug"
    assert [thread.name for thread in guild.discord.threads.values()] == ["Session 1a06a43: login bug"]


async def test_a_renamed_thread_is_reached_by_its_new_name_too(guild: Guild) -> None:
    first = await guild.open()
    guild.people.rename(first.thread_id, "Session login bug")
    by_new = await guild.open("login bug")

    assert (by_new.thread_id, by_new.by_new_name, by_new.session.session_key) == (first.thread_id, True, "1a06a43")
    assert by_new.outcome is Outcome.REUSED
    assert len(guild.discord.threads) == 1
    assert guild.table.item("login bug").get("status", "vacant") == "vacant"


async def test_the_new_name_still_leads_there_when_the_thread_is_archived(guild: Guild) -> None:
    first = await guild.open()
    guild.people.rename(first.thread_id, "Session login bug")
    guild.people.archive(first.thread_id)
    by_new = await guild.open("login bug")

    assert (by_new.thread_id, by_new.outcome) == (first.thread_id, Outcome.REOPENED)
    assert len(guild.discord.threads) == 1


async def test_a_new_name_that_has_a_thread_of_its_own_leads_to_that_one(guild: Guild) -> None:
    one, other = await guild.open("one"), await guild.open("other")
    guild.people.rename(one.thread_id, "Session other")

    assert (await guild.open("other")).thread_id == other.thread_id
    assert (await guild.open("one")).thread_id == one.thread_id
    assert len(guild.discord.threads) == 2


async def test_a_thread_renamed_back_is_reused_under_its_name(guild: Guild) -> None:
    first = await guild.open()
    guild.people.rename(first.thread_id, "Session login bug")
    await guild.open("login bug")
    guild.people.rename(first.thread_id, "Session 1a06a43")

    assert (await guild.open()).thread_id == first.thread_id
    other = await guild.open("login bug")
    assert other.thread_id != first.thread_id
    assert other.outcome is Outcome.CREATED
    assert [thread.id for thread in guild.living_threads("login bug")] == [other.thread_id]


async def test_two_names_swapped_keep_their_threads(guild: Guild) -> None:
    one, other = await guild.open("one"), await guild.open("other")
    guild.people.rename(one.thread_id, "Session other")
    guild.people.rename(other.thread_id, "Session one")

    assert (await guild.open("one")).thread_id == one.thread_id
    assert (await guild.open("other")).thread_id == other.thread_id


async def test_a_renamed_thread_that_was_deleted_gives_its_new_name_free(guild: Guild) -> None:
    first = await guild.open()
    guild.people.rename(first.thread_id, "Session login bug")
    await guild.open("login bug")
    guild.people.delete_thread(first.thread_id)

    again, other = await guild.open(), await guild.open("login bug")
    assert (again.outcome, other.outcome) == (Outcome.CREATED, Outcome.CREATED)
    assert again.thread_id != other.thread_id
    assert len(guild.discord.threads) == 2


async def test_a_renamed_threads_new_name_after_the_table_is_lost_adopts_it_once(guild: Guild) -> None:
    first = await guild.open()
    guild.people.rename(first.thread_id, "Session login bug")
    guild.table.lose_all()

    by_new = await guild.open("login bug")
    by_old = await guild.open()
    assert (by_new.outcome, by_new.thread_id) == (Outcome.ADOPTED, first.thread_id)
    assert (by_old.outcome, by_old.thread_id != first.thread_id) == (Outcome.CREATED, True)


@pytest.mark.guild(latency=0.2)
async def test_a_thread_renamed_before_it_is_committed_still_belongs_to_its_session(guild: Guild) -> None:
    guild.calls.dies_after = Call("discord", "POST /channels/{channel_id}/messages/{message_id}/threads")
    with pytest.raises(Died):
        await guild.open()
    (thread,) = guild.living_threads()
    guild.people.rename(thread.id, "Session login bug")
    guild.restart()
    await guild.wait(20)

    by_new = await guild.open("login bug")
    assert (by_new.thread_id, by_new.by_new_name) == (thread.id, True)
    assert (await guild.open()).thread_id == thread.id
    assert len(guild.discord.threads) == 1


async def test_one_thread_is_never_on_record_for_two_sessions(guild: Guild) -> None:
    first = await guild.open()
    guild.people.rename(first.thread_id, "Session two")
    await guild.open("two")
    guild.people.rename(first.thread_id, "Session three")
    await guild.open("three")
    await guild.open()

    having = [item["sk"] for item in guild.table.items() if item.get("discord_thread_id") == first.thread_id]
    assert having == ["SESSION#1a06a43"]
