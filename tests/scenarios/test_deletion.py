"""The thread, or its source message, is deleted on Discord."""

import pytest

from handler.sessions.model import Outcome
from tests.kit.guild import BOT, MODERATOR, Guild
from tests.kit.table_view import CHANNEL, NAME

VACANT_DAYS = 30


@pytest.mark.parametrize("second_thread", [False, True], ids=["one thread a message", "a second thread allowed"])
@pytest.mark.parametrize("archived", [False, True], ids=["active", "archived"])
async def test_a_deleted_thread_is_made_anew_under_the_next_generation(
    guild: Guild, archived: bool, second_thread: bool
) -> None:
    guild.discord.switch(second_thread_from_message=second_thread)
    first = await guild.open()
    if archived:
        guild.people.archive(first.thread_id)
    guild.people.delete_thread(first.thread_id)
    again = await guild.open()

    (thread,) = guild.living_threads()
    item = guild.table.item()
    assert (again.outcome, again.after_deletion, again.thread_id) == (Outcome.CREATED, True, thread.id)
    assert thread.id != first.thread_id
    assert (item["generation"], item["discord_thread_id"]) == (2, thread.id)
    assert not guild.table.pointer(first.thread_id)
    assert guild.table.pointer(thread.id)
    assert first.thread_id not in guild.discord.messages


async def test_a_thread_deleted_while_it_was_on_record_as_archived_is_made_anew(guild: Guild) -> None:
    first = await guild.open()
    guild.people.archive(first.thread_id)
    item = guild.table.item()
    guild.table.put({**item, "archived": True, "archived_at": "2026-11-23T12:00:00.000Z"})
    await guild.wait(3600)
    guild.people.delete_thread(first.thread_id)

    assert (await guild.open()).after_deletion
    assert len(guild.living_threads()) == 1


async def test_a_deleted_source_message_leaves_the_thread_and_the_session_alone(guild: Guild) -> None:
    first = await guild.open()
    guild.people.delete_message(CHANNEL, first.thread_id)

    assert (await guild.open()).thread_id == first.thread_id


async def test_thread_and_source_message_both_deleted_within_the_nonces_window_are_made_anew(guild: Guild) -> None:
    first = await guild.open()
    guild.people.delete_thread(first.thread_id)
    guild.people.delete_message(CHANNEL, first.thread_id)

    again = await guild.open()
    assert again.outcome is Outcome.CREATED
    assert [thread.id for thread in guild.living_threads()] == [again.thread_id]


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_deleted_again_and_again_it_is_made_again_and_again(guild: Guild, times: int) -> None:
    for generation in range(1, times + 1):
        opened = await guild.open()
        assert opened.session.generation == generation
        guild.people.delete_thread(opened.thread_id)
    last = await guild.open()

    assert [thread.id for thread in guild.living_threads()] == [last.thread_id]
    assert [message.id for message in guild.source_messages()] == [last.thread_id]


@pytest.mark.parametrize("author", [MODERATOR, BOT], ids=["a person", "another program with the bot's token"])
async def test_a_message_that_is_not_recorded_is_never_deleted(guild: Guild, author: str) -> None:
    message = guild.people.post_message(CHANNEL, "who looks at this?", by=author)
    guild.people.create_thread(CHANNEL, "Session 1a06a43", message_id=message)
    adopted = await guild.open()
    assert adopted.thread_id == message
    guild.people.delete_thread(message)

    assert (await guild.open()).after_deletion
    assert message in guild.discord.messages
    assert len(guild.living_threads()) == 1


@pytest.mark.guild(blocked_title_words=("forbidden",))
async def test_what_a_deletion_leaves_is_vacant_with_the_next_generation_until_ttl_takes_it(guild: Guild) -> None:
    first = await guild.open()
    guild.people.delete_thread(first.thread_id)
    guild.discord.switch(blocked_title_words=("1a06a43",))
    await guild.refused()

    item = guild.table.item()
    assert (item["status"], item["generation"]) == ("vacant", 3)  # one for the deletion, one for the refusal
    assert item["expires_at"] == int(guild.now.timestamp()) + VACANT_DAYS * 86_400
    assert not {"discord_thread_id", "source_message_id", "watch_guild_id", "lease_owner"} & item.keys()
    await guild.days_pass(VACANT_DAYS - 1)
    assert guild.table.item()
    await guild.days_pass(2)
    assert not guild.table.item()


async def test_leaving_vacant_removes_the_time_to_live(guild: Guild) -> None:
    guild.discord.switch(blocked_title_words=(NAME,))
    await guild.refused()
    vacant = guild.table.item()
    assert "expires_at" in vacant
    guild.discord.switch(blocked_title_words=())
    opened = await guild.open()

    item = guild.table.item()
    assert "expires_at" not in item
    assert item["generation"] == vacant["generation"]
    await guild.days_pass(40)
    assert (await guild.open()).thread_id == opened.thread_id


async def test_the_bot_deletes_no_message_but_its_own(guild: Guild) -> None:
    for number in range(3):
        guild.people.post_message(CHANNEL, f"talk {number}")
    for _ in range(3):
        opened = await guild.open()
        guild.people.delete_thread(opened.thread_id)

    by_people = [m for m in guild.discord.messages.values() if m.author_id != BOT]
    assert len(by_people) == 3
