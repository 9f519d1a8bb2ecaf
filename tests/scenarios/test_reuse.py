"""The session has its thread already."""

import pytest

from handler.errors import ThreadLocked
from handler.sessions.model import Opened, Outcome
from tests.kit.guild import APPLICATION, MEMBER, Guild
from tests.kit.table_view import CHANNEL, GUILD, NAME

CHANGE = "PATCH /channels/{channel_id}"
ANOTHER = "4"
ALL_BUT_MANAGE_THREADS = ["VIEW_CHANNEL", "SEND_MESSAGES", "READ_MESSAGE_HISTORY", "CREATE_PUBLIC_THREADS"]


def discord_calls(guild: Guild) -> list[str]:
    return guild.calls.of("discord")


async def opened_once(guild: Guild, **how: object) -> Opened:
    """The session has its thread; calls are counted from here."""
    opened = await guild.open()
    guild.calls.forget()
    return opened


@pytest.mark.guild(table="moto")
async def test_an_active_thread_is_linked_with_one_read_and_one_get_and_nothing_else(guild: Guild) -> None:
    first = await opened_once(guild)
    before = guild.everything()
    again = await guild.open(user=ANOTHER)

    assert (again.outcome, again.thread_id) == (Outcome.REUSED, first.thread_id)
    assert [str(call) for call in guild.calls] == ["dynamodb: GetItem #1", "discord: GET /channels/{channel_id} #1"]
    assert guild.everything() == before


async def test_a_plain_reuse_adds_nobody_to_the_thread(guild: Guild) -> None:
    await opened_once(guild)
    await guild.open(user=ANOTHER)

    (thread,) = guild.living_threads()
    assert not thread.has_member(ANOTHER)


async def test_an_archived_thread_is_unarchived_by_one_patch_and_the_requester_added(guild: Guild) -> None:
    first = await opened_once(guild)
    guild.people.auto_archive(first.thread_id)
    again = await guild.open(user=ANOTHER)

    (thread,) = guild.living_threads()
    item = guild.table.item()
    assert (again.outcome, again.unlocked) == (Outcome.REOPENED, False)
    assert (thread.id, thread.archived, thread.has_member(ANOTHER)) == (first.thread_id, False, True)
    assert discord_calls(guild).count(CHANGE) == 1
    assert (item["archived"], item["watch_guild_id"]) == (False, GUILD)


async def test_after_a_restart_the_same_thread_is_linked(guild: Guild) -> None:
    first = await opened_once(guild)
    await guild.wait(600)
    guild.restart()
    again = await guild.open()

    assert (again.outcome, again.thread_id) == (Outcome.REUSED, first.thread_id)
    assert len(guild.discord.threads) == 1
    assert len(guild.source_messages()) == 1


async def test_the_answer_tells_the_latest_activity_without_a_write(guild: Guild) -> None:
    first = await opened_once(guild)
    await guild.wait(60)
    guild.people.post_message(first.thread_id, "news")
    again = await guild.open()

    assert again.session.thread.last_activity_at == "2026-11-23T12:01:00.000Z"
    assert len(guild.calls.of("dynamodb")) == 1


async def test_however_long_a_session_was_idle_a_reuse_writes_nothing_where_old_ones_are_not_ended(
    guild: Guild,
) -> None:
    await opened_once(guild)
    await guild.days_pass(400)
    guild.calls.forget()
    await guild.open()

    assert guild.calls.of("dynamodb") == ["GetItem"]


@pytest.mark.parametrize("archived", [False, True], ids=["active", "archived"])
async def test_a_member_is_told_of_the_lock_with_the_link_and_nothing_is_changed_on_discord(
    guild: Guild, archived: bool
) -> None:
    first = await opened_once(guild)
    guild.people.edit_thread(first.thread_id, locked=True, archived=archived)
    before = guild.discord.fingerprint()
    error = await guild.refused(user=ANOTHER)

    assert isinstance(error, ThreadLocked)
    assert not error.retryable
    assert isinstance(error.opened, Opened)
    assert error.opened.thread_id == first.thread_id
    assert error.opened.session.thread.locked
    assert guild.discord.fingerprint() == before
    item = guild.table.item()
    assert (item["locked"], item["archived"], item["status"]) == (True, archived, "open")


@pytest.mark.parametrize("archived", [False, True], ids=["active", "archived"])
async def test_who_may_manage_threads_unlocks_and_unarchives_in_one_patch(guild: Guild, archived: bool) -> None:
    first = await opened_once(guild)
    guild.people.edit_thread(first.thread_id, locked=True, archived=archived)
    again = await guild.open(user=ANOTHER, may_unlock=True)

    (thread,) = guild.living_threads()
    assert (again.outcome, again.unlocked, again.thread_id) == (Outcome.REOPENED, True, first.thread_id)
    assert (thread.locked, thread.archived) == (False, False)
    assert discord_calls(guild).count(CHANGE) == 1


async def test_a_lock_that_this_app_had_placed_is_lifted_for_anybody_and_forgotten(guild: Guild) -> None:
    first = await opened_once(guild)
    guild.people.edit_thread(first.thread_id, locked=True, archived=True)
    item = guild.table.item()
    guild.table.put({**item, "locked": True, "archived": True, "locked_by": APPLICATION, "status": "closed"})
    again = await guild.open(user=ANOTHER)

    after = guild.table.item()
    assert (again.outcome, again.unlocked) == (Outcome.REOPENED, True)
    assert (after["status"], after["locked"], after.get("locked_by")) == ("open", False, None)


async def test_a_lock_of_somebody_else_stays_although_this_app_once_placed_one(guild: Guild) -> None:
    first = await opened_once(guild)
    guild.people.lock(first.thread_id)
    item = guild.table.item()
    guild.table.put({**item, "locked": True, "locked_by": MEMBER})

    assert (await guild.refused(user=ANOTHER)).kind == "locked"


async def test_a_program_unlocks_only_if_it_asks_for_it(guild: Guild) -> None:
    first = await opened_once(guild)
    guild.people.lock(first.thread_id)

    assert (await guild.refused(user=None, states_channel=False)).kind == "locked"
    assert (await guild.open(user=None, states_channel=False, may_unlock=True)).unlocked
    (thread,) = guild.living_threads()
    assert not thread.locked


@pytest.mark.guild(settings={"UNLOCK_POLICY": "everyone"})
async def test_under_the_policy_everyone_any_member_unlocks(guild: Guild) -> None:
    first = await opened_once(guild)
    guild.people.lock(first.thread_id)

    assert (await guild.open(user=ANOTHER)).unlocked


async def test_a_bot_without_manage_threads_names_it_instead_of_unlocking(guild: Guild) -> None:
    first = await opened_once(guild)
    guild.people.lock(first.thread_id)
    guild.people.set_permissions("10", ALL_BUT_MANAGE_THREADS)
    error = await guild.refused(user=None, may_unlock=True)

    assert error.public()["permissions"] == ["MANAGE_THREADS"]
    item = guild.table.item()
    assert item["discord_thread_id"] == first.thread_id


async def test_opening_a_closed_session_reopens_it(guild: Guild) -> None:
    first = await opened_once(guild)
    guild.people.archive(first.thread_id)
    item = guild.table.item()
    guild.table.put({**item, "status": "closed", "archived": True})
    again = await guild.open(user=ANOTHER)

    after = guild.table.item()
    assert (again.outcome, again.session.status.value, after["status"]) == (Outcome.REOPENED, "open", "open")
    assert again.thread_id == first.thread_id


async def test_a_closed_session_whose_thread_is_active_is_open_again(guild: Guild) -> None:
    await opened_once(guild)
    item = guild.table.item()
    guild.table.put({**item, "status": "closed"})

    assert (await guild.open()).session.status.value == "open"


async def test_lost_access_keeps_the_mapping(guild: Guild) -> None:
    first = await opened_once(guild)
    guild.people.set_permissions("10", [])
    before = guild.table.items()

    assert (await guild.refused()).kind == "missing_access"
    assert guild.table.items() == before
    guild.people.set_permissions("10", 1 << 10)
    assert (await guild.open()).thread_id == first.thread_id


async def test_one_lying_404_changes_nothing(guild: Guild) -> None:
    first = await opened_once(guild)
    guild.discord.report_missing_once(first.thread_id)
    again = await guild.open()

    assert again.thread_id == first.thread_id
    assert not again.after_deletion
    item = guild.table.item()
    assert (item["discord_thread_id"], item["generation"]) == (first.thread_id, 1)


@pytest.mark.guild(active_thread_limit=1)
async def test_a_full_guild_keeps_an_archived_thread_on_record(guild: Guild) -> None:
    first = await opened_once(guild)
    guild.people.archive(first.thread_id)
    guild.people.create_thread(CHANNEL, "a talk")

    error = await guild.refused()
    assert (error.kind, error.retryable) == ("too_many_threads", True)
    item = guild.table.item(NAME)
    assert item["discord_thread_id"] == first.thread_id
