"""No thread, channel or flood of news keeps a run from the rest for ever, and nothing that was heard of is forgotten."""

from datetime import timedelta
from typing import Final

import pytest

from handler.discord.rest import PAGE_SIZE as AUDIT_PAGE
from handler.errors import ThreadLocked
from handler.runtime.clock import iso
from handler.sessions.duplicates.find import find_duplicates
from handler.sessions.model import OpenRequest, Requester
from handler.sessions.reconcile.observe import MAX_AUDIT_PAGES, SWEEP_PER_RUN
from handler.sessions.reconcile.run import ASKS_PER_RUN
from infra.simulator.faults import server_error
from infra.simulator.permissions import DEFAULT_PERMISSIONS, PERMISSION_BITS, permission_bits
from tests.kit.recorded_calls import Died
from tests.kit.virtual_time import START
from tests.reconciler.ground import CHANNEL, GUILD, MODERATOR, NAMES, WITHOUT_AUDIT_LOG, Ground, grounded
from tests.reconciler.house import ARCHIVES, House, housed

THREAD: Final = "GET /channels/{channel_id}"
ALWAYS: Final = 1_000_000
OTHER: Final = "11"  # a second channel


async def _archived(ground: Ground, count: int) -> list[str]:
    """So many sessions of a channel whose past an import found: archived, on record and on Discord."""
    ground.discord.add_channel(GUILD, OTHER)
    name_of = "Session {}".format
    threads = ground.discord.people.add_archived_threads(OTHER, count, newest=START, name_of=name_of)
    first = await ground.open("first", OTHER)
    ground.archive(first.thread_id)
    for _ in range(2):
        await ground.reconcile()
    assert _watched(ground) == 0
    return list(threads)


def _watched(ground: Ground) -> int:
    return sum("watch_guild_id" in item for item in ground.of_kind("SESSION#"))


def _is_silent(ground: Ground, thread_id: str) -> None:
    """From here on Discord has nothing but a fault of its own to say of this thread."""
    ground.discord.faults.inject("GET", f"/channels/{thread_id}", server_error(), times=ALWAYS)


async def _archived_on_record(ground: Ground, name: str) -> str:
    thread_id = (await ground.open(name)).thread_id
    ground.archive(thread_id)
    await ground.reconcile()
    await ground.wait(minutes=30)
    await ground.reconcile()
    assert ground.item(name)["archived"]
    return thread_id


# More news than a run can read, and threads that do not answer.


@grounded
async def test_of_more_archivings_than_a_run_may_ask_for_each_is_looked_at_in_the_end(ground: Ground) -> None:
    threads = await _archived(ground, ASKS_PER_RUN + 50)
    for thread_id in threads:
        ground.discord.people.unarchive(thread_id, now=ground.now)
    await ground.reconcile()
    assert _watched(ground) == len(threads)
    for thread_id in threads:
        ground.archive(thread_id)
    newest = ground.discord.state.audit[GUILD][-1].id
    await ground.wait(minutes=5)
    assert (await ground.report())["unclear"] == 50
    assert ground.asked(THREAD) == ASKS_PER_RUN
    assert ground.guild["audit_watermark"] == newest
    await ground.wait(minutes=5)
    assert (await ground.report())["unclear"] == 0
    assert ground.asked(THREAD) == 50
    assert ground.differences() == []
    assert await ground.reconcile() == {}
    assert ground.asked(THREAD) == 0


@grounded
async def test_a_thread_that_never_answers_stops_neither_the_watermark_nor_other_news(ground: Ground) -> None:
    silent = (await ground.open("silent")).thread_id
    gone = await _archived_on_record(ground, "gone")
    _is_silent(ground, silent)
    ground.archive(silent)
    noisy = ground.person_makes("noise")
    for number in range(AUDIT_PAGE * MAX_AUDIT_PAGES):
        ground.rename(noisy, f"noise {number}")
    ground.delete(gone)
    for _ in range(2):
        await ground.wait(minutes=30)
        assert (await ground.report())["unclear"] == 1
    assert ground.item("gone")["status"] == "vacant"
    assert ground.guild["audit_watermark"] == ground.discord.state.audit[GUILD][-1].id
    await ground.report()
    assert ground.asked("GET /guilds/{guild_id}/audit-logs") == 1
    assert ground.item("silent")["discord_thread_id"] == silent


@grounded
async def test_a_deletion_that_was_heard_of_while_the_thread_did_not_answer_is_believed_once_it_does(
    ground: Ground,
) -> None:
    silent = await _archived_on_record(ground, "silent")
    _is_silent(ground, silent)
    ground.delete(silent)
    for _ in range(3):
        assert (await ground.report())["unclear"] == 1
        await ground.wait(minutes=30)
    assert ground.item("silent")["discord_thread_id"] == silent
    ground.discord.faults.clear()
    assert await ground.reconcile() == {"EndGeneration": 1}
    assert ground.differences() == []
    assert await ground.reconcile() == {}


@grounded
async def test_who_locked_a_thread_is_kept_on_record_while_the_thread_does_not_answer(ground: Ground) -> None:
    silent = await _archived_on_record(ground, "silent")
    _is_silent(ground, silent)
    ground.discord.people.edit_thread(silent, now=ground.now, by=MODERATOR, archived=False, locked=True)
    ground.archive(silent)
    await ground.reconcile()
    assert ground.item("silent")["locked_by"] == MODERATOR
    ground.discord.faults.clear()
    await ground.wait(minutes=30)
    await ground.reconcile()
    item = ground.item("silent")
    assert (item["locked"], item["locked_by"]) == (True, MODERATOR)
    assert ground.differences() == []


# What is watched without being active does not stay watched for ever.


@pytest.mark.parametrize("lost", ["hidden", "deleted"])
@grounded
async def test_the_archived_sessions_of_a_lost_channel_do_not_stay_watched(ground: Ground, lost: str) -> None:
    await _archived(ground, 30)
    ground.discord.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG, now=ground.now)
    if lost == "hidden":
        hidden = permission_bits(DEFAULT_PERMISSIONS) & ~PERMISSION_BITS["VIEW_CHANNEL"]
        ground.discord.people.set_permissions(OTHER, hidden, now=ground.now)
    else:
        ground.discord.people.delete_channel(OTHER, now=ground.now)
    watched = []
    for _ in range(10 * 24):
        await ground.wait(minutes=60)
        await ground.reconcile()
        watched.append(_watched(ground))
    assert all({"unreachable_since", "missing_since"} & item.keys() for item in ground.of_kind("SESSION#"))
    assert max(watched) <= 2 * SWEEP_PER_RUN  # whose end is held back
    assert min(watched[-24:]) == 0


@grounded
async def test_a_refused_open_of_a_session_whose_deletion_is_held_back_leaves_it_unwatched(ground: Ground) -> None:
    thread_id = await _archived_on_record(ground, "a")
    ground.discord.people.edit_thread(thread_id, now=ground.now, by=MODERATOR, archived=False, locked=True)
    ground.archive(thread_id)
    await ground.reconcile()
    ground.change(ground.item("a"), missing_since=iso(ground.now), watch_guild_id=GUILD)  # as `Hold` writes it
    member = OpenRequest(
        name=NAMES.parse("a"),
        parent_channel_id=CHANNEL,
        requester=Requester(owner="a member's", user_id="9", may_unlock=False),
        guild_id=GUILD,
        kind=0,
    )
    with pytest.raises(ThreadLocked):
        await ground.sessions.open(member)
    assert not {"missing_since", "watch_guild_id"} & ground.item("a").keys()
    assert ground.differences() == []


@grounded
async def test_held_deletions_of_threads_that_were_out_of_reach_do_not_wait_for_their_next_question(
    ground: Ground,
) -> None:
    threads = await _archived(ground, 6)
    out_of_reach = {
        "unreachable_since": iso(ground.now - timedelta(days=20)),
        "ask_again_at": iso(ground.now + timedelta(days=6)),
        "watch_guild_id": GUILD,
    }
    for thread_id in threads:
        (item,) = (i for i in ground.of_kind("SESSION#") if i.get("discord_thread_id") == thread_id)
        ground.change(item, **out_of_reach)
        ground.delete(thread_id)
    assert await ground.reconcile() == {"HoldDeletion": 6}
    await ground.wait(minutes=31)
    assert await ground.reconcile() == {"EndGeneration": 6}
    assert ground.differences() == []


@grounded
async def test_a_deletion_that_was_heard_of_while_the_channel_could_not_be_read_is_found_later(ground: Ground) -> None:
    """With the audit log and without the sweep: the log tells it only once, and nobody comes by again."""
    thread_id = await _archived_on_record(ground, "a")
    unread = permission_bits(DEFAULT_PERMISSIONS) & ~PERMISSION_BITS["READ_MESSAGE_HISTORY"]
    ground.discord.people.set_permissions(CHANNEL, unread, now=ground.now)
    ground.delete(thread_id)
    assert await ground.reconcile() == {"OutOfReach": 1}
    ground.discord.people.set_permissions(CHANNEL, permission_bits(DEFAULT_PERMISSIONS), now=ground.now)
    await ground.wait(minutes=61)
    assert await ground.reconcile() == {"EndGeneration": 1}
    assert ground.differences() == []
    assert not {"unreachable_since", "ask_again_at", "watch_guild_id"} & ground.item("a").keys()


# A thread that is noted for one session is another's.


async def _list_duplicates(house: House) -> None:
    channel = await house.store.channels.get(CHANNEL)
    assert channel is not None
    await find_duplicates(house.sessions.context, channel)


async def _run_that_dies_after_its_first_note(house: House) -> None:
    async def die() -> None:
        if house.calls[-1] == "put_item":
            house.gate = None
            raise Died

    house.gate = die
    with pytest.raises(Died):
        await house.reconcile()
    house.restart()


NOTED_BY: Final = {"a list of duplicates": _list_duplicates, "a run that died": _run_that_dies_after_its_first_note}


@pytest.mark.parametrize("by", NOTED_BY)
@housed(ARCHIVES)
async def test_a_thread_that_was_noted_under_another_sessions_name_is_still_its_own_sessions(
    house: House, by: str
) -> None:
    thread_id = await _archived_on_record(house, "b")
    house.discord.people.edit_thread(thread_id, now=house.now, by=MODERATOR, archived=False, name="Session g")
    await NOTED_BY[by](house)
    assert [item["sk"] for item in house.of_kind("NAMESAKE#")] == [f"NAMESAKE#g#{thread_id}"]
    await house.between_runs()
    await house.reconcile()
    item = house.item("b")
    assert (item["archived"], item["thread_name"]) == (False, "Session g")
    house.delete(thread_id)
    await house.between_runs()
    await house.reconcile()
    assert house.item("b")["status"] == "vacant"
