"""The simulated Discord behind httpx."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from infra.simulator.exchange import Outcome, Request, Response
from infra.simulator.faults import DROP, HANG
from infra.simulator.simulated_discord import SimulatedDiscord
from infra.simulator.transport import SimulatedTransport
from infra.virtual_time import run
from tests.infra.simulator.client import HEADERS, NOON, TEXT, small_world

MESSAGES = "/channels/{channel_id}/messages"
READ_TIMEOUT = 2.0


def loop_now() -> datetime:
    return NOON + timedelta(seconds=asyncio.get_running_loop().time())


def client(discord: SimulatedDiscord, **settings: Any) -> httpx.AsyncClient:
    transport = SimulatedTransport(discord, loop_now, **settings)
    base = "https://discord.com/api/v10"
    return httpx.AsyncClient(transport=transport, base_url=base, headers=HEADERS, timeout=READ_TIMEOUT)


async def post(discord: SimulatedDiscord, **settings: Any) -> httpx.Response:
    async with client(discord, **settings) as http:
        return await http.post(f"/channels/{TEXT}/messages", json={"content": "x"})


def test_a_request_reaches_the_simulated_discord_and_its_answer_returns() -> None:
    discord = small_world()
    response = run(post(discord))

    assert response.status_code == 200
    assert list(discord.messages) == [response.json()["id"]]
    assert response.headers["X-RateLimit-Bucket"]
    assert response.headers["Date"].endswith("GMT")


def test_a_query_and_an_empty_answer_are_carried() -> None:
    async def scene() -> tuple[httpx.Response, httpx.Response]:
        async with client(small_world()) as http:
            message = (await http.post(f"/channels/{TEXT}/messages", json={"content": "x"})).json()["id"]
            page = await http.get(f"/channels/{TEXT}/threads/archived/public", params={"limit": 1})
            return page, await http.delete(f"/channels/{TEXT}/messages/{message}")

    page, deleted = run(scene())
    assert page.json()["code"] == 50035
    assert (deleted.status_code, deleted.content) == (204, b"")


@pytest.mark.parametrize(
    ("when", "error", "messages"), [("before", httpx.ConnectError, 0), ("after", httpx.ReadError, 1)]
)
def test_a_dropped_connection_is_a_connect_error_before_the_effect_and_a_read_error_after(
    when: Any, error: type[Exception], messages: int
) -> None:
    discord = small_world()
    discord.faults.inject("POST", MESSAGES, DROP, when=when)

    with pytest.raises(error):
        run(post(discord))
    assert len(discord.messages) == messages


@pytest.mark.parametrize(("when", "messages"), [("before", 0), ("after", 1)])
def test_a_hang_ends_at_the_callers_read_time_out(when: Any, messages: int) -> None:
    discord = small_world()
    discord.faults.inject("POST", MESSAGES, HANG, when=when)

    async def scene() -> float:
        with pytest.raises(httpx.ReadTimeout):
            await post(discord)
        return asyncio.get_running_loop().time()

    assert run(scene()) == pytest.approx(READ_TIMEOUT)
    assert len(discord.messages) == messages


@pytest.mark.parametrize(("seconds", "lands_at"), [(None, READ_TIMEOUT), (30.0, 30.0)])
def test_a_late_effect_happens_although_the_caller_was_cancelled(seconds: float | None, lands_at: float) -> None:
    discord = small_world()
    discord.faults.inject("POST", MESSAGES, HANG, when="late", seconds=seconds)

    async def scene() -> int:
        task = asyncio.ensure_future(post(discord))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        before = len(discord.messages)
        await asyncio.sleep(lands_at)
        return before

    assert run(scene()) == 0
    (message,) = discord.messages.values()
    assert message.at == NOON + timedelta(seconds=lands_at)


def test_a_request_arrives_after_the_latency() -> None:
    discord = small_world()
    run(post(discord, latency=0.25))

    (message,) = discord.messages.values()
    assert message.at == NOON + timedelta(seconds=0.25)


def test_an_observer_sees_each_request_with_its_outcome() -> None:
    seen: list[tuple[Request, Outcome]] = []
    run(post(small_world(), observe=lambda request, outcome: seen.append((request, outcome))))

    ((request, outcome),) = seen
    assert (request.method, request.path, request.body) == ("POST", f"/channels/{TEXT}/messages", b'{"content":"x"}')
    assert isinstance(outcome, Response)
