"""What a run costs: nothing changed, and for each change, however many sessions are on record."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from handler.discord import snowflakes
from handler.runtime.clock import iso
from infra.simulator.models import Thread
from infra.simulator.permissions import DEFAULT_PERMISSIONS, default_permissions_without, permission_bits
from infra.virtual_time import START
from tests.kit.guild import Guild
from tests.kit.recorded_calls import Died
from tests.kit.table_view import CHANNEL, GUILD
from tests.reconciler.differences import WITHOUT_AUDIT_LOG, differences

AUDIT_PAGE = 100
MAX_CHECKS = 5
MAX_PAGES = 5
WATERMARK_MARGIN = timedelta(seconds=60)
LIST = "GET /guilds/{guild_id}/threads/active"
AUDIT = "GET /guilds/{guild_id}/audit-logs"
THREAD = "GET /channels/{channel_id}"
ARCHIVED = "GET /channels/{channel_id}/threads/archived/public"


def _many(guild: Guild, count: int, *, active: int = 10) -> list[str]:
    """So many sessions on record, as they are on Discord: `active` of them active, the others archived long ago."""
    ids = guild.discord.people.add_archived_threads(
        CHANNEL, count, newest=START - timedelta(days=1), name_of="Session {}".format
    )
    for number, thread_id in enumerate(ids):
        if number < active:
            guild.people.unarchive(thread_id)
        _put(
            guild,
            guild.discord.threads[thread_id] if count < 100 else guild.discord.state.threads[thread_id],
            number,
        )
    return ids


def _put(guild: Guild, thread: Thread, number: int) -> None:
    at = iso(thread.archive_timestamp)
    watched: dict[str, Any] = {"due_in": GUILD, "due_at": at, "archived_at": at}
    if not thread.archived:
        watched = {"watch_guild_id": GUILD, "seen_active_at": at}
    guild.table.put(
        pk=f"CHANNEL#{CHANNEL}",
        sk=f"SESSION#{number}",
        session_name=str(number),
        session_key=str(number),
        parent_channel_id=CHANNEL,
        guild_id=GUILD,
        status="open",
        generation=1,
        discord_thread_id=thread.id,
        thread_name=thread.name,
        archived=thread.archived,
        locked=False,
        last_activity_at=iso(snowflakes.time_of(thread.last_message_id or thread.id)),
        **watched,
    )
    guild.table.put(pk=f"THREAD#{thread.id}", sk="THREAD", parent_channel_id=CHANNEL, session_key=str(number))


@pytest.mark.parametrize("sessions", [10, 10_000])
async def test_with_nothing_changed_it_costs_one_list_one_audit_request_and_one_query(
    guild: Guild, sessions: int
) -> None:
    _many(guild, sessions)
    await guild.reconcile()
    assert await guild.reconcile() == {}
    assert Counter(guild.calls.names) == {"Query": 1, LIST: 1, AUDIT: 1}


@pytest.mark.parametrize("sessions", [10, 10_000])
async def test_without_the_audit_log_it_costs_the_sweeps_gets_and_a_second_query(guild: Guild, sessions: int) -> None:
    _many(guild, sessions, active=2)
    guild.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG)
    await guild.reconcile()
    assert await guild.reconcile() == {"MoveToEnd": MAX_CHECKS}
    assert Counter(guild.calls.names) == {"Query": 2, LIST: 1, THREAD: MAX_CHECKS, "UpdateItem": MAX_CHECKS}


async def test_an_audit_log_that_may_not_be_read_is_asked_for_ever_more_seldom(guild: Guild) -> None:
    guild.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG)
    asked = []
    for half_hour in range(2 * 24 * 5):
        await guild.reconcile()
        asked += [half_hour] * guild.calls.count(AUDIT)
        await guild.wait(minutes=30)
    assert asked[:6] == [0, 1, 2, 4, 8, 16]
    assert max(later - earlier for earlier, later in pairwise(asked)) == 2 * 24
    guild.people.set_permissions(GUILD, permission_bits(DEFAULT_PERMISSIONS))
    await guild.wait(minutes=24 * 60)
    await guild.reconcile()
    assert not {"audit_denied_since", "audit_again_at"} & guild.table.guild().keys()
    thread_id = (await guild.open("a")).thread_id
    guild.people.archive(thread_id)
    await guild.reconcile()
    guild.people.delete_thread(thread_id)
    assert (await guild.reconcile())["EndGeneration"] == 1


async def test_where_a_thread_was_archived_the_mark_of_its_channel_moves_on_and_what_lies_there_is_settled(
    guild: Guild,
) -> None:
    thread_id = (await guild.open("a")).thread_id
    await guild.reconcile()
    before = guild.table.of_kind("CHANNEL")[0]["imported_at"]
    await guild.wait(minutes=60)
    stranger = guild.people.create_thread(CHANNEL, "Session b")
    for thread in (thread_id, stranger):
        guild.people.archive(thread)
    await guild.wait(minutes=10)
    assert await guild.reconcile() == {"AdvanceWatermark": 1, "UpdateSession": 1}
    assert guild.table.item("b")["discord_thread_id"] == stranger
    assert (
        guild.table.of_kind("CHANNEL")[0]["imported_at"]
        == iso(guild.now.replace(microsecond=0) - WATERMARK_MARGIN)
        > before
    )
    assert guild.calls.count(ARCHIVED) == 1
    assert await guild.reconcile() == {}


async def test_after_a_death_between_them_the_mark_has_moved_and_the_thread_is_not_archived_on_record_yet(
    guild: Guild,
) -> None:
    """Once it is, nothing shows any more that it has left the active list."""
    thread_id = (await guild.open("a")).thread_id
    await guild.reconcile()
    before = guild.table.channel()["imported_at"]
    await guild.wait(minutes=60)
    guild.people.archive(thread_id)
    await guild.wait(minutes=10)

    async def dies_with_the_first_of_them() -> None:
        if guild.table.item("a")["archived"] or guild.table.channel()["imported_at"] != before:
            guild.after_call = None
            raise Died

    guild.after_call = dies_with_the_first_of_them
    with pytest.raises(Died):
        await guild.reconcile()
    assert guild.table.channel()["imported_at"] > before


async def test_a_mark_that_lies_far_behind_is_left_to_an_opener(guild: Guild) -> None:
    thread_id = (await guild.open("a")).thread_id
    await guild.reconcile()
    before = guild.table.of_kind("CHANNEL")[0]["imported_at"]
    await guild.wait(minutes=60)
    guild.discord.people.add_archived_threads(
        CHANNEL, 100 * (MAX_PAGES + 1), newest=guild.now, name_of="talk {}".format, step=timedelta(seconds=1)
    )
    guild.people.archive(thread_id)
    assert await guild.reconcile() == {"AdvanceWatermark": 1, "UpdateSession": 1}
    assert guild.calls.count(ARCHIVED) == MAX_PAGES
    assert guild.table.of_kind("CHANNEL")[0]["imported_at"] == before


@pytest.mark.parametrize("sessions", [10, 600])
@pytest.mark.parametrize("lost", ["deleted", "hidden"])
async def test_a_lost_channel_costs_two_requests_at_first_and_later_none(
    guild: Guild, sessions: int, lost: str
) -> None:
    _many(guild, sessions, active=sessions)
    await guild.reconcile()
    if lost == "deleted":
        guild.people.delete_channel(CHANNEL)
    else:
        guild.people.set_permissions(CHANNEL, default_permissions_without("VIEW_CHANNEL"))
    assert await guild.reconcile() == {"ParkChannel": 1}
    written = {"UpdateItem": 2}  # the channel, and that the run is whole
    assert Counter(guild.calls.names) == {"Query": 1, LIST: 1, AUDIT: 1, THREAD: 2, **written}
    asked = 0
    for _ in range(12 * 12):
        await guild.wait(minutes=5)
        await guild.reconcile()
        assert guild.calls.count(THREAD) <= 1
        asked += guild.calls.count(THREAD)
    assert asked == 4  # after one hour, two, four and eight


@pytest.mark.parametrize("sessions", [10, 1_000])
async def test_a_change_costs_the_same_with_ten_sessions_and_with_a_thousand(guild: Guild, sessions: int) -> None:
    ids = _many(guild, sessions)
    await guild.reconcile()
    await guild.wait(minutes=5)
    guild.people.rename(ids[0], "a new name")
    assert await guild.reconcile() == {"UpdateSession": 1}
    written = {"BatchGetItem": 1, "UpdateItem": 2}  # the session, and that the run is whole
    assert Counter(guild.calls.names) == {"Query": 1, LIST: 1, AUDIT: 1, **written}


async def test_the_audit_log_is_read_page_by_page_from_the_watermark(guild: Guild) -> None:
    thread_id = (await guild.open("a")).thread_id
    await guild.reconcile()
    guild.people.archive(thread_id)
    await guild.reconcile()
    guild.people.delete_thread(thread_id)
    noisy = guild.people.create_thread(CHANNEL, "talk")
    for number in range(2 * AUDIT_PAGE + 10):
        guild.people.rename(noisy, f"talk {number}")
    assert (await guild.reconcile())["EndGeneration"] == 1
    assert guild.calls.count(AUDIT) == 3
    assert guild.table.guild()["audit_watermark"] == guild.discord.state.audit[GUILD][-1].id
    await guild.reconcile()
    assert guild.calls.count(AUDIT) == 1


async def test_of_a_log_that_was_empty_at_first_nothing_is_missed_later(guild: Guild) -> None:
    """Without a watermark Discord gives the newest page alone."""
    guild.table.put(guild.table.guild(), audit_watermark=None)
    guild.discord.switch(keep_audit_log=False)
    guild.discord.state.audit.put(GUILD, ())
    thread_id = (await guild.open("a")).thread_id
    guild.people.archive(thread_id)
    await guild.reconcile()
    guild.discord.switch(keep_audit_log=True)
    guild.people.delete_thread(thread_id)
    noisy = guild.people.create_thread(CHANNEL, "talk")
    for number in range(AUDIT_PAGE + 10):
        guild.people.rename(noisy, f"talk {number}")
    assert (await guild.reconcile())["EndGeneration"] == 1


async def test_an_hour_of_talk_is_one_write_and_a_minute_of_talk_none(guild: Guild) -> None:
    thread_id = (await guild.open("a")).thread_id
    await guild.reconcile()
    guild.people.post_message(thread_id, "a word")
    assert await guild.reconcile() == {}
    await guild.wait(minutes=61)
    guild.people.post_message(thread_id, "a word")
    assert await guild.reconcile() == {"UpdateSession": 1}
    assert differences(guild) == []
