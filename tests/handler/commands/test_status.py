"""``/session-admin status``, from the signed interaction to what a moderator reads."""

from typing import Any

import pytest

from infra.interactions import BOT_PERMISSIONS, MEMBER_PERMISSIONS
from infra.simulator.faults import error
from tests.kit.deployment import Asked, Deployment, in_thread
from tests.kit.table_view import CHANNEL, GUILD

pytestmark = pytest.mark.guild(table="memory", imported=True)

NAMES = [f"s{n}" for n in range(6)]
MANAGE_THREADS, CREATE_PUBLIC_THREADS, CREATE_PRIVATE_THREADS = 1 << 34, 1 << 35, 1 << 36
BUTTON = "let-through"


async def read(deployment: Deployment, **more: Any) -> str:
    return deployment.shown(await deployment.administer("status", **more))


async def hold_back(deployment: Deployment) -> Asked:
    """All sessions' threads are gone at once, and a run has held that back; the status then."""
    for name in NAMES:
        await deployment.open(name)
    await deployment.reconcile()
    await deployment.wait(minutes=5)
    for name in NAMES:
        deployment.people.delete_thread(deployment.living_threads(name)[0].id)
    assert (await deployment.report())["held"] == len(NAMES)
    return await deployment.administer("status")


def rows(deployment: Deployment, asked: Asked) -> list[dict[str, Any]]:
    message = deployment.discord.original_response(asked.token)
    assert message is not None
    return [part for part in message["components"] if part["type"] == 1]


@pytest.mark.guild(imported=False)
async def test_at_first_contact_it_says_what_is_missing_and_writes_nothing(deployment: Deployment) -> None:
    shown = await read(deployment, app_permissions=BOT_PERMISSIONS & ~MANAGE_THREADS & ~CREATE_PUBLIC_THREADS)
    assert shown.startswith(f"❌ I'm missing permissions in <#{CHANNEL}>. Ask an admin to grant them to my role:\n")
    assert "- **Create Public Threads** to start threads\n- **Manage Threads** to lock, unlock and delete" in shown
    assert "Send Messages" not in shown
    assert "No session was opened in this server yet." in shown
    assert not deployment.table.items()
    assert not deployment.discord.messages.values()


@pytest.mark.guild(imported=False, kind=15)
async def test_in_a_forum_nothing_is_missing_that_posts_do_not_need(deployment: Deployment) -> None:
    lacking = CREATE_PUBLIC_THREADS | CREATE_PRIVATE_THREADS
    shown = await read(deployment, app_permissions=BOT_PERMISSIONS & ~lacking, channel_type=15)
    assert shown.startswith(f"✅ I have all permissions that I need in <#{CHANNEL}>.")


async def test_after_a_run_it_says_when_and_what_was_done_and_how_many_threads_are_active(
    deployment: Deployment,
) -> None:
    await deployment.open()
    assert "My first check of this server comes in a few minutes." in await read(deployment)
    deployment.people.rename(deployment.living_threads()[0].id, "Session 1a06a43: login bug")
    await deployment.reconcile()
    shown = await read(deployment)
    assert "✅ I have all permissions" in shown
    assert "Active threads in this server: 1 of about 1,000." in shown
    seconds = int(deployment.now.timestamp())
    assert f"Last noted check: <t:{seconds}:R>: 1 looked at, 1 updated." in shown


async def test_what_is_held_back_is_listed_and_let_through_by_the_button(deployment: Deployment) -> None:
    asked = await hold_back(deployment)
    shown = deployment.shown(asked)
    assert "⏸️ 6 threads seem deleted all at once." in shown
    assert shown.count("- **s") == 5
    assert "- … and 1 more" in shown
    assert (await deployment.reconcile())["EndGeneration"] == 0

    pressed = await deployment.press(asked, BUTTON)
    assert "I'll believe 6 deletions" in deployment.shown(pressed)
    assert "Somebody has let them through" in await read(deployment)
    assert (await deployment.reconcile())["EndGeneration"] == 6
    assert "⏸️" not in await read(deployment)


async def test_an_old_button_lets_nothing_through_that_is_found_later(deployment: Deployment) -> None:
    asked = await hold_back(deployment)
    await deployment.press(asked, BUTTON)
    await deployment.reconcile()
    before = deployment.table.guild()
    await deployment.wait(minutes=90)
    assert deployment.shown(await deployment.press(asked, BUTTON)) == "Nothing is held back any more."
    assert deployment.table.guild() == before


async def test_once_let_through_there_is_no_button(deployment: Deployment) -> None:
    asked = await hold_back(deployment)
    assert rows(deployment, asked)
    await deployment.press(asked, BUTTON)
    assert not rows(deployment, await deployment.administer("status"))


async def test_who_may_is_checked_when_asking_and_when_pressing(deployment: Deployment) -> None:
    asked = await hold_back(deployment)
    before = deployment.table.items()
    refused = await deployment.administer("status", member_permissions=MEMBER_PERMISSIONS)
    assert refused.content == "Only members with **Manage Threads** can do that. Ask a moderator."
    pressed = await deployment.press(asked, BUTTON, member_permissions=MEMBER_PERMISSIONS)
    assert pressed.content == refused.content
    assert deployment.table.items() == before


async def test_sessions_of_other_channels_are_counted_and_not_named(deployment: Deployment) -> None:
    await hold_back(deployment)
    deployment.discord.add_channel(GUILD, "12")
    shown = await read(deployment, channel_id="12")
    assert "6 threads seem deleted" in shown
    assert "**s" not in shown
    assert "- … and 6 more" in shown


async def test_in_a_thread_its_channel_is_meant(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    inside = in_thread(thread_id)
    assert f"all permissions that I need in <#{CHANNEL}>" in await read(deployment, **inside)


async def test_a_bot_that_is_no_member_is_told_with_its_invitation(deployment: Deployment) -> None:
    await deployment.open()
    deployment.people.remove_bot_from_guild(GUILD)
    await deployment.reconcile()
    shown = await read(deployment)
    assert shown.startswith(
        "❌ I'm not a member of this server, so I can't see its threads. [Invite me](https://discord.com"
    )
    assert f"&permissions={BOT_PERMISSIONS})" in shown
    assert "I couldn't read this server. I try again <t:" in shown
    assert "Active threads" not in shown


async def test_lost_channels_and_sessions_out_of_reach_are_counted(deployment: Deployment) -> None:
    await deployment.open()
    deployment.discord.add_channel(GUILD, "12")
    for name in ("a", "b"):
        await deployment.open(name, "12")
    await deployment.reconcile()
    deployment.people.delete_channel("12")
    await deployment.wait(minutes=5)
    await deployment.reconcile()
    assert "⚠️ Channels that are gone or that I can't see: <#12>." in await read(deployment)


async def test_past_the_deadline_the_worker_answers(deployment: Deployment) -> None:
    asked = await deployment.administer("status", old=2.9)
    await deployment.work()
    assert deployment.shown(asked).startswith("✅")


async def test_counts_that_cannot_be_read_are_left_out_and_an_outage_is_handed_over(deployment: Deployment) -> None:
    await deployment.open()
    await deployment.reconcile()
    deployment.table.put(deployment.table.guild(), run_counts="many")
    assert "Last noted check" in await read(deployment)
    deployment.discord.faults.inject("GET", "/guilds/{guild_id}/threads/active", error(503, 0, "down"), times=100)
    asked = await deployment.administer("status")
    assert asked.kind == 5
