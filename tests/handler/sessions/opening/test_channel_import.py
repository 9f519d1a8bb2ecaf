"""An import by request: from the beginning, whichever processes die, and no thread is missed."""

from datetime import timedelta

import pytest

from handler.errors import Importing
from handler.sessions.opening.channel_import import import_afresh
from handler.store.items import ChannelItem
from tests.kit.guild import Guild
from tests.kit.recorded_calls import Died
from tests.kit.table_view import CHANNEL, GUILD

pytestmark = pytest.mark.guild(followed=True)

EMPTY = ChannelItem(channel_id=CHANNEL, guild_id=GUILD, kind=0)
NO_STRETCH = 3600.0
REQUEST = "interaction-1"
CALLS_PER_PROCESS = 400  # several dozen processes for fifty thousand threads


async def run(guild: Guild, requested_by: str) -> ChannelItem:
    return await import_afresh(guild.context, EMPTY, requested_by, stretch=NO_STRETCH)


async def run_killed(guild: Guild, requested_by: str, *, every: int) -> tuple[ChannelItem, int]:
    """Import to the end with processes that die after so many calls; returns how many died."""
    for died in range(1000):
        guild.calls.forget()
        guild.calls.dies_after = every
        try:
            return await run(guild, requested_by), died
        except Died:
            guild.restart()
    raise AssertionError("the import never ends")


def add_past(guild: Guild, count: int, *, every: int = 1, step: timedelta = timedelta(seconds=1)) -> list[str]:
    """Add so many archived threads, one of `every` named like a session; returns the ids of these."""
    made = guild.discord.people.add_archived_threads(
        CHANNEL,
        count,
        newest=guild.now - timedelta(hours=2),
        name_of=lambda number: f"talk {number}" if number % every else f"Session {number}",
        step=step,
    )
    return made[::every]


async def test_processes_that_all_die_import_fifty_thousand_threads_and_miss_none(guild: Guild) -> None:
    sessions = add_past(guild, 50_000, every=50)
    guild.calls.forget()
    guild.calls.dies_after = CALLS_PER_PROCESS
    with pytest.raises(Died):
        await run(guild, REQUEST)
    guild.restart()
    moving = sessions[-1]  # from the last page, which is not read yet, to the first, which is
    guild.people.unarchive(moving)
    guild.people.archive(moving)
    done, died = await run_killed(guild, REQUEST, every=CALLS_PER_PROCESS)
    assert died > 5
    assert done.imported_at is not None
    assert guild.table.threads() == set(sessions)
    assert done.import_sessions in (len(sessions) - 1, len(sessions))  # one has moved


@pytest.mark.parametrize("same", [3, 100])
async def test_equal_archive_times_at_the_edge_of_a_page_hide_no_thread(guild: Guild, same: int) -> None:
    newest = add_past(guild, 98)
    at = guild.now - timedelta(hours=2, seconds=200)
    equal = guild.discord.people.add_archived_threads(
        CHANNEL, same, newest=at, name_of="Session equal {}".format, step=timedelta(0)
    )
    older = guild.discord.people.add_archived_threads(
        CHANNEL, 60, newest=at - timedelta(seconds=1), name_of="Session older {}".format, step=timedelta(seconds=1)
    )
    await run_killed(guild, REQUEST, every=CALLS_PER_PROCESS)
    assert guild.table.threads() == {*newest, *equal, *older}


async def test_a_repeat_of_a_request_goes_on_and_another_request_begins_again(guild: Guild) -> None:
    add_past(guild, 5)
    done = await run(guild, REQUEST)
    guild.calls.forget()
    assert await run(guild, REQUEST) == done
    assert guild.calls.count("GET /guilds/{guild_id}/threads/active") == 0
    await run(guild, "interaction-2")
    assert guild.calls.count("GET /guilds/{guild_id}/threads/active") > 0


async def test_an_open_during_the_import_gets_the_old_thread_of_its_name(guild: Guild) -> None:
    (old, *_) = add_past(guild, 450, every=449)[1:]
    guild.calls.forget()
    guild.calls.dies_after = 6
    with pytest.raises(Died):
        await run(guild, REQUEST)
    guild.restart()
    assert (await guild.open("449")).thread_id == old


async def test_an_import_that_stops_at_its_time_limit_reports_its_progress(guild: Guild) -> None:
    add_past(guild, 450)
    with pytest.raises(Importing) as raised:
        await import_afresh(guild.context, EMPTY, REQUEST, stretch=0.0)
    assert set(raised.value.progress) == {"pages", "threads", "sessions"}


def add_messages(guild: Guild, thread_id: str, messages: int) -> None:
    for _ in range(messages):
        guild.people.post_message(thread_id, "a word")


@pytest.mark.parametrize("killed", [False, True])
async def test_the_thread_with_most_messages_is_kept_wherever_the_threads_of_a_name_are_listed(
    guild: Guild, killed: bool
) -> None:
    threads = [guild.people.create_thread(CHANNEL, "Session x") for _ in range(5)]
    add_messages(guild, threads[1], 1)
    add_messages(guild, threads[3], 4)
    add_messages(guild, threads[4], 2)
    for thread_id in threads[2:4]:
        guild.people.archive(thread_id)
    await guild.wait(minutes=10)
    guild.discord.people.add_archived_threads(
        CHANNEL, 150, newest=guild.now, name_of="talk {}".format, step=timedelta(seconds=1)
    )
    await (run_killed(guild, REQUEST, every=25) if killed else run(guild, REQUEST))
    assert guild.table.item("x")["discord_thread_id"] == threads[3]
    assert sorted(i["sk"].rpartition("#")[2] for i in guild.table.of_kind("NAMESAKE#")) == sorted(
        {*threads} - {threads[3]}
    )
    pointers = {i["pk"].removeprefix("THREAD#"): i["session_key"] for i in guild.table.of_kind("THREAD")}
    assert {thread_id for thread_id, key in pointers.items() if key == "x"} == {threads[3]}


async def test_a_thread_that_was_on_record_before_the_import_stays_on_record(guild: Guild) -> None:
    kept = (await guild.open("x")).thread_id
    other = guild.people.create_thread(CHANNEL, "Session x")
    add_messages(guild, other, 9)
    await run(guild, REQUEST)
    assert guild.table.item("x")["discord_thread_id"] == kept
    await run(guild, "interaction-2")
    assert guild.table.item("x")["discord_thread_id"] == kept
