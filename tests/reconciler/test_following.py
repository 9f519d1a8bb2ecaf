"""What people do on Discord, and what the table says after the next run."""

from typing import Final

import pytest

from handler.sessions.reconcile.observe import SWEEP_PER_RUN
from handler.store.items import Namesake
from tests.reconciler.ground import APPLICATION, CHANNEL, GUILD, WITHOUT_AUDIT_LOG, Ground, grounded

OTHER_CHANNEL: Final = "11"


# Strangers.


@grounded
async def test_a_persons_thread_named_like_a_session_is_adopted(ground: Ground) -> None:
    thread_id = ground.person_makes("Session New One")
    assert await ground.reconcile() == {"Settle": 1}
    assert ground.item("new one")["discord_thread_id"] == thread_id
    assert await ground.reconcile() == {}


@grounded
async def test_of_two_threads_of_one_name_the_other_is_noted_and_not_asked_for_again(ground: Ground) -> None:
    ours = (await ground.open("a")).thread_id
    other = ground.person_makes("Session a")
    assert await ground.reconcile() == {"Settle": 1}
    assert ground.item("a")["discord_thread_id"] == ours
    assert [i["sk"] for i in ground.of_kind("NAMESAKE#")] == [f"NAMESAKE#a#{other}"]
    assert await ground.reconcile() == {}
    ground.archive(other)
    assert await ground.reconcile() == {"UnwatchNamesake": 1, "AdvanceWatermark": 1}
    ground.discord.people.unarchive(other, now=ground.now)
    await ground.reconcile()
    assert await ground.reconcile() == {}, "it is watched again"
    ground.rename(other, "talk")
    assert await ground.reconcile() == {"RemoveNamesake": 1}


@grounded
async def test_a_namesake_that_is_denied_once_is_still_found_by_a_look_up(ground: Ground) -> None:
    await ground.open("a")
    other = ground.person_makes("Session b: later")
    ground.rename(other, "Session a")
    await ground.reconcile()
    ground.discord.people.auto_archive(other, now=ground.now)
    ground.discord.report_missing_once(other)
    assert await ground.reconcile() == {"UnwatchNamesake": 1}
    assert await ground.store.namesakes.of_session(CHANNEL, "a") == [
        Namesake(parent_channel_id=CHANNEL, session_key="a", thread_id=other)
    ]


@grounded
async def test_a_deleted_namesake_is_forgotten(ground: Ground) -> None:
    await ground.open("a")
    other = ground.person_makes("Session a")
    await ground.reconcile()
    ground.delete(other)
    assert await ground.reconcile() == {"RemoveNamesake": 1}
    assert ground.of_kind("NAMESAKE#") == []


@grounded
async def test_a_thread_given_another_sessions_name_stays_and_leads_there(ground: Ground) -> None:
    thread_id = (await ground.open("a")).thread_id
    await ground.reconcile()
    ground.rename(thread_id, "Session b")
    assert await ground.reconcile() == {"UpdateSession": 1, "AddNamesake": 1}
    assert ground.item("a")["thread_name"] == "Session b"
    assert (await ground.open("b")).thread_id == thread_id
    assert (await ground.open("a")).thread_id == thread_id
    assert len(ground.discord.threads) == 1
    assert await ground.reconcile() == {}


@grounded
async def test_an_old_sessions_thread_that_is_opened_again_is_not_taken_for_a_stranger(ground: Ground) -> None:
    thread_id = (await ground.open("a")).thread_id
    ground.rename(thread_id, "login bug")
    ground.archive(thread_id)
    await ground.reconcile()
    await ground.wait(minutes=24 * 60)
    await ground.reconcile()
    ground.discord.switch(keep_audit_log=False)  # a message opened it: no entry
    ground.discord.people.post_message(thread_id, "still there?", now=ground.now)
    assert await ground.reconcile() == {"UpdateSession": 1}
    assert ground.differences() == []


@grounded
async def test_a_thread_that_was_merged_is_ignored_whatever_it_is_called(ground: Ground) -> None:
    thread_id = ground.person_makes("Session a")
    ground.put(pk=f"THREAD#{thread_id}", sk="THREAD", merged_into="123")
    assert await ground.reconcile() == {}
    assert ground.of_kind("SESSION#") == []


@grounded
async def test_in_a_channel_without_sessions_a_thread_is_noted_for_its_first_opener(ground: Ground) -> None:
    ground.discord.add_channel(GUILD, OTHER_CHANNEL)
    thread_id = ground.person_makes("Session a", OTHER_CHANNEL)
    assert await ground.reconcile() == {"Settle": 1}
    assert await ground.reconcile() == {}
    assert (await ground.open("a", OTHER_CHANNEL)).thread_id == thread_id


# Archived, closed, locked.


@grounded
async def test_a_closed_session_stays_closed_while_archived_and_opens_with_its_thread(ground: Ground) -> None:
    thread_id = (await ground.open("a")).thread_id
    ground.archive(thread_id)
    await ground.reconcile()
    ground.change(ground.item("a"), status="closed")
    assert await ground.reconcile() == {}
    ground.discord.people.unarchive(thread_id, now=ground.now)
    await ground.reconcile()
    assert ground.item("a")["status"] == "open"
    assert ground.differences() == []


@pytest.mark.parametrize("archived", [False, True])
@grounded
async def test_the_audit_log_tells_who_locked(ground: Ground, archived: bool) -> None:
    thread_id = (await ground.open("a")).thread_id
    await ground.reconcile()
    people = ground.discord.people
    people.lock(thread_id, now=ground.now, by="8")
    people.unlock(thread_id, now=ground.now, by="8")
    people.edit_thread(thread_id, now=ground.now, by="9", locked=True, archived=archived)
    await ground.reconcile()
    assert ground.item("a")["locked_by"] == "9"
    assert ground.differences() == []
    people.edit_thread(thread_id, now=ground.now, by="9", locked=False, archived=False)
    await ground.reconcile()
    assert "locked_by" not in ground.item("a")


@grounded
async def test_the_bots_own_lock_is_the_applications(ground: Ground) -> None:
    thread_id = (await ground.open("a")).thread_id
    ground.discord.people.lock(thread_id, now=ground.now, by=APPLICATION)
    await ground.reconcile()
    assert ground.item("a")["locked_by"] == APPLICATION


@grounded
async def test_without_the_audit_log_nobody_is_made_up_as_who_locked(ground: Ground) -> None:
    thread_id = (await ground.open("a")).thread_id
    ground.discord.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG, now=ground.now)
    ground.discord.people.lock(thread_id, now=ground.now, by="8")
    await ground.reconcile()
    assert ground.item("a")["locked"] is True
    assert "locked_by" not in ground.item("a")


# The sweep.


@grounded
async def test_the_sweep_comes_to_every_archived_session_in_turn(ground: Ground) -> None:
    names = [f"s{number}" for number in range(3 * SWEEP_PER_RUN)]
    for name in names:
        ground.archive((await ground.open(name)).thread_id)
    await ground.reconcile()
    ground.discord.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG, now=ground.now)
    gone = names[-1]
    ground.delete(ground.item(gone)["discord_thread_id"])
    ended = 0
    for _ in range(3):
        ended += (await ground.reconcile())["EndGeneration"]
        assert ground.asked("GET /channels/{channel_id}") <= SWEEP_PER_RUN + 5  # and what an end needs
        await ground.wait(minutes=5)
    assert ended == 1
    assert ground.item(gone)["status"] == "vacant"


@grounded
async def test_sessions_out_of_reach_do_not_stop_the_sweep(ground: Ground) -> None:
    ground.discord.add_channel(GUILD, OTHER_CHANNEL)
    for number in range(SWEEP_PER_RUN + 2):
        ground.archive((await ground.open(f"h{number}", OTHER_CHANNEL)).thread_id)
    ground.archive((await ground.open("a")).thread_id)
    await ground.reconcile()
    ground.discord.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG, now=ground.now)
    ground.discord.people.set_permissions(OTHER_CHANNEL, (), now=ground.now)
    ground.delete(ground.item("a")["discord_thread_id"])
    for _ in range(3):
        await ground.reconcile()
        await ground.wait(minutes=5)
    assert ground.item("a")["status"] == "vacant"


@grounded
async def test_a_noted_thread_that_takes_a_third_name_finds_its_place_in_one_run(ground: Ground) -> None:
    await ground.open("a")
    other = ground.person_makes("Session a")
    await ground.reconcile()
    ground.rename(other, "Session b")
    assert await ground.reconcile() == {"RemoveNamesake": 1, "Settle": 1}
    assert ground.item("b")["discord_thread_id"] == other
    assert await ground.reconcile() == {}
