"""Threads are renamed on Discord: a session keeps its thread, whatever that is called."""

import pytest

from handler.sessions.model import Outcome
from tests.kit.journal import Call, Died
from tests.kit.stage import Stage, staged


@staged()
async def test_a_renamed_thread_is_reached_by_its_old_name_and_keeps_the_new_one(stage: Stage) -> None:
    first = await stage.open()
    stage.discord.people.rename(first.thread_id, "Session 1a06a43: login bug", now=stage.now)
    again = await stage.open()

    item = stage.item()
    assert item is not None
    assert (again.outcome, again.thread_id) == (Outcome.REUSED, first.thread_id)
    assert item["thread_name"] == "Session 1a06a43: login bug"
    assert [thread.name for thread in stage.discord.threads.values()] == ["Session 1a06a43: login bug"]


@staged()
async def test_a_renamed_thread_is_reached_by_its_new_name_too(stage: Stage) -> None:
    first = await stage.open()
    stage.discord.people.rename(first.thread_id, "Session login bug", now=stage.now)
    by_new = await stage.open("login bug")

    assert (by_new.thread_id, by_new.by_new_name, by_new.session.session_key) == (first.thread_id, True, "1a06a43")
    assert by_new.outcome is Outcome.REUSED
    assert len(stage.discord.threads) == 1
    item = stage.item("login bug")
    assert item is None or item["status"] == "vacant"


@staged()
async def test_the_new_name_still_leads_there_when_the_thread_is_archived(stage: Stage) -> None:
    first = await stage.open()
    stage.discord.people.rename(first.thread_id, "Session login bug", now=stage.now)
    stage.discord.people.archive(first.thread_id, now=stage.now)
    by_new = await stage.open("login bug")

    assert (by_new.thread_id, by_new.outcome) == (first.thread_id, Outcome.REOPENED)
    assert len(stage.discord.threads) == 1


@staged()
async def test_a_new_name_that_has_a_thread_of_its_own_leads_to_that_one(stage: Stage) -> None:
    one, other = await stage.open("one"), await stage.open("other")
    stage.discord.people.rename(one.thread_id, "Session other", now=stage.now)

    assert (await stage.open("other")).thread_id == other.thread_id
    assert (await stage.open("one")).thread_id == one.thread_id
    assert len(stage.discord.threads) == 2


@staged()
async def test_a_thread_renamed_back_is_reused_under_its_name(stage: Stage) -> None:
    first = await stage.open()
    stage.discord.people.rename(first.thread_id, "Session login bug", now=stage.now)
    await stage.open("login bug")
    stage.discord.people.rename(first.thread_id, "Session 1a06a43", now=stage.now)

    assert (await stage.open()).thread_id == first.thread_id
    other = await stage.open("login bug")
    assert other.thread_id != first.thread_id
    assert other.outcome is Outcome.CREATED
    assert [thread.id for thread in stage.living_threads("login bug")] == [other.thread_id]


@staged()
async def test_two_names_swapped_keep_their_threads(stage: Stage) -> None:
    one, other = await stage.open("one"), await stage.open("other")
    stage.discord.people.rename(one.thread_id, "Session other", now=stage.now)
    stage.discord.people.rename(other.thread_id, "Session one", now=stage.now)

    assert (await stage.open("one")).thread_id == one.thread_id
    assert (await stage.open("other")).thread_id == other.thread_id


@staged()
async def test_a_renamed_thread_that_was_deleted_gives_its_new_name_free(stage: Stage) -> None:
    first = await stage.open()
    stage.discord.people.rename(first.thread_id, "Session login bug", now=stage.now)
    await stage.open("login bug")
    stage.discord.people.delete_thread(first.thread_id, now=stage.now)

    again, other = await stage.open(), await stage.open("login bug")
    assert (again.outcome, other.outcome) == (Outcome.CREATED, Outcome.CREATED)
    assert again.thread_id != other.thread_id
    assert len(stage.discord.threads) == 2


@staged()
async def test_a_renamed_threads_new_name_after_the_table_is_lost_adopts_it_once(stage: Stage) -> None:
    first = await stage.open()
    stage.discord.people.rename(first.thread_id, "Session login bug", now=stage.now)
    stage.lose_table()

    by_new = await stage.open("login bug")
    by_old = await stage.open()
    assert (by_new.outcome, by_new.thread_id) == (Outcome.ADOPTED, first.thread_id)
    assert (by_old.outcome, by_old.thread_id != first.thread_id) == (Outcome.CREATED, True)


@staged(latency=0.2)
async def test_a_thread_renamed_before_it_is_committed_still_belongs_to_its_session(stage: Stage) -> None:
    stage.dies_after = Call("discord", "POST /channels/{channel_id}/messages/{message_id}/threads")
    with pytest.raises(Died):
        await stage.open()
    (thread,) = stage.living_threads()
    stage.discord.people.rename(thread.id, "Session login bug", now=stage.now)
    stage.restart()
    await stage.wait(20)

    by_new = await stage.open("login bug")
    assert (by_new.thread_id, by_new.by_new_name) == (thread.id, True)
    assert (await stage.open()).thread_id == thread.id
    assert len(stage.discord.threads) == 1


@staged()
async def test_one_thread_is_never_on_record_for_two_sessions(stage: Stage) -> None:
    first = await stage.open()
    stage.discord.people.rename(first.thread_id, "Session two", now=stage.now)
    await stage.open("two")
    stage.discord.people.rename(first.thread_id, "Session three", now=stage.now)
    await stage.open("three")
    await stage.open()

    having = [item["sk"] for item in stage.items() if item.get("discord_thread_id") == first.thread_id]
    assert having == ["SESSION#1a06a43"]
