"""A run beside openers and beside other runs, over indices that lag."""

import asyncio
from typing import Any

import pytest

from tests.kit.guild import Guild
from tests.kit.table_view import CHANNEL
from tests.reconciler.differences import differences


async def test_what_the_index_says_is_read_again_before_it_is_believed(guild: Guild) -> None:
    """It still shows a session with a thread that is gone since, and whose generation has ended."""
    old = (await guild.open("a")).thread_id
    await guild.reconcile()
    guild.index = guild.memory.fork()
    guild.people.delete_thread(old)
    new = (await guild.open("a")).thread_id
    assert await guild.reconcile() == {}
    assert guild.table.item("a")["discord_thread_id"] == new
    assert guild.table.item("a")["generation"] == 2
    assert differences(guild) == []


async def test_what_an_earlier_run_wrote_is_not_written_again_while_the_index_does_not_show_it(guild: Guild) -> None:
    thread_id = (await guild.open("a")).thread_id
    await guild.reconcile()
    guild.index = guild.memory.fork()
    guild.people.archive(thread_id)
    assert await guild.reconcile() == {"UpdateSession": 1, "AdvanceWatermark": 1}
    assert await guild.reconcile() == {}


async def test_an_index_that_does_not_show_a_session_yet_makes_no_stranger_of_its_thread(guild: Guild) -> None:
    guild.index = guild.memory.fork()
    await guild.open("a")
    before = guild.table.item("a")
    await guild.report()
    assert guild.table.item("a") == before
    assert guild.table.of_kind("NAMESAKE#") == []


async def test_a_thread_that_was_archived_right_after_the_list_was_read_is_not_opened_on_record(guild: Guild) -> None:
    """The list is older than the record: nobody watched the session before the list showed its thread."""
    thread_id = (await guild.open("a")).thread_id
    guild.people.archive(thread_id)
    await guild.reconcile()
    await guild.wait(minutes=30)
    guild.people.unarchive(thread_id)

    async def archives_it_again() -> None:
        if guild.calls.names[-1] == "GET /guilds/{guild_id}/threads/active":
            guild.after_call = None
            guild.people.archive(thread_id)

    guild.after_call = archives_it_again
    await guild.reconcile()
    assert guild.table.item("a")["archived"]
    assert differences(guild) == []


async def test_one_record_that_moved_does_not_keep_the_others_waiting(guild: Guild) -> None:
    """Its thread has to be asked for: the other steps of the plan are carried out all the same."""
    threads = {name: (await guild.open(name)).thread_id for name in "ab"}
    await guild.reconcile()
    guild.index = guild.memory.fork()
    guild.people.delete_thread(threads["a"])
    guild.people.archive((await guild.open("a")).thread_id)
    guild.people.rename(threads["b"], "Session b: more")
    await guild.report()
    assert guild.table.item("b")["thread_name"] == "Session b: more"


@pytest.mark.parametrize("before_it_is_read_again", [True, False])
async def test_what_was_closed_after_the_list_was_read_is_not_opened_again_by_it(
    guild: Guild, before_it_is_read_again: bool
) -> None:
    thread_id = (await guild.open("a")).thread_id
    await guild.reconcile()
    await guild.wait(minutes=61)
    guild.people.post_message(thread_id, "a word")  # so that there is something to write
    closed: list[object] = []

    def close() -> None:
        guild.people.archive(thread_id)
        closed.append(guild.table.item("a"))
        guild.table.put(guild.table.item("a"), status="closed", archived=True, archived_at=guild.now)

    async def closed_meanwhile(operation: str, /, **parameters: Any) -> dict[str, Any]:
        reads_again = operation == "batch_get_item" and not closed
        if reads_again and before_it_is_read_again:
            close()
        answer = guild.memory.apply(operation, parameters)
        if reads_again and not closed:
            close()
        return answer

    guild.seam = closed_meanwhile
    report = await guild.report()
    assert report["lost"] == (0 if before_it_is_read_again else 1)
    assert guild.table.item("a")["status"] == "closed"


async def test_two_runs_at_once_do_what_one_does(guild: Guild) -> None:
    threads = [(await guild.open(name)).thread_id for name in "abc"]
    await guild.reconcile()
    guild.people.rename(threads[0], "Session z")
    guild.people.delete_thread(threads[1])
    guild.people.archive(threads[2])
    guild.people.create_thread(CHANNEL, "Session new")
    await asyncio.gather(guild.report(), guild.report())
    await guild.reconcile()
    assert differences(guild) == []
    assert await guild.reconcile() == {}
