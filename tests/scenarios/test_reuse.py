"""The session has its thread already."""

import pytest

from handler.errors import ThreadLocked
from handler.sessions.model import Opened, Outcome
from tests.kit.stage import APPLICATION, MEMBER, Stage, staged
from tests.kit.table_view import GUILD, NAME

CHANGE = "PATCH /channels/{channel_id}"
MEMBERS = "PUT /channels/{channel_id}/thread-members/{user_id}"
ANOTHER = "4"
ALL_BUT_MANAGE_THREADS = ["VIEW_CHANNEL", "SEND_MESSAGES", "READ_MESSAGE_HISTORY", "CREATE_PUBLIC_THREADS"]


def discord_calls(stage: Stage) -> list[str]:
    return [call.what for call in stage.calls if call.wire == "discord"]


async def opened_once(stage: Stage, **how: object) -> Opened:
    """The session has its thread; calls are counted from here."""
    opened = await stage.open()
    stage.forget()
    return opened


@staged()
async def test_an_active_thread_is_linked_with_one_read_and_one_get_and_nothing_else(stage: Stage) -> None:
    first = await opened_once(stage)
    before = stage.everything()
    again = await stage.open(user=ANOTHER)

    assert (again.outcome, again.thread_id) == (Outcome.REUSED, first.thread_id)
    assert [str(call) for call in stage.calls] == ["dynamodb: GetItem #1", "discord: GET /channels/{channel_id} #1"]
    assert stage.everything() == before


@staged()
async def test_a_plain_reuse_adds_nobody_to_the_thread(stage: Stage) -> None:
    await opened_once(stage)
    await stage.open(user=ANOTHER)

    (thread,) = stage.living_threads()
    assert not thread.has_member(ANOTHER)


@staged()
async def test_an_archived_thread_is_unarchived_by_one_patch_and_the_requester_added(stage: Stage) -> None:
    first = await opened_once(stage)
    stage.discord.people.auto_archive(first.thread_id, now=stage.now)
    again = await stage.open(user=ANOTHER)

    (thread,) = stage.living_threads()
    item = stage.item()
    assert item is not None
    assert (again.outcome, again.unlocked) == (Outcome.REOPENED, False)
    assert (thread.id, thread.archived, thread.has_member(ANOTHER)) == (first.thread_id, False, True)
    assert discord_calls(stage).count(CHANGE) == 1
    assert (item["archived"], item["watch_guild_id"]) == (False, GUILD)


@staged()
async def test_after_a_restart_the_same_thread_is_linked(stage: Stage) -> None:
    first = await opened_once(stage)
    await stage.wait(600)
    stage.restart()
    again = await stage.open()

    assert (again.outcome, again.thread_id) == (Outcome.REUSED, first.thread_id)
    assert len(stage.discord.threads) == 1
    assert len(stage.source_messages()) == 1


@staged()
async def test_the_answer_tells_the_latest_activity_without_a_write(stage: Stage) -> None:
    first = await opened_once(stage)
    await stage.wait(60)
    stage.discord.people.post_message(first.thread_id, "news", now=stage.now)
    again = await stage.open()

    assert again.session.thread.last_activity_at == "2026-11-23T12:01:00.000Z"
    assert stage.count("dynamodb") == 1


@staged()
async def test_however_long_a_session_was_idle_a_reuse_writes_nothing_where_old_ones_are_not_ended(
    stage: Stage,
) -> None:
    await opened_once(stage)
    await stage.days_pass(400)
    stage.forget()
    await stage.open()

    assert [call.what for call in stage.calls if call.wire == "dynamodb"] == ["GetItem"]


@pytest.mark.parametrize("archived", [False, True], ids=["active", "archived"])
@staged()
async def test_a_member_is_told_of_the_lock_with_the_link_and_nothing_is_changed_on_discord(
    stage: Stage, archived: bool
) -> None:
    first = await opened_once(stage)
    stage.discord.people.edit_thread(first.thread_id, now=stage.now, locked=True, archived=archived)
    before = stage.discord.fingerprint()
    error = await stage.refused(user=ANOTHER)

    assert isinstance(error, ThreadLocked)
    assert not error.retryable
    assert isinstance(error.opened, Opened)
    assert error.opened.thread_id == first.thread_id
    assert error.opened.session.thread.locked
    assert stage.discord.fingerprint() == before
    item = stage.item()
    assert item is not None
    assert (item["locked"], item["archived"], item["status"]) == (True, archived, "open")


@pytest.mark.parametrize("archived", [False, True], ids=["active", "archived"])
@staged()
async def test_who_may_manage_threads_unlocks_and_unarchives_in_one_patch(stage: Stage, archived: bool) -> None:
    first = await opened_once(stage)
    stage.discord.people.edit_thread(first.thread_id, now=stage.now, locked=True, archived=archived)
    again = await stage.open(user=ANOTHER, may_unlock=True)

    (thread,) = stage.living_threads()
    assert (again.outcome, again.unlocked, again.thread_id) == (Outcome.REOPENED, True, first.thread_id)
    assert (thread.locked, thread.archived) == (False, False)
    assert discord_calls(stage).count(CHANGE) == 1


@staged()
async def test_a_lock_that_this_app_had_placed_is_lifted_for_anybody_and_forgotten(stage: Stage) -> None:
    first = await opened_once(stage)
    stage.discord.people.edit_thread(first.thread_id, now=stage.now, locked=True, archived=True)
    item = stage.item()
    assert item is not None
    stage.put_item({**item, "locked": True, "archived": True, "locked_by": APPLICATION, "status": "closed"})
    again = await stage.open(user=ANOTHER)

    after = stage.item()
    assert after is not None
    assert (again.outcome, again.unlocked) == (Outcome.REOPENED, True)
    assert (after["status"], after["locked"], after.get("locked_by")) == ("open", False, None)


@staged()
async def test_a_lock_of_somebody_else_stays_although_this_app_once_placed_one(stage: Stage) -> None:
    first = await opened_once(stage)
    stage.discord.people.lock(first.thread_id, now=stage.now)
    item = stage.item()
    assert item is not None
    stage.put_item({**item, "locked": True, "locked_by": MEMBER})

    assert (await stage.refused(user=ANOTHER)).kind == "locked"


@staged()
async def test_a_program_unlocks_only_if_it_asks_for_it(stage: Stage) -> None:
    first = await opened_once(stage)
    stage.discord.people.lock(first.thread_id, now=stage.now)

    assert (await stage.refused(user=None, told=False)).kind == "locked"
    assert (await stage.open(user=None, told=False, may_unlock=True)).unlocked
    (thread,) = stage.living_threads()
    assert not thread.locked


@staged(unlock_policy="everyone")
async def test_under_the_policy_everyone_any_member_unlocks(stage: Stage) -> None:
    first = await opened_once(stage)
    stage.discord.people.lock(first.thread_id, now=stage.now)

    assert (await stage.open(user=ANOTHER)).unlocked


@staged()
async def test_a_bot_without_manage_threads_names_it_instead_of_unlocking(stage: Stage) -> None:
    first = await opened_once(stage)
    stage.discord.people.lock(first.thread_id, now=stage.now)
    stage.discord.people.set_permissions("10", ALL_BUT_MANAGE_THREADS, now=stage.now)
    error = await stage.refused(user=None, may_unlock=True)

    assert error.public()["permissions"] == ["MANAGE_THREADS"]
    item = stage.item()
    assert item is not None
    assert item["discord_thread_id"] == first.thread_id


@staged()
async def test_opening_a_closed_session_reopens_it(stage: Stage) -> None:
    first = await opened_once(stage)
    stage.discord.people.archive(first.thread_id, now=stage.now)
    item = stage.item()
    assert item is not None
    stage.put_item({**item, "status": "closed", "archived": True})
    again = await stage.open(user=ANOTHER)

    after = stage.item()
    assert after is not None
    assert (again.outcome, again.session.status.value, after["status"]) == (Outcome.REOPENED, "open", "open")
    assert again.thread_id == first.thread_id


@staged()
async def test_a_closed_session_whose_thread_is_active_is_open_again(stage: Stage) -> None:
    await opened_once(stage)
    item = stage.item()
    assert item is not None
    stage.put_item({**item, "status": "closed"})

    assert (await stage.open()).session.status.value == "open"


@staged()
async def test_lost_access_keeps_the_mapping(stage: Stage) -> None:
    first = await opened_once(stage)
    stage.discord.people.set_permissions("10", [], now=stage.now)
    before = stage.items()

    assert (await stage.refused()).kind == "missing_access"
    assert stage.items() == before
    stage.discord.people.set_permissions("10", 1 << 10, now=stage.now)
    assert (await stage.open()).thread_id == first.thread_id


@staged()
async def test_one_lying_404_changes_nothing(stage: Stage) -> None:
    first = await opened_once(stage)
    stage.discord.report_missing_once(first.thread_id)
    again = await stage.open()

    assert again.thread_id == first.thread_id
    assert not again.anew
    item = stage.item()
    assert item is not None
    assert (item["discord_thread_id"], item["generation"]) == (first.thread_id, 1)


@staged(active_thread_limit=1)
async def test_a_full_guild_keeps_an_archived_thread_on_record(stage: Stage) -> None:
    first = await opened_once(stage)
    stage.discord.people.archive(first.thread_id, now=stage.now)
    stage.person_makes("a talk")

    error = await stage.refused()
    assert (error.kind, error.retryable) == ("too_many_threads", True)
    item = stage.item(NAME)
    assert item is not None
    assert item["discord_thread_id"] == first.thread_id
