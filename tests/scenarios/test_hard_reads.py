"""Opens and runs over a table whose eventually consistent reads lag, whose queries answer one item a page, and whose batches
process one key."""

from datetime import timedelta

import pytest

from handler.sessions.model import Outcome
from tests.kit.guild import Guild
from tests.kit.recorded_calls import Call
from tests.kit.table_view import CHANNEL, NAME

pytestmark = pytest.mark.guild(table="client", reads={"pages_of": 1, "batches_of": 1})
TITLE = f"Session {NAME}"


async def test_an_open_right_after_another_one_gets_its_thread_at_once(guild: Guild) -> None:
    made = await guild.open()
    guild.restart()
    guild.calls.forget()
    again = await guild.open()
    assert (again.outcome, again.thread_id) == (Outcome.REUSED, made.thread_id)
    assert guild.calls.of("dynamodb") == ["GetItem"]
    assert len(guild.source_messages()) == 1


@pytest.mark.guild(search_ready=False)
async def test_the_last_of_many_namesakes_is_adopted_when_the_thread_and_the_others_are_gone(guild: Guild) -> None:
    threads = [guild.people.create_thread(CHANNEL, TITLE) for _ in range(3)]
    adopted = (await guild.open()).thread_id
    first, last = sorted({*threads} - {adopted})
    for thread_id in threads:
        guild.people.archive(thread_id)
    await guild.wait(minutes=10)
    guild.discord.people.add_archived_threads(CHANNEL, 100, newest=guild.now, step=timedelta(seconds=4))
    guild.table.put(guild.table.channel(), imported_at=guild.now - timedelta(minutes=1))
    for thread_id in (adopted, first):
        guild.people.delete_thread(thread_id)
    opened = await guild.open()
    assert (opened.outcome, opened.thread_id) == (Outcome.ADOPTED, last)


async def test_a_thread_is_not_taken_from_its_session_though_the_batch_leaves_its_pointer_unprocessed(
    guild: Guild,
) -> None:
    """The pointer that is processed first is the one of the older thread, which has none."""
    free = guild.people.create_thread(CHANNEL, TITLE)
    owned = (await guild.open("another")).thread_id
    guild.people.rename(owned, TITLE)
    guild.people.post_message(owned)  # it has more messages, so it would be the better match
    guild.people.post_message(owned)
    opened = await guild.open()
    assert opened.thread_id == free
    assert guild.table.item("another")["discord_thread_id"] == owned


@pytest.mark.guild(followed=True)
async def test_a_run_ends_all_claims_that_were_left_behind(guild: Guild) -> None:
    for name in "abc":
        guild.calls.forget()
        guild.calls.dies_after = Call("dynamodb", "UpdateItem")
        await guild.death(guild.open(name))
        assert guild.table.item(name)["status"] == "creating"
    await guild.wait(minutes=1)
    assert await guild.reconcile() == {"DropClaim": 3}


@pytest.mark.guild(followed=True)
async def test_a_run_repairs_all_sessions_and_follows_all_threads_of_one_read(guild: Guild) -> None:
    threads = {name: (await guild.open(name)).thread_id for name in "abc"}
    await guild.reconcile()
    for name, thread_id in threads.items():
        guild.people.rename(thread_id, f"Session {name}: more")
    assert (await guild.reconcile())["UpdateSession"] == 3
    assert [guild.table.item(name)["thread_name"] for name in threads] == [f"Session {name}: more" for name in threads]
