"""What the answers of Discord mean to the people who wait for theirs."""

from typing import Any

import pytest

from handler.errors import DiscordUnavailable
from infra.simulator.faults import blocked, error
from tests.kit.deployment import Deployment
from tests.kit.table_view import CHANNEL

THREADS = "/channels/{channel_id}/messages/{message_id}/threads"
THREAD = "/channels/{channel_id}"

pytestmark = pytest.mark.guild(table="memory", imported=True)


@pytest.mark.parametrize("what", [blocked(), error(403, 130000, "overloaded"), error(400, 40004, "disabled")])
async def test_a_block_on_the_way_to_discord_passes_and_leaves_nothing_behind(
    deployment: Deployment, what: Any
) -> None:
    await deployment.open("other")
    deployment.discord.faults.inject("*", "*", what, times=1000)
    asked = await deployment.ask()
    await deployment.receive()
    assert (await deployment.ensure())["error"]["kind"] == "discord_unavailable"
    with pytest.raises(DiscordUnavailable):
        await deployment.report()
    deployment.discord.faults.clear()
    await deployment.work()

    assert "<#" in deployment.shown(asked)
    assert deployment.table.item()["generation"] == 1
    assert not deployment.table.guild().get("parked")
    assert "unreachable_since" not in deployment.table.item("other")


async def test_a_refusal_that_nobody_knows_is_told_with_its_number(deployment: Deployment) -> None:
    deployment.discord.faults.inject("POST", THREADS, error(403, 12345, "no"))
    asked = await deployment.ask()

    assert "12345" in asked.content
    assert "Create Public Threads" not in asked.content
    assert (await deployment.ensure())["outcome"] == "created"


async def test_a_permission_that_is_granted_is_not_named_as_missing(deployment: Deployment) -> None:
    deployment.discord.faults.inject("POST", THREADS, error(403, 50013, "Missing Permissions"))
    asked = await deployment.ask()

    assert "50013" in asked.content
    assert "Create Public Threads" not in asked.content


async def test_a_program_hears_of_two_factor_what_it_is(deployment: Deployment) -> None:
    opened = await deployment.open()
    deployment.people.lock(opened.thread_id)
    deployment.discord.faults.inject("PATCH", THREAD, error(403, 60003, "Two factor is required"))
    refused = (await deployment.ensure(unlock=True))["error"]

    assert (refused["kind"], refused["code"], refused["retryable"]) == ("discord_refused", 60003, False)
    assert "two-factor" in refused["message"]


async def test_a_thread_that_is_locked_between_two_requests_is_told_as_locked(deployment: Deployment) -> None:
    opened = await deployment.open()
    deployment.people.archive(opened.thread_id)
    deployment.discord.faults.inject("PATCH", THREAD, error(403, 160005, "Thread is locked"))
    asked = await deployment.ask()

    assert f"<#{opened.thread_id}>" in asked.content
    assert "locked" in asked.content


async def test_a_guild_that_refuses_for_an_unknown_reason_marks_no_session(deployment: Deployment) -> None:
    opened = await deployment.open()
    deployment.people.archive(opened.thread_id)
    deployment.discord.faults.inject("GET", THREAD, error(403, 12345, "no"))
    counts = await deployment.report()

    assert counts["unclear"] == 1
    deployment.discord.faults.inject("GET", "/guilds/{guild_id}/threads/active", error(403, 12345, "no"))
    assert (await deployment.report())["parked"] == 1
    assert "unreachable_since" not in deployment.table.item(channel=CHANNEL)


async def test_one_stray_401_tells_nobody_else_to_renew_the_token(deployment: Deployment) -> None:
    deployment.discord.faults.inject("*", "*", error(401, 0, "401: Unauthorized"))
    first = await deployment.ask("first")
    await deployment.wait(5.0)
    second = await deployment.ask("second")

    assert "token" in first.content
    assert "<#" in second.content
