"""An import that somebody asked for: afresh, killed as often as it takes, and none missed."""

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
ASKED = "interaction-1"  # who fetches
OFTEN = 400  # calls of one process: several dozen processes for what follows


async def run(guild: Guild, asked_by: str) -> ChannelItem:
    return await import_afresh(guild.context, EMPTY, asked_by, stretch=NO_STRETCH)


async def run_killed(guild: Guild, asked_by: str, *, every: int) -> tuple[ChannelItem, int]:
    """Run until it is done, each process dying after so many calls; how many died."""
    for died in range(1000):
        guild.calls.forget()
        guild.calls.dies_after = every
        try:
            return await run(guild, asked_by), died
        except Died:
            guild.restart()
    raise AssertionError("it never comes to an end")


def past(guild: Guild, count: int, *, every: int = 1, step: timedelta = timedelta(seconds=1)) -> list[str]:
    """A long past; of so many threads one is named like a session. The ids of those."""
    made = guild.discord.people.add_archived_threads(
        CHANNEL,
        count,
        newest=guild.now - timedelta(hours=2),
        name_of=lambda number: f"talk {number}" if number % every else f"Session {number}",
        step=step,
    )
    return made[::every]


async def test_fifty_thousand_threads_are_imported_by_processes_that_all_die_and_none_is_missed(guild: Guild) -> None:
    sessions = past(guild, 50_000, every=50)
    guild.calls.forget()
    guild.calls.dies_after = OFTEN
    with pytest.raises(Died):
        await run(guild, ASKED)
    guild.restart()
    moving = sessions[-1]  # from the last page, which is not read yet, to the first, which is
    guild.people.unarchive(moving)
    guild.people.archive(moving)
    done, died = await run_killed(guild, ASKED, every=OFTEN)
    assert died > 5
    assert done.imported_at is not None
    assert guild.table.threads() == set(sessions)
    assert done.import_sessions in (len(sessions) - 1, len(sessions))  # one has moved


@pytest.mark.parametrize("same", [3, 100])
async def test_equal_archive_times_at_a_pages_edge_hide_none(guild: Guild, same: int) -> None:
    newest = past(guild, 98)
    at = guild.now - timedelta(hours=2, seconds=200)
    equal = guild.discord.people.add_archived_threads(
        CHANNEL, same, newest=at, name_of="Session equal {}".format, step=timedelta(0)
    )
    older = guild.discord.people.add_archived_threads(
        CHANNEL, 60, newest=at - timedelta(seconds=1), name_of="Session older {}".format, step=timedelta(seconds=1)
    )
    await run_killed(guild, ASKED, every=OFTEN)
    assert guild.table.threads() == {*newest, *equal, *older}


async def test_a_repeat_of_the_same_request_goes_on_and_another_one_begins_again(guild: Guild) -> None:
    past(guild, 5)
    done = await run(guild, ASKED)
    guild.calls.forget()
    assert await run(guild, ASKED) == done
    assert guild.calls.count("GET /guilds/{guild_id}/threads/active") == 0
    await run(guild, "interaction-2")
    assert guild.calls.count("GET /guilds/{guild_id}/threads/active") > 0


async def test_a_new_name_waits_until_the_import_is_done_and_none_is_made_twice(guild: Guild) -> None:
    (old, *_) = past(guild, 450, every=449)[1:]
    guild.calls.forget()
    guild.calls.dies_after = 6
    with pytest.raises(Died):
        await run(guild, ASKED)
    guild.restart()
    assert (await guild.open("449")).thread_id == old


async def test_a_stretch_that_is_over_tells_how_far_it_is(guild: Guild) -> None:
    past(guild, 450)
    with pytest.raises(Importing) as told:
        await import_afresh(guild.context, EMPTY, ASKED, stretch=0.0)
    assert set(told.value.progress) == {"pages", "threads", "sessions"}


def full(guild: Guild, thread_id: str, messages: int) -> None:
    for _ in range(messages):
        guild.people.post_message(thread_id, "a word")


@pytest.mark.parametrize("killed", [False, True])
async def test_of_a_names_threads_on_several_pages_and_in_both_lists_the_fullest_is_kept(
    guild: Guild, killed: bool
) -> None:
    threads = [guild.people.create_thread(CHANNEL, "Session x") for _ in range(5)]
    full(guild, threads[1], 1)
    full(guild, threads[3], 4)
    full(guild, threads[4], 2)
    for thread_id in threads[2:4]:
        guild.people.archive(thread_id)
    await guild.wait(minutes=10)
    guild.discord.people.add_archived_threads(
        CHANNEL, 150, newest=guild.now, name_of="talk {}".format, step=timedelta(seconds=1)
    )
    await (run_killed(guild, ASKED, every=25) if killed else run(guild, ASKED))
    assert guild.table.item("x")["discord_thread_id"] == threads[3]
    assert sorted(i["sk"].rpartition("#")[2] for i in guild.table.of_kind("NAMESAKE#")) == sorted(
        {*threads} - {threads[3]}
    )
    pointers = {i["pk"].removeprefix("THREAD#"): i["session_key"] for i in guild.table.of_kind("THREAD")}
    assert {thread_id for thread_id, key in pointers.items() if key == "x"} == {threads[3]}


async def test_a_thread_that_was_on_record_before_the_import_stays_there(guild: Guild) -> None:
    kept = (await guild.open("x")).thread_id
    other = guild.people.create_thread(CHANNEL, "Session x")
    full(guild, other, 9)
    await run(guild, ASKED)
    assert guild.table.item("x")["discord_thread_id"] == kept
    await run(guild, "interaction-2")
    assert guild.table.item("x")["discord_thread_id"] == kept
