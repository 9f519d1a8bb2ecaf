"""``/session topic`` and the card of a channel's thread, from the signed interaction to what its user reads."""

from typing import Any

import pytest

from infra.simulator.faults import DROP, error, server_error
from tests.kit.deployment import Asked, Deployment
from tests.kit.guild import MEMBER
from tests.kit.table_view import CHANNEL, NAME

EDIT = "/channels/{channel_id}/messages/{message_id}"

pytestmark = pytest.mark.guild(table="memory", imported=True)


def shown(deployment: Deployment, message_id: str) -> list[str]:
    """The lines of the message above the thread, without its first one."""
    return deployment.discord.messages[message_id].content.split("\n")[1:]


async def topic(deployment: Deployment, text: str = "the bug", **more: Any) -> Asked:
    return await deployment.use("session topic", options={"text": text, "name": NAME}, **more)


async def test_a_topic_replaces_the_one_before(deployment: Deployment) -> None:
    thread_id = (await deployment.open(topic="first")).thread_id
    asked = await topic(deployment, "  a *better* one ")
    assert asked.content == f"**1a06a43** (<#{thread_id}>) has a new topic."
    assert shown(deployment, thread_id)[1:] == ["> a \\*better\\* one"]
    item = deployment.table.item()
    assert (item["topic"], "topic_to_show" in item) == ("a *better* one", False)
    assert (await topic(deployment, "a *better* one")).content == asked.content
    assert (await deployment.open(topic="ignored")).session.topic == "a *better* one"


async def test_two_topics_at_once_wait_for_their_turn_and_the_last_one_stays(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    await topic(deployment, "one")
    deployment.calls.forget()
    asked = await topic(deployment, "two")  # the message was edited less than ten seconds ago: the worker waits
    assert asked.kind == 5
    assert shown(deployment, thread_id)[1:] == ["> one"]
    await deployment.work()
    assert "has a new topic." in deployment.shown(asked)
    assert shown(deployment, thread_id)[1:] == ["> two"]


@pytest.mark.parametrize("refusal", [error(400, 200000, "AutoMod"), error(404, 10008, "Unknown Message")])
async def test_a_topic_that_discord_refuses_leaves_the_old_one(deployment: Deployment, refusal: Any) -> None:
    thread_id = (await deployment.open(topic="first")).thread_id
    deployment.discord.faults.inject("PATCH", EDIT, refusal)
    assert "so it stays as it was" in (await topic(deployment)).content
    assert shown(deployment, thread_id)[1:] == ["> first"]
    assert deployment.table.item()["topic"] == "first"


@pytest.mark.parametrize("what", [server_error(), DROP])
async def test_what_an_outage_left_undone_is_shown_by_the_reconciler(deployment: Deployment, what: Any) -> None:
    thread_id = (await deployment.open(topic="first")).thread_id
    await deployment.reconcile()
    deployment.discord.faults.inject("PATCH", EDIT, what, times=99)
    asked = await topic(deployment)
    await deployment.work()
    assert "I'll show it above the thread later" in deployment.shown(asked)
    assert deployment.table.item()["topic_to_show"] == "the bug"
    deployment.discord.faults.clear()
    await deployment.wait(minutes=5)
    assert (await deployment.reconcile())["ShowCard"] == 1
    assert shown(deployment, thread_id)[1:] == ["> the bug"]
    assert await deployment.reconcile() == {}


async def test_above_a_persons_thread_nothing_shows_the_topic_but_it_is_kept(deployment: Deployment) -> None:
    message = deployment.people.post_message(CHANNEL, by=MEMBER)
    deployment.people.create_thread(CHANNEL, "Session 1a06a43", message_id=message, by=MEMBER)
    await deployment.open()
    asked = await topic(deployment)
    assert "The thread wasn't started by me, so nothing above it shows the topic." in asked.content
    assert deployment.table.item()["topic"] == "the bug"


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"user_id": "77"}, "Only who started the session"),
        ({"text": "x" * 301}, "That topic is too long"),
        ({"text": "  "}, "couldn't read that command"),
    ],
)
async def test_a_topic_that_is_refused_changes_nothing(deployment: Deployment, how: Any, says: str) -> None:
    await deployment.open(topic="first")
    before = deployment.table.items()
    assert says in (await topic(deployment, **how)).content
    assert deployment.table.items() == before


async def test_the_card_is_edited_at_most_once_in_ten_seconds_and_then_made_right(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    await deployment.reconcile()
    deployment.calls.forget()
    await deployment.use("session close", options={"name": NAME})
    await deployment.open()
    assert deployment.calls.count(f"PATCH {EDIT}") == 1
    assert shown(deployment, thread_id)[0].startswith("⚫ Closed by")
    await deployment.wait(minutes=5)
    await deployment.reconcile()
    assert shown(deployment, thread_id)[0].startswith("🟢 Open")


async def test_a_card_that_hangs_costs_an_open_a_second_at_most(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    await deployment.use("session close", options={"name": NAME})
    await deployment.wait(60)
    deployment.discord.faults.inject("PATCH", EDIT, DROP, times=99)
    began = deployment.now
    assert (await deployment.open()).thread_id == thread_id
    assert (deployment.now - began).total_seconds() < 1.5
