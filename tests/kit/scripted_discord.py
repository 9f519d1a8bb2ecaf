"""A Discord with scripted responses, behind httpx's mock transport, for tests of the real client."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import httpx
import pytest

from handler.discord.rest import Discord, RateLimits, RetryPolicy, TokenSource
from handler.discord.wire import build_client, httpx_send
from handler.runtime.clock import Clock
from handler.runtime.deadline import Deadline, set_deadline
from handler.runtime.secrets import Secret
from infra.virtual_time import START, LoopClock
from tests.kit.secrets import BOT_TOKEN

E = TypeVar("E", bound=Exception)

API_URL: Final = "https://discord.test/api/v10"
APPLICATION: Final = "900"
TOKEN: Final = Secret(BOT_TOKEN)
TEXT_CHANNEL: Final = {"id": "1", "type": 0, "name": "general", "guild_id": "9"}

# What a request leads to: a response, an exception of httpx, or a function of the request that returns or raises one.
Handle = Callable[[httpx.Request], Coroutine[Any, Any, httpx.Response]]
Answer = httpx.Response | Exception | Handle


def ok(document: Any = TEXT_CHANNEL, **headers: str) -> httpx.Response:
    """200 with JSON; header names are written with underscores."""
    return answer(200, document, **headers)


def answer(status: int, document: Any = None, **headers: str) -> httpx.Response:
    """Any status; a document is sent as JSON."""
    content = {} if document is None else {"json": document}
    return httpx.Response(status, headers=with_dashes(headers), **content)


def refusal(status: int, code: int, message: str = "no") -> httpx.Response:
    return answer(status, {"message": message, "code": code})


def page(status: int, **headers: str) -> httpx.Response:
    """The response of a proxy in front of Discord."""
    return httpx.Response(status, html="<html><h1>Bad gateway</h1></html>", headers=with_dashes(headers))


def with_dashes(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def limited(retry_after: float, **headers: str) -> httpx.Response:
    """429, with the bucket exhausted unless the headers say otherwise."""
    exhausted = bucket(5, 0, retry_after) | headers
    body = {"message": "You are being rate limited.", "retry_after": retry_after, "global": False}
    return answer(429, body, **exhausted)


def bucket(limit: int, left: int, reset_after: float, name: str = "b") -> dict[str, str]:
    """The headers that describe a bucket."""
    return {
        "x_ratelimit_bucket": name,
        "x_ratelimit_limit": str(limit),
        "x_ratelimit_remaining": str(left),
        "x_ratelimit_reset_after": str(reset_after),
    }


async def failure(kind: type[E], request: Awaitable[Any], *, within: float | None = None) -> E:
    """The error of this kind that a request raises, `within` seconds before its deadline."""
    if within is not None:
        set_deadline(Deadline.after(START, within))
    with pytest.raises(kind) as raised:
        await request
    return raised.value


async def hang(request: httpx.Request) -> httpx.Response:
    """No answer within the request's own read time-out."""
    await asyncio.sleep(request.extensions["timeout"]["read"])
    raise httpx.ReadTimeout("", request=request)


@dataclass
class ScriptedDiscord:
    """Gives its answers in order, one per request, and records the requests and their times in seconds."""

    answers: list[Answer]
    requests: list[httpx.Request] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.moments.append(asyncio.get_running_loop().time())
        assert self.answers, f"no answer is left for {request.method} {request.url}"
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else await answer(request)

    def body(self, index: int = 0) -> Any:
        return json.loads(self.requests[index].content)

    @property
    def sent(self) -> list[str]:
        return [f"{request.method} {request.url.path.removeprefix('/api/v10')}" for request in self.requests]


def scripted(*answers: Answer, **options: Any) -> tuple[ScriptedDiscord, Discord]:
    """A scripted Discord and a client of it."""
    script = ScriptedDiscord(list(answers))
    return script, client_of(script.handle, **options)


def client_of(
    handle: Handle,
    *,
    clock: Clock | None = None,
    token: TokenSource | None = None,
    limits: RateLimits | None = None,
    retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - immutable
) -> Discord:
    """The whole real client over a function from request to response. Without jitter: pauses have their full length."""
    clock = clock or LoopClock()
    http = build_client(API_URL, transport=httpx.MockTransport(handle))
    return Discord(
        send=httpx_send(http, token or TokenSource(TOKEN, clock=clock)),
        application_id=APPLICATION,
        clock=clock,
        limits=limits or RateLimits(),
        retry=retry,
        jitter=lambda: 1.0,
    )
