"""What is counted of each request to Discord: only what was sent, by its exact status; and whose fault it was."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest

from handler.discord.bot_token import TokenSource
from handler.discord.http import Request
from handler.discord.wire import build_client, httpx_send
from handler.errors import OnethreadError
from handler.runtime import telemetry
from infra.virtual_time import LoopClock
from tests.kit.cloudwatch import read_line
from tests.kit.scripted_discord import TOKEN

GET = Request("GET", "/channels/1", "GET /channels/{channel}", repeatable=True)
HINT = Request("GET", "/channels/1", "GET /channels/{channel}", repeatable=True, hint=True)

Answer = Callable[[httpx.Request], httpx.Response] | Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]


def answering(status: int, **headers: str) -> Answer:
    return lambda _: httpx.Response(status, headers=headers, json={})


def raising(fault: type[httpx.TransportError]) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        raise fault("injected", request=request)

    return answer


async def counted(answer: Answer, capsys: Any, *requests: Request, seconds: float = 9.0) -> dict[str, float]:
    """The sums of the stack's metrics after these requests; of `DiscordCalls`, those of each status."""
    transport = httpx.MockTransport(answer)
    with telemetry.log_request(stack="prod", function="worker"):
        async with build_client("https://discord.test", transport=transport) as client:
            send = httpx_send(client, TokenSource(TOKEN, clock=LoopClock()))
            for request in requests:
                with contextlib.suppress(OnethreadError, TimeoutError):
                    await asyncio.wait_for(send(request), seconds)
    found = {}
    for line in map(read_line, capsys.readouterr().out.splitlines()):
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", ()):
            for metric in directive["Metrics"]:
                found[metric["Name"] + line.get("Status", "")] = sum(line[metric["Name"]])
    return found


@pytest.mark.parametrize(
    ("answer", "request_", "found"),
    [
        (answering(200), GET, {"DiscordCalls200": 1, "DiscordFaults": 0}),
        (answering(404), GET, {"DiscordCalls404": 1, "DiscordFaults": 0}),
        (answering(503), GET, {"DiscordCalls503": 1, "DiscordFaults": 1}),
        (raising(httpx.ReadTimeout), GET, {"DiscordCallsnone": 1, "DiscordFaults": 1}),
        (raising(httpx.ReadTimeout), HINT, {"DiscordCallsnone": 1}),
        (raising(httpx.ConnectError), GET, {"DiscordFaults": 1}),
        (raising(httpx.ConnectTimeout), GET, {"DiscordFaults": 1}),
        (answering(403), GET, {"DiscordCalls403": 1, "DiscordFaults": 0, "InvalidRequests": 1}),
        (answering(429), GET, {"DiscordCalls429": 1, "DiscordFaults": 0, "InvalidRequests": 1}),
        (answering(429, **{"X-RateLimit-Scope": "shared"}), GET, {"DiscordCalls429": 1, "DiscordFaults": 0}),
    ],
)
async def test_a_request_is_counted_by_how_it_ended(
    answer: Answer, request_: Request, found: dict[str, float], capsys: Any
) -> None:
    assert await counted(answer, capsys, request_) == found


async def test_a_request_that_was_cut_off_was_sent_and_is_nobodys_fault(capsys: Any) -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError

    assert await counted(never, capsys, GET, seconds=2.0) == {"DiscordCallsnone": 1}


async def test_what_is_held_back_because_of_a_refused_token_was_not_sent(capsys: Any) -> None:
    assert await counted(answering(401), capsys, GET, GET) == {
        "DiscordCalls401": 1,
        "DiscordFaults": 0,
        "InvalidRequests": 1,
        "TokenRefused": 2,
    }
