"""What people do on Discord, and what the table says after the next run."""

from typing import Final

import pytest

from handler.store.items import Namesake
from tests.kit.guild import APPLICATION, Guild
from tests.kit.table_view import CHANNEL, GUILD
from tests.reconciler.differences import WITHOUT_AUDIT_LOG, differences

MAX_CHECKS: Final = 5
OTHER_CHANNEL: Final = "11"


# Strangers.


async def test_a_persons_thread_named_like_a_session_is_adopted(guild: Guild) -> None:
    thread_id = guild.people.create_thread(CHANNEL, "Session New One")
    assert await guild.reconcile() == {"Settle": 1}
    assert guild.table.item("new one")["discord_thread_id"] == thread_id
    assert await guild.reconcile() == {}


async def test_of_two_threads_of_one_name_the_other_is_noted_and_not_asked_for_again(guild: Guild) -> None:
    ours = (await guild.open("a")).thread_id
    other = guild.people.create_thread(CHANNEL, "Session a")
    assert await guild.reconcile() == {"Settle": 1}
    assert guild.table.item("a")["discord_thread_id"] == ours
    assert [i["sk"] for i in guild.table.of_kind("NAMESAKE#")] == [f"NAMESAKE#a#{other}"]
    assert await guild.reconcile() == {}
    guild.people.archive(other)
    assert await guild.reconcile() == {"UnwatchNamesake": 1, "AdvanceWatermark": 1}
    guild.people.unarchive(other)
    await guild.reconcile()
    assert await guild.reconcile() == {}, "it is watched again"
    guild.people.rename(other, "talk")
    assert await guild.reconcile() == {"RemoveNamesake": 1}


async def test_a_namesake_that_is_denied_once_is_still_found_by_a_look_up(guild: Guild) -> None:
    await guild.open("a")
    other = guild.people.create_thread(CHANNEL, "Session b: later")
    guild.people.rename(other, "Session a")
    await guild.reconcile()
    guild.people.auto_archive(other)
    guild.discord.report_missing_once(other)
    assert await guild.reconcile() == {"UnwatchNamesake": 1}
    assert await guild.store.namesakes.of_session(CHANNEL, "a") == [
        Namesake(parent_channel_id=CHANNEL, session_key="a", thread_id=other)
    ]


async def test_a_deleted_namesake_is_forgotten(guild: Guild) -> None:
    await guild.open("a")
    other = guild.people.create_thread(CHANNEL, "Session a")
    await guild.reconcile()
    guild.people.delete_thread(other)
    assert await guild.reconcile() == {"RemoveNamesake": 1}
    assert guild.table.of_kind("NAMESAKE#") == []


async def test_a_thread_given_another_sessions_name_stays_and_leads_there(guild: Guild) -> None:
    thread_id = (await guild.open("a")).thread_id
    await guild.reconcile()
    guild.people.rename(thread_id, "Session b")
    assert await guild.reconcile() == {"UpdateSession": 1, "AddNamesake": 1}
    assert guild.table.item("a")["thread_name"] == "Session b"
    assert (await guild.open("b")).thread_id == thread_id
    assert (await guild.open("a")).thread_id == thread_id
    assert len(guild.discord.threads) == 1
    assert await guild.reconcile() == {}


async def test_an_old_sessions_thread_that_is_opened_again_is_not_taken_for_a_stranger(guild: Guild) -> None:
    thread_id = (await guild.open("a")).thread_id
    guild.people.rename(thread_id, "login bug")
    guild.people.archive(thread_id)
    await guild.reconcile()
    await guild.wait(minutes=24 * 60)
    await guild.reconcile()
    guild.discord.switch(keep_audit_log=False)  # a message opened it: no entry
    guild.people.post_message(thread_id, "still there?")
    assert await guild.reconcile() == {"UpdateSession": 1}
    assert differences(guild) == []


async def test_a_thread_that_was_merged_is_ignored_whatever_it_is_called(guild: Guild) -> None:
    thread_id = guild.people.create_thread(CHANNEL, "Session a")
    guild.table.put(pk=f"THREAD#{thread_id}", sk="THREAD", merged_into="123")
    assert await guild.reconcile() == {}
    assert guild.table.of_kind("SESSION#") == []


async def test_in_a_channel_without_sessions_a_thread_is_noted_for_its_first_opener(guild: Guild) -> None:
    guild.discord.add_channel(GUILD, OTHER_CHANNEL)
    thread_id = guild.people.create_thread(OTHER_CHANNEL, "Session a")
    assert await guild.reconcile() == {"Settle": 1}
    assert guild.table.of_kind("SESSION#") == []
    assert [i["sk"] for i in guild.table.of_kind("NAMESAKE#")] == [f"NAMESAKE#a#{thread_id}"]
    assert await guild.reconcile() == {}
    assert (await guild.open("a", OTHER_CHANNEL)).thread_id == thread_id


# Archived, closed, locked.


async def test_a_closed_session_stays_closed_while_archived_and_opens_with_its_thread(guild: Guild) -> None:
    thread_id = (await guild.open("a")).thread_id
    guild.people.archive(thread_id)
    await guild.reconcile()
    guild.table.put(guild.table.item("a"), status="closed")
    assert await guild.reconcile() == {}
    guild.people.unarchive(thread_id)
    await guild.reconcile()
    assert guild.table.item("a")["status"] == "open"
    assert differences(guild) == []


@pytest.mark.parametrize("archived", [False, True])
async def test_the_audit_log_tells_who_locked(guild: Guild, archived: bool) -> None:
    thread_id = (await guild.open("a")).thread_id
    await guild.reconcile()
    people = guild.discord.people
    people.lock(thread_id, now=guild.now, by="8")
    people.unlock(thread_id, now=guild.now, by="8")
    people.edit_thread(thread_id, now=guild.now, by="9", locked=True, archived=archived)
    await guild.reconcile()
    assert guild.table.item("a")["locked_by"] == "9"
    assert differences(guild) == []
    people.edit_thread(thread_id, now=guild.now, by="9", locked=False, archived=False)
    await guild.reconcile()
    assert "locked_by" not in guild.table.item("a")


async def test_the_bots_own_lock_is_the_applications(guild: Guild) -> None:
    thread_id = (await guild.open("a")).thread_id
    guild.people.lock(thread_id, by=APPLICATION)
    await guild.reconcile()
    assert guild.table.item("a")["locked_by"] == APPLICATION


async def test_without_the_audit_log_nobody_is_made_up_as_who_locked(guild: Guild) -> None:
    thread_id = (await guild.open("a")).thread_id
    guild.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG)
    guild.people.lock(thread_id, by="8")
    await guild.reconcile()
    assert guild.table.item("a")["locked"] is True
    assert "locked_by" not in guild.table.item("a")


# The sweep.


async def test_the_sweep_comes_to_every_archived_session_in_turn(guild: Guild) -> None:
    names = [f"s{number}" for number in range(3 * MAX_CHECKS)]
    for name in names:
        guild.people.archive((await guild.open(name)).thread_id)
    await guild.reconcile()
    guild.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG)
    gone = names[-1]
    guild.people.delete_thread(guild.table.item(gone)["discord_thread_id"])
    ended = 0
    for _ in range(3):
        ended += (await guild.reconcile())["EndGeneration"]
        assert guild.calls.count("GET /channels/{channel_id}") <= MAX_CHECKS + 5  # and what an end needs
        await guild.wait(minutes=5)
    assert ended == 1
    assert guild.table.item(gone)["status"] == "vacant"


async def test_sessions_out_of_reach_do_not_stop_the_sweep(guild: Guild) -> None:
    guild.discord.add_channel(GUILD, OTHER_CHANNEL)
    for number in range(MAX_CHECKS + 2):
        guild.people.archive((await guild.open(f"h{number}", OTHER_CHANNEL)).thread_id)
    guild.people.archive((await guild.open("a")).thread_id)
    await guild.reconcile()
    guild.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG)
    guild.people.set_permissions(OTHER_CHANNEL, ())
    guild.people.delete_thread(guild.table.item("a")["discord_thread_id"])
    for _ in range(3):
        await guild.reconcile()
        await guild.wait(minutes=5)
    assert guild.table.item("a")["status"] == "vacant"


async def test_a_noted_thread_that_takes_a_third_name_finds_its_place_in_one_run(guild: Guild) -> None:
    await guild.open("a")
    other = guild.people.create_thread(CHANNEL, "Session a")
    await guild.reconcile()
    guild.people.rename(other, "Session b")
    assert await guild.reconcile() == {"RemoveNamesake": 1, "Settle": 1}
    assert guild.table.item("b")["discord_thread_id"] == other
    assert await guild.reconcile() == {}
