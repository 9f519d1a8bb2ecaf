"""An import that somebody asked for: afresh, killed as often as it takes, and none missed."""

from datetime import timedelta

import pytest

from handler.errors import Importing
from handler.sessions.opening.channel_import import import_afresh
from handler.store.items import ChannelItem
from tests.kit.recorded_calls import Died
from tests.reconciler.ground import CHANNEL, GUILD, MODERATOR, Ground, grounded

EMPTY = ChannelItem(channel_id=CHANNEL, guild_id=GUILD, kind=0)
NO_STRETCH = 3600.0
ASKED = "interaction-1"  # who fetches
OFTEN = 400  # calls of one process: several dozen processes for what follows


async def run(ground: Ground, asked_by: str) -> ChannelItem:
    return await import_afresh(ground.sessions.context, EMPTY, asked_by, stretch=NO_STRETCH)


async def run_killed(ground: Ground, asked_by: str, *, every: int) -> tuple[ChannelItem, int]:
    """Run until it is done, each process dying after so many calls; how many died."""
    for died in range(1000):
        ground.calls.clear()
        ground.dies_after = every
        try:
            return await run(ground, asked_by), died
        except Died:
            ground.restart()
    raise AssertionError("it never comes to an end")


def on_record(ground: Ground) -> set[str]:
    return {i["discord_thread_id"] for i in ground.of_kind("SESSION#") if "discord_thread_id" in i}


def past(ground: Ground, count: int, *, every: int = 1, step: timedelta = timedelta(seconds=1)) -> list[str]:
    """A long past; of so many threads one is named like a session. The ids of those."""
    made = ground.discord.people.add_archived_threads(
        CHANNEL,
        count,
        newest=ground.now - timedelta(hours=2),
        name_of=lambda number: f"talk {number}" if number % every else f"Session {number}",
        step=step,
    )
    return made[::every]


@grounded
async def test_fifty_thousand_threads_are_imported_by_processes_that_all_die_and_none_is_missed(ground: Ground) -> None:
    sessions = past(ground, 50_000, every=50)
    ground.calls.clear()
    ground.dies_after = OFTEN
    with pytest.raises(Died):
        await run(ground, ASKED)
    ground.restart()
    moving = sessions[-1]  # from the last page, which is not read yet, to the first, which is
    ground.discord.people.unarchive(moving, now=ground.now)
    ground.archive(moving)
    done, died = await run_killed(ground, ASKED, every=OFTEN)
    assert died > 5
    assert done.imported_at is not None
    assert on_record(ground) == set(sessions)
    assert done.import_sessions in (len(sessions) - 1, len(sessions))  # one has moved


@pytest.mark.parametrize("same", [3, 100])
@grounded
async def test_equal_archive_times_at_a_pages_edge_hide_none(ground: Ground, same: int) -> None:
    newest = past(ground, 98)
    at = ground.now - timedelta(hours=2, seconds=200)
    equal = ground.discord.people.add_archived_threads(
        CHANNEL, same, newest=at, name_of="Session equal {}".format, step=timedelta(0)
    )
    older = ground.discord.people.add_archived_threads(
        CHANNEL, 60, newest=at - timedelta(seconds=1), name_of="Session older {}".format, step=timedelta(seconds=1)
    )
    await run_killed(ground, ASKED, every=OFTEN)
    assert on_record(ground) == {*newest, *equal, *older}


@grounded
async def test_a_repeat_of_the_same_request_goes_on_and_another_one_begins_again(ground: Ground) -> None:
    past(ground, 5)
    done = await run(ground, ASKED)
    ground.calls.clear()
    assert await run(ground, ASKED) == done
    assert ground.asked("GET /guilds/{guild_id}/threads/active") == 0
    await run(ground, "interaction-2")
    assert ground.asked("GET /guilds/{guild_id}/threads/active") > 0


@grounded
async def test_a_new_name_waits_until_the_import_is_done_and_none_is_made_twice(ground: Ground) -> None:
    (old, *_) = past(ground, 450, every=449)[1:]
    ground.calls.clear()
    ground.dies_after = 6
    with pytest.raises(Died):
        await run(ground, ASKED)
    ground.restart()
    assert (await ground.open("449")).thread_id == old


@grounded
async def test_a_stretch_that_is_over_tells_how_far_it_is(ground: Ground) -> None:
    past(ground, 450)
    with pytest.raises(Importing) as told:
        await import_afresh(ground.sessions.context, EMPTY, ASKED, stretch=0.0)
    assert set(told.value.progress) == {"pages", "threads", "sessions"}


def full(ground: Ground, thread_id: str, messages: int) -> None:
    for _ in range(messages):
        ground.discord.people.post_message(thread_id, "a word", now=ground.now, by=MODERATOR)


@pytest.mark.parametrize("killed", [False, True])
@grounded
async def test_of_a_names_threads_on_several_pages_and_in_both_lists_the_fullest_is_kept(
    ground: Ground, killed: bool
) -> None:
    threads = [ground.person_makes("Session x") for _ in range(5)]
    full(ground, threads[1], 1)
    full(ground, threads[3], 4)
    full(ground, threads[4], 2)
    for thread_id in threads[2:4]:
        ground.archive(thread_id)
    await ground.wait(minutes=10)
    ground.discord.people.add_archived_threads(
        CHANNEL, 150, newest=ground.now, name_of="talk {}".format, step=timedelta(seconds=1)
    )
    await (run_killed(ground, ASKED, every=25) if killed else run(ground, ASKED))
    assert ground.item("x")["discord_thread_id"] == threads[3]
    assert sorted(i["sk"].rpartition("#")[2] for i in ground.of_kind("NAMESAKE#")) == sorted({*threads} - {threads[3]})
    pointers = {i["pk"].removeprefix("THREAD#"): i["session_key"] for i in ground.of_kind("THREAD")}
    assert {thread_id for thread_id, key in pointers.items() if key == "x"} == {threads[3]}


@grounded
async def test_a_thread_that_was_on_record_before_the_import_stays_there(ground: Ground) -> None:
    kept = (await ground.open("x")).thread_id
    other = ground.person_makes("Session x")
    full(ground, other, 9)
    await run(ground, ASKED)
    assert ground.item("x")["discord_thread_id"] == kept
    await run(ground, "interaction-2")
    assert ground.item("x")["discord_thread_id"] == kept
