"""The place of httpx's client, for tests that send thousands of requests: half of what one costs is httpx's own work.

The `Send` of `handler.discord.rest` is the real one. Below it, a transport answers, and fails with httpx's exceptions.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import unquote

import httpx

from infra.simulator.exchange import Request
from infra.simulator.transport import PlainTransport


class Answer(NamedTuple):
    """What of httpx's response is used."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes


class PlainClient:
    """What of httpx's client is used."""

    def __init__(self, transport: PlainTransport) -> None:
        self._transport = transport

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Iterable[tuple[str, str]] | None,
        headers: Mapping[str, str],
        content: bytes | None,
        timeout: httpx.Timeout,  # noqa: ASYNC109 - it is httpx's own
    ) -> Answer:
        request = Request(method, unquote(path), dict(params or ()), headers, content or b"")
        response = await self._transport.send(request, timeout.read)
        return Answer(response.status, response.headers, response.body)
