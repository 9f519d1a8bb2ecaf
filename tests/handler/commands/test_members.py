"""``/session add``, ``remove`` and ``keep``, from the signed interaction to what its user reads."""

from typing import Any

import pytest

from handler.sessions.threads.members import add_member
from infra.interactions import BOT_PERMISSIONS
from infra.simulator.faults import error
from tests.kit.deployment import Deployment, in_thread
from tests.kit.table_view import CHANNEL, NAME

pytestmark = pytest.mark.guild(table="memory", imported=True)

FRIEND = "77"
VIEW_AUDIT_LOG = 1 << 7
MEMBERS = "/channels/{channel_id}/thread-members/{user_id}"


def members(deployment: Deployment, thread_id: str) -> set[str]:
    return {member for member, _ in deployment.discord.threads[thread_id].members}


def on_record(deployment: Deployment) -> list[str] | None:
    found: list[str] | None = deployment.table.item().get("member_ids")
    return found


def state(deployment: Deployment) -> tuple[Any, Any]:
    """What is on record, and the threads."""
    return deployment.table.items(), deployment.discord.state.threads.items()


async def test_a_member_is_added_and_removed_in_the_channel_and_in_the_thread(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    added = await deployment.use("session add", options={"user": FRIEND, "name": " SESSION 1A06A43"})
    assert added.content == f"Added <@{FRIEND}> to **1a06a43** (<#{thread_id}>)."
    assert FRIEND in members(deployment, thread_id)
    assert on_record(deployment) == [FRIEND]
    await deployment.use("session add", options={"user": "78"}, **in_thread(thread_id))
    assert on_record(deployment) == [FRIEND, "78"]

    removed = await deployment.use("session remove", options={"user": FRIEND}, **in_thread(thread_id))
    assert removed.content.startswith(f"Removed <@{FRIEND}> from **1a06a43** (<#{thread_id}>).")
    assert members(deployment, thread_id).isdisjoint({FRIEND})
    assert on_record(deployment) == ["78"]
    await deployment.use("session remove", options={"user": "78"}, **in_thread(thread_id))
    assert on_record(deployment) is None  # never an empty list


@pytest.mark.parametrize("command", ["add", "remove"])
async def test_a_repeat_says_the_same_and_changes_nothing(deployment: Deployment, command: str) -> None:
    await deployment.open()
    first = await deployment.use(f"session {command}", options={"user": FRIEND, "name": NAME})
    before = state(deployment)
    again = await deployment.use(f"session {command}", options={"user": FRIEND, "name": NAME})
    assert again.content == first.content
    assert state(deployment) == before


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        (error(404, 10007, "Unknown Member"), "I can't find that user in this server."),
        (error(404, 10013, "Unknown User"), "I can't find that user in this server."),
        (error(403, 50001, "Missing Access"), "Can they see this channel?"),
        (error(403, 50013, "Missing Permissions"), "has those"),
        (error(400, 30033, "full"), "as many members as Discord allows"),
        (error(404, 10003, "Unknown Channel"), "it seems to be deleted"),
        (error(400, 50083, "Thread is archived"), "Open it with `/session open`"),
    ],
)
async def test_what_discord_refuses_is_said_and_not_recorded(deployment: Deployment, refusal: Any, says: str) -> None:
    await deployment.open()
    deployment.discord.faults.inject("PUT", MEMBERS, refusal)
    asked = await deployment.use("session add", options={"user": FRIEND, "name": NAME})
    if says == "has those":
        assert "Discord says that I'm missing a permission here" in asked.content
    else:
        assert says in asked.content
    assert on_record(deployment) is None


async def test_removing_needs_manage_threads_of_the_bot(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    await deployment.use("session add", options={"user": FRIEND, "name": NAME})
    deployment.people.set_permissions(CHANNEL, BOT_PERMISSIONS & ~(1 << 34))
    asked = await deployment.use(
        "session remove", options={"user": FRIEND, "name": NAME}, app_permissions=BOT_PERMISSIONS & ~(1 << 34)
    )
    assert "**Manage Threads**" in asked.content
    assert FRIEND in members(deployment, thread_id)
    assert on_record(deployment) == [FRIEND]


async def test_no_more_than_a_hundred_members_are_recorded(deployment: Deployment) -> None:
    await deployment.open()
    deployment.table.put(deployment.table.item(), member_ids=[str(1000 + n) for n in range(100)])
    asked = await deployment.use("session add", options={"user": FRIEND, "name": NAME})
    assert "Remove somebody first" in asked.content
    repeated = await deployment.use("session add", options={"user": "1000", "name": NAME})
    assert repeated.content.startswith("Added <@1000>")


async def test_two_who_add_at_once_are_both_recorded(deployment: Deployment) -> None:
    await deployment.open()
    read = await deployment.store.sessions.get(CHANNEL, NAME)  # by the second one, before the first one writes
    assert read is not None
    await deployment.use("session add", options={"user": FRIEND, "name": NAME})
    await add_member(deployment.context, read, "78")
    assert on_record(deployment) == [FRIEND, "78"]


async def test_what_is_not_done_in_time_is_done_by_the_worker(deployment: Deployment) -> None:
    await deployment.open()
    asked = await deployment.use("session add", options={"user": FRIEND, "name": NAME}, old=2.9)
    assert asked.kind == 5
    await deployment.work()
    assert deployment.shown(asked).startswith(f"Added <@{FRIEND}>")


async def test_a_kept_session_says_so_and_what_it_needs(deployment: Deployment) -> None:
    await deployment.open()
    asked = await deployment.use("session keep", options={"on": True, "name": NAME})
    assert "stays open: when Discord archives it, I open it again. If a person archives it, I don't." in asked.content
    assert "View Audit Log" not in asked.content
    assert deployment.table.item()["keep"] is True
    blind = BOT_PERMISSIONS & ~VIEW_AUDIT_LOG
    again = await deployment.use("session keep", options={"on": True, "name": NAME}, app_permissions=blind)
    assert "**View Audit Log**" in again.content
    asked = await deployment.use("session keep", options={"on": False, "name": NAME})
    assert "is no longer kept open" in asked.content
    assert "keep" not in deployment.table.item()


@pytest.mark.guild(followed=True)
async def test_a_kept_session_is_opened_again_unless_a_person_archived_it(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    await deployment.reconcile()
    await deployment.use("session keep", options={"on": True, "name": NAME})
    deployment.people.auto_archive(thread_id)
    await deployment.wait(minutes=5)
    assert (await deployment.reconcile())["Reopen"] == 1
    assert not deployment.discord.threads[thread_id].archived

    deployment.people.archive(thread_id)
    for _ in range(3):
        await deployment.wait(minutes=5)
        await deployment.reconcile()
    assert deployment.discord.threads[thread_id].archived

    await deployment.open()
    await deployment.use("session keep", options={"on": False, "name": NAME})
    await deployment.reconcile()
    deployment.people.auto_archive(thread_id)
    await deployment.wait(minutes=5)
    await deployment.reconcile()
    assert deployment.discord.threads[thread_id].archived


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("session add", {}),
        ("session add", {"user": "x"}),
        ("session remove", {"user": 5}),
        ("session keep", {}),
        ("session keep", {"on": "yes"}),
    ],
)
async def test_options_of_another_shape_are_not_believed(deployment: Deployment, path: str, options: Any) -> None:
    await deployment.open()
    before = state(deployment)
    asked = await deployment.use(path, options={**options, "name": NAME})
    assert "couldn't read that command" in asked.content
    assert state(deployment) == before
