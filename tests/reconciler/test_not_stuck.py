"""No thread, channel or flood of news keeps a run from the rest for ever, and nothing that was heard of is forgotten."""

from datetime import timedelta
from typing import Final

import pytest

from handler.errors import ThreadLocked
from handler.runtime.clock import iso
from handler.sessions.duplicates.find import find_duplicates
from infra.simulator.faults import server_error
from infra.simulator.permissions import DEFAULT_PERMISSIONS, default_permissions_without, permission_bits
from infra.virtual_time import START
from tests.kit.guild import MODERATOR, Guild
from tests.kit.recorded_calls import Died
from tests.kit.table_view import CHANNEL, GUILD
from tests.reconciler.differences import WITHOUT_AUDIT_LOG, differences
from tests.reconciler.housekeeping import ARCHIVES, BETWEEN_RUNS

AUDIT_PAGE: Final = 100
MAX_AUDIT_PAGES: Final = 20
MAX_CHECKS: Final = 5
MAX_FETCHES: Final = 200
THREAD: Final = "GET /channels/{channel_id}"
ALWAYS: Final = 1_000_000
OTHER: Final = "11"  # a second channel


async def _archived(guild: Guild, count: int) -> list[str]:
    """So many sessions of a channel whose past an import found: archived, on record and on Discord."""
    guild.discord.add_channel(GUILD, OTHER)
    name_of = "Session {}".format
    threads = guild.discord.people.add_archived_threads(OTHER, count, newest=START, name_of=name_of)
    first = await guild.open("first", OTHER)
    guild.people.archive(first.thread_id)
    for _ in range(2):
        await guild.reconcile()
    assert _watched(guild) == 0
    return list(threads)


def _watched(guild: Guild) -> int:
    return sum("watch_guild_id" in item for item in guild.table.of_kind("SESSION#"))


def _is_silent(guild: Guild, thread_id: str) -> None:
    """From here on Discord has nothing but a fault of its own to say of this thread."""
    guild.discord.faults.inject("GET", f"/channels/{thread_id}", server_error(), times=ALWAYS)


async def _archived_on_record(guild: Guild, name: str) -> str:
    thread_id = (await guild.open(name)).thread_id
    guild.people.archive(thread_id)
    await guild.reconcile()
    await guild.wait(minutes=30)
    await guild.reconcile()
    assert guild.table.item(name)["archived"]
    return thread_id


# More news than a run can read, and threads that do not answer.


async def test_of_more_archivings_than_a_run_may_ask_for_each_is_looked_at_in_the_end(guild: Guild) -> None:
    threads = await _archived(guild, MAX_FETCHES + 50)
    for thread_id in threads:
        guild.people.unarchive(thread_id)
    await guild.reconcile()
    assert _watched(guild) == len(threads)
    for thread_id in threads:
        guild.people.archive(thread_id)
    newest = guild.discord.state.audit[GUILD][-1].id
    await guild.wait(minutes=5)
    assert (await guild.report())["unclear"] == 50
    assert guild.calls.count(THREAD) == MAX_FETCHES
    assert guild.table.guild()["audit_watermark"] == newest
    await guild.wait(minutes=5)
    assert (await guild.report())["unclear"] == 0
    assert guild.calls.count(THREAD) == 50
    assert differences(guild) == []
    assert await guild.reconcile() == {}
    assert guild.calls.count(THREAD) == 0


async def test_a_thread_that_never_answers_stops_neither_the_watermark_nor_other_news(guild: Guild) -> None:
    silent = (await guild.open("silent")).thread_id
    gone = await _archived_on_record(guild, "gone")
    _is_silent(guild, silent)
    guild.people.archive(silent)
    noisy = guild.people.create_thread(CHANNEL, "noise")
    for number in range(AUDIT_PAGE * MAX_AUDIT_PAGES):
        guild.people.rename(noisy, f"noise {number}")
    guild.people.delete_thread(gone)
    for pages in (MAX_AUDIT_PAGES, 1):
        await guild.wait(minutes=30)
        assert (await guild.report())["unclear"] == 1
        assert guild.calls.count("GET /guilds/{guild_id}/audit-logs") == pages
    assert guild.table.item("gone")["status"] == "vacant"
    assert guild.table.guild()["audit_watermark"] == guild.discord.state.audit[GUILD][-1].id
    await guild.report()
    assert guild.calls.count("GET /guilds/{guild_id}/audit-logs") == 1
    assert guild.table.item("silent")["discord_thread_id"] == silent


async def test_a_deletion_that_was_heard_of_while_the_thread_did_not_answer_is_believed_once_it_does(
    guild: Guild,
) -> None:
    silent = await _archived_on_record(guild, "silent")
    _is_silent(guild, silent)
    guild.people.delete_thread(silent)
    for _ in range(3):
        assert (await guild.report())["unclear"] == 1
        await guild.wait(minutes=30)
    assert guild.table.item("silent")["discord_thread_id"] == silent
    guild.discord.faults.clear()
    assert await guild.reconcile() == {"EndGeneration": 1}
    assert differences(guild) == []
    assert await guild.reconcile() == {}


async def test_who_locked_a_thread_is_kept_on_record_while_the_thread_does_not_answer(guild: Guild) -> None:
    silent = await _archived_on_record(guild, "silent")
    _is_silent(guild, silent)
    guild.people.edit_thread(silent, archived=False, locked=True)
    guild.people.archive(silent)
    await guild.reconcile()
    assert guild.table.item("silent")["locked_by"] == MODERATOR
    guild.discord.faults.clear()
    await guild.wait(minutes=30)
    await guild.reconcile()
    item = guild.table.item("silent")
    assert (item["locked"], item["locked_by"]) == (True, MODERATOR)
    assert differences(guild) == []


async def test_what_a_run_lost_to_an_open_is_heard_of_again_by_the_next_run(guild: Guild) -> None:
    """Only the audit log tells who locked an archived thread."""
    thread_id = await _archived_on_record(guild, "a")
    guild.people.edit_thread(thread_id, archived=False, locked=True)
    guild.people.archive(thread_id)

    async def opens_once_the_run_has_read_it_again() -> None:
        if guild.calls.names[-1] == "BatchGetItem" and THREAD in guild.calls.names:
            guild.after_call = None
            await guild.refused("a", may_unlock=False)

    guild.after_call = opens_once_the_run_has_read_it_again
    assert await guild.reconcile() == {"lost": 1}
    assert "locked_by" not in guild.table.item("a")
    await guild.wait(minutes=BETWEEN_RUNS)
    await guild.reconcile()
    assert guild.table.item("a")["locked_by"] == MODERATOR
    assert differences(guild) == []


async def test_a_deletion_that_was_heard_of_and_could_not_be_proved_is_proved_by_the_next_run(guild: Guild) -> None:
    thread_id = await _archived_on_record(guild, "a")
    guild.people.delete_thread(thread_id)
    guild.discord.faults.inject("GET", "/channels/{channel_id}/threads/archived/public", server_error(), times=ALWAYS)
    assert await guild.reconcile() == {"failed": 1}
    guild.discord.faults.clear()
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await guild.reconcile() == {"EndGeneration": 1}
    assert differences(guild) == []


# What is watched without being active does not stay watched for ever.


@pytest.mark.parametrize("lost", ["hidden", "deleted"])
async def test_the_archived_sessions_of_a_lost_channel_do_not_stay_watched(guild: Guild, lost: str) -> None:
    await _archived(guild, 30)
    guild.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG)
    if lost == "hidden":
        hidden = default_permissions_without("VIEW_CHANNEL")
        guild.people.set_permissions(OTHER, hidden)
    else:
        guild.people.delete_channel(OTHER)
    watched = []
    for _ in range(10 * 24):
        await guild.wait(minutes=60)
        await guild.reconcile()
        watched.append(_watched(guild))
    assert {item["status"] for item in guild.table.of_kind("SESSION#")} == {"open"}
    assert max(watched) <= 2 * MAX_CHECKS  # whose end is held back
    assert min(watched[-24:]) == 0


async def test_a_refused_open_of_a_session_whose_deletion_is_held_back_leaves_it_unwatched(guild: Guild) -> None:
    thread_id = await _archived_on_record(guild, "a")
    guild.people.edit_thread(thread_id, archived=False, locked=True)
    guild.people.archive(thread_id)
    await guild.reconcile()
    guild.table.put(guild.table.item("a"), missing_since=iso(guild.now), watch_guild_id=GUILD)  # as `Hold` writes it
    assert (await guild.refused("a", may_unlock=False)).kind == ThreadLocked.kind
    assert not {"missing_since", "watch_guild_id"} & guild.table.item("a").keys()
    assert differences(guild) == []


async def test_held_deletions_of_threads_that_were_out_of_reach_do_not_wait_for_their_next_question(
    guild: Guild,
) -> None:
    threads = await _archived(guild, 6)
    out_of_reach = {
        "unreachable_since": iso(guild.now - timedelta(days=20)),
        "ask_again_at": iso(guild.now + timedelta(days=6)),
        "watch_guild_id": GUILD,
    }
    for thread_id in threads:
        (item,) = (i for i in guild.table.of_kind("SESSION#") if i.get("discord_thread_id") == thread_id)
        guild.table.put(item, **out_of_reach)
        guild.people.delete_thread(thread_id)
    assert await guild.reconcile() == {"HoldDeletion": 6}
    await guild.wait(minutes=31)
    assert await guild.reconcile() == {"EndGeneration": 6}
    assert differences(guild) == []


async def test_a_deletion_that_was_heard_of_while_the_channel_could_not_be_read_is_found_later(guild: Guild) -> None:
    """With the audit log and without the sweep: the log tells it only once, and nobody comes by again."""
    thread_id = await _archived_on_record(guild, "a")
    unread = default_permissions_without("READ_MESSAGE_HISTORY")
    guild.people.set_permissions(CHANNEL, unread)
    guild.people.delete_thread(thread_id)
    assert await guild.reconcile() == {"OutOfReach": 1}
    guild.people.set_permissions(CHANNEL, permission_bits(DEFAULT_PERMISSIONS))
    await guild.wait(minutes=61)
    assert await guild.reconcile() == {"EndGeneration": 1}
    assert differences(guild) == []
    assert not {"unreachable_since", "ask_again_at", "watch_guild_id"} & guild.table.item("a").keys()


# A thread that is noted for one session is another's.


async def _list_duplicates(guild: Guild) -> None:
    channel = await guild.store.channels.get(CHANNEL)
    assert channel is not None
    await find_duplicates(guild.context, channel)


async def _run_that_dies_after_its_first_note(guild: Guild) -> None:
    async def die() -> None:
        if guild.calls.names[-1] == "PutItem":
            guild.after_call = None
            raise Died

    guild.after_call = die
    with pytest.raises(Died):
        await guild.reconcile()
    guild.restart()


NOTED_BY: Final = {"a list of duplicates": _list_duplicates, "a run that died": _run_that_dies_after_its_first_note}


@pytest.mark.parametrize("by", NOTED_BY)
@pytest.mark.guild(settings=ARCHIVES)
async def test_a_thread_that_was_noted_under_another_sessions_name_is_still_its_own_sessions(
    guild: Guild, by: str
) -> None:
    thread_id = await _archived_on_record(guild, "b")
    guild.people.edit_thread(thread_id, archived=False, name="Session g")
    await NOTED_BY[by](guild)
    assert [item["sk"] for item in guild.table.of_kind("NAMESAKE#")] == [f"NAMESAKE#g#{thread_id}"]
    await guild.wait(minutes=BETWEEN_RUNS)
    await guild.reconcile()
    item = guild.table.item("b")
    assert (item["archived"], item["thread_name"]) == (False, "Session g")
    guild.people.delete_thread(thread_id)
    await guild.wait(minutes=BETWEEN_RUNS)
    await guild.reconcile()
    assert guild.table.item("b")["status"] == "vacant"
