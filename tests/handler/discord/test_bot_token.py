"""The bot's token: renewed after a 401, or not used for a while."""

import asyncio
from itertools import pairwise

import httpx
import pytest

from handler.discord.bot_token import TokenSource
from handler.discord.rest import Discord
from handler.errors import BotTokenRefused, DiscordRefused, StoreUnavailable
from handler.runtime.secrets import Secret
from infra.virtual_time import LoopClock
from tests.kit.scripted_discord import TEXT_CHANNEL, answer, client_of, failure, ok, refusal, scripted
from tests.kit.secrets import INTERACTION_TOKEN, made_up

MIN_REFUSED_PAUSE_SECONDS = 3.0
REREAD_PAUSE_SECONDS = 15.0

OLD, NEW = Secret(made_up("old-token")), Secret(made_up("new-token"))


class Parameter:
    """The parameter that holds the token; counts how often it is read. The last value stays."""

    def __init__(self, *values: Secret | Exception) -> None:
        self.values = list(values)
        self.reads = 0

    async def read(self) -> Secret:
        self.reads += 1
        await asyncio.sleep(0.05)
        value = self.values[0] if len(self.values) == 1 else self.values.pop(0)
        if isinstance(value, Exception):
            raise value
        return value


class OneTokenDiscord:
    """A Discord that accepts one token."""

    def __init__(self, token: Secret) -> None:
        self.token = token
        self.requests: list[httpx.Request] = []

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        await asyncio.sleep(0.01)
        if request.headers.get("authorization") != f"Bot {self.token.reveal()}":
            return refusal(401, 0, "401: Unauthorized")
        return ok(TEXT_CHANNEL)


def client_with(token: Secret | None, parameter: Parameter | None, server: OneTokenDiscord) -> Discord:
    """A client of that server which knows this token and may read the parameter."""
    source = TokenSource(token, clock=LoopClock(), read=parameter.read if parameter else None)
    return client_of(server.handle, token=source)


async def test_a_renewed_token_is_read_and_used_without_an_error() -> None:
    server, parameter = OneTokenDiscord(NEW), Parameter(NEW)
    discord = client_with(OLD, parameter, server)
    await discord.channel("1")
    await discord.channel("1")
    assert parameter.reads == 1
    assert len(server.requests) == 3


async def test_many_refused_requests_read_the_parameter_once() -> None:
    server, parameter = OneTokenDiscord(NEW), Parameter(NEW)
    discord = client_with(OLD, parameter, server)
    assert len(await asyncio.gather(*[discord.channel("1") for _ in range(10)])) == 10
    assert parameter.reads == 1


@pytest.mark.parametrize("parameter", [None, Parameter(OLD), Parameter(StoreUnavailable("ssm"))])
async def test_a_refused_token_is_tried_again_soon_and_then_ever_more_seldom(parameter: Parameter | None) -> None:
    server = OneTokenDiscord(NEW)
    discord = client_with(OLD, parameter, server)
    moments: list[float] = []
    while len(moments) < 7:
        before = len(server.requests)
        await failure(BotTokenRefused, discord.channel("1"))
        if len(server.requests) > before:
            moments.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.5)
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert pauses == pytest.approx([3, 15, 75, 300, 300, 300], abs=0.7)


async def test_one_stray_401_is_over_after_seconds_and_the_next_one_too() -> None:
    script, discord = scripted(refusal(401, 0), ok(), refusal(401, 0), ok())
    for _ in range(2):
        await failure(BotTokenRefused, discord.channel("1"))
        await failure(BotTokenRefused, discord.channel("1"))
        await asyncio.sleep(MIN_REFUSED_PAUSE_SECONDS)
        assert (await discord.channel("1")).id == "1"
    assert len(script.sent) == 4


async def test_a_request_that_is_accepted_beside_the_refused_one_ends_the_pause() -> None:
    requests = 0

    async def handle(_: httpx.Request) -> httpx.Response:
        nonlocal requests
        requests += 1
        is_first = requests == 1
        await asyncio.sleep(0.1 if is_first else 0.5)
        if is_first:
            return refusal(401, 0)
        return ok(TEXT_CHANNEL)

    discord = client_of(handle, token=TokenSource(OLD, clock=LoopClock()))
    stray, other = await asyncio.gather(discord.channel("1"), discord.channel("2"), return_exceptions=True)
    assert isinstance(stray, BotTokenRefused)
    assert not isinstance(other, BaseException)
    assert (await discord.channel("1")).id == "1"


async def test_requests_that_are_refused_side_by_side_count_as_one_refusal() -> None:
    server = OneTokenDiscord(NEW)
    discord = client_with(OLD, None, server)
    await asyncio.gather(*[discord.channel("1") for _ in range(3)], return_exceptions=True)
    server.token = OLD
    await asyncio.sleep(MIN_REFUSED_PAUSE_SECONDS)
    assert (await discord.channel("1")).id == "1"


async def test_many_requests_with_a_dead_token_read_the_parameter_once() -> None:
    server, parameter = OneTokenDiscord(NEW), Parameter(OLD)
    discord = client_with(OLD, parameter, server)
    results = await asyncio.gather(*[discord.channel("1") for _ in range(10)], return_exceptions=True)
    assert {type(result) for result in results} == {BotTokenRefused}
    assert parameter.reads == 1


async def test_a_renewed_token_that_is_also_refused_is_not_used_again() -> None:
    server, parameter = OneTokenDiscord(Secret(made_up("third-token"))), Parameter(NEW)
    discord = client_with(OLD, parameter, server)
    for _ in range(2):
        await failure(BotTokenRefused, discord.channel("1"))
    assert len(server.requests) == 2


async def test_an_unknown_token_is_read_once_by_the_first_requests() -> None:
    server, parameter = OneTokenDiscord(NEW), Parameter(NEW)
    discord = client_with(None, parameter, server)
    await asyncio.gather(*[discord.channel("1") for _ in range(5)])
    assert parameter.reads == 1
    assert len(server.requests) == 5


async def test_a_token_that_cannot_be_read_is_read_again_by_the_next_request() -> None:
    server, parameter = OneTokenDiscord(NEW), Parameter(StoreUnavailable("ssm"), NEW)
    discord = client_with(None, parameter, server)
    await failure(StoreUnavailable, discord.channel("1"))
    assert (await discord.channel("1")).id == "1"


def test_a_source_needs_a_token_or_a_reader() -> None:
    with pytest.raises(ValueError, match="needed"):
        TokenSource(None, clock=LoopClock())


async def test_interaction_webhooks_are_sent_without_the_bot_token() -> None:
    script, discord = scripted(refusal(401, 0), answer(200, {}))
    await failure(BotTokenRefused, discord.channel("1"))
    await discord.edit_original(INTERACTION_TOKEN, {"content": "done"})
    assert "authorization" in script.requests[0].headers
    assert "authorization" not in script.requests[1].headers


async def test_a_401_for_an_interaction_token_does_not_pause_the_bot_token() -> None:
    script, discord = scripted(refusal(401, 50027, "Invalid Webhook Token"), ok())
    refused = await failure(DiscordRefused, discord.edit_original(INTERACTION_TOKEN, {"content": "done"}))
    assert refused.code == 50027
    await discord.channel("1")
    assert len(script.sent) == 2


async def test_a_renewed_token_is_found_within_seconds_during_the_pause() -> None:
    clock, parameter = LoopClock(), Parameter(OLD)
    source = TokenSource(None, clock=clock, read=parameter.read)
    assert await source.get() == OLD
    for pause in (0.0, 4.0, 16.0):  # so that the pause is long by now
        await clock.sleep(pause)
        assert not await source.renew(OLD)
    reads = parameter.reads
    for _ in range(10):
        await failure(BotTokenRefused, source.get())
    assert parameter.reads == reads, "the parameter is not read more often"
    parameter.values = [NEW]
    await clock.sleep(REREAD_PAUSE_SECONDS)
    assert await source.get() == NEW
    assert await source.get() == NEW
    assert parameter.reads == reads + 1
