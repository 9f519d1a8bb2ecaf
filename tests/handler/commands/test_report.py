"""``/session-admin report``, from the signed interaction to the figures that a moderator reads."""

from typing import Any

import pytest

from handler.sessions.overview import report
from infra.interactions import MEMBER_PERMISSIONS
from tests.kit.deployment import Deployment, in_thread
from tests.kit.table_view import CHANNEL, GUILD

pytestmark = pytest.mark.guild(table="memory", imported=True)

FOOT = "-# From what is on record. How often a session was reopened or linked isn't counted."


async def read(deployment: Deployment, options: dict[str, Any] | None = None, **more: Any) -> str:
    return deployment.shown(await deployment.administer("report", options=options or {}, **more))


async def test_sessions_are_counted_by_what_became_of_them_in_these_days(deployment: Deployment) -> None:
    for name in ("idle", "old"):
        await deployment.open(name)
    await deployment.wait(days=40)
    deployment.people.post_message(deployment.living_threads("old")[0].id)
    await deployment.open("gone")
    deployment.people.delete_thread(deployment.living_threads("gone")[0].id)
    for name in ("gone", "closed", "quiet"):
        await deployment.open(name)
    await deployment.use("session close", options={"name": "closed"})
    deployment.people.archive(deployment.living_threads("quiet")[0].id)
    await deployment.reconcile()
    assert await read(deployment) == (
        f"**Sessions in <#{CHANNEL}>, last 30 days**\n"
        "- 3 started, 1 from before used again\n"
        "- 1 closed, 1 begun again after their thread was deleted\n"
        f"- Now: 2 open, 1 archived, 1 closed\n{FOOT}"
    )
    assert "- 5 started, 0 from before" in await read(deployment, {"days": 41})
    await deployment.wait(days=2)
    assert await read(deployment, {"days": 1}) == f"No session of <#{CHANNEL}> was used in the last day."


async def test_private_sessions_count_and_those_of_other_channels_do_not(deployment: Deployment) -> None:
    deployment.discord.add_channel(GUILD, "12")
    await deployment.open("elsewhere", "12")
    await deployment.open("secret", private=True)
    shown = await read(deployment)
    assert "- 1 started, 0 from before used again" in shown
    assert "secret" not in shown


async def test_a_report_costs_two_queries_and_says_when_there_are_more_sessions(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        await deployment.open(name)
    deployment.calls.forget()
    assert "There are more" not in await read(deployment)
    assert deployment.calls.names == ["Query", "Query"]
    monkeypatch.setattr(report, "MAX_COUNTED", 2)
    shown = await read(deployment)
    assert "- 2 started" in shown
    assert "-# There are more sessions: I counted the" in shown


async def test_in_a_thread_its_channel_is_meant(deployment: Deployment) -> None:
    thread_id = (await deployment.open()).thread_id
    inside = in_thread(thread_id)
    assert f"**Sessions in <#{CHANNEL}>" in await read(deployment, **inside)


@pytest.mark.parametrize("days", [0, -1, 366, "7", True, 1.5], ids=str)
async def test_days_out_of_range_are_refused(deployment: Deployment, days: Any) -> None:
    options: dict[str, Any] = {"days": days} if not isinstance(days, float) else {"days": "1.5"}
    assert await read(deployment, options) == "A report covers 1 to 365 days. Choose a number between them."


async def test_a_member_without_manage_threads_is_refused(deployment: Deployment) -> None:
    shown = await read(deployment, member_permissions=MEMBER_PERMISSIONS)
    assert shown == "Only members with **Manage Threads** can do that. Ask a moderator."


async def test_past_the_deadline_the_worker_answers(deployment: Deployment) -> None:
    await deployment.open()
    asked = await deployment.administer("report", old=2.9)
    await deployment.work()
    assert "- 1 started" in deployment.shown(asked)
