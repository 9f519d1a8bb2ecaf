"""``/session close`` and *Reopen*, from the signed interaction to what its user reads."""

from typing import Any

import pytest

from infra.interactions import BOT_PERMISSIONS, MEMBER_PERMISSIONS, MODERATOR_PERMISSIONS, parts_of
from infra.simulator.faults import DROP, error
from infra.simulator.models import Message
from tests.kit.deployment import Asked, Deployment, in_thread
from tests.kit.guild import APPLICATION, MEMBER
from tests.kit.table_view import GUILD, NAME

pytestmark = pytest.mark.guild(table="memory", imported=True)

MANAGE_THREADS, SEND_IN_THREADS = 1 << 34, 1 << 38
STRANGER = "77"
MODERATOR: dict[str, Any] = {"user_id": "88", "member_permissions": MODERATOR_PERMISSIONS}
OF_CLOSE = ("closed_at", "closed_by", "close_reason", "close_lock", "close_message_id", "closing_at")


def said_in(deployment: Deployment, thread_id: str) -> list[Message]:
    """What the bot has said in the thread."""
    return [m for m in deployment.discord.messages.values() if m.channel_id == thread_id and m.author_id == APPLICATION]


def card(deployment: Deployment, thread_id: str) -> str:
    """What the message above the thread says of its state."""
    return deployment.discord.messages[thread_id].content.split("\n")[1]


def state(deployment: Deployment) -> tuple[Any, Any, Any]:
    discord = deployment.discord.state
    return deployment.table.items(), discord.threads.items(), discord.messages.items()


async def close(deployment: Deployment, *, name: str | None = NAME, **more: Any) -> Asked:
    options: dict[str, Any] = {} if name is None else {"name": name}
    options |= {option: more.pop(option) for option in ("lock", "reason") if option in more}
    return await deployment.use("session close", options=options, **more)


async def test_a_close_archives_and_says_who_when_and_why(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    await deployment.wait(60)
    asked = await close(deployment, reason="shipped in *4.2*")
    assert asked.content == f"**1a06a43** (<#{thread_id}>) is closed. Opening it opens the thread again."
    labels = [part["label"] for part in parts_of(asked.callback["data"]) if "label" in part]
    assert labels == ["Reopen", "Open the thread"]

    thread, item = deployment.discord.threads[thread_id], deployment.table.item()
    assert (thread.archived, thread.locked) == (True, False)
    assert (item["status"], item["closed_by"], item["close_reason"]) == ("closed", MEMBER, "shipped in *4.2*")
    assert item["archived"] is True
    assert {"closing_at", "watch_guild_id"}.isdisjoint(item)
    (message,) = said_in(deployment, thread_id)
    assert message.content == f"⚫ Closed by <@{MEMBER}>\n> shipped in \\*4.2\\*"
    assert message.mentions == ()
    assert thread.last_message_id == message.id
    at = int(deployment.now.timestamp())
    assert card(deployment, thread_id) == f"⚫ Closed by <@{MEMBER}> · <t:{at}:R>"


async def test_opening_reopens_and_the_record_of_the_close_is_gone(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    await close(deployment, lock=True, reason="done")
    assert deployment.table.item()["locked_by"] == APPLICATION
    await deployment.wait(60)
    opened = await deployment.use("session open", options={"name": NAME}, user_id=STRANGER)
    assert opened.content == f"**1a06a43** was locked; I've unlocked it: <#{thread_id}>"

    thread, item = deployment.discord.threads[thread_id], deployment.table.item()
    assert (thread.archived, thread.locked) == (False, False)
    assert item["status"] == "open"
    assert not {*OF_CLOSE, "locked_by"} & item.keys()
    assert card(deployment, thread_id).startswith("🟢 Open · started <t:")


async def test_a_close_in_the_thread_archives_it_after_the_answer(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    asked = await close(deployment, name=None, **in_thread(thread_id))
    assert asked.kind == 5
    states: list[bool] = []
    edit = deployment.after_call

    async def note() -> None:
        message = deployment.discord.original_response(asked.token)
        if message is not None and "is closed" in message["content"]:
            states.append(deployment.discord.threads[thread_id].archived)

    assert edit is None
    deployment.after_call, deployment.after_every_call = note, True
    await deployment.work()
    assert "is closed" in deployment.shown(asked)
    assert states[0] is False  # when the answer was edited
    assert deployment.discord.threads[thread_id].archived
    assert deployment.table.item()["status"] == "closed"


@pytest.mark.parametrize("lock", [False, True])
async def test_a_close_again_says_the_same_and_changes_nothing(deployment: Deployment, lock: bool) -> None:
    await deployment.open()
    first = await close(deployment, lock=lock)
    before = state(deployment)
    again = await close(deployment, lock=lock, **MODERATOR)
    assert again.content == first.content
    assert state(deployment) == before


async def test_a_closed_session_can_still_be_locked(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    await close(deployment)
    await deployment.wait(60)
    assert "is closed and locked" in (await close(deployment, lock=True)).content
    thread = deployment.discord.threads[thread_id]
    assert (thread.archived, thread.locked) == (True, True)
    assert (deployment.table.item()["status"], deployment.table.item()["locked_by"]) == ("closed", APPLICATION)


async def test_the_same_request_again_does_not_close_what_was_opened_since(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    given: dict[str, Any] = {"interaction_id": "1574394082099200777"}
    await close(deployment, **given)
    await deployment.open()
    asked = await close(deployment, **given)
    assert asked.content == f"Somebody has opened **1a06a43** (<#{thread_id}>) just now, so it stays open."
    assert not deployment.discord.threads[thread_id].archived
    assert "is closed" in (await close(deployment)).content


async def test_what_a_person_archives_is_not_closed(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    deployment.people.archive(thread_id)
    await deployment.reconcile()
    item = deployment.table.item()
    assert (item["status"], item["archived"]) == ("open", True)
    assert card(deployment, thread_id).startswith("🟢 Open")


async def test_whoever_writes_in_a_closed_thread_opens_the_session(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    await close(deployment, reason="x")
    await deployment.wait(60)
    deployment.people.post_message(thread_id, "one more thing")
    for _ in range(2):
        await deployment.reconcile()
    assert deployment.table.item()["status"] == "open"
    assert not {*OF_CLOSE} & deployment.table.item().keys()
    assert card(deployment, thread_id).startswith("🟢 Open")


@pytest.mark.parametrize("lock", [False, True])
@pytest.mark.parametrize("archived", ["by Discord", "by a person"])
async def test_an_archived_thread_is_closed_too(deployment: Deployment, archived: str, lock: bool) -> None:
    thread_id = (await deployment.open()).thread_id
    act = deployment.people.auto_archive if archived == "by Discord" else deployment.people.archive
    act(thread_id)
    assert "is closed" in (await close(deployment, lock=lock)).content
    thread = deployment.discord.threads[thread_id]
    assert (thread.archived, thread.locked) == (True, lock)
    assert [m.id for m in said_in(deployment, thread_id)] == [thread.last_message_id]
    assert deployment.table.item()["status"] == "closed"


@pytest.mark.parametrize("archived", [False, True])
async def test_a_moderators_lock_is_not_passed_over_and_stays_theirs(deployment: Deployment, archived: bool) -> None:
    thread_id = (await deployment.open()).thread_id
    deployment.people.lock(thread_id)
    if archived:
        deployment.people.archive(thread_id)
    before = state(deployment)
    asked = await close(deployment)
    assert asked.content == "A moderator has locked this session's thread, so only a moderator can close it."
    assert state(deployment) == before

    assert "is closed" in (await close(deployment, lock=True, **MODERATOR)).content
    thread, item = deployment.discord.threads[thread_id], deployment.table.item()
    assert (thread.archived, thread.locked) == (True, True)
    assert item["status"] == "closed"
    assert item.get("locked_by") != APPLICATION
    refused = await deployment.use("session open", options={"name": NAME})
    assert "is locked" in refused.content


REFUSED = [
    ({"user_id": STRANGER}, "Only who started the session, or a member with **Manage Threads**"),
    ({"app_permissions": BOT_PERMISSIONS & ~MANAGE_THREADS}, "**Manage Threads**"),
    ({"app_permissions": BOT_PERMISSIONS & ~SEND_IN_THREADS}, "**Send Messages in Threads**"),
    ({"name": "another"}, "There's no session of that name in this channel."),
    ({"name": None}, "Which session? Type its name"),
    ({"name": "   "}, "needs a name that people can see"),
    ({"reason": "x" * 301}, "That reason is too long: it can have at most 300 characters."),
]


@pytest.mark.parametrize(("how", "says"), REFUSED, ids=[says[:20] for _, says in REFUSED])
async def test_a_close_that_is_refused_changes_nothing(deployment: Deployment, how: Any, says: str) -> None:
    await deployment.open()
    before = state(deployment)
    asked = await close(deployment, **how)
    assert says in asked.content
    assert state(deployment) == before


async def test_a_moderator_may_close_what_others_started(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    assert "is closed" in (await close(deployment, **MODERATOR)).content
    assert said_in(deployment, thread_id)[0].content == "⚫ Closed by <@88>"


@pytest.mark.parametrize(
    ("method", "route", "refusal", "says"),
    [
        ("POST", "/channels/{channel_id}/messages", error(400, 200000, "blocked"), "AutoMod refused that reason"),
        ("POST", "/channels/{channel_id}/messages", error(403, 50001, "no"), "I can't see that channel"),
        ("PATCH", "/channels/{channel_id}", error(403, 60003, "2FA"), "two-factor authentication"),
        ("PATCH", "/channels/{channel_id}", error(404, 10003, "gone"), "it seems to be deleted"),
    ],
)
async def test_what_discord_refuses_leaves_the_session_open(
    deployment: Deployment, method: str, route: str, refusal: Any, says: str
) -> None:
    thread_id = (await deployment.open()).thread_id
    deployment.discord.faults.inject(method, route, refusal)
    asked = await close(deployment, reason="x")
    assert says in asked.content
    assert deployment.table.item()["status"] == "open"
    assert not {*OF_CLOSE, "close_request"} & deployment.table.item().keys()
    await deployment.wait(minutes=10)
    await deployment.reconcile()
    assert not deployment.discord.threads[thread_id].archived
    assert card(deployment, thread_id).startswith("🟢 Open")


async def test_a_thread_that_is_gone_is_said_to_be(deployment: Deployment) -> None:
    deployment.people.delete_thread((await deployment.open()).thread_id)
    asked = await close(deployment)
    assert "it seems to be deleted. `/session open` starts a new one." in asked.content
    assert "closing_at" not in deployment.table.item()


async def test_a_close_that_is_late_is_handed_over(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    asked = await close(deployment, old=2.9)
    assert asked.kind == 5
    await deployment.work()
    assert "is closed" in deployment.shown(asked)
    assert len(said_in(deployment, thread_id)) == 1


async def test_an_outage_is_waited_out_by_the_worker(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    deployment.discord.faults.inject("PATCH", "/channels/{channel_id}", DROP, times=5)
    asked = await close(deployment, lock=True)
    assert asked.kind == 5
    await deployment.work()
    assert "is closed and locked" in deployment.shown(asked)
    assert len(said_in(deployment, thread_id)) == 1


# The button.


async def test_reopen_opens_the_session_for_whoever_may_open_it(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    answer = await close(deployment, lock=True)
    refused = await deployment.press(answer, user_id=STRANGER, member_permissions=MEMBER_PERMISSIONS & ~SEND_IN_THREADS)
    assert "You need **Send Messages in Threads** here to reopen it" in refused.content
    assert deployment.discord.threads[thread_id].archived
    pressed = await deployment.press(answer, user_id=STRANGER, member_permissions=MEMBER_PERMISSIONS)
    assert f"I've unlocked it: <#{thread_id}>" in deployment.shown(pressed)
    assert not deployment.discord.threads[thread_id].archived
    assert deployment.table.item()["status"] == "open"


@pytest.mark.parametrize("how", ["another channel", "another server", "a thread that is gone", "no thread"])
async def test_a_button_that_means_nothing_here_says_so(deployment: Deployment, how: str) -> None:
    thread_id = (await deployment.open()).thread_id
    answer = await close(deployment)
    deployment.discord.add_guild("5")
    deployment.discord.add_channel(GUILD, "11")
    place: dict[str, Any] = {"another channel": {"channel_id": "11"}, "another server": {"guild_id": "5"}}.get(how, {})
    if how == "a thread that is gone":
        deployment.people.delete_thread(thread_id)
        await deployment.open()
    custom_id = "reopen:x" if how == "no thread" else None
    pressed = await deployment.press(answer, custom_id, **place)
    assert pressed.content == "That button no longer works. Use the command again."
