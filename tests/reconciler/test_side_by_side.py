"""A run beside openers and beside other runs, over indices that lag."""

import asyncio
from typing import Any

import pytest

from handler.runtime.clock import iso
from tests.reconciler.ground import TABLE, Ground, grounded


@grounded
async def test_what_the_index_says_is_read_again_before_it_is_believed(ground: Ground) -> None:
    """It still shows a session with a thread that is gone since, and whose generation has ended."""
    old = (await ground.open("a")).thread_id
    await ground.reconcile()
    ground.index = ground.table.fork()
    ground.delete(old)
    new = (await ground.open("a")).thread_id
    await ground.report()
    assert ground.item("a")["discord_thread_id"] == new
    assert ground.item("a")["generation"] == 2
    assert ground.differences() == []


@grounded
async def test_an_index_that_does_not_show_a_session_yet_makes_no_stranger_of_its_thread(ground: Ground) -> None:
    ground.index = ground.table.fork()
    await ground.open("a")
    before = ground.item("a")
    await ground.report()
    assert ground.item("a") == before
    assert ground.of_kind("NAMESAKE#") == []


@grounded
async def test_one_record_that_moved_does_not_keep_the_others_waiting(ground: Ground) -> None:
    """Its thread has to be asked for: the other steps of the plan are carried out all the same."""
    threads = {name: (await ground.open(name)).thread_id for name in "ab"}
    await ground.reconcile()
    ground.index = ground.table.fork()
    ground.delete(threads["a"])
    ground.archive((await ground.open("a")).thread_id)
    ground.rename(threads["b"], "Session b: more")
    await ground.report()
    assert ground.item("b")["thread_name"] == "Session b: more"


@pytest.mark.parametrize("before_it_is_read_again", [True, False])
@grounded
async def test_what_was_closed_after_the_list_was_read_is_not_opened_again_by_it(
    ground: Ground, before_it_is_read_again: bool
) -> None:
    thread_id = (await ground.open("a")).thread_id
    await ground.reconcile()
    await ground.wait(minutes=61)
    ground.discord.people.post_message(thread_id, "a word", now=ground.now)  # so that there is something to write
    through, closed = ground.table.apply, []

    def close() -> None:
        ground.archive(thread_id)
        closed.append(ground.item("a"))
        item = {**ground.item("a"), "status": "closed", "archived": True, "archived_at": iso(ground.now)}
        through("put_item", {"TableName": TABLE, "Item": item})

    async def closed_meanwhile(operation: str, /, **parameters: Any) -> dict[str, Any]:
        reads_again = operation == "batch_get_item" and not closed
        if reads_again and before_it_is_read_again:
            close()
        answer = through(operation, parameters)
        if reads_again and not closed:
            close()
        return answer

    ground._through = closed_meanwhile
    report = await ground.report()
    assert report["lost"] == (0 if before_it_is_read_again else 1)
    assert ground.item("a")["status"] == "closed"


@grounded
async def test_two_runs_at_once_do_what_one_does(ground: Ground) -> None:
    threads = [(await ground.open(name)).thread_id for name in "abc"]
    await ground.reconcile()
    ground.rename(threads[0], "Session z")
    ground.delete(threads[1])
    ground.archive(threads[2])
    ground.person_makes("Session new")
    await asyncio.gather(ground.report(), ground.report())
    await ground.reconcile()
    assert ground.differences() == []
    assert await ground.reconcile() == {}
