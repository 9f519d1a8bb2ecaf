"""Housekeeping from end to end: what becomes of old sessions, and that nobody loses anything by it."""

from handler.sessions.reconcile.housekeeping import DELETIONS_PER_RUN, HousekeepingSettings
from tests.reconciler.ground import GUILD, MODERATOR, WITHOUT_AUDIT_LOG
from tests.reconciler.house import ARCHIVES, CLOSES, DAY_MINUTES, DELETES, House, housed

OFF = HousekeepingSettings()


@housed(OFF)
async def test_nothing_is_done_to_old_sessions_unless_it_is_asked_for(house: House) -> None:
    thread_id = await house.idle(days=400, archived=False)
    for _ in range(3):
        assert await house.steps() == {}
        await house.between_runs()
    assert not house.discord.threads[thread_id].archived


# IdleArchiveHours


@housed(ARCHIVES)
async def test_an_idle_thread_is_archived_with_a_reason_and_written_down(house: House) -> None:
    thread_id = await house.idle(days=1.1, archived=False)
    assert await house.steps() == {"Archive": 1}
    assert house.discord.threads[thread_id].archived
    item = house.item("old")
    assert (item["status"], item["archived"], "watch_guild_id" in item) == ("open", True, False)
    (entry,) = [e for e in house.discord.state.audit.get(GUILD) or () if e.action == 111]
    assert "IdleArchiveHours" in str(entry.reason)
    await house.between_runs()
    assert await house.steps() == {}
    assert house.differences() == []


@housed(ARCHIVES)
async def test_a_thread_with_a_message_of_today_is_not_idle(house: House) -> None:
    thread_id = await house.idle(days=2, archived=False)
    house.post(thread_id)
    await house.wait(minutes=DAY_MINUTES - 1)
    assert await house.steps() == {}
    await house.wait(minutes=2)
    assert await house.steps() == {"Archive": 1}


@housed(ARCHIVES)
async def test_an_archived_thread_that_was_opened_again_is_not_idle_for_another_while(house: House) -> None:
    await house.idle(days=3)
    thread_id = await house.opened_elsewhere("old")
    await house.wait(minutes=DAY_MINUTES / 2)
    assert await house.steps() == {}
    assert not house.discord.threads[thread_id].archived


@housed(ARCHIVES)
async def test_a_message_in_the_very_moment_of_archiving_opens_the_thread_again(house: House) -> None:
    thread_id = await house.idle(days=2, archived=False)

    async def post_after_the_list() -> None:
        house.gate = None
        house.post(thread_id)

    async def wait_for_the_list() -> None:
        if house.calls[-1] == "GET /guilds/{guild_id}/threads/active":
            await post_after_the_list()

    house.gate = wait_for_the_list
    assert await house.steps() == {"housekeeping_lost": 1}
    assert not house.discord.threads[thread_id].archived


# DeleteAfterDays, archive


@housed(CLOSES)
async def test_an_old_session_is_closed_and_an_open_reopens_it(house: House) -> None:
    thread_id = await house.idle()
    assert await house.steps() == {"Close": 1}
    assert house.item("old")["status"] == "closed"
    await house.between_runs()
    assert await house.steps() == {}
    opened = await house.open("old")
    assert (opened.thread_id, opened.outcome, opened.session.status) == (thread_id, "reopened", "open")
    assert await house.steps() == {}


@housed(CLOSES)
async def test_an_old_session_whose_thread_is_active_is_archived_and_closed(house: House) -> None:
    thread_id = await house.idle(archived=False)
    assert await house.steps() == {"Close": 1}
    assert house.discord.threads[thread_id].archived
    assert house.item("old")["status"] == "closed"
    assert house.differences() == []


# DeleteAfterDays, delete


@housed(DELETES)
async def test_an_old_session_is_deleted_over_two_runs_and_opened_anew(house: House) -> None:
    thread_id = await house.idle()
    assert await house.steps() == {"Mark": 1}
    assert house.lives(thread_id)
    await house.between_runs()
    assert await house.steps() == {"Delete": 1}
    assert not house.lives(thread_id)
    item = house.item("old")
    assert (item["status"], item["generation"]) == ("vacant", 2)
    assert not {"delete_marked_at", "deleting_at", "discord_thread_id"} & item.keys()
    assert [i for i in house.table.items() if i["pk"] == f"THREAD#{thread_id}"] == []
    assert [m for m in house.discord.messages.values() if m.id == thread_id] == []
    opened = await house.open("old")
    assert opened.outcome == "created"
    assert house.living("old") == [opened.thread_id]


@housed(DELETES)
async def test_an_old_session_whose_thread_is_active_is_deleted_too(house: House) -> None:
    thread_id = await house.idle(archived=False)
    assert await house.steps() == {"Mark": 1}
    await house.between_runs()
    assert await house.steps() == {"Delete": 1}
    assert not house.lives(thread_id)


@housed(DELETES)
async def test_a_young_session_is_left_alone(house: House) -> None:
    await house.idle(days=29)
    for _ in range(3):
        assert await house.steps() == {}
        await house.between_runs()


@housed(DELETES)
async def test_a_closed_session_is_deleted_so_long_after_it_was_closed_whatever_was_said_before(house: House) -> None:
    thread_id = await house.idle(days=1)
    house.change(house.item("old"), status="closed")
    await house.wait(minutes=28 * DAY_MINUTES)
    assert await house.steps() == {}
    await house.wait(minutes=1.1 * DAY_MINUTES)
    assert await house.steps() == {"Mark": 1}
    await house.between_runs()
    assert await house.steps() == {"Delete": 1}
    assert not house.lives(thread_id)


@housed(DELETES)
async def test_two_runs_in_one_moment_do_not_delete(house: House) -> None:
    thread_id = await house.idle()
    assert await house.steps() == {"Mark": 1}
    assert await house.steps() == {}
    assert house.lives(thread_id)


@housed(DELETES)
async def test_a_message_between_the_two_runs_keeps_the_thread(house: House) -> None:
    thread_id = await house.idle()
    await house.steps()
    message_id = house.post(thread_id)
    await house.between_runs()
    assert await house.steps() == {"Unmark": 1}
    await house.between_runs()
    assert await house.steps() == {}
    assert message_id in [m.id for m in house.discord.messages.values()]
    assert "delete_marked_at" not in house.item("old")


@housed(DELETES)
async def test_an_open_between_the_two_runs_clears_the_mark_and_counts_as_activity(house: House) -> None:
    thread_id = await house.idle()
    await house.steps()
    opened = await house.open("old")
    assert (opened.thread_id, opened.outcome) == (thread_id, "reopened")
    assert "delete_marked_at" not in house.item("old")
    for _ in range(3):
        await house.between_runs()
        assert await house.steps() == {}
    await house.wait(minutes=31 * DAY_MINUTES)
    assert await house.steps() == {"Mark": 1}


@housed(DELETES)
async def test_an_open_before_the_first_run_counts_as_activity_even_where_it_found_nothing_to_do(house: House) -> None:
    thread_id = await house.idle(archived=False)
    assert (await house.open("old")).outcome == "reused"
    for _ in range(3):
        assert await house.steps() == {}
        await house.between_runs()
    assert house.lives(thread_id)


@housed(DELETES)
async def test_a_moderator_who_writes_in_the_locked_thread_keeps_it(house: House) -> None:
    thread_id = await house.idle()
    await house.steps()
    await house.between_runs()
    written: list[str] = []

    async def write_after_the_take() -> None:
        if not written and "deleting_at" in house.item("old"):
            house.discord.people.edit_thread(thread_id, now=house.now, by=MODERATOR, archived=False, locked=False)
            written.append(house.post(thread_id))

    house.gate = write_after_the_take
    assert await house.steps() == {"housekeeping_lost": 1}
    house.gate = None
    assert written[0] in [m.id for m in house.discord.messages.values()]
    await house.between_runs()
    await house.steps()
    await house.between_runs()
    await house.steps()
    opened = await house.open("old")
    assert opened.thread_id == thread_id
    item = house.item("old")
    assert not {"delete_marked_at", "deleting_at", "delete_locking_at"} & item.keys()


@housed(DELETES)
async def test_a_lock_of_a_moderator_stays_when_the_thread_is_kept(house: House) -> None:
    thread_id = await house.idle(archived=False)
    house.discord.people.lock(thread_id, now=house.now, by=MODERATOR)
    await house.steps()
    await house.between_runs()
    house.post(thread_id)
    assert await house.steps() == {"Unmark": 1}
    await house.between_runs()
    await house.steps()
    assert house.discord.threads[thread_id].locked
    assert house.item("old")["locked_by"] == MODERATOR


@housed(DELETES)
async def test_no_run_deletes_more_than_so_many(house: House) -> None:
    names = [f"old {number}" for number in range(12)]
    for name in names:
        await house.idle(name, days=0)
    await house.wait(minutes=31 * DAY_MINUTES)
    for _ in range(8):
        before = len(house.discord.threads.values())
        await house.reconcile()
        assert before - len(house.discord.threads.values()) <= DELETIONS_PER_RUN
        await house.between_runs()
    assert all(house.item(name)["status"] == "vacant" for name in names)


@housed(DELETES)
async def test_a_thread_that_may_not_be_locked_is_kept_and_does_not_hold_up_the_others(house: House) -> None:
    await house.idle()
    house.discord.add_channel(GUILD, "11")
    other = (await house.open("other", "11")).thread_id
    house.discord.people.auto_archive(other, now=house.now)
    house.discord.people.set_permissions("10", ["VIEW_CHANNEL", "READ_MESSAGE_HISTORY"], now=house.now)
    await house.wait(minutes=31 * DAY_MINUTES)
    counts = [await house.reconcile()]
    for _ in range(3):
        await house.between_runs()
        counts.append(await house.reconcile())
    assert sum(c["housekeeping_failed"] for c in counts) >= 1
    assert sum(c["failed"] for c in counts) == 0
    assert not house.lives(other)
    assert house.living("old") == [house.item("old")["discord_thread_id"]]


@housed(DELETES)
async def test_deleting_works_without_the_audit_log(house: House) -> None:
    house.discord.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG, now=house.now)
    thread_id = await house.idle()
    assert await house.steps() == {"Mark": 1}
    await house.between_runs()
    assert await house.steps() == {"Delete": 1}
    assert not house.lives(thread_id)


# keep


async def kept(house: House, name: str = "kept") -> str:
    thread_id = (await house.open(name)).thread_id
    house.change(house.item(name), keep=True)
    await house.reconcile()
    await house.wait(minutes=DAY_MINUTES)
    return thread_id


@housed(ARCHIVES)
async def test_a_kept_thread_that_discords_timer_archived_is_opened_again(house: House) -> None:
    thread_id = await kept(house)
    house.discord.people.auto_archive(thread_id, now=house.now)
    await house.between_runs()
    assert await house.steps() == {"Reopen": 1}
    assert not house.discord.threads[thread_id].archived
    assert house.differences() == []
    await house.between_runs()
    assert await house.steps() == {}


@housed(OFF)
async def test_a_kept_thread_that_a_person_archived_stays_archived(house: House) -> None:
    thread_id = await kept(house)
    house.archive(thread_id)
    for _ in range(3):
        await house.between_runs()
        assert "Reopen" not in await house.steps()
    assert house.discord.threads[thread_id].archived
    assert house.item("kept")["archived"] is True


@housed(OFF)
async def test_who_archived_long_ago_and_opened_again_does_not_count(house: House) -> None:
    thread_id = await kept(house)
    house.archive(thread_id)
    await house.wait(minutes=10)
    house.discord.people.unarchive(thread_id, now=house.now, by=MODERATOR)
    await house.wait(minutes=60)
    house.discord.people.auto_archive(thread_id, now=house.now)
    await house.between_runs()
    assert await house.steps() == {"Reopen": 1}


@housed(OFF)
async def test_without_the_audit_log_keep_is_off_and_says_so(house: House) -> None:
    house.discord.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG, now=house.now)
    thread_id = await kept(house)
    house.discord.people.auto_archive(thread_id, now=house.now)
    await house.between_runs()
    assert await house.steps() == {"keep_off": 1}
    assert house.discord.threads[thread_id].archived
    assert house.item("kept")["archived"] is True


@housed(HousekeepingSettings.of(24, 30, "delete"))
async def test_a_kept_session_is_neither_archived_nor_deleted_for_being_idle(house: House) -> None:
    thread_id = await kept(house)
    await house.wait(minutes=60 * DAY_MINUTES)
    for _ in range(3):
        assert await house.steps() == {}
        await house.between_runs()
    assert not house.discord.threads[thread_id].archived


@housed(OFF)
async def test_a_kept_thread_that_may_not_be_opened_is_written_down_as_it_is(house: House) -> None:
    thread_id = await kept(house)
    house.discord.people.auto_archive(thread_id, now=house.now)
    house.discord.people.set_permissions("10", ["VIEW_CHANNEL", "READ_MESSAGE_HISTORY"], now=house.now)
    await house.between_runs()
    assert await house.steps() == {"housekeeping_lost": 1}
    assert house.item("kept")["archived"] is True
