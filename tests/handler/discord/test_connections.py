"""Real connections on the loopback interface: what httpx raises, and dead connections in the pool."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from handler.discord.rest import (
    NO_RETRY,
    Discord,
    RateLimits,
    Request,
    RetryPolicy,
    TokenSource,
)
from handler.discord.wire import build_client, httpx_send
from handler.errors import DiscordUnavailable, OutcomeUnknown
from handler.runtime.clock import SystemClock
from tests.kit.scripted_discord import APPLICATION, TOKEN, failure

BODY = b'{"id": "1", "type": 0}'
GOOD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)
CREATE = Request("POST", "/channels/1/threads", "POST /channels/{channel}/threads", json={})
AT_ONCE = RetryPolicy(first_pause=0.0)

# The server's response to its request number n, from 0; None: it closes the connection without one. It closes the
# connection after every response but GOOD.
Reply = Callable[[int], bytes | None]
Seen = dict[str, int]
Story = Callable[..., Awaitable[None]]  # of what `serving` yields


@asynccontextmanager
async def serving(reply: Reply, retry: RetryPolicy = AT_ONCE) -> Any:
    """A client, the number of connections and requests that its server saw, and the server."""
    seen = {"connections": 0, "requests": 0}

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen["connections"] += 1
        try:
            while await _request(reader):
                answer = reply(seen["requests"])
                seen["requests"] += 1
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
                if answer != GOOD:
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    http = build_client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v10")
    discord = Discord(
        send=httpx_send(http, TokenSource(TOKEN, clock=SystemClock())),
        application_id=APPLICATION,
        clock=SystemClock(),
        limits=RateLimits(),
        retry=retry,
    )
    async with server:
        yield discord, seen, server
        await http.aclose()


async def _request(reader: asyncio.StreamReader) -> bool:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
    await reader.readexactly(int(length.partition(b":")[2]))
    return True


def with_server(reply: Reply, retry: RetryPolicy = AT_ONCE) -> Callable[[Story], Callable[[], None]]:
    """Run the test against a server that replies so."""

    def decorate(story: Story) -> Callable[[], None]:
        async def scenario() -> None:
            async with serving(reply, retry) as parts:
                await story(*parts)

        return lambda: asyncio.run(scenario())

    return decorate


@with_server(lambda n: GOOD)
async def test_requests_reuse_one_connection(discord: Discord, seen: Seen, *_rest: Any) -> None:
    for _ in range(3):
        await discord.channel("1")
    assert seen == {"connections": 1, "requests": 3}


@with_server(lambda n: None if n == 1 else GOOD)
async def test_a_get_on_a_dead_connection_is_repeated(discord: Discord, seen: Seen, *_: Any) -> None:
    await discord.channel("1")
    await discord.channel("1")
    assert seen == {"connections": 2, "requests": 3}


@with_server(lambda n: None if n == 1 else GOOD)
async def test_a_change_on_a_dead_connection_has_an_unknown_outcome(discord: Discord, seen: Seen, *_: Any) -> None:
    await discord.channel("1")
    await failure(OutcomeUnknown, discord.request(CREATE))
    assert seen["requests"] == 2


@with_server(lambda n: GOOD[:-5] if n == 0 else None, NO_RETRY)
async def test_a_truncated_response_has_an_unknown_outcome(discord: Discord, *_: Any) -> None:
    await failure(OutcomeUnknown, discord.request(CREATE))


@with_server(lambda n: b"SSH-2.0-OpenSSH_9.6\r\n\r\n", NO_RETRY)
async def test_a_response_that_is_not_http_has_an_unknown_outcome(discord: Discord, *_: Any) -> None:
    await failure(OutcomeUnknown, discord.request(CREATE))


@with_server(lambda n: GOOD)
async def test_a_refused_connection_means_that_nothing_was_sent(
    discord: Discord, seen: Seen, server: asyncio.Server
) -> None:
    server.close()
    await server.wait_closed()
    with pytest.raises(DiscordUnavailable, match="was not sent") as raised:
        await discord.request(CREATE)
    assert not isinstance(raised.value, OutcomeUnknown)
