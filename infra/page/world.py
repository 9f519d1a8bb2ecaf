"""What people see on Discord: servers, channels, threads and messages, as JSON for the page.

Messages and threads are Discord's own JSON, as everybody on Discord sees them; private threads only for who may see them.
"""

from collections.abc import Iterable
from typing import Any, Final

from infra.interactions import DEVELOPMENT_GUILD_ID
from infra.local.discord import LocalDiscord
from infra.local.discord_client import Channel, User
from infra.local.people import BY_NAME
from infra.simulator import render
from infra.simulator.models import Message, Thread
from infra.simulator.permissions import PERMISSION_BITS, permission_bits
from infra.simulator.state import State

MAX_MESSAGES: Final = 50  # of a channel, the newest ones
PAGE: Final = 50  # threads that are archived, at a time
_MANAGE_THREADS: Final = permission_bits(["MANAGE_THREADS"])


class Unknown(LookupError):
    """There is no such thing; the text says what."""


class World:
    """A view of the simulated Discord. Each method takes its lock for a moment."""

    def __init__(self, discord: LocalDiscord) -> None:
        self._discord = discord

    def servers(self) -> list[dict[str, Any]]:
        """All servers with their channels: this stack's own one first."""
        with self._discord.lock:
            state = self._discord.discord.state
            guilds = sorted(state.guilds.values(), key=lambda guild: (guild.id != DEVELOPMENT_GUILD_ID, int(guild.id)))
            channels = list(state.channels.values())
            return [
                {
                    "id": guild.id,
                    "name": guild.name,
                    "channels": [
                        {"id": channel.id, "name": channel.name, "type": channel.kind, "tags": list(channel.tags)}
                        for channel in channels
                        if channel.guild_id == guild.id
                    ],
                }
                for guild in guilds
            ]

    def view(self, place_id: str, user: User, *, archived: int = PAGE, search: str = "") -> dict[str, Any]:
        """A channel or thread: its newest messages, and its threads, at most `archived` archived ones whose names have `search`.

        Raises Unknown.
        """
        with self._discord.lock:
            readable = self._discord.discord.fork()
        readable.switch(message_content=True)
        state = readable.state
        thread = state.threads.get(place_id)
        if thread is not None and not _sees(thread, user):
            raise Unknown("no such thread")
        channel = state.channels.get(thread.parent_id if thread else place_id)
        if channel is None:
            raise Unknown("no such channel")
        threads = [other for other in state.threads.values() if other.parent_id == channel.id and _sees(other, user)]
        found = [other for other in threads if other.archived and search.casefold() in other.name.casefold()]
        found.sort(key=lambda other: (other.archive_timestamp, int(other.id)), reverse=True)
        active = sorted((other for other in threads if not other.archived), key=_activity, reverse=True)
        messages = _newest(state, place_id)
        return {
            "channel": {"id": channel.id, "guild_id": channel.guild_id, "name": channel.name, "type": channel.kind},
            "thread": None if thread is None else render.thread(thread),
            "messages": [self._message(state, message) for message in messages],
            "active": [render.thread(other) for other in active],
            "archived": [render.thread(other) for other in found[:archived]],
            "archived_count": len(found),
            "missing": sorted(name for name, bit in PERMISSION_BITS.items() if _is_missing(channel.permissions, bit)),
            "names": _names(state, [*active, *found[:archived]], messages),
        }

    def channel(self, place_id: str) -> Channel:
        """A channel or a thread as people use it, with what the bot may do there. Raises Unknown."""
        with self._discord.lock:
            state = self._discord.discord.state
            thread = state.threads.get(place_id)
            channel = state.channels.get(thread.parent_id if thread else place_id)
            if channel is None:
                raise Unknown("no such channel")
            if thread is None:
                return Channel(channel.guild_id, channel.id, channel.permissions, channel.kind)
            return Channel(channel.guild_id, thread.id, channel.permissions, thread.kind, channel.id)

    def message(self, message_id: str) -> dict[str, Any]:
        """A message that everybody sees. Raises Unknown."""
        with self._discord.lock:
            readable = self._discord.discord.fork()
        readable.switch(message_content=True)
        message = readable.state.messages.get(message_id)
        if message is None:
            raise Unknown("no such message")
        return render.message(readable.state, message)

    def user(self, name: str) -> User:
        """One of the people of the local stack. Raises Unknown."""
        if name not in BY_NAME:
            raise Unknown(f"nobody is called {name}")
        return BY_NAME[name]

    @staticmethod
    def _message(state: State, message: Message) -> dict[str, Any]:
        shown = render.message(state, message)
        if message.replies_to is not None and (replied := state.messages.get(message.replies_to)):
            shown["referenced_message"] = render.message(state, replied)
        return shown


def _newest(state: State, place_id: str) -> list[Message]:
    """The newest messages of a channel, oldest first."""
    there = [message for message in state.messages.values() if message.channel_id == place_id]
    return sorted(there, key=lambda message: int(message.id))[-MAX_MESSAGES:]


def _sees(thread: Thread, user: User) -> bool:
    return not thread.is_private or thread.has_member(user.id) or bool(user.permissions & _MANAGE_THREADS)


def _activity(thread: Thread) -> int:
    return int(thread.last_message_id or thread.id)


def _is_missing(permissions: int, bit: int) -> bool:
    return not permissions & bit and bit != PERMISSION_BITS["MANAGE_CHANNELS"]


def _names(state: State, threads: Iterable[Thread], messages: Iterable[Message]) -> dict[str, str]:
    """What mentions show: the names of users, channels and the threads that are near."""
    names = {user.id: user.name for user in BY_NAME.values()}
    names |= {user.id: user.name for user in state.users.values()}
    names |= {channel.id: channel.name for channel in state.channels.values()}
    names |= {thread.id: thread.name for thread in threads}
    started = (state.threads.get(message.id) for message in messages)
    return names | {thread.id: thread.name for thread in started if thread is not None}
