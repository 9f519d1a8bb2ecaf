"""No log line and no exception contains a token."""

import asyncio
import gc
import logging
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest

from handler.discord.rest import Discord, TokenSource
from handler.errors import OnethreadError
from handler.runtime import telemetry
from handler.runtime.secrets import Secret
from infra.virtual_time import LoopClock
from tests.kit.scripted_discord import TOKEN, Answer, answer, bucket, hang, limited, ok, page, refusal, scripted
from tests.kit.secrets import INTERACTION_TOKEN

SECRETS = (INTERACTION_TOKEN, TOKEN.reveal())


def raise_with_secrets(kind: type[httpx.HTTPError]) -> Callable[[httpx.Request], Coroutine[Any, Any, httpx.Response]]:
    """Raise an exception that holds URL and headers, as those of HTTP libraries may."""

    async def raising(request: httpx.Request) -> httpx.Response:
        fault = kind(f"{request.method} {request.url} {dict(request.headers)}")
        fault.request = request
        raise fault

    return raising


FAULTS: dict[str, Answer] = {
    "connect": raise_with_secrets(httpx.ConnectError),
    "read": raise_with_secrets(httpx.ReadError),
    "protocol": raise_with_secrets(httpx.LocalProtocolError),
    "remote protocol": raise_with_secrets(httpx.RemoteProtocolError),
    "decoding": raise_with_secrets(httpx.DecodingError),
    "pool": raise_with_secrets(httpx.PoolTimeout),
    "hang": hang,
    "500": answer(500, {"message": "no"}),
    "html": page(502),
    "nonsense": httpx.Response(200, content=b"{"),
    "401": refusal(401, 50027),
    "403": refusal(403, 50001),
    "404": refusal(404, 10015),
    "429": limited(240.0),
    "429 html": page(429, retry_after="240"),
    "redirect": answer(302, location="/"),
}


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """All log lines, of all loggers, at every level that the client leaves open."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger=telemetry.SERVICE)
    return lambda: caplog.text + "".join(str(vars(record)) for record in caplog.records)


def describe_fully(error: BaseException | None) -> str:
    """The whole chain of causes and contexts, with arguments and attributes."""
    told = ""
    while error is not None:
        told += "".join(traceback.format_exception(error)) + repr(error.args) + repr(vars(error))
        error = error.__cause__ or error.__context__
    return told


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    "ask",
    [
        lambda d: d.edit_original(INTERACTION_TOKEN, {"content": "x"}),
        lambda d: d.channel("1"),
        lambda d: d.delete_message("1", "2"),
    ],
)
async def test_no_fault_shows_a_token(
    ask: Callable[[Discord], Coroutine[Any, Any, Any]], fault: str, lines: Callable[[], str]
) -> None:
    _, discord = scripted(*[FAULTS[fault]] * 20)
    error: Any = (await asyncio.gather(ask(discord), return_exceptions=True))[0]
    if isinstance(error, BaseException):
        assert isinstance(error, OnethreadError)
        assert isinstance(error.__context__, OnethreadError | ValueError | None)
        shown = describe_fully(error) + str(error.public())
        assert not any(secret in shown for secret in SECRETS)
    assert not any(secret in lines() for secret in SECRETS)


async def test_a_successful_request_logs_no_url(lines: Callable[[], str]) -> None:
    _, discord = scripted(ok({}))
    await discord.edit_original(INTERACTION_TOKEN, {"content": "x"})
    assert "PATCH /webhooks/{application}/{token}/messages/@original" in lines()
    assert INTERACTION_TOKEN not in lines()
    assert "discord.test" not in lines()


async def test_state_kept_between_requests_shows_no_token() -> None:
    token = TokenSource(Secret(TOKEN.reveal()), clock=LoopClock())
    _, discord = scripted(ok({}, **bucket(5, 0, 1)), token=token)
    await discord.edit_original(INTERACTION_TOKEN, {"content": "x"})
    gc.collect()
    kept = "".join(repr(vars(o)) for o in (discord, discord._exchange, discord._exchange._limits, token))
    assert not any(secret in kept for secret in SECRETS)
