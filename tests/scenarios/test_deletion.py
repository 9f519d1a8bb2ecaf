"""The thread, or its source message, is deleted on Discord."""

import pytest

from handler.sessions.model import Outcome
from tests.kit.stage import BOT, MODERATOR, Stage, staged
from tests.kit.table_view import CHANNEL, NAME

VACANT_DAYS = 30


@pytest.mark.parametrize("second_thread", [False, True], ids=["one thread a message", "a second thread allowed"])
@pytest.mark.parametrize("archived", [False, True], ids=["active", "archived"])
@staged()
async def test_a_deleted_thread_is_made_anew_under_the_next_generation(
    stage: Stage, archived: bool, second_thread: bool
) -> None:
    stage.discord.switch(second_thread_from_message=second_thread)
    first = await stage.open(topic="the bug")
    if archived:
        stage.discord.people.archive(first.thread_id, now=stage.now)
    stage.discord.people.delete_thread(first.thread_id, now=stage.now)
    again = await stage.open()

    (thread,) = stage.living_threads()
    item = stage.item()
    assert item is not None
    assert (again.outcome, again.anew, again.thread_id) == (Outcome.CREATED, True, thread.id)
    assert thread.id != first.thread_id
    assert (item["generation"], item["discord_thread_id"], item["topic"]) == (2, thread.id, "the bug")
    assert stage.pointer(first.thread_id) is None
    assert stage.pointer(thread.id) is not None
    assert first.thread_id not in stage.discord.messages


@staged()
async def test_a_thread_deleted_while_it_was_on_record_as_archived_is_made_anew(stage: Stage) -> None:
    first = await stage.open()
    stage.discord.people.archive(first.thread_id, now=stage.now)
    item = stage.item()
    assert item is not None
    stage.put_item({**item, "archived": True, "archived_at": "2026-11-23T12:00:00.000Z"})
    await stage.wait(3600)
    stage.discord.people.delete_thread(first.thread_id, now=stage.now)

    assert (await stage.open()).anew
    assert len(stage.living_threads()) == 1


@staged()
async def test_a_deleted_source_message_leaves_the_thread_and_the_session_alone(stage: Stage) -> None:
    first = await stage.open()
    stage.discord.people.delete_message(CHANNEL, first.thread_id, now=stage.now)

    assert (await stage.open()).thread_id == first.thread_id


@staged()
async def test_thread_and_source_message_both_deleted_within_the_nonces_window_are_made_anew(stage: Stage) -> None:
    first = await stage.open()
    stage.discord.people.delete_thread(first.thread_id, now=stage.now)
    stage.discord.people.delete_message(CHANNEL, first.thread_id, now=stage.now)

    again = await stage.open()
    assert again.outcome is Outcome.CREATED
    assert [thread.id for thread in stage.living_threads()] == [again.thread_id]


@pytest.mark.parametrize("times", [1, 2, 3])
@staged()
async def test_deleted_again_and_again_it_is_made_again_and_again(stage: Stage, times: int) -> None:
    for generation in range(1, times + 1):
        opened = await stage.open()
        assert opened.session.generation == generation
        stage.discord.people.delete_thread(opened.thread_id, now=stage.now)
    last = await stage.open()

    assert [thread.id for thread in stage.living_threads()] == [last.thread_id]
    assert [message.id for message in stage.source_messages()] == [last.thread_id]


@staged()
async def test_an_adopted_threads_own_source_message_goes_with_it_if_the_bot_wrote_it(stage: Stage) -> None:
    first = await stage.open()
    stage.lose_table()
    adopted = await stage.open()
    assert (adopted.outcome, adopted.thread_id) == (Outcome.ADOPTED, first.thread_id)
    stage.discord.people.delete_thread(first.thread_id, now=stage.now)

    assert (await stage.open()).anew
    assert first.thread_id not in stage.discord.messages
    assert len(stage.living_threads()) == len(stage.source_messages()) == 1


@staged()
async def test_a_persons_message_is_never_deleted(stage: Stage) -> None:
    message = stage.discord.people.post_message(CHANNEL, "who looks at this?", now=stage.now, by=MODERATOR)
    stage.person_makes("Session 1a06a43", message_id=message)
    adopted = await stage.open()
    assert adopted.thread_id == message
    stage.discord.people.delete_thread(message, now=stage.now)

    assert (await stage.open()).anew
    assert message in stage.discord.messages
    assert len(stage.living_threads()) == 1


@staged(blocked_title_words=("forbidden",))
async def test_what_a_deletion_leaves_is_vacant_with_the_next_generation_until_ttl_takes_it(stage: Stage) -> None:
    first = await stage.open()
    stage.discord.people.delete_thread(first.thread_id, now=stage.now)
    stage.discord.switch(blocked_title_words=("1a06a43",))
    await stage.refused()

    item = stage.item()
    assert item is not None
    assert (item["status"], item["generation"]) == ("vacant", 3)  # one for the deletion, one for the refusal
    assert item["expires_at"] == int(stage.now.timestamp()) + VACANT_DAYS * 86_400
    assert not {"discord_thread_id", "source_message_id", "watch_guild_id", "lease_owner"} & item.keys()
    await stage.days_pass(VACANT_DAYS - 1)
    assert stage.item() is not None
    await stage.days_pass(2)
    assert stage.item() is None


@staged()
async def test_leaving_vacant_removes_the_time_to_live(stage: Stage) -> None:
    stage.discord.switch(blocked_title_words=(NAME,))
    await stage.refused()
    vacant = stage.item()
    assert vacant is not None
    assert "expires_at" in vacant
    stage.discord.switch(blocked_title_words=())
    opened = await stage.open()

    item = stage.item()
    assert item is not None
    assert "expires_at" not in item
    assert item["generation"] == vacant["generation"]
    await stage.days_pass(40)
    assert (await stage.open()).thread_id == opened.thread_id


@staged()
async def test_the_bot_deletes_no_message_but_its_own(stage: Stage) -> None:
    for number in range(3):
        stage.discord.people.post_message(CHANNEL, f"talk {number}", now=stage.now, by=MODERATOR)
    for _ in range(3):
        opened = await stage.open()
        stage.discord.people.delete_thread(opened.thread_id, now=stage.now)

    by_people = [m for m in stage.discord.messages.values() if m.author_id != BOT]
    assert len(by_people) == 3
