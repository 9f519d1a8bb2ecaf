"""Housekeeping from end to end: what becomes of old sessions, and that nobody loses anything by it."""

import pytest

from handler.errors import RateLimited
from infra.simulator.refusals import too_many_requests
from tests.kit.guild import MEMBER, MODERATOR, Guild
from tests.kit.table_view import CHANNEL, GUILD
from tests.reconciler.differences import WITHOUT_AUDIT_LOG, differences
from tests.reconciler.housekeeping import (
    ARCHIVES,
    BETWEEN_RUNS,
    CLOSES,
    DAY_MINUTES,
    DELETES,
    housekeep,
    idle,
    living_ids,
)

pytestmark = pytest.mark.guild(settings=DELETES)


@pytest.mark.guild(settings={})
async def test_nothing_is_done_to_old_sessions_unless_it_is_asked_for(guild: Guild) -> None:
    thread_id = await idle(guild, days=400, archived=False)
    for _ in range(3):
        assert await housekeep(guild) == {}
        await guild.wait(minutes=BETWEEN_RUNS)
    assert not guild.discord.threads[thread_id].archived


# IdleArchiveHours


@pytest.mark.guild(settings=ARCHIVES)
async def test_an_idle_thread_is_archived_with_a_reason_and_written_down(guild: Guild) -> None:
    thread_id = await idle(guild, days=1.1, archived=False)
    assert await housekeep(guild) == {"Archive": 1}
    assert guild.discord.threads[thread_id].archived
    item = guild.table.item("old")
    assert (item["status"], item["archived"], "watch_guild_id" in item) == ("open", True, False)
    (entry,) = [e for e in guild.discord.state.audit.get(GUILD) or () if e.action == 111]
    assert "IdleArchiveHours" in str(entry.reason)
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await housekeep(guild) == {}
    assert differences(guild) == []


@pytest.mark.guild(settings=ARCHIVES)
async def test_a_thread_with_a_message_of_today_is_not_idle(guild: Guild) -> None:
    thread_id = await idle(guild, days=2, archived=False)
    guild.people.post_message(thread_id, "still here")
    await guild.wait(minutes=DAY_MINUTES - 1)
    assert await housekeep(guild) == {}
    await guild.wait(minutes=2)
    assert await housekeep(guild) == {"Archive": 1}


@pytest.mark.guild(settings=ARCHIVES)
async def test_an_archived_thread_that_was_opened_again_is_not_idle_for_another_while(guild: Guild) -> None:
    await idle(guild, days=3)
    thread_id = (await guild.open("old")).thread_id
    await guild.wait(minutes=DAY_MINUTES / 2)
    assert await housekeep(guild) == {}
    assert not guild.discord.threads[thread_id].archived


@pytest.mark.guild(settings=ARCHIVES)
async def test_a_message_in_the_very_moment_of_archiving_opens_the_thread_again(guild: Guild) -> None:
    thread_id = await idle(guild, days=2, archived=False)

    async def post_after_the_list() -> None:
        guild.after_call = None
        guild.people.post_message(thread_id, "still here")

    async def wait_for_the_list() -> None:
        if guild.calls.names[-1] == "GET /guilds/{guild_id}/threads/active":
            await post_after_the_list()

    guild.after_call = wait_for_the_list
    assert await housekeep(guild) == {"housekeeping_lost": 1}
    assert not guild.discord.threads[thread_id].archived


@pytest.mark.guild(settings=ARCHIVES)
async def test_a_run_is_complete_before_housekeeping_fails(guild: Guild) -> None:
    await idle(guild, days=2, archived=False)
    guild.people.rename(guild.people.create_thread(CHANNEL, "talk"), "more talk")
    guild.discord.faults.inject("PATCH", "/channels/{channel_id}", too_many_requests(1.0))
    with pytest.raises(RateLimited):
        await guild.reconcile()
    assert guild.table.guild()["audit_watermark"] == guild.discord.state.audit[GUILD][-1].id


# DeleteAfterDays, archive


@pytest.mark.guild(settings=CLOSES)
async def test_an_old_session_is_closed_and_an_open_reopens_it(guild: Guild) -> None:
    thread_id = await idle(guild)
    assert await housekeep(guild) == {"Close": 1}
    assert guild.table.item("old")["status"] == "closed"
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await housekeep(guild) == {}
    opened = await guild.open("old")
    assert (opened.thread_id, opened.outcome, opened.session.status) == (thread_id, "reopened", "open")
    assert await housekeep(guild) == {}


@pytest.mark.guild(settings=CLOSES)
async def test_an_old_session_whose_thread_is_active_is_archived_and_closed(guild: Guild) -> None:
    thread_id = await idle(guild, archived=False)
    assert await housekeep(guild) == {"Close": 1}
    assert guild.discord.threads[thread_id].archived
    assert guild.table.item("old")["status"] == "closed"
    assert differences(guild) == []


# DeleteAfterDays, delete


async def test_an_old_session_is_deleted_over_two_runs_and_opened_anew(guild: Guild) -> None:
    thread_id = await idle(guild)
    assert await housekeep(guild) == {"Mark": 1}
    assert thread_id in guild.discord.threads
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await housekeep(guild) == {"Delete": 1}
    assert thread_id not in guild.discord.threads
    item = guild.table.item("old")
    assert (item["status"], item["generation"]) == ("vacant", 2)
    assert not {"delete_marked_at", "deleting_at", "discord_thread_id"} & item.keys()
    assert [i for i in guild.table.items() if i["pk"] == f"THREAD#{thread_id}"] == []
    assert [m for m in guild.discord.messages.values() if m.id == thread_id] == []
    opened = await guild.open("old")
    assert opened.outcome == "created"
    assert living_ids(guild, "old") == [opened.thread_id]


async def test_an_old_session_whose_thread_is_active_is_deleted_too(guild: Guild) -> None:
    thread_id = await idle(guild, archived=False)
    assert await housekeep(guild) == {"Mark": 1}
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await housekeep(guild) == {"Delete": 1}
    assert thread_id not in guild.discord.threads


async def test_a_young_session_is_left_alone(guild: Guild) -> None:
    await idle(guild, days=29)
    for _ in range(3):
        assert await housekeep(guild) == {}
        await guild.wait(minutes=BETWEEN_RUNS)


async def test_a_closed_session_is_deleted_so_long_after_it_was_closed_whatever_was_said_before(guild: Guild) -> None:
    thread_id = await idle(guild, days=1)
    guild.table.put(guild.table.item("old"), status="closed", card_state="closed")
    await guild.wait(minutes=28 * DAY_MINUTES)
    assert await housekeep(guild) == {}
    await guild.wait(minutes=1.1 * DAY_MINUTES)
    assert await housekeep(guild) == {"Mark": 1}
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await housekeep(guild) == {"Delete": 1}
    assert thread_id not in guild.discord.threads


async def test_two_runs_in_one_moment_do_not_delete(guild: Guild) -> None:
    thread_id = await idle(guild)
    assert await housekeep(guild) == {"Mark": 1}
    assert await housekeep(guild) == {}
    assert thread_id in guild.discord.threads


async def test_a_message_between_the_two_runs_keeps_the_thread(guild: Guild) -> None:
    thread_id = await idle(guild)
    await housekeep(guild)
    message_id = guild.people.post_message(thread_id, "still here")
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await housekeep(guild) == {"Unmark": 1}
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await housekeep(guild) == {}
    assert message_id in [m.id for m in guild.discord.messages.values()]
    assert "delete_marked_at" not in guild.table.item("old")


async def test_an_open_between_the_two_runs_clears_the_mark_and_counts_as_activity(guild: Guild) -> None:
    thread_id = await idle(guild)
    await housekeep(guild)
    opened = await guild.open("old")
    assert (opened.thread_id, opened.outcome) == (thread_id, "reopened")
    assert "delete_marked_at" not in guild.table.item("old")
    for _ in range(3):
        await guild.wait(minutes=BETWEEN_RUNS)
        assert await housekeep(guild) == {}
    await guild.wait(minutes=31 * DAY_MINUTES)
    assert await housekeep(guild) == {"Mark": 1}


async def test_an_open_before_the_first_run_counts_as_activity_even_where_it_found_nothing_to_do(guild: Guild) -> None:
    thread_id = await idle(guild, archived=False)
    assert (await guild.open("old")).outcome == "reused"
    for _ in range(3):
        assert await housekeep(guild) == {}
        await guild.wait(minutes=BETWEEN_RUNS)
    assert thread_id in guild.discord.threads


async def test_a_moderator_who_writes_in_the_locked_thread_keeps_it(guild: Guild) -> None:
    thread_id = await idle(guild)
    await housekeep(guild)
    await guild.wait(minutes=BETWEEN_RUNS)
    written: list[str] = []

    async def write_after_the_take() -> None:
        if not written and "deleting_at" in guild.table.item("old"):
            guild.people.edit_thread(thread_id, archived=False, locked=False)
            written.append(guild.people.post_message(thread_id, "still here"))

    guild.after_call = write_after_the_take
    assert await housekeep(guild) == {"housekeeping_lost": 1}
    guild.after_call = None
    assert written[0] in [m.id for m in guild.discord.messages.values()]
    await guild.wait(minutes=BETWEEN_RUNS)
    await housekeep(guild)
    await guild.wait(minutes=BETWEEN_RUNS)
    await housekeep(guild)
    opened = await guild.open("old")
    assert opened.thread_id == thread_id
    item = guild.table.item("old")
    assert not {"delete_marked_at", "deleting_at", "delete_locking_at"} & item.keys()


# Threads that are not the bot's to delete


@pytest.mark.parametrize("opened", [True, False])
@pytest.mark.parametrize("archived", [True, False])
async def test_a_thread_that_a_person_started_is_closed_and_never_deleted(
    guild: Guild, archived: bool, opened: bool
) -> None:
    await guild.open("first")
    thread_id = guild.people.create_thread(CHANNEL, "Session old", by=MEMBER)
    await guild.reconcile()
    assert guild.table.item("old")["discord_thread_id"] == thread_id  # adopted
    if opened:
        assert (await guild.open("old")).thread_id == thread_id
    if archived:
        guild.people.auto_archive(thread_id)
    await guild.reconcile()
    await guild.wait(days=31)
    for _ in range(4):
        await guild.wait(minutes=BETWEEN_RUNS)
        await guild.reconcile()
    assert guild.discord.threads[thread_id].archived
    assert guild.table.item("old")["status"] == "closed"
    assert guild.table.item("first")["status"] == "vacant"
    await guild.wait(days=31)
    assert await housekeep(guild) == {}
    assert thread_id in guild.discord.threads


@pytest.mark.parametrize("settings", [WITHOUT_AUDIT_LOG, None])
@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("archives", [True, False])
async def test_a_thread_that_a_moderator_locked_is_kept_with_its_lock(
    guild: Guild, archives: bool, marked: bool, settings: list[str] | None
) -> None:
    if settings is not None:
        guild.people.set_permissions(GUILD, settings)
    thread_id = await idle(guild, archived=False)
    if marked:
        assert await housekeep(guild) == {"Mark": 1}
        await guild.wait(minutes=BETWEEN_RUNS)
    guild.people.lock(thread_id)
    if archives:
        guild.people.archive(thread_id)
    assert await housekeep(guild) == {"Unmark" if marked else "Close": 1}
    for _ in range(4):
        await guild.wait(minutes=BETWEEN_RUNS)
        await guild.reconcile()
    assert guild.discord.threads[thread_id].locked
    assert guild.table.item("old")["status"] == "closed"
    assert guild.table.item("old").get("locked_by") == (None if settings else MODERATOR)


async def test_a_thread_whose_lock_was_lifted_is_deleted_after_all(guild: Guild) -> None:
    thread_id = await idle(guild, archived=False)
    guild.people.lock(thread_id)
    assert await housekeep(guild) == {"Close": 1}
    guild.people.edit_thread(thread_id, archived=False, locked=False)
    guild.people.archive(thread_id)
    await guild.reconcile()
    await guild.wait(days=31)
    assert await housekeep(guild) == {"Mark": 1}
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await housekeep(guild) == {"Delete": 1}
    assert thread_id not in guild.discord.threads


@pytest.mark.guild(bot="999")
async def test_an_old_applications_bot_deletes_what_it_started_and_nothing_else(guild: Guild) -> None:
    """The bot's user id differs from the application's."""
    thread_id = await idle(guild)
    persons = guild.people.create_thread(CHANNEL, "Session else", by=MEMBER)
    guild.people.auto_archive(persons)
    await guild.wait(days=31)
    for _ in range(4):
        await guild.reconcile()
        await guild.wait(minutes=BETWEEN_RUNS)
    assert thread_id not in guild.discord.threads
    assert persons in guild.discord.threads


@pytest.mark.parametrize("archived", [True, False])
async def test_no_run_deletes_more_than_five_threads(guild: Guild, archived: bool) -> None:
    """Active ones all come up in each run: only this bound holds them back."""
    names = [f"old {number}" for number in range(7)]
    for name in names:
        await idle(guild, name, days=0, archived=archived)
    await guild.wait(days=31)
    deleted = []
    for _ in range(5):
        deleted.append((await guild.reconcile())["Delete"])
        await guild.wait(minutes=BETWEEN_RUNS)
    assert [number for number in deleted if number] == [5, 2]
    assert all(guild.table.item(name)["status"] == "vacant" for name in names)


async def test_a_thread_that_may_not_be_locked_is_kept_and_does_not_hold_up_the_others(guild: Guild) -> None:
    await idle(guild)
    guild.discord.add_channel(GUILD, "11")
    other = (await guild.open("other", "11")).thread_id
    guild.people.auto_archive(other)
    guild.people.set_permissions("10", ["VIEW_CHANNEL", "READ_MESSAGE_HISTORY"])
    await guild.wait(minutes=31 * DAY_MINUTES)
    counts = [await guild.reconcile()]
    for _ in range(3):
        await guild.wait(minutes=BETWEEN_RUNS)
        counts.append(await guild.reconcile())
    assert sum(c["housekeeping_failed"] for c in counts) >= 1
    assert sum(c["failed"] for c in counts) == 0
    assert other not in guild.discord.threads
    assert living_ids(guild, "old") == [guild.table.item("old")["discord_thread_id"]]


async def test_deleting_works_without_the_audit_log(guild: Guild) -> None:
    guild.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG)
    thread_id = await idle(guild)
    assert await housekeep(guild) == {"Mark": 1}
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await housekeep(guild) == {"Delete": 1}
    assert thread_id not in guild.discord.threads


# keep


async def kept(guild: Guild, name: str = "kept") -> str:
    thread_id = (await guild.open(name)).thread_id
    guild.table.put(guild.table.item(name), keep=True)
    await guild.reconcile()
    await guild.wait(minutes=DAY_MINUTES)
    return thread_id


@pytest.mark.guild(settings=ARCHIVES)
async def test_a_kept_thread_that_discords_timer_archived_is_opened_again(guild: Guild) -> None:
    thread_id = await kept(guild)
    guild.people.auto_archive(thread_id)
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await housekeep(guild) == {"Reopen": 1}
    assert not guild.discord.threads[thread_id].archived
    assert differences(guild) == []
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await housekeep(guild) == {}


@pytest.mark.guild(settings={})
async def test_a_kept_thread_that_a_person_archived_stays_archived(guild: Guild) -> None:
    thread_id = await kept(guild)
    guild.people.archive(thread_id)
    for _ in range(3):
        await guild.wait(minutes=BETWEEN_RUNS)
        assert "Reopen" not in await housekeep(guild)
    assert guild.discord.threads[thread_id].archived
    assert guild.table.item("kept")["archived"] is True


@pytest.mark.guild(settings={})
async def test_who_archived_long_ago_and_opened_again_does_not_count(guild: Guild) -> None:
    thread_id = await kept(guild)
    guild.people.archive(thread_id)
    await guild.wait(minutes=10)
    guild.people.unarchive(thread_id)
    await guild.wait(minutes=60)
    guild.people.auto_archive(thread_id)
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await housekeep(guild) == {"Reopen": 1}


@pytest.mark.guild(settings={})
async def test_without_the_audit_log_keep_is_off_and_says_so(guild: Guild) -> None:
    guild.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG)
    thread_id = await kept(guild)
    guild.people.auto_archive(thread_id)
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await housekeep(guild) == {"keep_off": 1}
    assert guild.discord.threads[thread_id].archived
    assert guild.table.item("kept")["archived"] is True


@pytest.mark.guild(settings={**ARCHIVES, **DELETES})
async def test_a_kept_session_is_neither_archived_nor_deleted_for_being_idle(guild: Guild) -> None:
    thread_id = await kept(guild)
    await guild.wait(minutes=60 * DAY_MINUTES)
    for _ in range(3):
        assert await housekeep(guild) == {}
        await guild.wait(minutes=BETWEEN_RUNS)
    assert not guild.discord.threads[thread_id].archived


@pytest.mark.guild(settings={})
async def test_a_kept_thread_that_may_not_be_opened_is_written_down_as_it_is(guild: Guild) -> None:
    thread_id = await kept(guild)
    guild.people.auto_archive(thread_id)
    guild.people.set_permissions("10", ["VIEW_CHANNEL", "READ_MESSAGE_HISTORY"])
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await housekeep(guild) == {"housekeeping_lost": 1}
    assert guild.table.item("kept")["archived"] is True
