"""The Discord REST client: a method for each route that the bot uses.

`handler.discord.exchange` adds repeats and rate limits around each request; `handler.discord.wire` sends it. All methods
raise the errors of `handler.discord.decode`, and RateLimited.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from handler.discord import decode, refusals, routes
from handler.discord.bot_token import TokenSource
from handler.discord.exchange import NO_RETRY, Exchange, RetryPolicy
from handler.discord.http import Request, Response, Send
from handler.discord.models import AuditPage, Channel, Message, ThreadList
from handler.discord.rate_limits import RateLimits
from handler.errors import NotFound
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
]

SEARCH_SIZE: Final = 25  # threads: the maximum (OpenAPI description, "thread_search")
PAGE_SIZE: Final = 100  # threads or audit log entries: the maximum (Discord docs, "Channel", "Audit Log")


class Discord:
    """The REST API as the bot uses it. `jitter` returns random numbers from 0 to 1 that spread repeats in time."""

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
        """Send any request, for routes without a method here, and return a successful response as it is."""
        return await self._exchange.send(request, decode.raw_response)

    async def channel(self, channel_id: str) -> Channel:
        """A channel or a thread."""
        return await self._exchange.send(routes.get_channel(channel_id), decode.channel)

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
        applied_tags: Sequence[str] | None = None,
        reason: str | None = None,
    ) -> Channel:
        """Change the given fields of a thread, in one request, and return the thread as it is then.

        `auto_archive_duration` is in minutes; `reason` goes to the audit log.
        """
        given: dict[str, Any] = {"archived": archived, "locked": locked, "name": name, "applied_tags": applied_tags}
        given["auto_archive_duration"] = auto_archive_duration
        changes = {key: value for key, value in given.items() if value is not None}
        return await self._exchange.send(routes.change_thread(thread_id, changes, reason), decode.channel)

    async def delete_thread(self, thread_id: str, *, reason: str | None = None) -> None:
        """Delete a thread with all its messages. NotFound with 10003: it is already gone."""
        await self._exchange.send(routes.delete_thread(thread_id, reason), decode.raw_response)

    async def active_threads(self, guild_id: str, *, needs_ids: bool = True) -> ThreadList:
        """All active threads of a guild that the bot may see, in one response. `needs_ids`: see `decode.thread_list`."""
        request = routes.active_threads(guild_id)
        return await self._exchange.send(
            request, lambda r: decode.thread_list(r, self._clock.now(), needs_ids=needs_ids)
        )

    async def archived_threads(self, channel_id: str, *, before: datetime | None, limit: int = PAGE_SIZE) -> ThreadList:
        """One page of public threads archived before `before`, newest archive time first."""
        request = routes.archived_threads(channel_id, before, limit)
        return await self._exchange.send(
            request, lambda r: decode.thread_page(r, self._clock.now(), channel_id, before)
        )

    async def private_threads(self, channel_id: str) -> tuple[Channel, ...]:
        """The newest page of archived private threads. Forbidden without Manage Threads."""
        request = routes.private_threads(channel_id, PAGE_SIZE)
        return await self._exchange.send(request, lambda response: decode.private_threads(response, channel_id))

    async def joined_private_threads(self, channel_id: str, *, before: str | None = None) -> tuple[Channel, ...]:
        """One page of archived private threads that the bot has joined, the highest id first, below `before`."""
        request = routes.joined_private_threads(channel_id, before, PAGE_SIZE)
        return await self._exchange.send(request, lambda response: decode.private_threads(response, channel_id))

    async def search_threads(self, channel_id: str, name: str) -> tuple[Channel, ...]:
        """Threads of the channel whose name is like this one, as Discord's search knew them some time ago.

        None while its index is not ready. Sent once, and given up soon: the search is a hint and proves nothing.
        """
        return await self._exchange.send(routes.search_threads(channel_id, name, SEARCH_SIZE), decode.search_hits)

    async def audit_log(self, guild_id: str, *, after: str | None, limit: int = PAGE_SIZE) -> AuditPage:
        """One page of the guild's audit log: the entries after that id, oldest first; with None, the newest ones."""
        request = routes.audit_log(guild_id, after, limit)
        return await self._exchange.send(request, lambda response: decode.audit_page(response, now=self._clock.now()))

    async def post_message(self, channel_id: str, body: Mapping[str, Any], *, nonce: str) -> Message:
        """Post a message, or return the one that was posted with this nonce in the last few minutes.

        A nonce has at most 25 characters. NotFound with 10008: the message posted with it was deleted.
        """
        return await self._exchange.send(routes.post_message(channel_id, body, nonce), decode.message)

    async def message(self, channel_id: str, message_id: str) -> Message:
        return await self._exchange.send(routes.get_message(channel_id, message_id), decode.message)

    async def messages_after(self, channel_id: str, after: str, *, limit: int = PAGE_SIZE) -> tuple[Message, ...]:
        """The first messages after that id, oldest first. None at all without Read Message History: that is no error."""
        return await self._exchange.send(routes.list_messages(channel_id, after, limit), decode.messages)

    async def edit_message(self, channel_id: str, message_id: str, body: Mapping[str, Any]) -> Message:
        """Edit a message of the bot's. NotFound with 10008: somebody has deleted it."""
        return await self._exchange.send(routes.edit_message(channel_id, message_id, body), decode.message)

    async def delete_message(self, channel_id: str, message_id: str, *, reason: str | None = None) -> None:
        """Delete a message. NotFound with 10008: it is already gone, perhaps by an earlier attempt of this call."""
        await self._exchange.send(routes.delete_message(channel_id, message_id, reason), decode.no_body)

    def check_start_limit(self, channel_id: str) -> None:
        """Raise RateLimited if starting a thread in this channel is known to be limited beyond the time that is left."""
        self._exchange.check_rate_limit(routes.start_thread(channel_id, channel_id, "", 0))

    async def start_thread(
        self, channel_id: str, message_id: str, *, name: str, auto_archive_duration: int, reason: str | None = None
    ) -> Channel:
        """Start the one thread of a message; its id is the message's. DiscordRefused with 160004: it was started before."""
        request = routes.start_thread(channel_id, message_id, name, auto_archive_duration, reason)
        return await self._exchange.send(request, decode.channel)

    async def create_thread(self, channel_id: str, body: Mapping[str, Any], *, reason: str | None = None) -> Channel:
        """Create a thread that no message anchors. OutcomeUnknown: perhaps there is one now, and it is in the lists."""
        return await self._exchange.send(routes.create_thread(channel_id, body, reason), decode.channel)

    async def add_thread_member(self, thread_id: str, user_id: str) -> None:
        """Add a user to a thread that is not archived. Adding a member again does nothing."""
        await self._exchange.send(routes.add_thread_member(thread_id, user_id), decode.no_body)

    async def check_thread_member(self, thread_id: str, user_id: str) -> None:
        """NotFound: the user is no member of the thread."""
        await self._exchange.send(routes.get_thread_member(thread_id, user_id), decode.no_body)

    async def remove_thread_member(self, thread_id: str, user_id: str) -> None:
        """Remove a user from a thread that is not archived. Removing one who is no member does nothing."""
        await self._exchange.send(routes.remove_thread_member(thread_id, user_id), decode.no_body)

    async def member_roles(self, guild_id: str, user_id: str) -> frozenset[str]:
        """The ids of the roles that a member has now. NotFound: the user is no member."""
        return (await self._exchange.send(routes.get_member(guild_id, user_id), decode.member)).role_ids

    async def current_user_id(self) -> str:
        """The bot's user id, fetched once. (An old application's id differs from its bot's.)"""
        if self._user_id is None:
            self._user_id = (await self._exchange.send(routes.get_current_user(), decode.user)).id
        return self._user_id

    async def edit_original(
        self, token: Secret | str, body: Mapping[str, Any], *, unknown_until: datetime | None = None
    ) -> None:
        """Edit the original response of an interaction.

        For some seconds after a deferral Discord may not know it: until `unknown_until` a 404 is repeated, as long as
        the deadline allows. After that, NotFound (or, at any time, DiscordRefused with 50027) means that the token has
        expired.
        """
        token = token.reveal() if isinstance(token, Secret) else token
        telemetry.redact_in_request(token)
        request = routes.edit_original(self._application_id, token, body)
        attempt = 1
        while True:
            try:
                return await self._exchange.send(request, decode.no_body)
            except NotFound:
                is_young = unknown_until is not None and self._clock.now() < unknown_until
                if not is_young or not await self._exchange.pause(self._retry.pause_after(attempt)):
                    raise
            attempt += 1
