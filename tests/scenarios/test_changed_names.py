"""A thread does not get the name that was asked for: Discord changes it, or another bot was first. It stays one thread."""

from typing import Any

import pytest

from handler.sessions.model import Outcome
from infra.simulator.exchange import Response
from infra.simulator.faults import DROP, HANG, Failure, error, server_error
from infra.simulator.permissions import PERMISSION_BITS
from infra.simulator.refusals import too_many_requests
from tests.kit.guild import BOT, Guild
from tests.kit.recorded_calls import Call
from tests.kit.table_view import CHANNEL, NAME

pytestmark = pytest.mark.guild(table="memory")

DROPS = {"dropped_from_titles": "/\\:\u200b\u3164"}
THREAD = "/channels/{channel_id}"
RENAME = f"PATCH {THREAD}"
ANOTHER_BOT = "77"


# What Discord does to a name


@pytest.mark.guild(**DROPS)
@pytest.mark.parametrize(("name", "reads"), [("a/b", "ab"), ("1:2", "12"), ("x\\y/z", "xyz")])
async def test_who_opens_the_name_that_the_thread_really_bears_is_led_to_it(
    guild: Guild, name: str, reads: str
) -> None:
    first = await guild.open(name)
    (thread,) = guild.discord.threads.values()
    assert (thread.name, guild.table.item(name)["thread_name"]) == (f"Session {reads}", f"Session {reads}")
    assert guild.table.namesakes(reads) == [thread.id]

    assert (await guild.open(reads)).thread_id == (await guild.open(name)).thread_id == first.thread_id
    await guild.reconcile()
    assert (await guild.open(reads)).thread_id == first.thread_id
    assert guild.calls.count(RENAME) == 0


@pytest.mark.guild(imported=False, **DROPS)
@pytest.mark.parametrize("archived", [False, True], ids=["active", "archived"])
@pytest.mark.parametrize("again", ["a/b", "ab", "A/B"])
async def test_a_lost_table_finds_the_thread_by_either_name(guild: Guild, again: str, archived: bool) -> None:
    first = await guild.open("a/b")
    if archived:
        guild.people.archive(first.thread_id)
    guild.table.lose_all()
    guild.restart()
    opened = await guild.open(again)

    assert (opened.outcome, opened.thread_id) == (Outcome.ADOPTED, first.thread_id)
    for name in ("ab", "a/b"):
        assert (await guild.open(name)).thread_id == first.thread_id
    assert len(guild.discord.threads) == 1


@pytest.mark.guild(imported=False, settings={"SESSION_NAME_PREFIX": "Run: "}, **DROPS)
@pytest.mark.parametrize("archived", [False, True], ids=["active", "archived"])
async def test_a_thread_whose_name_lost_a_part_of_the_prefix_is_found(guild: Guild, archived: bool) -> None:
    first = await guild.open()
    (thread,) = guild.discord.threads.values()
    assert thread.name == f"Run {NAME}"
    if archived:
        guild.people.archive(first.thread_id)
    guild.table.lose_all()
    guild.restart()

    assert (await guild.open()).thread_id == first.thread_id
    assert len(guild.discord.threads) == 1


@pytest.mark.guild(imported=False, **DROPS)
@pytest.mark.parametrize("taken", [False, True], ids=["free", "taken"])
async def test_an_archived_thread_that_was_settled_by_its_other_name_is_found(guild: Guild, taken: bool) -> None:
    first = await guild.open("a/b")
    other = guild.people.create_thread(CHANNEL, "Session ab") if taken else None
    if other is not None:
        guild.people.post_message(other)  # so that the import prefers it
    guild.people.archive(first.thread_id)
    guild.table.lose_all()
    await guild.open("something else")
    assert guild.table.item("ab")["discord_thread_id"] == (other or first.thread_id)

    assert (await guild.open("a/b")).thread_id == first.thread_id
    assert len(guild.discord.threads) == (3 if taken else 2)


@pytest.mark.parametrize("left", ["NAMESAKE", "THREAD", "CHANNEL"])
@pytest.mark.guild(**DROPS)
async def test_a_partial_loss_finds_it_too(guild: Guild, left: str) -> None:
    first = await guild.open("a/b")
    guild.table.lose_all(but=[left, "CHANNEL"])

    assert (await guild.open("a/b")).thread_id == first.thread_id
    assert len(guild.discord.threads) == 1


async def test_another_session_with_the_same_letters_is_another_session(guild: Guild) -> None:
    other = await guild.open("ab")
    opened = await guild.open("a/b")

    assert (opened.outcome, opened.thread_id != other.thread_id) == (Outcome.CREATED, True)
    guild.table.lose_all(but=["CHANNEL"])
    assert (await guild.open("a/b")).thread_id == opened.thread_id
    assert (await guild.open("ab")).thread_id == other.thread_id


@pytest.mark.guild(message_content=True)  # else nobody else's message can be read at all
@pytest.mark.parametrize("author", [BOT, "3"])
async def test_a_thread_of_the_same_letters_is_believed_only_if_our_message_names_the_session(
    guild: Guild, author: str
) -> None:
    message = guild.people.post_message(CHANNEL, "🧵 **Session a-b** · opened by <@3>", by=author)
    made = guild.people.create_thread(CHANNEL, "Session ab", message_id=message)

    assert ((await guild.open("a b")).thread_id == made) is False
    assert ((await guild.open("a-b")).thread_id == made) is (author == BOT)


# Another bot is first


def start_first(guild: Guild, name: str = "Discussion") -> None:
    """Another bot starts a thread from each new source message at once."""

    async def start_from_new_ones() -> None:
        for message in guild.source_messages():
            if message.id not in guild.discord.threads and not message.thread_started:
                guild.people.create_thread(CHANNEL, name, message_id=message.id, by=ANOTHER_BOT)

    guild.after_call, guild.after_every_call = start_from_new_ones, True


@pytest.mark.guild(imported=False)
async def test_a_thread_that_another_bot_started_from_our_message_gets_the_sessions_name(guild: Guild) -> None:
    start_first(guild)
    opened = await guild.open(topic="the bug")

    (thread,) = guild.discord.threads.values()
    assert (opened.outcome, opened.thread_id, thread.owner_id) == (Outcome.CREATED, thread.id, ANOTHER_BOT)
    assert thread.name == guild.table.item()["thread_name"] == f"Session {NAME}"
    guild.table.lose_all()
    assert (await guild.open()).thread_id == thread.id
    assert guild.calls.count(RENAME) == 1


async def test_a_name_that_comes_back_is_not_fought_over(guild: Guild) -> None:
    start_first(guild)
    opened = await guild.open()
    guild.people.rename(opened.thread_id, "Discussion", by=ANOTHER_BOT)
    for _ in range(2):
        await guild.reconcile()
        assert (await guild.open()).thread_id == opened.thread_id

    assert guild.discord.threads[opened.thread_id].name == "Discussion"
    assert guild.calls.count(RENAME) == 0


@pytest.mark.parametrize(
    ("what", "when"),
    [
        (error(403, 50013, "Missing Permissions"), "before"),
        (error(400, 50035, "Invalid Form Body"), "before"),
        (error(404, 10003, "Unknown Channel"), "before"),
        (too_many_requests(600.0), "before"),
        (server_error(), "before"),
        (DROP, "before"),
        (HANG, "before"),
        (DROP, "after"),
        (server_error(), "after"),
    ],
)
async def test_a_rename_that_fails_costs_neither_the_link_nor_the_way_back(
    guild: Guild, what: Response | Failure, when: Any
) -> None:
    start_first(guild)
    guild.discord.faults.inject("PATCH", THREAD, what, when=when, times=9)
    begun = guild.now
    opened = await guild.open()
    assert (opened.outcome, len(guild.discord.threads)) == (Outcome.CREATED, 1)
    assert (guild.now - begun).total_seconds() < 3

    guild.discord.faults.clear()
    assert (await guild.open()).thread_id == opened.thread_id
    guild.table.lose_all(but=["CHANNEL", "NAMESAKE"])
    guild.restart()
    assert (await guild.open()).thread_id == opened.thread_id
    assert len(guild.discord.threads) == 1


@pytest.mark.parametrize("call", [Call("dynamodb", "PutItem"), Call("discord", RENAME)], ids=str)
async def test_after_a_death_around_the_rename_it_is_still_one_thread(guild: Guild, call: Call) -> None:
    start_first(guild)
    guild.calls.forget()
    guild.calls.dies_after = call
    await guild.death(guild.open())
    await guild.wait(60)

    opened = await guild.open()
    assert list(guild.discord.threads) == [opened.thread_id]
    guild.table.lose_all(but=["CHANNEL", "NAMESAKE"])
    assert (await guild.open()).thread_id == opened.thread_id
    assert len(guild.discord.threads) == 1


async def test_a_thread_that_a_person_renamed_before_it_was_on_record_keeps_that_name(guild: Guild) -> None:
    guild.calls.dies_after = Call("discord", "POST /channels/{channel_id}/messages/{message_id}/threads")
    await guild.death(guild.open())
    (thread_id,) = guild.discord.threads
    guild.people.rename(thread_id, "Session 1a06a43: login bug")
    await guild.wait(60)

    assert (await guild.open()).thread_id == thread_id
    assert guild.discord.threads[thread_id].name == "Session 1a06a43: login bug"


async def test_without_manage_threads_the_thread_is_used_as_it_is(guild: Guild) -> None:
    guild.people.set_permissions(CHANNEL, [name for name in PERMISSION_BITS if name != "MANAGE_THREADS"])
    start_first(guild, "Session other")
    opened = await guild.open()

    assert guild.discord.threads[opened.thread_id].name == "Session other"
    assert (await guild.open("other")).thread_id == (await guild.open()).thread_id == opened.thread_id
