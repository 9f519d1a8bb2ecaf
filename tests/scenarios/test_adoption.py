"""A thread of that name is there already: made by a person, or by this bot before its table was lost."""

from datetime import timedelta

import pytest

from handler.runtime.clock import iso
from handler.sessions.model import Outcome
from tests.kit.guild import IMPORTED_AT, MEMBER, MODERATOR, Guild
from tests.kit.recorded_calls import Call, Died
from tests.kit.table_view import CHANNEL, GUILD

ANOTHER = "4"
FOUND = "Session 1a06a43"
POSTS = "POST /channels/{channel_id}/messages"
SECOND = timedelta(seconds=1)


def say(guild: Guild, thread_id: str, times: int) -> None:
    for number in range(times):
        guild.people.post_message(thread_id, f"word {number}")


@pytest.mark.guild(table="moto")
async def test_a_persons_active_thread_is_adopted(guild: Guild) -> None:
    made = guild.people.create_thread(CHANNEL, "session 1A06A43")
    opened = await guild.open()

    item = guild.table.item()
    assert (opened.outcome, opened.thread_id) == (Outcome.ADOPTED, made)
    assert (item["status"], item["discord_thread_id"]) == ("open", made)
    assert item["generation"] == 2  # the claim's next one
    assert (item["created_by"], item["thread_name"]) == (MODERATOR, "session 1A06A43")
    assert "source_message_id" not in item
    assert guild.table.pointer(made)
    assert guild.source_messages() == []


async def test_a_persons_archived_thread_is_adopted_and_unarchived(guild: Guild) -> None:
    made = guild.people.create_thread(CHANNEL, FOUND, archived=True)
    opened = await guild.open()

    (thread,) = guild.living_threads()
    item = guild.table.item()
    assert (opened.outcome, opened.thread_id, thread.archived) == (Outcome.ADOPTED, made, False)
    assert (item["archived"], item["watch_guild_id"]) == (False, GUILD)


@pytest.mark.parametrize("archived", [False, True], ids=["active", "archived"])
async def test_who_gets_an_adopted_thread_becomes_a_member(guild: Guild, archived: bool) -> None:
    guild.people.create_thread(CHANNEL, FOUND, archived=archived)
    await guild.open(user=ANOTHER)

    (thread,) = guild.living_threads()
    assert thread.has_member(ANOTHER)


async def test_an_adopted_thread_is_reused_afterwards(guild: Guild) -> None:
    made = guild.people.create_thread(CHANNEL, FOUND)
    await guild.open(owner="request-1")
    again = await guild.open(owner="request-2")

    assert (again.outcome, again.thread_id) == (Outcome.REUSED, made)


async def test_a_locked_thread_that_is_found_is_adopted_and_stays_locked(guild: Guild) -> None:
    made = guild.people.create_thread(CHANNEL, FOUND, locked=True)
    error = await guild.refused()

    item = guild.table.item()
    assert error.kind == "locked"
    assert (item["discord_thread_id"], item["locked"]) == (made, True)
    (thread,) = guild.living_threads()
    assert thread.locked


async def test_of_several_the_one_with_most_messages_is_adopted_and_the_others_noted(guild: Guild) -> None:
    few, most, archived = (guild.people.create_thread(CHANNEL, FOUND) for _ in range(3))
    say(guild, few, 2)
    say(guild, most, 5)
    say(guild, archived, 4)
    guild.people.archive(archived)
    opened = await guild.open()

    assert opened.thread_id == most
    assert sorted(guild.table.namesakes()) == sorted([few, archived])
    assert len(guild.living_threads()) == 3


async def test_among_equals_the_latest_activity_decides(guild: Guild) -> None:
    early, late = guild.people.create_thread(CHANNEL, FOUND), guild.people.create_thread(CHANNEL, FOUND)
    say(guild, late, 1)
    await guild.wait(60)
    say(guild, early, 1)

    assert (await guild.open()).thread_id == early
    assert guild.table.namesakes() == [late]


async def test_among_silent_ones_of_one_moment_the_smallest_id_decides(guild: Guild) -> None:
    ids = [guild.people.create_thread(CHANNEL, FOUND) for _ in range(3)]

    assert (await guild.open()).thread_id == min(ids, key=int)


async def test_a_private_thread_is_never_adopted(guild: Guild) -> None:
    private = guild.people.create_thread(CHANNEL, FOUND, type=12)
    archived = guild.people.create_thread(CHANNEL, FOUND, type=12, archived=True)
    opened = await guild.open()

    assert opened.outcome is Outcome.CREATED
    assert opened.thread_id not in (private, archived)
    assert not guild.table.pointer(private)
    assert guild.table.namesakes() == []


async def test_a_thread_of_another_channel_is_not_adopted(guild: Guild) -> None:
    guild.discord.add_channel(GUILD, "11")
    elsewhere = guild.people.create_thread("11", FOUND)

    opened = await guild.open()
    assert opened.outcome is Outcome.CREATED
    assert opened.thread_id != elsewhere


async def test_a_thread_without_the_prefix_is_not_adopted(guild: Guild) -> None:
    guild.people.create_thread(CHANNEL, "1a06a43")

    assert (await guild.open()).outcome is Outcome.CREATED


async def test_when_the_adopted_thread_is_deleted_the_next_namesake_is_adopted(guild: Guild) -> None:
    first, second = guild.people.create_thread(CHANNEL, FOUND), guild.people.create_thread(CHANNEL, FOUND)
    say(guild, first, 2)
    await guild.open()
    guild.people.delete_thread(first)
    again = await guild.open()

    assert (again.outcome, again.thread_id, again.after_deletion) == (Outcome.ADOPTED, second, True)
    assert again.session.generation == 4  # adopted, ended, adopted
    assert [thread.id for thread in guild.living_threads()] == [second]


async def test_a_namesake_is_believed_only_while_it_lives_and_bears_the_name(guild: Guild) -> None:
    best, renamed, deleted = (guild.people.create_thread(CHANNEL, FOUND) for _ in range(3))
    say(guild, best, 2)
    await guild.open()
    guild.people.rename(renamed, "just talk")
    for thread_id in (deleted, best):
        guild.people.delete_thread(thread_id)

    assert (await guild.open()).outcome is Outcome.CREATED
    assert not guild.table.pointer(renamed)


async def test_a_merged_thread_is_no_match(guild: Guild) -> None:
    merged = guild.people.create_thread(CHANNEL, FOUND)
    guild.table.put({"pk": f"THREAD#{merged}", "sk": "THREAD", "merged_into": "123"})
    opened = await guild.open()

    assert opened.outcome is Outcome.CREATED
    assert guild.table.pointer(merged) == {"pk": f"THREAD#{merged}", "sk": "THREAD", "merged_into": "123"}


async def test_a_pointer_to_a_session_that_has_the_thread_no_more_does_not_hold_it(guild: Guild) -> None:
    made = guild.people.create_thread(CHANNEL, FOUND)
    guild.table.put(
        {"pk": f"THREAD#{made}", "sk": "THREAD", "parent_channel_id": CHANNEL, "session_key": "somebody else"}
    )
    opened = await guild.open()

    assert (opened.outcome, opened.thread_id) == (Outcome.ADOPTED, made)
    pointer = guild.table.pointer(made)
    assert pointer["session_key"] == "1a06a43"


async def test_a_thread_a_person_starts_from_our_deleted_threads_name_is_adopted(guild: Guild) -> None:
    first = await guild.open()
    guild.people.delete_thread(first.thread_id)
    made = guild.people.create_thread(CHANNEL, FOUND, by=MEMBER)
    again = await guild.open()

    assert (again.outcome, again.thread_id, again.session.generation) == (Outcome.ADOPTED, made, 3)
    assert first.thread_id not in guild.discord.messages


@pytest.mark.guild(table="memory")
async def test_many_archived_threads_beyond_the_mark_are_settled_and_the_mark_moves_on(guild: Guild) -> None:
    await guild.wait(3600)
    old = guild.discord.people.add_archived_threads(
        CHANNEL, 60, newest=guild.now, name_of="Session {}".format, step=timedelta(seconds=1)
    )
    await guild.open("new")

    channel = guild.table.channel()
    assert channel["imported_at"] == "2026-11-23T12:59:00.000Z"  # Discord's time of the look-up, less a minute
    assert {item["discord_thread_id"] for item in guild.table.items() if item.get("archived")} == set(old)
    guild.calls.forget()
    assert (await guild.open("59")).thread_id == old[59]
    calls = guild.calls.of("dynamodb")
    assert calls == ["GetItem", "GetItem", "UpdateItem", "UpdateItem"], (
        "read with its channel's settings, written down, …"
    )


@pytest.mark.guild(table="memory")
async def test_few_archived_threads_beyond_the_mark_are_left_where_they_are_however_many_lie_before_it(
    guild: Guild,
) -> None:
    await guild.wait(3600)
    add = guild.discord.people.add_archived_threads
    add(CHANNEL, 10, newest=guild.now, name_of="Session {}".format)
    add(CHANNEL, 100, newest=IMPORTED_AT - timedelta(minutes=1), name_of="Session old {}".format)
    await guild.open("new")

    channel = guild.table.channel()
    assert channel["imported_at"] == "2026-11-23T11:00:00.000Z"


@pytest.mark.guild(table="memory", search_ready=False)
async def test_after_a_mark_has_moved_a_death_leaves_no_thread_behind_it(guild: Guild) -> None:
    await guild.wait(3600)
    add = guild.discord.people.add_archived_threads
    newest = guild.now - timedelta(minutes=2)
    old = add(CHANNEL, 150, newest=newest, name_of=lambda n: FOUND if n == 140 else f"talk {n}", step=SECOND)

    async def die_once_the_mark_has_moved() -> None:
        if guild.table.channel()["imported_at"] > iso(IMPORTED_AT):
            raise Died

    guild.after_call, guild.after_every_call = die_once_the_mark_has_moved, True
    await guild.death(guild.open("new"))
    guild.after_call = None
    opened = await guild.open()

    assert (opened.outcome, opened.thread_id) == (Outcome.REOPENED, old[140])


@pytest.mark.guild(table="memory", search_ready=False)
async def test_a_thread_that_a_person_makes_between_two_rounds_is_adopted(guild: Guild) -> None:
    guild.calls.dies_after = Call("discord", POSTS)
    await guild.death(guild.open())
    (message,) = guild.source_messages()
    guild.people.delete_message(CHANNEL, message.id)
    await guild.wait(minutes=1)
    guild.calls.forget()
    made: list[str] = []

    async def make_once_the_anchor_is_refused() -> None:
        if guild.calls.count(POSTS) and not made:
            made.append(guild.people.create_thread(CHANNEL, FOUND))

    guild.after_call, guild.after_every_call = make_once_the_anchor_is_refused, True
    opened = await guild.open()

    assert (opened.outcome, [opened.thread_id]) == (Outcome.ADOPTED, made)
    assert guild.source_messages() == []
