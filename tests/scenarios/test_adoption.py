"""A thread of that name is there already: made by a person, or by this bot before its table was lost."""

from datetime import timedelta

import pytest

from handler.sessions.model import Outcome
from tests.kit.stage import IMPORTED_AT, MEMBER, MODERATOR, Stage, staged
from tests.kit.table_view import CHANNEL, GUILD

ANOTHER = "4"
FOUND = "Session 1a06a43"


def say(stage: Stage, thread_id: str, times: int) -> None:
    for number in range(times):
        stage.discord.people.post_message(thread_id, f"word {number}", now=stage.now, by=MODERATOR)


@staged()
async def test_a_persons_active_thread_is_adopted(stage: Stage) -> None:
    made = stage.person_makes("session 1A06A43")
    opened = await stage.open(topic="the bug")

    item = stage.item()
    assert item is not None
    assert (opened.outcome, opened.thread_id) == (Outcome.ADOPTED, made)
    assert (item["status"], item["discord_thread_id"]) == ("open", made)
    assert item["generation"] == 2  # the claim's next one
    assert (item["created_by"], item["topic"], item["thread_name"]) == (MODERATOR, "the bug", "session 1A06A43")
    assert "source_message_id" not in item
    assert stage.pointer(made) is not None
    assert stage.source_messages() == []


@staged()
async def test_a_persons_archived_thread_is_adopted_and_unarchived(stage: Stage) -> None:
    made = stage.person_makes(FOUND, archived=True)
    opened = await stage.open()

    (thread,) = stage.living_threads()
    item = stage.item()
    assert item is not None
    assert (opened.outcome, opened.thread_id, thread.archived) == (Outcome.ADOPTED, made, False)
    assert (item["archived"], item["watch_guild_id"]) == (False, GUILD)


@pytest.mark.parametrize("archived", [False, True], ids=["active", "archived"])
@staged()
async def test_who_gets_an_adopted_thread_becomes_a_member(stage: Stage, archived: bool) -> None:
    stage.person_makes(FOUND, archived=archived)
    await stage.open(user=ANOTHER)

    (thread,) = stage.living_threads()
    assert thread.has_member(ANOTHER)


@staged()
async def test_an_adopted_thread_is_reused_afterwards(stage: Stage) -> None:
    made = stage.person_makes(FOUND)
    await stage.open(owner="request-1")
    again = await stage.open(owner="request-2")

    assert (again.outcome, again.thread_id) == (Outcome.REUSED, made)


@staged()
async def test_a_locked_thread_that_is_found_is_adopted_and_stays_locked(stage: Stage) -> None:
    made = stage.person_makes(FOUND, locked=True)
    error = await stage.refused()

    item = stage.item()
    assert item is not None
    assert error.kind == "locked"
    assert (item["discord_thread_id"], item["locked"]) == (made, True)
    (thread,) = stage.living_threads()
    assert thread.locked


@staged()
async def test_of_several_the_one_with_most_messages_is_adopted_and_the_others_noted(stage: Stage) -> None:
    few, most, archived = (stage.person_makes(FOUND) for _ in range(3))
    say(stage, few, 2)
    say(stage, most, 5)
    say(stage, archived, 4)
    stage.discord.people.archive(archived, now=stage.now)
    opened = await stage.open()

    assert opened.thread_id == most
    assert sorted(stage.namesakes()) == sorted([few, archived])
    assert len(stage.living_threads()) == 3


@staged()
async def test_among_equals_the_latest_activity_decides(stage: Stage) -> None:
    early, late = stage.person_makes(FOUND), stage.person_makes(FOUND)
    say(stage, late, 1)
    await stage.wait(60)
    say(stage, early, 1)

    assert (await stage.open()).thread_id == early
    assert stage.namesakes() == [late]


@staged()
async def test_among_silent_ones_of_one_moment_the_smallest_id_decides(stage: Stage) -> None:
    ids = [stage.person_makes(FOUND) for _ in range(3)]

    assert (await stage.open()).thread_id == min(ids, key=int)


@staged()
async def test_a_private_thread_is_never_adopted(stage: Stage) -> None:
    private = stage.person_makes(FOUND, type=12)
    archived = stage.person_makes(FOUND, type=12, archived=True)
    opened = await stage.open()

    assert opened.outcome is Outcome.CREATED
    assert opened.thread_id not in (private, archived)
    assert stage.pointer(private) is None
    assert stage.namesakes() == []


@staged()
async def test_a_thread_of_another_channel_is_not_adopted(stage: Stage) -> None:
    stage.discord.add_channel(GUILD, "11")
    elsewhere = stage.discord.people.create_thread("11", FOUND, now=stage.now)

    opened = await stage.open()
    assert opened.outcome is Outcome.CREATED
    assert opened.thread_id != elsewhere


@staged()
async def test_a_thread_without_the_prefix_is_not_adopted(stage: Stage) -> None:
    stage.person_makes("1a06a43")

    assert (await stage.open()).outcome is Outcome.CREATED


@staged()
async def test_when_the_adopted_thread_is_deleted_the_next_namesake_is_adopted(stage: Stage) -> None:
    first, second = stage.person_makes(FOUND), stage.person_makes(FOUND)
    say(stage, first, 2)
    await stage.open()
    stage.discord.people.delete_thread(first, now=stage.now)
    again = await stage.open()

    assert (again.outcome, again.thread_id, again.anew) == (Outcome.ADOPTED, second, True)
    assert again.session.generation == 4  # adopted, ended, adopted
    assert [thread.id for thread in stage.living_threads()] == [second]


@staged()
async def test_a_namesake_is_believed_only_while_it_lives_and_bears_the_name(stage: Stage) -> None:
    best, renamed, deleted = (stage.person_makes(FOUND) for _ in range(3))
    say(stage, best, 2)
    await stage.open()
    stage.discord.people.rename(renamed, "just talk", now=stage.now)
    for thread_id in (deleted, best):
        stage.discord.people.delete_thread(thread_id, now=stage.now)

    assert (await stage.open()).outcome is Outcome.CREATED
    assert stage.pointer(renamed) is None


@staged()
async def test_a_merged_thread_is_no_match(stage: Stage) -> None:
    merged = stage.person_makes(FOUND)
    stage.put_item({"pk": f"THREAD#{merged}", "sk": "THREAD", "merged_into": "123"})
    opened = await stage.open()

    assert opened.outcome is Outcome.CREATED
    assert stage.pointer(merged) == {"pk": f"THREAD#{merged}", "sk": "THREAD", "merged_into": "123"}


@staged()
async def test_a_pointer_to_a_session_that_has_the_thread_no_more_does_not_hold_it(stage: Stage) -> None:
    made = stage.person_makes(FOUND)
    stage.put_item(
        {"pk": f"THREAD#{made}", "sk": "THREAD", "parent_channel_id": CHANNEL, "session_key": "somebody else"}
    )
    opened = await stage.open()

    assert (opened.outcome, opened.thread_id) == (Outcome.ADOPTED, made)
    pointer = stage.pointer(made)
    assert pointer is not None
    assert pointer["session_key"] == "1a06a43"


@staged()
async def test_a_thread_a_person_starts_from_our_deleted_threads_name_is_adopted(stage: Stage) -> None:
    first = await stage.open()
    stage.discord.people.delete_thread(first.thread_id, now=stage.now)
    made = stage.person_makes(FOUND, by=MEMBER)
    again = await stage.open()

    assert (again.outcome, again.thread_id, again.session.generation) == (Outcome.ADOPTED, made, 3)
    assert first.thread_id not in stage.discord.messages


@staged(memory=True)
async def test_many_archived_threads_beyond_the_mark_are_settled_and_the_mark_moves_on(stage: Stage) -> None:
    await stage.wait(3600)
    old = stage.discord.people.add_archived_threads(
        CHANNEL, 60, newest=stage.now, name_of="Session {}".format, step=timedelta(seconds=1)
    )
    await stage.open("new")

    channel = stage.find_item(f"CHANNEL#{CHANNEL}", "CHANNEL")
    assert channel is not None
    assert channel["imported_at"] == "2026-11-23T12:59:00.000Z"  # Discord's time of the look-up, less a minute
    assert {item["discord_thread_id"] for item in stage.items() if item.get("archived")} == set(old)
    stage.forget()
    assert (await stage.open("59")).thread_id == old[59]
    calls = [call.what for call in stage.calls if call.wire == "dynamodb"]
    assert calls == ["GetItem", "UpdateItem", "UpdateItem"], "read, written down, and the guild is in use"


@staged(memory=True)
async def test_few_archived_threads_beyond_the_mark_are_left_where_they_are_however_many_lie_before_it(
    stage: Stage,
) -> None:
    await stage.wait(3600)
    add = stage.discord.people.add_archived_threads
    add(CHANNEL, 10, newest=stage.now, name_of="Session {}".format)
    add(CHANNEL, 100, newest=IMPORTED_AT - timedelta(minutes=1), name_of="Session old {}".format)
    await stage.open("new")

    channel = stage.find_item(f"CHANNEL#{CHANNEL}", "CHANNEL")
    assert channel is not None
    assert channel["imported_at"] == "2026-11-23T11:00:00.000Z"
