"""What a run costs: nothing changed, and for each change, however many sessions are on record."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from handler.discord import snowflakes
from handler.discord.rest import PAGE_SIZE as AUDIT_PAGE
from handler.runtime.clock import iso
from handler.sessions.reconcile.observe import SWEEP_PER_RUN
from handler.sessions.reconcile.watermark import MAX_PAGES
from handler.sessions.threads.archive import WATERMARK_MARGIN
from infra.simulator.models import Thread
from infra.simulator.permissions import DEFAULT_PERMISSIONS, permission_bits
from tests.kit.virtual_time import START
from tests.reconciler.ground import CHANNEL, GUILD, MODERATOR, WITHOUT_AUDIT_LOG, Ground, grounded

LIST = "GET /guilds/{guild_id}/threads/active"
AUDIT = "GET /guilds/{guild_id}/audit-logs"
THREAD = "GET /channels/{channel_id}"
ARCHIVED = "GET /channels/{channel_id}/threads/archived/public"


def _many(ground: Ground, count: int, *, active: int = 10) -> list[str]:
    """So many sessions on record, as they are on Discord: `active` of them active, the others archived long ago."""
    ids = ground.discord.people.add_archived_threads(
        CHANNEL, count, newest=START - timedelta(days=1), name_of="Session {}".format
    )
    for number, thread_id in enumerate(ids):
        if number < active:
            ground.discord.people.unarchive(thread_id, now=ground.now)
        _put(
            ground,
            ground.discord.threads[thread_id] if count < 100 else ground.discord.state.threads[thread_id],
            number,
        )
    return ids


def _put(ground: Ground, thread: Thread, number: int) -> None:
    at = iso(thread.archive_timestamp)
    watched: dict[str, Any] = {"due_in": GUILD, "due_at": at, "archived_at": at}
    if not thread.archived:
        watched = {"watch_guild_id": GUILD, "seen_active_at": at}
    ground.put(
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
    ground.put(pk=f"THREAD#{thread.id}", sk="THREAD", parent_channel_id=CHANNEL, session_key=str(number))


@pytest.mark.parametrize("sessions", [10, 10_000])
@grounded
async def test_with_nothing_changed_it_costs_one_list_one_audit_request_and_one_query(
    ground: Ground, sessions: int
) -> None:
    _many(ground, sessions)
    await ground.reconcile()
    assert await ground.reconcile() == {}
    assert Counter(ground.calls) == {"query": 1, LIST: 1, AUDIT: 1}


@pytest.mark.parametrize("sessions", [10, 10_000])
@grounded
async def test_without_the_audit_log_it_costs_the_sweeps_gets_and_a_second_query(ground: Ground, sessions: int) -> None:
    _many(ground, sessions, active=2)
    ground.discord.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG, now=ground.now)
    await ground.reconcile()
    assert await ground.reconcile() == {"MoveToEnd": SWEEP_PER_RUN}
    assert Counter(ground.calls) == {"query": 2, LIST: 1, THREAD: SWEEP_PER_RUN, "update_item": SWEEP_PER_RUN}


@grounded
async def test_an_audit_log_that_may_not_be_read_is_asked_for_ever_more_seldom(ground: Ground) -> None:
    ground.discord.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG, now=ground.now)
    asked = []
    for half_hour in range(2 * 24 * 5):
        await ground.reconcile()
        asked += [half_hour] * ground.asked(AUDIT)
        await ground.wait(minutes=30)
    assert asked[:6] == [0, 1, 2, 4, 8, 16]
    assert max(later - earlier for earlier, later in pairwise(asked)) == 2 * 24
    ground.discord.people.set_permissions(GUILD, permission_bits(DEFAULT_PERMISSIONS), now=ground.now)
    await ground.wait(minutes=24 * 60)
    await ground.reconcile()
    assert not {"audit_denied_since", "audit_again_at"} & ground.guild.keys()
    thread_id = (await ground.open("a")).thread_id
    ground.archive(thread_id)
    await ground.reconcile()
    ground.delete(thread_id)
    assert (await ground.reconcile())["EndGeneration"] == 1


@grounded
async def test_where_a_thread_was_archived_the_mark_of_its_channel_moves_on_and_what_lies_there_is_settled(
    ground: Ground,
) -> None:
    thread_id = (await ground.open("a")).thread_id
    await ground.reconcile()
    before = ground.of_kind("CHANNEL")[0]["imported_at"]
    await ground.wait(minutes=60)
    stranger = ground.person_makes("Session b")
    for thread in (thread_id, stranger):
        ground.archive(thread)
    await ground.wait(minutes=10)
    assert await ground.reconcile() == {"AdvanceWatermark": 1, "UpdateSession": 1}
    assert ground.item("b")["discord_thread_id"] == stranger
    assert (
        ground.of_kind("CHANNEL")[0]["imported_at"]
        == iso(ground.now.replace(microsecond=0) - WATERMARK_MARGIN)
        > before
    )
    assert ground.asked(ARCHIVED) == 1
    assert await ground.reconcile() == {}


@grounded
async def test_a_mark_that_lies_far_behind_is_left_to_an_opener(ground: Ground) -> None:
    thread_id = (await ground.open("a")).thread_id
    await ground.reconcile()
    before = ground.of_kind("CHANNEL")[0]["imported_at"]
    await ground.wait(minutes=60)
    ground.discord.people.add_archived_threads(
        CHANNEL, 100 * (MAX_PAGES + 1), newest=ground.now, name_of="talk {}".format, step=timedelta(seconds=1)
    )
    ground.archive(thread_id)
    assert await ground.reconcile() == {"AdvanceWatermark": 1, "UpdateSession": 1}
    assert ground.asked(ARCHIVED) == MAX_PAGES
    assert ground.of_kind("CHANNEL")[0]["imported_at"] == before


@grounded
async def test_a_change_costs_the_same_with_ten_sessions_and_with_a_thousand(ground: Ground) -> None:
    few = await _cost_of_a_change(ground, 10)
    ground.table.lose()
    many = await _cost_of_a_change(Ground(), 1_000)
    assert few == many
    assert few["update_item"] == 2  # the session, and that the run is whole
    assert few["batch_get_item"] == 1


async def _cost_of_a_change(ground: Ground, sessions: int) -> Counter[str]:
    ground.put(pk=f"GUILD#{GUILD}", sk="GUILD", guild_id=GUILD, watch_guild_id=GUILD, due_in="GUILDS", due_at="2026")
    ids = _many(ground, sessions)
    await ground.reconcile()
    await ground.wait(minutes=5)
    ground.rename(ids[0], "a new name")
    assert await ground.reconcile() == {"UpdateSession": 1}
    await ground.http.aclose()
    return Counter(ground.calls)


@grounded
async def test_the_audit_log_is_read_page_by_page_from_the_watermark(ground: Ground) -> None:
    thread_id = (await ground.open("a")).thread_id
    await ground.reconcile()
    ground.archive(thread_id)
    await ground.reconcile()
    ground.delete(thread_id)
    noisy = ground.person_makes("talk")
    for number in range(2 * AUDIT_PAGE + 10):
        ground.rename(noisy, f"talk {number}")
    assert (await ground.reconcile())["EndGeneration"] == 1
    assert ground.asked(AUDIT) == 3
    assert ground.guild["audit_watermark"] == ground.discord.state.audit[GUILD][-1].id
    await ground.reconcile()
    assert ground.asked(AUDIT) == 1


@grounded
async def test_of_a_log_that_was_empty_at_first_nothing_is_missed_later(ground: Ground) -> None:
    """Without a watermark Discord gives the newest page alone."""
    ground.change(ground.guild, audit_watermark=None)
    ground.discord.switch(keep_audit_log=False)
    ground.discord.state.audit.put(GUILD, ())
    thread_id = (await ground.open("a")).thread_id
    ground.archive(thread_id)
    await ground.reconcile()
    ground.discord.switch(keep_audit_log=True)
    ground.delete(thread_id)
    noisy = ground.person_makes("talk")
    for number in range(AUDIT_PAGE + 10):
        ground.rename(noisy, f"talk {number}")
    assert (await ground.reconcile())["EndGeneration"] == 1


@grounded
async def test_an_hour_of_talk_is_one_write_and_a_minute_of_talk_none(ground: Ground) -> None:
    thread_id = (await ground.open("a")).thread_id
    await ground.reconcile()
    ground.discord.people.post_message(thread_id, "a word", now=ground.now, by=MODERATOR)
    assert await ground.reconcile() == {}
    await ground.wait(minutes=61)
    ground.discord.people.post_message(thread_id, "a word", now=ground.now, by=MODERATOR)
    assert await ground.reconcile() == {"UpdateSession": 1}
    assert ground.differences() == []
