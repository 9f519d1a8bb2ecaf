"""How the client obeys rate limits. The real client with a scripted transport."""

import asyncio

import httpx
import pytest

from handler.discord.rest import RateLimits
from handler.errors import RateLimited
from tests.kit.scripted_discord import (
    TEXT_CHANNEL,
    answer,
    bucket,
    client_of,
    failure,
    hang,
    limited,
    ok,
    page,
    scripted,
)

MAX_WAIT_SECONDS = 5.0


async def test_a_request_sleeps_through_a_short_wait() -> None:
    script, discord = scripted(limited(1.5), limited(0.5), ok())
    assert (await discord.channel("1")).id == "1"
    assert script.moments == pytest.approx([0, 1.5, 2.0], abs=1e-3)


@pytest.mark.parametrize("retry_after", [MAX_WAIT_SECONDS + 0.1, 240.0])
async def test_a_long_wait_raises_rate_limited(retry_after: float) -> None:
    script, discord = scripted(limited(retry_after))
    raised = await failure(RateLimited, discord.channel("1"))
    assert raised.retry_after == pytest.approx(retry_after)
    assert len(script.sent) == 1


async def test_a_wait_beyond_the_deadline_raises_at_once() -> None:
    _, discord = scripted(limited(2.0))
    raised = await failure(RateLimited, discord.channel("1"), within=2.1)
    assert raised.retry_after == pytest.approx(2.0)


async def test_during_a_long_wait_requests_are_refused_without_being_sent() -> None:
    script, discord = scripted(limited(240.0))
    await failure(RateLimited, discord.channel("1"))
    await asyncio.sleep(40)
    again = await failure(RateLimited, discord.channel("1"))
    assert again.retry_after == pytest.approx(200.0, abs=0.01)
    assert len(script.sent) == 1


async def test_a_limit_that_keeps_refusing_is_given_up() -> None:
    script, discord = scripted(*[limited(0.1)] * 4)
    await failure(RateLimited, discord.channel("1"))
    assert len(script.sent) == 4


async def test_a_global_limit_holds_back_other_routes() -> None:
    script, discord = scripted(answer(429, {"retry_after": 1.0, "global": True}), ok(), ok({"threads": []}))
    await asyncio.gather(discord.channel("1"), asyncio.sleep(0.5))
    await discord.active_threads("9")
    assert script.moments[1] == pytest.approx(1.0, abs=1e-3)

    script, discord = scripted(answer(429, {"retry_after": 240.0, "global": True}))
    await failure(RateLimited, discord.channel("1"))
    with pytest.raises(RateLimited, match="global"):
        await discord.active_threads("9")
    assert len(script.sent) == 1


@pytest.mark.parametrize("headers", [{"retry_after": "2"}, {}])
async def test_a_proxys_429_with_html_is_waited_for(headers: dict[str, str]) -> None:
    script, discord = scripted(page(429, **headers), ok())
    await discord.channel("1")
    assert script.moments[1] == pytest.approx(float(headers.get("retry_after", 5)), abs=1e-3)


class Limited:
    """A Discord with one bucket, which refuses requests beyond its limit."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit, self.seconds = limit, seconds
        self.opened, self.used = -seconds, 0
        self.moments: list[float] = []
        self.too_many = 0

    async def handle(self, request: httpx.Request) -> httpx.Response:
        now = asyncio.get_running_loop().time()
        if now >= self.opened + self.seconds:
            self.opened, self.used = now, 0
        left = round(self.opened + self.seconds - now, 6)
        if self.used >= self.limit:
            self.too_many += 1
            return limited(left)
        self.used += 1
        self.moments.append(now)
        headers = bucket(self.limit, self.limit - self.used, left)
        await asyncio.sleep(0.01)
        return ok(TEXT_CHANNEL, **headers)


async def test_tasks_that_share_a_bucket_never_exceed_it() -> None:
    limited_discord = Limited(limit=5, seconds=1.0)
    discord = client_of(limited_discord.handle)
    await discord.channel("1")
    assert len(await asyncio.gather(*[discord.channel("1") for _ in range(24)])) == 24
    assert limited_discord.too_many == 0
    assert limited_discord.moments[-1] < 5.0


async def test_a_cancelled_request_is_no_longer_in_flight() -> None:
    limits = RateLimits()
    _, discord = scripted(hang, ok(), limits=limits)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(discord.channel("1"), 0.5)
    await discord.channel("1")
    assert not limits._in_flight


async def test_no_request_waits_after_its_deadline() -> None:
    script, discord = scripted(limited(0.1))
    await failure(RateLimited, discord.channel("1"), within=-1.0)
    assert len(script.sent) == 1
