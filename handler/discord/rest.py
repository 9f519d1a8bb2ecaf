"""The Discord REST client: what the bot asks of Discord, and the one place that knows httpx.

`Discord` speaks in Discord's words; `handler.discord.exchange` is what happens around each request; `httpx_send` carries
it. All methods raise what `handler.discord.decode` says of answers, and RateLimited.
"""

import random
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import httpx

from handler.discord import decode, refusals, routes
from handler.discord.bot_token import TokenSource
from handler.discord.exchange import MAX_PATIENCE, NO_RETRY, Exchange, RetryPolicy
from handler.discord.http import Request, Response, Send, body_of, header_fields
from handler.discord.models import AuditEntry, Channel, Message, ThreadList
from handler.discord.rate_limits import RateLimits
from handler.errors import DiscordUnavailable, NotFound
from handler.runtime import telemetry
from handler.runtime.clock import Clock
from handler.runtime.secrets import Secret

__all__ = [
    "NO_RETRY",
    "Discord",
    "RateLimits",
    "Request",
    "Response",
    "RetryPolicy",
    "Send",
    "TokenSource",
    "build_client",
    "httpx_send",
]

# Seconds. A TLS handshake with Discord takes a tenth of it; who cannot connect by then tries again sooner.
CONNECT_TIMEOUT: Final = 1.5
# Seconds for which an idle connection is kept, so that a warm invocation needs no handshake. AWS drops idle flows after
# 350 s without a word: a connection from just below that would hang instead of failing.
KEEP_ALIVE: Final = 300.0
# The bot's 50 requests a second, most answered within one, leave no use for more connections.
MAX_CONNECTIONS: Final = 50
PAGE: Final = 100  # threads in an archived page: as many as Discord gives (Discord docs, "Channel")

# What httpx raises before a request has left: nothing can have come of it. All else may have been applied.
_NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


class Discord:
    """The bot's view of Discord. `jitter` gives numbers from 0 to 1 that spread repeats in time."""

    def __init__(
        self,
        *,
        send: Send,
        application_id: str,
        clock: Clock,
        limits: RateLimits,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - immutable
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._exchange = Exchange(send=send, clock=clock, limits=limits, retry=retry, jitter=jitter)
        self._application_id = application_id
        self._clock = clock
        self._retry = retry
        self._user_id: str | None = None

    async def request(self, request: Request) -> Response:
        """The generic door, for routes that have no method here. Successful answers come back as they are."""
        return await self._exchange.answer(request, decode.anything)

    async def channel(self, channel_id: str) -> Channel:
        """A channel or a thread."""
        return await self._exchange.answer(routes.get_channel(channel_id), decode.channel)

    async def channel_or_none(self, channel_id: str) -> Channel | None:
        """A channel or a thread; None if Discord says that there is none. Any other 404 raises DiscordUnavailable."""
        try:
            return await self.channel(channel_id)
        except NotFound as missing:
            refusals.raise_unless_gone(missing)
            return None

    async def change_thread(
        self,
        thread_id: str,
        *,
        archived: bool | None = None,
        locked: bool | None = None,
        name: str | None = None,
        auto_archive_duration: int | None = None,
        reason: str | None = None,
    ) -> Channel:
        """Set what is given and nothing else, in one request; the thread as it is then.

        `auto_archive_duration` is in minutes; `reason` goes to the audit log.
        """
        given = {
            "archived": archived,
            "locked": locked,
            "name": name,
            "auto_archive_duration": auto_archive_duration,
        }
        changes = {key: value for key, value in given.items() if value is not None}
        return await self._exchange.answer(routes.change_thread(thread_id, changes, reason), decode.channel)

    async def delete_thread(self, thread_id: str, *, reason: str | None = None) -> None:
        """Delete a thread with all that was said in it. NotFound with 10003 means that it is gone already."""
        await self._exchange.answer(routes.delete_thread(thread_id, reason), decode.anything)

    async def active_threads(self, guild_id: str) -> ThreadList:
        """All active threads of a guild that the bot may see: one answer, no pages."""
        return await self._threads(routes.active_threads(guild_id))

    async def archived_threads(self, channel_id: str, *, before: datetime | None, limit: int = PAGE) -> ThreadList:
        """One page of public archived threads, newest archive time first, all archived before `before`."""
        return await self._threads(routes.archived_threads(channel_id, before, limit))

    async def _threads(self, request: Request) -> ThreadList:
        def read(response: Response) -> ThreadList:
            found = decode.threads(response)
            return ThreadList(found.threads, found.has_more, decode.date(response, self._clock.now()))

        return await self._exchange.answer(request, read)

    async def audit_log(self, guild_id: str, *, after: str | None, limit: int = PAGE) -> tuple[AuditEntry, ...]:
        """One page of the guild's audit log: the entries after that id, oldest first; without it the newest ones."""
        return await self._exchange.answer(routes.audit_log(guild_id, after, limit), decode.audit_entries)

    async def post_message(self, channel_id: str, body: Mapping[str, Any], *, nonce: str) -> Message:
        """Post a message, or get the one that this nonce (at most 25 characters) posted a few minutes ago.

        Unknown Message (NotFound, 10008): this nonce posted one, and it was deleted.
        """
        return await self._exchange.answer(routes.post_message(channel_id, body, nonce), decode.message)

    async def message(self, channel_id: str, message_id: str) -> Message:
        return await self._exchange.answer(routes.get_message(channel_id, message_id), decode.message)

    async def delete_message(self, channel_id: str, message_id: str, *, reason: str | None = None) -> None:
        """Delete a message. NotFound with 10008 means that it is gone, be it by an earlier attempt of this very call."""
        await self._exchange.answer(routes.delete_message(channel_id, message_id, reason), decode.nothing)

    def check_start_limit(self, channel_id: str) -> None:
        """Raise RateLimited if starting a thread in this channel is known to be refused for longer than there is time."""
        self._exchange.foresee(routes.start_thread(channel_id, channel_id, "", 0))

    async def start_thread(self, channel_id: str, message_id: str, *, name: str, auto_archive_duration: int) -> Channel:
        """Start the one thread of a message; it bears the message's id. DiscordRefused with 160004: it was started."""
        request = routes.start_thread(channel_id, message_id, name, auto_archive_duration)
        return await self._exchange.answer(request, decode.channel)

    async def add_thread_member(self, thread_id: str, user_id: str) -> None:
        """Adding a member twice is fine; the thread must not be archived."""
        await self._exchange.answer(routes.add_thread_member(thread_id, user_id), decode.nothing)

    async def current_user_id(self) -> str:
        """The bot's own user id, asked for once. (Old applications have another id than their bot.)"""
        if self._user_id is None:
            self._user_id = (await self._exchange.answer(routes.get_current_user(), decode.user)).id
        return self._user_id

    async def edit_original(self, token: Secret | str, body: Mapping[str, Any]) -> None:
        """Edit the original response of an interaction.

        Straight after a deferral Discord may not know it yet: 404 is tried again for some seconds. Then NotFound, or
        DiscordRefused with 50027, say that the token is dead.
        """
        token = token.reveal() if isinstance(token, Secret) else token
        telemetry.redact_in_request(token)
        request = routes.edit_original(self._application_id, token, body)
        for pause in (*self._retry.original_pauses, None):
            try:
                return await self._exchange.answer(request, decode.nothing)
            except NotFound:
                if pause is None or not await self._exchange.pause(pause):
                    raise
        return None


def build_client(api_url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """The one HTTP client of an execution environment: one pool, one SSL context.

    The environment's proxy variables are not read: each proxy would cost an SSL context of its own at every cold start.
    httpx logs URLs, and some of ours hold a token: that is silenced here.
    """
    telemetry.silence("httpx", "httpcore")
    return httpx.AsyncClient(
        base_url=api_url,
        transport=transport,
        timeout=httpx.Timeout(MAX_PATIENCE, connect=CONNECT_TIMEOUT),
        limits=httpx.Limits(
            max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS, keepalive_expiry=KEEP_ALIVE
        ),
        http2=False,
        follow_redirects=False,
        trust_env=False,
    )


def httpx_send(client: httpx.AsyncClient, token: TokenSource) -> Send:
    """Sends through `client`, with the token where a request is authorized, and with a renewed one after a 401.

    Raises DiscordUnavailable if nothing was sent, OutcomeUnknown (a request that changes nothing: DiscordUnavailable) if
    the answer was lost, and BotTokenRefused without sending while the token is known to be refused.
    """

    async def send(request: Request) -> Response:
        if not request.authorized:
            return await _once(client, request, None)
        used = await token.current()
        response = await _once(client, request, used)
        if response.status == 401 and await token.renewed(used):
            telemetry.count_discord_call(request.route, response.status)
            used = await token.current()
            response = await _once(client, request, used)
            if response.status == 401:
                token.stop(used)
        return response

    return send


async def _once(client: httpx.AsyncClient, request: Request, token: Secret | None) -> Response:
    """One HTTP exchange. No foreign exception leaves, not even as a cause or context.

    They hold the request: its URL may hold an interaction token, its headers hold the bot's; and the text of a
    LocalProtocolError can quote a header. So only the name of their class is told, outside of the `except` block.
    """
    try:
        answer = await client.request(
            request.method,
            request.path,
            params=request.query or None,
            headers=header_fields(request, token),
            content=body_of(request),
            timeout=_timeout(request.patience),
        )
    except httpx.HTTPError as fault:
        failure = _translated(request, fault)
    else:
        return Response(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.content)
    raise failure


def _timeout(patience: float | None) -> httpx.Timeout:
    seconds = MAX_PATIENCE if patience is None else patience
    return httpx.Timeout(seconds, connect=min(CONNECT_TIMEOUT, seconds))


def _translated(request: Request, fault: httpx.HTTPError) -> DiscordUnavailable:
    what = type(fault).__name__
    if isinstance(fault, _NEVER_SENT):
        return DiscordUnavailable(f"{request.route} was not sent ({what})")
    return decode.lost(request, f"got no answer ({what})")
