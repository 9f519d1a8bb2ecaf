"""A deployment that works for the servers of its list only (`AllowedGuilds`)."""

from typing import Any

import pytest

from handler.errors import GuildNotAllowed
from infra.interactions import ping
from tests.kit.deployment import Deployment
from tests.kit.guild import APPLICATION
from tests.kit.table_view import CHANNEL, GUILD

OTHER = "81384788765712384"
NOT_ALLOWED = GuildNotAllowed().message
pytestmark = pytest.mark.guild(table="memory", settings={"ALLOWED_GUILDS": OTHER})


def leave_the_list(deployment: Deployment) -> None:
    """The deployment works for its guild until now, and then for another one only."""
    deployment.settings = {"ALLOWED_GUILDS": OTHER}
    deployment.restart()
    deployment.calls.forget()


@pytest.mark.guild(settings={"ALLOWED_GUILDS": f"{OTHER}, {GUILD}"})
async def test_a_server_of_the_list_is_served(deployment: Deployment) -> None:
    assert "Started a thread" in (await deployment.ask()).content
    assert (await deployment.ensure())["outcome"] == "reused"
    assert (await deployment.tick())["sent"] == 1


@pytest.mark.parametrize("old", [0.0, 2.9], ids=["in time", "late"])
async def test_a_member_of_another_server_is_told_so_and_nothing_else_happens(
    deployment: Deployment, old: float
) -> None:
    asked = [
        await deployment.ask(old=old),
        await deployment.administer("import", old=old),
        await deployment.ask("", old=old),
    ]
    for answer in asked:
        assert answer.kind == 4
        assert (answer.content, answer.callback["data"]["flags"]) == (NOT_ALLOWED, 64)
    assert not deployment.table.items()
    assert not list(deployment.calls)
    assert not deployment.queue.sent


async def test_a_ping_is_answered(deployment: Deployment) -> None:
    payload = {**ping(application_id=APPLICATION, now=deployment.now), "token": "made-up-token-ping"}
    assert (await deployment.deliver(payload)).kind == 1


@pytest.mark.guild(settings={})
async def test_a_button_and_a_job_of_a_server_that_left_the_list_do_nothing(deployment: Deployment) -> None:
    for _ in range(2):
        deployment.people.create_thread(CHANNEL, "Session twice")
    listed = await deployment.administer("duplicates")
    asked = await deployment.ask(old=2.9)
    leave_the_list(deployment)
    before = deployment.everything()
    assert (await deployment.press(listed)).content == NOT_ALLOWED
    await deployment.work()
    assert deployment.shown(asked) == NOT_ALLOWED
    assert deployment.table.items() == before[0]
    assert {call.what for call in deployment.calls} == {"PATCH /webhooks/{application_id}/{token}/messages/@original"}


@pytest.mark.parametrize("name", ["known", "unknown"])
@pytest.mark.guild(settings={})
async def test_a_program_gets_no_thread_in_a_server_that_is_not_allowed(deployment: Deployment, name: str) -> None:
    await deployment.ask("known")
    deployment.people.archive(deployment.living_threads("known")[0].id)
    leave_the_list(deployment)
    before = deployment.everything()
    for channel in (CHANNEL, deployment.living_threads("known")[0].id):
        answer = await deployment.ensure(session_name=name, parent_channel_id=channel, unlock=True)
        assert (answer["error"]["kind"], answer["error"]["retryable"]) == ("not_allowed", False)
    assert deployment.everything()[0] == before[0]
    assert not [call for call in deployment.calls.of("discord") if not call.startswith("GET")]


async def test_a_program_s_first_request_in_a_server_that_is_not_allowed_writes_nothing(deployment: Deployment) -> None:
    answer = await deployment.ensure()
    assert answer["error"]["kind"] == "not_allowed"
    assert not deployment.table.items()


@pytest.mark.guild(settings={})
async def test_the_reconciler_leaves_a_server_alone_that_is_not_allowed(deployment: Deployment) -> None:
    await deployment.ask()
    await deployment.tick()
    leave_the_list(deployment)
    before = deployment.everything()
    assert await deployment.tick() == {"due": 0, "sent": 0, "unsent": 0}
    answer: dict[str, Any] = await deployment.receive_guilds()
    assert answer == {"batchItemFailures": [], "runs": [{"guild_id": GUILD, "counts": {}}]}
    assert deployment.everything() == before
    assert not deployment.calls.of("discord")
