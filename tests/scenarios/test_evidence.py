"""A thread that only seems to be gone stays: each kind of evidence alone proves nothing."""

from datetime import timedelta
from typing import Any, Final

import pytest

from handler.sessions.model import Outcome
from infra.simulator.exchange import json_response
from infra.simulator.faults import error, server_error
from tests.kit.guild import IMPORTED_AT, Guild
from tests.kit.recorded_calls import Call
from tests.kit.table_view import CHANNEL, NAME

# Without its index the search finds nothing that the lists leave out.
pytestmark = pytest.mark.guild(table="memory", search_ready=False)

ACTIVE: Final = "/guilds/{guild_id}/threads/active"
STARTS: Final = "POST /channels/{channel_id}/messages/{message_id}/threads"
GONE: Final = error(404, 10003, "Unknown Channel")
ANOTHER_NAME: Final = "Session another"  # so that no look-up finds the thread by the session's name
FOR_EVER: Final = 99


def state(guild: Guild) -> tuple[Any, ...]:
    """What must not change where nothing is known to be gone."""
    item = guild.table.item()
    return (
        [item.get(name) for name in ("status", "generation", "source_message_id", "discord_thread_id")],
        [message.id for message in guild.source_messages()],
        guild.calls.count(STARTS),
    )


async def test_a_thread_in_the_active_list_is_kept_though_it_is_always_called_unknown(guild: Guild) -> None:
    first = await guild.open()
    guild.people.rename(first.thread_id, ANOTHER_NAME)
    guild.discord.faults.inject("GET", f"/channels/{first.thread_id}", GONE, times=FOR_EVER)
    before = state(guild)
    opened = await guild.open()

    assert (opened.outcome, opened.thread_id, opened.after_deletion) == (Outcome.REUSED, first.thread_id, False)
    assert state(guild) == before


async def test_while_the_parent_channel_does_not_answer_nothing_counts_as_deleted(guild: Guild) -> None:
    first = await guild.open()
    guild.people.delete_thread(first.thread_id)
    before = state(guild)
    guild.discord.faults.inject("GET", f"/channels/{CHANNEL}", server_error(), times=FOR_EVER)
    assert (await guild.refused(states_channel=False)).kind == "discord_unavailable"
    assert state(guild) == before

    guild.discord.faults.clear()
    assert (await guild.open()).after_deletion


async def test_a_thread_archived_again_since_it_was_recorded_is_on_the_newest_page_and_kept(guild: Guild) -> None:
    first = await guild.open()
    guild.people.edit_thread(first.thread_id, name=ANOTHER_NAME, archived=True)
    guild.table.put(guild.table.item(), archived=True, archived_at=guild.now)
    await guild.wait(minutes=10)
    guild.people.unarchive(first.thread_id)
    guild.people.archive(first.thread_id)
    guild.discord.faults.inject("GET", f"/channels/{first.thread_id}", GONE, times=FOR_EVER)
    before = state(guild)
    opened = await guild.open()

    assert (opened.outcome, opened.thread_id, opened.after_deletion) == (Outcome.REOPENED, first.thread_id, False)
    assert state(guild) == before


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(404, 0, "404: Not Found"), "discord_unavailable"),
        (error(404, 10008, "Unknown Message"), "discord_unavailable"),
        (error(403, 50001, "Missing Access"), "missing_access"),
    ],
    ids=["404 of no code", "404 of another code", "403"],
)
async def test_a_started_thread_that_answers_anything_but_unknown_channel_is_not_started_again(
    guild: Guild, answer: Any, kind: str
) -> None:
    guild.calls.dies_after = Call("discord", STARTS)
    await guild.death(guild.open())
    (thread,) = guild.living_threads()
    await guild.wait(minutes=1)
    before = state(guild)
    guild.discord.faults.inject("GET", f"/channels/{thread.id}", answer, times=FOR_EVER)
    guild.discord.faults.inject("GET", ACTIVE, json_response(200, {"threads": [], "members": []}), times=FOR_EVER)
    assert (await guild.refused()).kind == kind
    assert [t.id for t in guild.living_threads()] == [thread.id]
    assert state(guild)[:2] == before[:2]

    guild.discord.faults.clear()
    assert (await guild.open()).thread_id == thread.id


async def test_beyond_ten_pages_a_thread_that_answers_in_the_end_is_kept(guild: Guild) -> None:
    first = await guild.open()
    guild.people.edit_thread(first.thread_id, name=ANOTHER_NAME, archived=True)
    await guild.wait(days=1)
    guild.discord.people.add_archived_threads(
        CHANNEL, 1000, newest=guild.now - timedelta(minutes=1), step=timedelta(seconds=1)
    )
    guild.discord.faults.inject("GET", f"/channels/{first.thread_id}", GONE, times=2)
    before = state(guild)
    opened = await guild.open()

    assert (opened.outcome, opened.thread_id) == (Outcome.REOPENED, first.thread_id)
    assert state(guild) == before


@pytest.mark.parametrize(
    "answer", [error(403, 50001, "Missing Access"), error(404, 0, "404: Not Found")], ids=["403", "404 of no code"]
)
async def test_a_thread_on_record_that_is_refused_is_not_deleted(guild: Guild, answer: Any) -> None:
    first = await guild.open()
    guild.people.delete_thread(first.thread_id)  # so that no list has it, as none has one that the bot may not see
    before = state(guild)
    guild.discord.faults.inject("GET", f"/channels/{first.thread_id}", answer, times=FOR_EVER)
    await guild.refused()

    assert state(guild) == before


async def test_one_lying_answer_costs_neither_the_thread_nor_its_source_message(guild: Guild) -> None:
    first = await guild.open()
    before = state(guild)
    guild.discord.report_missing_once(first.thread_id)
    opened = await guild.open()

    assert (opened.outcome, opened.thread_id) == (Outcome.REUSED, first.thread_id)
    assert state(guild) == before
    assert [message.id for message in guild.source_messages()] == [first.thread_id]


async def test_a_namesake_that_is_called_unknown_once_is_adopted_all_the_same(guild: Guild) -> None:
    (old,) = guild.discord.people.add_archived_threads(
        CHANNEL, 1, newest=IMPORTED_AT - timedelta(days=1), name_of=lambda _: f"Session {NAME}"
    )
    guild.discord.people.add_archived_threads(CHANNEL, 100, newest=IMPORTED_AT - timedelta(hours=1))
    guild.table.put({"pk": f"CHANNEL#{CHANNEL}", "sk": f"NAMESAKE#{NAME}#{old}"})
    guild.discord.report_missing_once(old)
    opened = await guild.open()

    assert (opened.outcome, opened.thread_id) == (Outcome.ADOPTED, old)
    assert guild.source_messages() == []
