"""More than one open can read: a great many threads archived meanwhile, or namesakes. Each open goes on, and one ends."""

from datetime import timedelta

import pytest

from handler.errors import Importing
from handler.sessions.model import Outcome
from infra.simulator.snowflakes import lowest_snowflake
from tests.kit.deployment import Deployment
from tests.kit.guild import IMPORTED_AT, Guild
from tests.kit.table_view import CHANNEL, NAME

MAX_PAGES = 10
MAX_NAMESAKES_AT_ONCE = 5
MAX_NAMESAKES_READ = 100

pytestmark = pytest.mark.guild(table="memory", search_ready=False)

ARCHIVED = "GET /channels/{channel_id}/threads/archived/public"
THREAD = "GET /channels/{channel_id}"
EVERY = 50  # of so many threads one is named like a session


def mostly_talk(number: int) -> str:
    return f"talk {number}" if number % EVERY else f"Session {number}"


def add_archived(guild: Guild, count: int) -> list[str]:
    """Threads that were archived since the channel's mark, and older ones, which are settled; returns new sessions' ones."""
    add, step = guild.discord.people.add_archived_threads, timedelta(seconds=1)
    add(CHANNEL, 300, newest=IMPORTED_AT - timedelta(minutes=1), name_of="Session old {}".format, step=step)
    return add(CHANNEL, count, newest=guild.now - timedelta(minutes=2), name_of=mostly_talk, step=step)[::EVERY]


def add_namesakes(guild: Guild, count: int) -> list[str]:
    """Noted threads of the name that are gone."""
    ids = [str(lowest_snowflake(guild.now - timedelta(days=9)) + number) for number in range(count)]
    for thread_id in ids:
        guild.table.put({"pk": f"CHANNEL#{CHANNEL}", "sk": f"NAMESAKE#{NAME}#{thread_id}"})
    return ids


@pytest.mark.guild(latency=0.4)
async def test_many_threads_archived_since_the_mark_are_imported_bit_by_bit_and_no_older_ones(
    deployment: Deployment,
) -> None:
    await deployment.ensure(session_name="another")
    await deployment.wait(days=1)
    old = deployment.discord.people.add_archived_threads(
        CHANNEL, 2500, newest=deployment.now, name_of=mostly_talk, step=timedelta(seconds=1)
    )[::EVERY]
    deployment.calls.forget()
    asked = await deployment.ask()
    await deployment.work()

    (thread,) = deployment.living_threads()
    assert f"<#{thread.id}>" in deployment.shown(asked)
    assert deployment.calls.count(ARCHIVED) < 2 * 25 + 2 * MAX_PAGES
    assert "import_since" not in deployment.table.channel()
    assert set(old) <= deployment.table.threads()


async def test_an_import_after_too_many_archived_threads_ends_at_the_former_mark(guild: Guild) -> None:
    await guild.wait(days=1)
    new = add_archived(guild, 1500)
    opened = await guild.open()

    assert opened.outcome is Outcome.CREATED
    assert {*new, opened.thread_id} <= guild.table.threads()
    assert len(guild.table.threads()) <= len(new) + 1 + 100, "of the older ones, those of the last page at most"
    assert guild.calls.count(ARCHIVED) == MAX_PAGES + 15 + 3
    guild.calls.forget()
    await guild.open("another")
    assert guild.calls.count(ARCHIVED) == 1


async def test_a_thread_of_that_name_among_the_first_pages_is_adopted_without_an_import(guild: Guild) -> None:
    await guild.wait(days=1)
    new = add_archived(guild, 1500)

    assert (await guild.open("700")).thread_id == new[700 // EVERY]
    assert guild.table.channel()["imported_at"] == "2026-11-23T11:00:00.000Z"


async def test_the_one_old_thread_beyond_the_bound_is_adopted_and_not_made_again(guild: Guild) -> None:
    await guild.wait(days=1)
    new = add_archived(guild, 1500)

    assert (await guild.open("1400")).thread_id == new[1400 // EVERY]
    assert guild.source_messages() == []


@pytest.mark.guild(latency=0.5, imported=False)
async def test_threads_that_were_archived_while_an_import_rested_are_imported_too(guild: Guild) -> None:
    add_archived(guild, 450)
    with pytest.raises(Importing):
        await guild.open(seconds=2.6)
    await guild.wait(days=1)
    meanwhile = guild.discord.people.add_archived_threads(
        CHANNEL, 1500, newest=guild.now, name_of=mostly_talk, step=timedelta(seconds=1)
    )[::EVERY]

    assert (await guild.open("1400")).thread_id == meanwhile[1400 // EVERY]
    opened = await guild.open()
    assert opened.outcome is Outcome.CREATED
    assert set(meanwhile) <= guild.table.threads()


async def test_an_active_thread_that_is_gone_is_replaced_however_many_were_archived_meanwhile(guild: Guild) -> None:
    first = await guild.open()
    await guild.wait(days=1)
    guild.people.delete_thread(first.thread_id)
    add_archived(guild, 1500)
    again = await guild.open()

    assert (again.outcome, again.after_deletion) == (Outcome.CREATED, True)
    assert [thread.id for thread in guild.living_threads()] == [again.thread_id]


async def test_the_duplicates_of_a_channel_with_too_many_new_threads_are_listed_in_the_end(
    deployment: Deployment,
) -> None:
    await deployment.ensure(session_name="another")
    await deployment.wait(days=1)
    deployment.discord.people.add_archived_threads(
        CHANNEL, 1100, newest=deployment.now, name_of=lambda n: f"Session {n // 500}", step=timedelta(seconds=1)
    )
    asked = await deployment.administer("duplicates")
    await deployment.work()

    assert "Found 300 duplicate threads" in deployment.shown(asked)


async def test_the_first_namesake_that_can_be_adopted_ends_the_search(guild: Guild) -> None:
    add_namesakes(guild, 2500)
    alive = guild.people.create_thread(CHANNEL, f"Session {NAME}", archived=True)
    guild.table.put({"pk": f"CHANNEL#{CHANNEL}", "sk": f"NAMESAKE#{NAME}#{alive}"})
    guild.people.convert_channel(CHANNEL)  # so that no list shows it
    opened = await guild.open()

    assert (opened.outcome, opened.thread_id) == (Outcome.ADOPTED, alive)
    assert guild.calls.count(THREAD) <= 2 * MAX_NAMESAKES_AT_ONCE


async def test_each_open_reads_some_of_many_namesakes_until_none_is_left(guild: Guild) -> None:
    dead = add_namesakes(guild, 5 * MAX_NAMESAKES_READ // 2)
    counts = []
    for _ in range(2):
        guild.calls.forget()
        error = await guild.refused()
        assert isinstance(error, Importing)
        counts.append(error.progress["threads"])
        assert guild.calls.count(THREAD) <= 2 * MAX_NAMESAKES_READ
        assert guild.source_messages() == []

    assert counts == [MAX_NAMESAKES_READ, 2 * MAX_NAMESAKES_READ]
    opened = await guild.open()
    assert opened.outcome is Outcome.CREATED
    assert len(guild.table.namesakes()) == len(dead), "a short time is not enough to forget them"


async def test_a_living_namesake_is_found_after_many_that_are_gone_or_renamed(guild: Guild) -> None:
    alive = guild.people.create_thread(CHANNEL, f"Session {NAME}", archived=True)
    renamed = [guild.people.create_thread(CHANNEL, "talk", archived=True) for _ in range(MAX_NAMESAKES_READ)]
    for thread_id in (alive, *renamed):
        guild.table.put({"pk": f"CHANNEL#{CHANNEL}", "sk": f"NAMESAKE#{NAME}#{thread_id}"})
    guild.people.convert_channel(CHANNEL)  # so that no list shows them
    assert isinstance(await guild.refused(), Importing)

    assert (await guild.open()).thread_id == alive


async def test_who_asks_for_a_name_with_many_dead_namesakes_is_answered_in_the_end(deployment: Deployment) -> None:
    await deployment.ensure(session_name="another")
    add_namesakes(deployment, 3 * MAX_NAMESAKES_READ // 2)
    asked = await deployment.ask()
    await deployment.work()

    (thread,) = deployment.living_threads()
    assert f"<#{thread.id}>" in deployment.shown(asked)
