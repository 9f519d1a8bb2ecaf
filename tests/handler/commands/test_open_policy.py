"""What is done for a member: what the member may do by hand (`OpenPolicy`), and who asked, in the audit log."""

import asyncio
from typing import Any

import pytest

from infra.interactions import MEMBER_PERMISSIONS, interaction
from tests.kit.deployment import USER, Asked, Deployment, in_thread
from tests.kit.guild import IMPORTED_AT
from tests.kit.table_view import CHANNEL, GUILD, NAME

pytestmark = pytest.mark.guild(table="memory")

ADMINISTRATOR, VIEW_CHANNEL = 1 << 3, 1 << 10
SEND_MESSAGES, MANAGE_THREADS, CREATE_PUBLIC_THREADS, SEND_IN_THREADS = 1 << 11, 1 << 34, 1 << 35, 1 << 38
ONLOOKER = MEMBER_PERMISSIONS & ~SEND_MESSAGES & ~CREATE_PUBLIC_THREADS & ~SEND_IN_THREADS
LACKING = [
    (CREATE_PUBLIC_THREADS, "You need **Create Public Threads** here"),
    (SEND_MESSAGES, "You need **Send Messages** here"),
    (SEND_MESSAGES | CREATE_PUBLIC_THREADS, "You need **Send Messages** and **Create Public Threads** here"),
    (MEMBER_PERMISSIONS, "You need **Send Messages** and **Create Public Threads** here"),
]


def without(bits: int) -> dict[str, Any]:
    return {"member_permissions": MEMBER_PERMISSIONS & ~bits}


async def expect_refusal(deployment: Deployment, says: str, *, old: float = 0.0, **asked: Any) -> Asked:
    """The refusal, which has changed nothing in the table or on Discord, whoever wrote it."""
    before = deployment.table.records(), deployment.discord.threads.values(), deployment.discord.messages.values()
    refused = await deployment.ask(old=old, **asked)
    await deployment.work()
    assert says in deployment.shown(refused)
    after = deployment.table.records(), deployment.discord.threads.values(), deployment.discord.messages.values()
    assert [list(part) for part in after] == [list(part) for part in before]
    return refused


def know_the_past(deployment: Deployment) -> None:
    deployment.table.put(
        {"pk": f"CHANNEL#{CHANNEL}", "sk": "CHANNEL", "guild_id": GUILD, "kind": 0}, imported_at=IMPORTED_AT
    )


@pytest.mark.parametrize(("bits", "says"), LACKING)
@pytest.mark.parametrize("imported", [False, True], ids=["unknown channel", "imported channel"])
@pytest.mark.parametrize("old", [0.0, 2.9], ids=["webhook", "worker"])
async def test_no_thread_is_started_for_who_may_not_start_one(
    deployment: Deployment, bits: int, says: str, imported: bool, old: float
) -> None:
    if imported:
        know_the_past(deployment)
    await expect_refusal(deployment, says, old=old, **without(bits))


async def test_a_vacant_session_stays_as_it_is_for_who_may_not_start_a_thread(deployment: Deployment) -> None:
    await deployment.ask()
    deployment.people.delete_thread(deployment.living_threads()[0].id)
    await expect_refusal(deployment, "**Create Public Threads**", **without(CREATE_PUBLIC_THREADS))
    assert "was deleted" in (await deployment.ask()).content
    deployment.people.delete_thread(deployment.living_threads()[0].id)
    await deployment.reconcile()
    await expect_refusal(deployment, "**Create Public Threads**", **without(CREATE_PUBLIC_THREADS))


@pytest.mark.guild(settings={"OPEN_POLICY": "everyone"})
async def test_with_the_policy_everyone_threads_are_started_and_reopened_for_everybody(deployment: Deployment) -> None:
    assert "Started a thread" in (await deployment.ask(member_permissions=ONLOOKER)).content
    (thread,) = deployment.living_threads()
    deployment.people.archive(thread.id)
    assert f"<#{thread.id}>" in (await deployment.ask(member_permissions=ONLOOKER)).content
    assert not deployment.discord.threads[thread.id].archived


@pytest.mark.parametrize("permissions", [ONLOOKER, VIEW_CHANNEL, 0])
async def test_the_link_of_an_open_thread_is_given_to_everybody(deployment: Deployment, permissions: int) -> None:
    await deployment.ask()
    (thread,) = deployment.living_threads()
    assert f"<#{thread.id}>" in (await deployment.ask(member_permissions=permissions)).content
    inside = in_thread(thread.id)
    assert f"<#{thread.id}>" in (await deployment.ask(member_permissions=permissions, **inside)).content


@pytest.mark.parametrize("old", [0.0, 2.9], ids=["webhook", "worker"])
async def test_a_thread_is_not_reopened_for_who_may_not_write_in_it(deployment: Deployment, old: float) -> None:
    await deployment.ask()
    (thread,) = deployment.living_threads()
    deployment.people.auto_archive(thread.id)
    says = f"archived: <#{thread.id}>. You need **Send Messages in Threads** here to reopen it"
    await expect_refusal(deployment, says, old=old, **without(SEND_IN_THREADS))


@pytest.mark.parametrize("permissions", [VIEW_CHANNEL | SEND_IN_THREADS, MANAGE_THREADS, ADMINISTRATOR])
async def test_a_thread_is_reopened_for_who_may_do_it_by_hand(deployment: Deployment, permissions: int) -> None:
    await deployment.ask()
    (thread,) = deployment.living_threads()
    deployment.people.archive(thread.id)
    assert "reopened it" in (await deployment.ask(member_permissions=permissions)).content
    assert not deployment.discord.threads[thread.id].archived


async def test_a_locked_thread_is_told_as_locked_to_who_may_not_write_in_it(deployment: Deployment) -> None:
    await deployment.ask()
    (thread,) = deployment.living_threads()
    deployment.people.lock(thread.id)
    deployment.people.archive(thread.id)
    assert "is locked" in (await deployment.ask(member_permissions=ONLOOKER)).content


@pytest.mark.guild(settings={"UNLOCK_POLICY": "everyone"})
async def test_who_may_not_write_in_threads_gets_no_archived_one_unlocked(deployment: Deployment) -> None:
    await deployment.ask()
    (thread,) = deployment.living_threads()
    deployment.people.lock(thread.id)
    deployment.people.archive(thread.id)
    await expect_refusal(deployment, "**Send Messages in Threads**", **without(SEND_IN_THREADS))


@pytest.mark.parametrize("imported", [False, True], ids=["unknown channel", "imported channel"])
async def test_a_found_thread_is_adopted_for_who_may_not_start_one(deployment: Deployment, imported: bool) -> None:
    if imported:
        know_the_past(deployment)
    thread = deployment.people.create_thread(CHANNEL, f"Session {NAME}")
    assert f"<#{thread}>" in (await deployment.ask(member_permissions=ONLOOKER)).content
    assert deployment.table.item()["discord_thread_id"] == thread
    renamed = deployment.people.create_thread(CHANNEL, "Session other")
    await deployment.ask("other")
    deployment.people.rename(renamed, "Session new name")
    assert f"<#{renamed}>" in (await deployment.ask("new name", member_permissions=ONLOOKER)).content
    deployment.people.archive(renamed)
    assert "**Send Messages in Threads**" in (await deployment.ask("new name", member_permissions=ONLOOKER)).content


async def test_a_found_thread_that_is_archived_is_not_adopted_for_who_may_not_reopen_it(deployment: Deployment) -> None:
    deployment.people.create_thread(CHANNEL, f"Session {NAME}", archived=True)
    await expect_refusal(deployment, "**Send Messages in Threads**", **without(SEND_IN_THREADS | SEND_MESSAGES))
    assert "reopened" not in (await deployment.ask(**without(SEND_MESSAGES))).content
    assert not deployment.living_threads()[0].archived


async def test_who_waits_for_somebody_else_s_claim_gets_the_link(deployment: Deployment) -> None:
    deployment.latency = 0.1
    know_the_past(deployment)
    first, second = await asyncio.gather(deployment.ask(), _a_moment_later(deployment, member_permissions=ONLOOKER))
    (thread,) = deployment.living_threads()
    assert "Started a thread" in first.content
    assert f"<#{thread.id}>" in second.content


async def _a_moment_later(deployment: Deployment, **asked: Any) -> Asked:
    await asyncio.sleep(0.05)
    return await deployment.ask(**asked)


async def test_what_a_member_with_the_right_has_begun_is_finished_for_anybody(deployment: Deployment) -> None:
    know_the_past(deployment)
    message = deployment.people.post_message(CHANNEL, "Session", by="1000")
    deployment.table.put(
        {"pk": f"CHANNEL#{CHANNEL}", "sk": f"SESSION#{NAME}", "parent_channel_id": CHANNEL, "session_key": NAME},
        session_name=NAME,
        status="creating",
        generation=1,
        guild_id=GUILD,
        source_message_id=message,
        lease_owner="dead",
        lease_expires_at="2026-01-01T00:00:00.000Z",
    )
    assert f"<#{message}>" in (await deployment.ask(member_permissions=ONLOOKER)).content


async def test_a_claim_that_has_posted_nothing_is_not_taken_over_by_who_may_not_start_a_thread(
    deployment: Deployment,
) -> None:
    know_the_past(deployment)
    deployment.table.put(
        {"pk": f"CHANNEL#{CHANNEL}", "sk": f"SESSION#{NAME}", "parent_channel_id": CHANNEL, "session_key": NAME},
        session_name=NAME,
        status="creating",
        generation=1,
        guild_id=GUILD,
        lease_owner="dead",
        lease_expires_at="2026-01-01T00:00:00.000Z",
    )
    await expect_refusal(deployment, "**Create Public Threads**", **without(CREATE_PUBLIC_THREADS))


async def test_in_a_thread_nobody_can_see_whether_a_member_may_write_in_the_channel(deployment: Deployment) -> None:
    inside = in_thread("100000000000000099")
    await expect_refusal(deployment, f"write in <#{CHANNEL}>", **inside, **without(SEND_MESSAGES))
    says = "**Send Messages** and **Create Public Threads**"
    await expect_refusal(deployment, says, **inside, member_permissions=ONLOOKER)
    assert "Started a thread" in (await deployment.ask(**inside)).content


async def test_permissions_that_are_not_stated_are_not_checked(deployment: Deployment) -> None:
    payload = interaction(NAME, channel_id=CHANNEL, guild_id=GUILD, user_id=USER, token="made-up-x", now=deployment.now)
    del payload["member"]["permissions"]
    assert "Started a thread" in (await deployment.deliver(payload)).content


async def test_the_audit_log_says_who_asked_to_merge_duplicates(deployment: Deployment) -> None:
    for _ in range(2):
        deployment.people.create_thread(CHANNEL, f"Session {NAME}")
    await deployment.press(await deployment.administer("duplicates"), user_id="100000000000000777")
    await deployment.work()
    ours = {entry.reason for entry in deployment.discord.state.audit[GUILD] if entry.user_id == "1000"}
    assert ours == {"Asked for by user 100000000000000777 (person0777): Merged into the session's one thread"}


async def test_the_audit_log_says_who_asked(deployment: Deployment) -> None:
    await deployment.ask()
    (thread,) = deployment.living_threads()
    deployment.people.archive(thread.id)
    await deployment.ask(user_id="100000000000000777")
    deployment.people.archive(thread.id)
    await deployment.ensure(request_id="build-17")
    ours = [entry.reason for entry in deployment.discord.state.audit[GUILD] if entry.user_id == "1000"]
    assert ours == [
        f"Asked for by user {USER} (person{USER[-4:]}), session {NAME}",
        f"Asked for by user 100000000000000777 (person0777), session {NAME}",
        f"Asked for by a program (request build-17), session {NAME}",
    ]
