"""A channel's past is read once, before anything is created in it."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from handler.errors import Importing, TimedOut
from handler.sessions.model import Outcome
from tests.kit.stage import Stage, staged
from tests.kit.table_view import CHANNEL

ARCHIVED: Final = "GET /channels/{channel_id}/threads/archived/public"
THREADS: Final = "POST /channels/{channel_id}/messages/{message_id}/threads"


def sometimes(number: int) -> str:
    """Of a long past not all is sessions."""
    return f"Session {number}" if number % 50 in (0, 49) else f"talk {number}"


def alternating(number: int) -> str:
    """Three of ten, the first three and the last of a hundred."""
    return f"Session alternating {number}" if number % 10 in (0, 4, 9) or number < 3 else f"talk {number}"


def sessions_of(threads: list[str]) -> set[str]:
    return {thread_id for number, thread_id in enumerate(threads) if sometimes(number).startswith("Session")}


def past(stage: Stage, count: int, **how: Any) -> list[str]:
    """A long past of the channel, older than any margin."""
    how = {"newest": stage.now - timedelta(hours=2), "name_of": sometimes, **how}
    return stage.discord.people.add_archived_threads(CHANNEL, count, **how)


def sent(stage: Stage, what: str) -> int:
    return sum(call.what == what for call in stage.calls)


def channel_item(stage: Stage) -> dict[str, Any]:
    item = stage.find_item(f"CHANNEL#{CHANNEL}", "CHANNEL")
    assert item is not None
    return item


def on_record(stage: Stage) -> set[str]:
    return {item["discord_thread_id"] for item in stage.items() if "discord_thread_id" in item}


@staged(imported=False)
async def test_the_first_open_of_a_channel_imports_its_past_then_creates(stage: Stage) -> None:
    old = past(stage, 5, name_of="Session {}".format)
    opened = await stage.open("new")

    item = channel_item(stage)
    assert opened.outcome is Outcome.CREATED
    assert on_record(stage) == {*old, opened.thread_id}
    assert item["imported_at"] == "2026-11-23T11:59:00.000Z"  # Discord's time of the first page, less a minute
    assert "import_before" not in item
    assert (item["guild_id"], item["kind"]) == ("1", 0)
    assert stage.find_item("GUILD#1", "GUILD") is not None


@staged(memory=True, imported=False, latency=0.3)
async def test_a_long_past_is_read_over_several_requests_each_going_on_where_the_last_one_stopped(
    stage: Stage,
) -> None:
    old = past(stage, 900)
    threads_read: list[int] = []
    opened = None
    while opened is None:
        try:
            opened = await stage.open("new", seconds=2.2)
        except Importing as importing:
            threads_read.append(importing.progress["threads"])
            assert not sent(stage, THREADS), "nothing is created before the end"
            stage.restart()
        except TimedOut:
            assert "imported_at" in channel_item(stage)  # what was left of the time was too short to create

    assert opened.outcome is Outcome.CREATED
    assert len(threads_read) >= 2
    assert threads_read == sorted(set(threads_read))
    assert on_record(stage) == {*sessions_of(old), opened.thread_id}


@staged(memory=True, imported=False)
async def test_the_import_stops_at_the_first_match_and_goes_on_with_the_next_unknown_name(stage: Stage) -> None:
    old = past(stage, 450)
    found = await stage.open("150")

    assert (found.outcome, found.thread_id) == (Outcome.ADOPTED, old[150])
    assert sent(stage, ARCHIVED) == 2
    assert "imported_at" not in channel_item(stage)
    opened = await stage.open("new")
    assert opened.outcome is Outcome.CREATED
    assert on_record(stage) == {*sessions_of(old), opened.thread_id}


@staged(memory=True, imported=False)
async def test_a_known_session_is_linked_while_the_past_is_not_read_yet(stage: Stage) -> None:
    past(stage, 450)
    found = await stage.open("49")
    stage.forget()

    assert (await stage.open("49")).thread_id == found.thread_id
    assert sent(stage, ARCHIVED) == 0


@staged(memory=True, imported=False)
async def test_an_active_match_needs_no_page_of_the_past(stage: Stage) -> None:
    past(stage, 450)
    made = stage.person_makes("Session now")

    assert (await stage.open("now")).thread_id == made
    assert sent(stage, ARCHIVED) == 0


@pytest.mark.parametrize("same", [3, 100, 101, 250], ids="{} at one time".format)
@staged(memory=True, imported=False)
async def test_threads_archived_at_the_same_time_at_a_pages_edge_are_all_imported(stage: Stage, same: int) -> None:
    newest = stage.now - timedelta(hours=2)
    past(stage, 98, newest=newest, name_of="talk {}".format)
    at = newest - timedelta(minutes=200)
    past(stage, 60, newest=at - timedelta(minutes=1), name_of="older talk {}".format)
    at_once = past(stage, min(same, 100), newest=at, step=timedelta(0), name_of=alternating)
    old = {thread_id for number, thread_id in enumerate(at_once) if alternating(number).startswith("Session")}
    if (
        same > 100
    ):  # Discord itself cannot page through more of one time than a page holds: these differ by microseconds
        step = timedelta(microseconds=1)
        close = past(stage, same - 100, newest=at - step, step=step)
        old |= sessions_of(close)
    await stage.open("new")

    assert old <= on_record(stage)


@staged(memory=True, imported=False, latency=0.5)
async def test_a_thread_that_moves_to_page_one_meanwhile_is_not_missed(stage: Stage) -> None:
    old = past(stage, 450)
    with pytest.raises(Importing):
        await stage.open("new", seconds=2.6)
    assert channel_item(stage)["import_pages"] < 4
    moving = old[449]  # on the last page, which is not read yet
    stage.discord.people.unarchive(moving, now=stage.now)
    stage.discord.people.archive(moving, now=stage.now)
    opened = await stage.open("new")

    assert opened.outcome is Outcome.CREATED
    assert moving in on_record(stage)
    assert (await stage.open("449")).thread_id == moving


@staged(memory=True, imported=False, latency=0.5)
async def test_a_thread_that_is_unarchived_meanwhile_is_not_missed(stage: Stage) -> None:
    old = past(stage, 450)
    with pytest.raises(Importing):
        await stage.open("new", seconds=2.6)
    stage.discord.people.unarchive(old[449], now=stage.now)
    await stage.open("new")

    assert old[449] in on_record(stage)


@staged(memory=True, imported=False)
async def test_several_old_threads_of_one_name_are_settled_as_one_session_and_its_namesakes(stage: Stage) -> None:
    old = past(stage, 4, name_of=lambda _: "Session same", step=timedelta(minutes=5))
    await stage.open("new")

    item = stage.item("same")
    assert item is not None
    assert item["discord_thread_id"] == old[0]
    assert sorted(stage.namesakes("same")) == sorted(old[1:])
    assert (await stage.open("same")).thread_id == old[0]


@staged(memory=True, imported=False)
async def test_old_threads_that_are_not_named_like_sessions_are_left_alone(stage: Stage) -> None:
    past(stage, 120, name_of="talk {}".format)
    past(stage, 1, type=12, name_of=lambda _: "Session secret", newest=datetime.fromisoformat("2026-11-01T00:00Z"))
    opened = await stage.open("new")

    assert on_record(stage) == {opened.thread_id}
    assert not [item for item in stage.items() if item["sk"].startswith("NAMESAKE#")]


@staged(memory=True, imported=False)
async def test_two_processes_that_import_side_by_side_end_with_one_thread(stage: Stage) -> None:
    old = past(stage, 250)
    one, other = stage.process(), stage.process()
    results = await asyncio.gather(stage.open("new", process=one), stage.open("new", process=other))

    assert results[0].thread_id == results[1].thread_id
    assert on_record(stage) == {*sessions_of(old), results[0].thread_id}
    assert len(stage.source_messages()) == 1


@staged(memory=True, imported=False)
async def test_without_read_message_history_nothing_is_imported_or_created_and_the_permission_is_named(
    stage: Stage,
) -> None:
    stage.discord.people.set_permissions(
        CHANNEL, ["VIEW_CHANNEL", "SEND_MESSAGES", "CREATE_PUBLIC_THREADS"], now=stage.now
    )
    past(stage, 3)
    error = await stage.refused("new", user=None)

    assert error.public()["permissions"] == ["READ_MESSAGE_HISTORY"]
    assert "imported_at" not in channel_item(stage)
    assert stage.source_messages() == []
