"""A session's topic: it is what the source message shows, and ends with its generation."""

from typing import Any

import pytest

from infra.simulator.exchange import Response
from infra.simulator.faults import DROP, HANG, Failure, error, server_error
from infra.simulator.refusals import too_many_requests
from tests.kit.guild import Guild
from tests.kit.recorded_calls import Call
from tests.kit.table_view import CHANNEL

pytestmark = pytest.mark.guild(table="memory")

MESSAGE = "/channels/{channel_id}/messages/{message_id}"
EDIT = f"PATCH {MESSAGE}"


def shown(guild: Guild) -> str:
    """What the one source message shows below its name and state."""
    (message,) = guild.source_messages()
    return "\n".join(message.content.split("\n")[2:])


def on_record(guild: Guild) -> dict[str, Any]:
    return {name: value for name, value in guild.table.item().items() if name.startswith("topic")}


async def test_a_later_first_topic_is_shown_by_the_source_message_and_the_second_one_is_not(guild: Guild) -> None:
    assert (await guild.open()).session.topic is None
    assert (await guild.open(topic="first")).session.topic == "first"
    assert (shown(guild), on_record(guild)) == ("> first", {"topic": "first"})
    head = guild.source_messages()[0].content.partition("\n")[0]
    assert head == "🧵 **Session 1a06a43** · opened by <@3>"

    guild.calls.forget()
    assert (await guild.open(topic="second")).session.topic == "first"
    assert (shown(guild), guild.calls.count(EDIT)) == ("> first", 0)


@pytest.mark.parametrize("deleted_by", ["an open", "the reconciler"])
async def test_a_topic_does_not_come_back_after_thread_and_message_were_deleted(guild: Guild, deleted_by: str) -> None:
    first = await guild.open(topic="an insult", user="7")
    guild.people.delete_thread(first.thread_id)
    guild.people.delete_message(CHANNEL, first.thread_id)
    if deleted_by == "the reconciler":
        await guild.reconcile()
        await guild.wait(days=20)
        assert on_record(guild) == {}
    again = await guild.open(user="8")

    assert (again.session.topic, shown(guild), on_record(guild)) == (None, "", {})


async def test_a_topic_that_was_given_later_ends_with_its_generation_too(guild: Guild) -> None:
    first = await guild.open()
    guild.discord.faults.inject("PATCH", MESSAGE, server_error(), times=99)
    await guild.open(topic="never shown")
    assert on_record(guild) == {"topic_to_show": "never shown"}
    guild.discord.faults.clear()
    guild.people.delete_thread(first.thread_id)

    assert ((await guild.open()).session.topic, shown(guild), on_record(guild)) == (None, "", {})


async def test_a_topic_of_a_claim_that_nobody_finished_ends_with_the_claim(guild: Guild) -> None:
    guild.discord.faults.inject("POST", "/channels/{channel_id}/messages", error(403, 50013, "no"))
    await guild.refused(topic="the first")

    assert ((await guild.open(topic="the second")).session.topic, shown(guild)) == ("the second", "> the second")


@pytest.mark.parametrize(
    "refusal",
    [
        error(404, 10008, "Unknown Message"),
        error(400, 200000, "AutoMod"),
        error(403, 50001, "no"),
        error(400, 50035, "no"),
    ],
    ids=["deleted", "automod", "no access", "form"],
)
async def test_a_topic_that_cannot_be_shown_is_not_kept(guild: Guild, refusal: Response) -> None:
    first = await guild.open()
    guild.discord.faults.inject("PATCH", MESSAGE, refusal)
    opened = await guild.open(topic="the bug")

    assert (opened.thread_id, opened.session.topic, on_record(guild)) == (first.thread_id, None, {})
    assert (await guild.open(topic="another")).session.topic == "another"
    assert shown(guild) == "> another"


@pytest.mark.parametrize(
    ("what", "when"),
    [
        (server_error(), "before"),
        (server_error(), "after"),
        (DROP, "after"),
        (HANG, "before"),
        (too_many_requests(600.0), "before"),
        (error(400, 30046, "Maximum number of edits"), "before"),
        (error(401, 0, "401: Unauthorized"), "before"),
    ],
)
async def test_while_nobody_knows_whether_it_is_shown_the_link_comes_and_the_next_open_shows_it(
    guild: Guild, what: Response | Failure, when: Any
) -> None:
    first = await guild.open()
    guild.discord.faults.inject("PATCH", MESSAGE, what, when=when, times=9)
    begun = guild.now
    opened = await guild.open(topic="the bug")
    assert (opened.thread_id, opened.session.topic) == (first.thread_id, None)
    assert (guild.now - begun).total_seconds() < 2
    assert on_record(guild) == {"topic_to_show": "the bug"}

    guild.discord.faults.clear()
    guild.restart()
    await guild.wait(minutes=20)
    assert (await guild.open(topic="another")).session.topic == "the bug"
    assert (shown(guild), on_record(guild)) == ("> the bug", {"topic": "the bug"})


@pytest.mark.parametrize(
    "call",
    [
        Call("dynamodb", "UpdateItem"),
        Call("discord", EDIT),
        Call("dynamodb", "UpdateItem", 2),
        Call("dynamodb", "UpdateItem", 3),
    ],
    ids=str,
)
async def test_after_a_death_at_any_step_the_next_open_shows_the_topic(guild: Guild, call: Call) -> None:
    await guild.open()
    guild.calls.forget()
    guild.calls.dies_after = call
    await guild.death(guild.open(topic="the bug"))
    await guild.wait(10)

    assert (await guild.open()).session.topic == "the bug"
    assert (shown(guild), on_record(guild)) == ("> the bug", {"topic": "the bug"})


async def test_an_adopted_thread_has_no_message_of_ours_and_so_no_topic(guild: Guild) -> None:
    guild.people.create_thread(CHANNEL, "Session 1a06a43", message_id=guild.people.post_message(CHANNEL))
    assert (await guild.open(topic="the bug")).session.topic is None
    assert (await guild.open(topic="the bug")).session.topic is None
    assert (on_record(guild), guild.calls.count(EDIT)) == ({}, 0)


@pytest.mark.parametrize(
    ("label", "reads"),
    [
        ("build-bot", "opened by *build"),
        (None, "opened by a program"),
        (" \u200b", "opened by a program"),
        ("a\nb*c", "opened by *a b\\*c*"),
    ],
)
async def test_a_program_may_say_who_it_is_and_a_later_topic_keeps_it(
    guild: Guild, label: str | None, reads: str
) -> None:
    opened = await guild.open(user=None, label=label)
    assert reads in guild.source_messages()[0].content
    assert (await guild.open(topic="the bug")).thread_id == opened.thread_id
    assert reads in guild.source_messages()[0].content.partition("\n")[0]
    assert shown(guild) == "> the bug"
