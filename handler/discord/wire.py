"""The wire to Discord: one HTTP client, and how a request is sent over it. The only module that knows httpx."""

from typing import Final

import httpx

from handler.discord import decode
from handler.discord.bot_token import TokenSource
from handler.discord.exchange import MAX_TIMEOUT_SECONDS
from handler.discord.http import Request, Response, Send, encode_body, encode_headers
from handler.errors import DiscordUnavailable
from handler.runtime import telemetry
from handler.runtime.metrics import Metric
from handler.runtime.secrets import Secret

# A TLS handshake with Discord takes a tenth of it; a connection that takes longer is better tried again.
CONNECT_TIMEOUT_SECONDS: Final = 1.5
# How long an idle connection is kept, so that a warm invocation needs no handshake. AWS drops idle flows after 350 s:
# after that, a connection would hang instead of failing.
KEEP_ALIVE_SECONDS: Final = 300.0
# Enough for the bot's 50 requests a second, most of which take less than a second.
MAX_CONNECTIONS: Final = 50

# What httpx raises before it sends a request: it had no effect. After any other error it may have been applied.
_NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


def build_client(api_url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """The one HTTP client of an execution environment: one pool, one SSL context.

    It ignores the environment's proxy variables: each proxy would add an SSL context to every cold start. It silences
    httpx's logs, which contain URLs, because some of ours contain a token.
    """
    telemetry.silence("httpx", "httpcore")
    return httpx.AsyncClient(
        base_url=api_url,
        transport=transport,
        timeout=_timeout(None),
        limits=httpx.Limits(
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
        ),
        http2=False,
        follow_redirects=False,
        trust_env=False,
    )


def httpx_send(client: httpx.AsyncClient, token: TokenSource) -> Send:
    """A `Send` over `client` that authorizes requests with the bot's token, and renews the token after a 401.

    It raises DiscordUnavailable if nothing was sent, OutcomeUnknown (for a GET: DiscordUnavailable) if the response was
    lost, and BotTokenRefused, without sending, while the token is known to be refused.
    """

    async def send(request: Request) -> Response:
        if not request.authorized:
            return await _send_once(client, request, None)
        used = await token.get()
        response = await _send_once(client, request, used)
        if response.status == 401 and await token.renew(used):
            used = await token.get()
            response = await _send_once(client, request, used)
            if response.status == 401:
                token.pause(used)
        if response.status == 401:
            telemetry.add_metric(Metric.TOKEN_REFUSED)
        if response.status < 400:
            token.accept(used)
        return response

    return send


async def _send_once(client: httpx.AsyncClient, request: Request, token: Secret | None) -> Response:
    """Send one HTTP request. None of httpx's exceptions leaves, not even as a cause or context.

    They hold the request, with tokens in its URL and headers, and the text of a LocalProtocolError can quote a header.
    So the error names only their class, and it is raised outside the `except` block.
    """
    response, fault = None, None
    try:
        response = await client.request(
            request.method,
            request.path,
            params=request.query or None,
            headers=encode_headers(request, token),
            content=encode_body(request),
            timeout=_timeout(request.timeout_seconds),
        )
    except httpx.HTTPError as raised:
        fault, failure = type(raised), _translate(request, raised)
    else:
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Response(response.status_code, headers, response.content)
    finally:
        _count(request, response, fault)
    raise failure


def _count(request: Request, response: httpx.Response | None, fault: type[httpx.HTTPError] | None) -> None:
    """Count how a request ended: by its response, by a fault, or, if there is neither, because nobody waits any more."""
    status = None if response is None else response.status_code
    if fault is None or not issubclass(fault, _NEVER_SENT):
        telemetry.count_discord_call(request.route, status)
    if response is None or status is None:
        if fault is not None and not request.hint:  # a hint has so little time that its end says nothing of Discord
            telemetry.add_metric(Metric.DISCORD_FAULTS, 1)
        return
    telemetry.add_metric(Metric.DISCORD_FAULTS, int(status >= 500))
    if status in (401, 403, 429) and response.headers.get("x-ratelimit-scope") != "shared":
        telemetry.add_metric(Metric.INVALID_REQUESTS)


def _timeout(seconds: float | None) -> httpx.Timeout:
    seconds = MAX_TIMEOUT_SECONDS if seconds is None else seconds
    return httpx.Timeout(seconds, connect=min(CONNECT_TIMEOUT_SECONDS, seconds))


def _translate(request: Request, fault: httpx.HTTPError) -> DiscordUnavailable:
    kind = type(fault).__name__
    if isinstance(fault, _NEVER_SENT):
        return DiscordUnavailable(f"{request.route} was not sent ({kind})")
    return decode.outage(request, f"got no answer ({kind})")
