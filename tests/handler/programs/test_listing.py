"""`list`: a channel's sessions, page by page."""

from typing import Any

import jsonschema
import pytest

from infra.schemas import schema_of
from tests.kit.deployment import Deployment
from tests.kit.table_view import CHANNEL, GUILD


async def listed(deployment: Deployment, **request: Any) -> dict[str, Any]:
    answer = await deployment.invoke({"operation": "list", "parent_channel_id": CHANNEL, **request})
    jsonschema.validate(answer, schema_of("list.answer.json"))
    return answer


def names(answer: dict[str, Any]) -> list[str]:
    return [session["session_name"] for session in answer["sessions"]]


async def opened(deployment: Deployment, count: int) -> list[str]:
    """So many sessions, each opened a second after the one before; their names, the last one first."""
    for number in range(count):
        await deployment.ensure(session_name=f"s{number}", request_id=str(number))
        await deployment.wait(1)
    return [f"s{number}" for number in reversed(range(count))]


@pytest.mark.parametrize("limit", [1, 3, 7, 8])
async def test_the_pages_have_each_session_once_the_last_active_first(deployment: Deployment, limit: int) -> None:
    expected = await opened(deployment, 7)
    found, answer = [], await listed(deployment, limit=limit)
    found += names(answer)
    while "cursor" in answer:
        answer = await listed(deployment, limit=limit, cursor=answer["cursor"])
        assert len(answer["sessions"]) <= limit
        found += names(answer)
    assert found == expected


async def test_a_state_shows_the_sessions_in_it(deployment: Deployment) -> None:
    await opened(deployment, 2)
    (thread, *_) = deployment.discord.threads
    deployment.people.archive(thread)
    await deployment.reconcile()
    assert names(await listed(deployment, state="archived")) == ["s0"]
    assert names(await listed(deployment, state="open")) == ["s1"]
    assert names(await listed(deployment, state="waiting")) == []


async def test_a_thread_means_its_parent_and_another_channel_has_no_sessions(deployment: Deployment) -> None:
    await opened(deployment, 1)
    (thread,) = deployment.discord.threads
    deployment.discord.add_channel(GUILD, "77", 0)
    assert names(await listed(deployment, parent_channel_id=thread)) == ["s0"]
    assert await listed(deployment, parent_channel_id="77") == {"sessions": []}


async def test_a_channel_that_is_gone_is_said_so(deployment: Deployment) -> None:
    answer = await deployment.invoke({"operation": "list", "parent_channel_id": "999"})
    assert answer["error"]["kind"] == "channel_gone"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"state": "lost"}, "'state' must be one of open, archived, closed, waiting"),
        ({"limit": 0}, "'limit' must be"),
        ({"cursor": "x"}, "'cursor' must be the cursor of an answer"),
        ({"cursor": f"2026-11-29T00:00:00.000Z#{'9' * 1024}"}, "'cursor' must be the cursor of an answer"),
        ({"session_name": "x"}, "unknown field 'session_name'"),
    ],
)
async def test_malformed_requests_are_refused(deployment: Deployment, change: dict[str, Any], named: str) -> None:
    error = (await deployment.invoke({"operation": "list", "parent_channel_id": CHANNEL, **change}))["error"]
    assert error["kind"] == "invalid_request"
    assert named in error["message"]
