"""A refused token: read once more, then left alone."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from handler.discord.bot_token import REFUSED_PAUSE_SECONDS, TokenSource
from handler.errors import BotTokenRefused, DiscordRefused, StoreUnavailable
from handler.runtime.secrets import Secret
from tests.kit.scripted_discord import TEXT_CHANNEL, ScriptedDiscord, answer, client_of, ok, refusal, scripted
from tests.kit.secrets import INTERACTION_TOKEN, made_up
from tests.kit.virtual_time import LoopClock, run

OLD, NEW = Secret(made_up("old-token")), Secret(made_up("new-token"))


class Parameter:
    """Where the token is kept; counts how often it is read."""

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


class Guarded:
    """A Discord that knows one token."""

    def __init__(self, token: Secret) -> None:
        self.token = token
        self.requests: list[httpx.Request] = []

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        await asyncio.sleep(0.01)
        if request.headers.get("authorization") != f"Bot {self.token.reveal()}":
            return refusal(401, 0, "401: Unauthorized")
        return ok(TEXT_CHANNEL)


def source(token: Secret | None, read: Callable[[], Awaitable[Secret]] | None = None) -> TokenSource:
    return TokenSource(token, clock=LoopClock(), read=read)


def test_a_renewed_token_is_read_and_used_and_nobody_notices() -> None:
    guarded, parameter = Guarded(NEW), Parameter(NEW)
    discord = client_of(guarded.handle, token=source(OLD, parameter.read))

    async def twice() -> None:
        await discord.channel("1")
        await discord.channel("1")

    run(twice())
    assert parameter.reads == 1
    assert len(guarded.requests) == 3


def test_many_who_are_refused_at_once_read_the_parameter_once() -> None:
    guarded, parameter = Guarded(NEW), Parameter(NEW)
    discord = client_of(guarded.handle, token=source(OLD, parameter.read))

    async def many() -> int:
        return len(await asyncio.gather(*[discord.channel("1") for _ in range(10)]))

    assert run(many()) == 10
    assert parameter.reads == 1


@pytest.mark.parametrize("parameter", [None, Parameter(OLD), Parameter(StoreUnavailable("ssm"))])
def test_after_a_401_that_nothing_cures_no_request_is_sent_for_a_while(parameter: Parameter | None) -> None:
    guarded = Guarded(NEW)
    discord = client_of(guarded.handle, token=source(OLD, parameter.read if parameter else None))

    async def knocking() -> None:
        for _ in range(20):
            with pytest.raises(BotTokenRefused):
                await discord.channel("1")

    async def story() -> None:
        await knocking()
        assert len(guarded.requests) == 1
        assert parameter is None or parameter.reads == 1
        await asyncio.sleep(REFUSED_PAUSE_SECONDS + 1)
        await knocking()
        assert len(guarded.requests) == 2
        guarded.token = OLD
        await asyncio.sleep(REFUSED_PAUSE_SECONDS + 1)
        assert (await discord.channel("1")).id == "1"

    run(story())


def test_many_who_are_refused_at_once_by_a_dead_token_read_the_parameter_once() -> None:
    guarded, parameter = Guarded(NEW), Parameter(OLD)
    discord = client_of(guarded.handle, token=source(OLD, parameter.read))

    async def many() -> None:
        results = await asyncio.gather(*[discord.channel("1") for _ in range(10)], return_exceptions=True)
        assert {type(result) for result in results} == {BotTokenRefused}

    run(many())
    assert parameter.reads == 1


def test_a_renewed_token_that_is_refused_too_is_not_used_again() -> None:
    guarded, parameter = Guarded(Secret(made_up("third-token"))), Parameter(NEW)
    discord = client_of(guarded.handle, token=source(OLD, parameter.read))

    async def twice() -> None:
        for _ in range(2):
            with pytest.raises(BotTokenRefused):
                await discord.channel("1")

    run(twice())
    assert len(guarded.requests) == 2


def test_a_token_that_was_not_given_is_read_once_by_the_first_who_need_it() -> None:
    guarded, parameter = Guarded(NEW), Parameter(NEW)
    discord = client_of(guarded.handle, token=source(None, parameter.read))

    async def many() -> None:
        await asyncio.gather(*[discord.channel("1") for _ in range(5)])

    run(many())
    assert parameter.reads == 1
    assert len(guarded.requests) == 5


def test_a_token_that_cannot_be_read_is_the_stores_fault_and_is_read_again_next_time() -> None:
    guarded, parameter = Guarded(NEW), Parameter(StoreUnavailable("ssm"), NEW)
    discord = client_of(guarded.handle, token=source(None, parameter.read))

    async def story() -> None:
        with pytest.raises(StoreUnavailable):
            await discord.channel("1")
        assert (await discord.channel("1")).id == "1"

    run(story())


def test_a_source_without_token_and_reader_is_refused() -> None:
    with pytest.raises(ValueError, match="needed"):
        TokenSource(None, clock=LoopClock())


def test_interaction_webhooks_need_no_bot_token_and_never_get_it() -> None:
    script, discord = scripted(refusal(401, 0), answer(200, {}))

    async def story() -> None:
        with pytest.raises(BotTokenRefused):
            await discord.channel("1")
        await discord.edit_original(INTERACTION_TOKEN, {"content": "done"})

    run(story())
    assert "authorization" in script.requests[0].headers
    assert "authorization" not in script.requests[1].headers


def test_a_401_to_an_interaction_token_is_no_word_on_the_bots() -> None:
    script = ScriptedDiscord([refusal(401, 50027, "Invalid Webhook Token"), ok()])
    discord = client_of(script.handle)

    async def story() -> None:
        with pytest.raises(DiscordRefused) as raised:
            await discord.edit_original(INTERACTION_TOKEN, {"content": "done"})
        assert raised.value.code == 50027
        await discord.channel("1")

    run(story())
    assert len(script.sent) == 2
