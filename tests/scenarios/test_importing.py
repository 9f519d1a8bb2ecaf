"""A channel's past is read once, before anything is created in it."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from handler.errors import Importing, TimedOut
from handler.sessions.model import Outcome
from tests.kit.guild import Guild
from tests.kit.recorded_calls import Died
from tests.kit.table_view import CHANNEL

# Without its index the search is no short cut.
pytestmark = pytest.mark.guild(table="memory", imported=False, search_ready=False)

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


def past(guild: Guild, count: int, **how: Any) -> list[str]:
    """A long past of the channel, older than any margin."""
    how = {"newest": guild.now - timedelta(hours=2), "name_of": sometimes, **how}
    return guild.discord.people.add_archived_threads(CHANNEL, count, **how)


@pytest.mark.guild(table="moto")
async def test_the_first_open_of_a_channel_imports_its_past_then_creates(guild: Guild) -> None:
    old = past(guild, 5, name_of="Session {}".format)
    opened = await guild.open("new")

    item = guild.table.channel()
    assert opened.outcome is Outcome.CREATED
    assert guild.table.threads() == {*old, opened.thread_id}
    assert item["imported_at"] == "2026-11-23T11:59:00.000Z"  # Discord's time of the first page, less a minute
    assert "import_before" not in item
    assert (item["guild_id"], item["kind"]) == ("1", 0)
    assert guild.table.find("GUILD#1", "GUILD")


@pytest.mark.guild(latency=0.3)
async def test_a_long_past_is_read_over_several_requests_each_going_on_where_the_last_one_stopped(
    guild: Guild,
) -> None:
    old = past(guild, 900)
    threads_read: list[int] = []
    opened = None
    while opened is None:
        try:
            opened = await guild.open("new", seconds=2.2)
        except Importing as importing:
            threads_read.append(importing.progress["threads"])
            assert not guild.calls.count(THREADS), "nothing is created before the end"
            guild.restart()
        except TimedOut:
            assert "imported_at" in guild.table.channel()  # what was left of the time was too short to create

    assert opened.outcome is Outcome.CREATED
    assert len(threads_read) >= 2
    assert threads_read == sorted(set(threads_read))
    assert guild.table.threads() == {*sessions_of(old), opened.thread_id}


async def test_the_import_stops_at_the_first_match_and_goes_on_with_the_next_unknown_name(guild: Guild) -> None:
    old = past(guild, 450)
    found = await guild.open("150")

    assert (found.outcome, found.thread_id) == (Outcome.ADOPTED, old[150])
    assert guild.calls.count(ARCHIVED) == 2
    assert "imported_at" not in guild.table.channel()
    opened = await guild.open("new")
    assert opened.outcome is Outcome.CREATED
    assert guild.table.threads() == {*sessions_of(old), opened.thread_id}


async def test_a_death_right_after_the_import_has_moved_on_loses_none_of_the_threads_it_has_read(guild: Guild) -> None:
    old = past(guild, 300, name_of=sometimes)

    async def die_once_it_has_moved_on() -> None:
        if guild.table.channel().get("import_pages") == 2:  # the first page is read again at the end
            raise Died

    guild.after_call, guild.after_every_call = die_once_it_has_moved_on, True
    await guild.death(guild.open("new"))
    guild.after_call = None
    await guild.open("new")

    assert sessions_of(old) < guild.table.threads()


@pytest.mark.parametrize("status", ["vacant", "creating"])
async def test_a_name_that_is_on_record_without_a_thread_is_searched_for_in_the_past_too(
    guild: Guild, status: str
) -> None:
    old = past(guild, 200, name_of="Session {}".format)
    guild.table.put(
        {"pk": f"CHANNEL#{CHANNEL}", "sk": "SESSION#150", "parent_channel_id": CHANNEL, "session_key": "150"},
        session_name="150",
        guild_id="1",
        status=status,
        generation=3,
        lease_owner="who died" if status == "creating" else None,
        lease_expires_at=guild.now - timedelta(minutes=1) if status == "creating" else None,
    )
    opened = await guild.open("150")

    assert (opened.outcome, opened.thread_id) == (Outcome.ADOPTED, old[150])
    assert guild.source_messages() == []


async def test_a_known_session_is_linked_while_the_past_is_not_read_yet(guild: Guild) -> None:
    past(guild, 450)
    found = await guild.open("49")
    guild.calls.forget()

    assert (await guild.open("49")).thread_id == found.thread_id
    assert guild.calls.count(ARCHIVED) == 0


async def test_an_active_match_needs_no_page_of_the_past(guild: Guild) -> None:
    past(guild, 450)
    made = guild.people.create_thread(CHANNEL, "Session now")

    assert (await guild.open("now")).thread_id == made
    assert guild.calls.count(ARCHIVED) == 0


@pytest.mark.parametrize("same", [3, 100, 101, 250], ids="{} at one time".format)
async def test_threads_archived_at_the_same_time_at_a_pages_edge_are_all_imported(guild: Guild, same: int) -> None:
    newest = guild.now - timedelta(hours=2)
    past(guild, 98, newest=newest, name_of="talk {}".format)
    at = newest - timedelta(minutes=200)
    past(guild, 60, newest=at - timedelta(minutes=1), name_of="older talk {}".format)
    at_once = past(guild, min(same, 100), newest=at, step=timedelta(0), name_of=alternating)
    old = {thread_id for number, thread_id in enumerate(at_once) if alternating(number).startswith("Session")}
    if (
        same > 100
    ):  # Discord itself cannot page through more of one time than a page holds: these differ by microseconds
        step = timedelta(microseconds=1)
        close = past(guild, same - 100, newest=at - step, step=step)
        old |= sessions_of(close)
    await guild.open("new")

    assert old <= guild.table.threads()


@pytest.mark.guild(latency=0.5)
async def test_a_thread_that_moves_to_page_one_meanwhile_is_not_missed(guild: Guild) -> None:
    old = past(guild, 450)
    with pytest.raises(Importing):
        await guild.open("new", seconds=2.6)
    assert guild.table.channel()["import_pages"] < 4
    moving = old[449]  # on the last page, which is not read yet
    guild.people.unarchive(moving)
    guild.people.archive(moving)
    opened = await guild.open("new")

    assert opened.outcome is Outcome.CREATED
    assert moving in guild.table.threads()
    assert (await guild.open("449")).thread_id == moving


@pytest.mark.guild(latency=0.5)
async def test_a_thread_that_is_unarchived_meanwhile_is_not_missed(guild: Guild) -> None:
    old = past(guild, 450)
    with pytest.raises(Importing):
        await guild.open("new", seconds=2.6)
    guild.people.unarchive(old[449])
    await guild.open("new")

    assert old[449] in guild.table.threads()


async def test_several_old_threads_of_one_name_are_settled_as_one_session_and_its_namesakes(guild: Guild) -> None:
    old = past(guild, 4, name_of=lambda _: "Session same", step=timedelta(minutes=5))
    await guild.open("new")

    item = guild.table.item("same")
    assert item["discord_thread_id"] == old[0]
    assert sorted(guild.table.namesakes("same")) == sorted(old[1:])
    assert (await guild.open("same")).thread_id == old[0]


async def test_old_threads_that_are_not_named_like_sessions_are_left_alone(guild: Guild) -> None:
    past(guild, 120, name_of="talk {}".format)
    past(guild, 1, type=12, name_of=lambda _: "Session secret", newest=datetime.fromisoformat("2026-11-01T00:00Z"))
    opened = await guild.open("new")

    assert guild.table.threads() == {opened.thread_id}
    assert not [item for item in guild.table.items() if item["sk"].startswith("NAMESAKE#")]


async def test_two_processes_that_import_side_by_side_end_with_one_thread(guild: Guild) -> None:
    old = past(guild, 250)
    one, other = guild.opener(), guild.opener()
    results = await asyncio.gather(guild.open("new", process=one), guild.open("new", process=other))

    assert results[0].thread_id == results[1].thread_id
    assert guild.table.threads() == {*sessions_of(old), results[0].thread_id}
    assert len(guild.source_messages()) == 1


async def test_without_read_message_history_nothing_is_imported_or_created_and_the_permission_is_named(
    guild: Guild,
) -> None:
    guild.people.set_permissions(CHANNEL, ["VIEW_CHANNEL", "SEND_MESSAGES", "CREATE_PUBLIC_THREADS"])
    past(guild, 3)
    error = await guild.refused("new", user=None)

    assert error.public()["permissions"] == ["READ_MESSAGE_HISTORY"]
    assert "imported_at" not in guild.table.channel()
    assert guild.source_messages() == []
