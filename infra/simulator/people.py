"""What people, and Discord itself, do on Discord. Permissions are not checked.

Each action takes the moment and who did it (`by`; by default the guild's owner), and leaves its entry in the audit log.
Impossible actions raise `ImpossibleAction` and change nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from infra.simulator import effects
from infra.simulator.call import utf16_length
from infra.simulator.models import (
    ANNOUNCEMENT,
    ARCHIVE_DURATIONS,
    CHANNEL_DELETE,
    CHANNEL_OVERWRITE_UPDATE,
    CHANNEL_UPDATE,
    DEFAULT_ARCHIVE_DURATION,
    MAX_THREAD_NAME_UNITS,
    MEMBER_KICK,
    MEMBER_ROLE_UPDATE,
    PUBLIC_THREAD,
    REPLY,
    TEXT,
    Change,
    Channel,
    Message,
    Thread,
)
from infra.simulator.permissions import permission_bits
from infra.simulator.routes.messages import parse_mentions
from infra.simulator.state import State


class ImpossibleAction(ValueError):
    """Nobody can do this on Discord: the thing does not exist, is archived, or has been used."""


class People:
    """Everybody on Discord but the bot."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def create_thread(
        self,
        channel_id: str,
        name: str,
        *,
        now: datetime,
        by: str | None = None,
        message_id: str | None = None,
        type: int = PUBLIC_THREAD,
        archived: bool = False,
        locked: bool = False,
        auto_archive_duration: int = DEFAULT_ARCHIVE_DURATION,
        tags: Iterable[str] = (),
    ) -> str:
        """Create a thread from a message, without one, private (type 12), or as a forum's post. Return its id."""
        channel = self._channel(channel_id)
        self._check_name(name)
        self._check_source(channel_id, message_id)
        if auto_archive_duration not in ARCHIVE_DURATIONS:
            raise ImpossibleAction(f"no archive duration: {auto_archive_duration}")
        thread = Thread(
            id=message_id or self._state.allot(now),
            guild_id=channel.guild_id,
            parent_id=channel.id,
            kind=effects.thread_kind(channel, type),
            name=name,
            owner_id=by or self._owner(channel.guild_id),
            created_at=now,
            archive_timestamp=now,
            auto_archive_duration=auto_archive_duration,
            applied_tags=tuple(tags),
        )
        self._post_first_message(effects.add_thread(self._state, thread, now=now), channel, message_id, now)
        if archived or locked:
            self._change(thread.id, by=by, now=now, archived=archived, locked=locked)
        return thread.id

    def post_message(
        self,
        channel_id: str,
        content: str,
        *,
        now: datetime,
        by: str | None = None,
        reply_to: str | None = None,
        pings: bool = True,
    ) -> str:
        """Post a message in a channel or thread; a reply to that one, which pings its author. An archived thread opens.

        Return the message's id.
        """
        thread = self._state.threads.get(channel_id)
        channel = self._channel(thread.parent_id if thread else channel_id)
        if thread is not None and thread.archived and thread.locked:
            raise ImpossibleAction(f"thread {channel_id} is archived and locked")
        if thread is None and effects.is_forum(channel):
            raise ImpossibleAction(f"channel {channel_id} is a forum")
        author = by or self._owner(channel.guild_id)
        users, everyone = parse_mentions(content, None)
        if reply_to is not None:
            replied = self._message(channel_id, reply_to)
            users = tuple(dict.fromkeys((*users, replied.author_id))) if pings else users
        message = Message(
            self._state.allot(now),
            channel_id,
            author,
            content,
            now,
            kind=0 if reply_to is None else REPLY,
            mentions=users,
            mention_everyone=everyone,
            replies_to=reply_to,
        )
        return effects.add_message(self._state, message).id

    def delete_message(self, channel_id: str, message_id: str, *, now: datetime, by: str | None = None) -> None:
        message = self._message(channel_id, message_id)
        place = self._state.threads.get(channel_id) or self._channel(channel_id)
        effects.remove_message(self._state, message, by=by or self._owner(place.guild_id), now=now)

    def delete_thread(self, thread_id: str, *, now: datetime, by: str | None = None) -> None:
        thread = self._thread(thread_id)
        effects.remove_thread(self._state, thread, by=by or self._owner(thread.guild_id), now=now)

    def rename(self, thread_id: str, name: str, *, now: datetime, by: str | None = None) -> None:
        """Rename a thread that is not archived."""
        self._check_name(name)
        self._change(thread_id, by=by, now=now, name=name)

    def archive(self, thread_id: str, *, now: datetime, by: str | None = None) -> None:
        self._change(thread_id, by=by, now=now, archived=True)

    def unarchive(self, thread_id: str, *, now: datetime, by: str | None = None) -> None:
        """Opens a thread again; a locked one stays locked."""
        self._change(thread_id, by=by, now=now, archived=False)

    def lock(self, thread_id: str, *, now: datetime, by: str | None = None) -> None:
        """Lock a thread that is not archived."""
        self._change(thread_id, by=by, now=now, locked=True)

    def unlock(self, thread_id: str, *, now: datetime, by: str | None = None) -> None:
        """Unlock a thread that is not archived."""
        self._change(thread_id, by=by, now=now, locked=False)

    def edit_thread(self, thread_id: str, *, now: datetime, by: str | None = None, **changes: Any) -> None:
        """Set several fields at once, by the model's names. An archived thread needs `archived=False` among them."""
        self._change(thread_id, by=by, now=now, **changes)

    def auto_archive(self, thread_id: str, *, now: datetime) -> None:
        """Discord's timer archives a thread, early or not, without an audit entry."""
        effects.change_thread(self._state, self._thread(thread_id), by=None, now=now, archived=True)

    def auto_archive_idle(self, *, now: datetime) -> list[str]:
        """Discord's timer archives all threads that have been idle for long enough. Return their ids."""
        idle = [
            thread for thread in self._state.threads.values() if not thread.archived and effects.is_idle(thread, now)
        ]
        for thread in idle:
            self.auto_archive(thread.id, now=now)
        return [thread.id for thread in idle]

    def delete_channel(self, channel_id: str, *, now: datetime, by: str | None = None) -> None:
        """Delete a channel with its threads and messages. The audit log has the channel only."""
        channel = self._channel(channel_id)
        for thread in [thread for thread in self._state.threads.values() if thread.parent_id == channel_id]:
            effects.drop_thread(self._state, thread)
        effects.drop_messages(self._state, channel_id)
        self._state.channels.discard(channel_id)
        changes = (Change("name", channel.name, None), Change("type", channel.kind, None))
        self._audit(channel.guild_id, CHANNEL_DELETE, channel_id, by=by, now=now, changes=changes)

    def convert_channel(self, channel_id: str, *, now: datetime, by: str | None = None) -> None:
        """Make a text channel an announcement channel, or back. Its threads keep their type."""
        channel = self._channel(channel_id)
        if channel.kind not in (TEXT, ANNOUNCEMENT):
            raise ImpossibleAction(f"channel {channel_id} cannot be converted")
        kind = TEXT if channel.kind == ANNOUNCEMENT else ANNOUNCEMENT
        self._state.channels.put(channel_id, replace(channel, kind=kind))
        changes = (Change("type", channel.kind, kind),)
        self._audit(channel.guild_id, CHANNEL_UPDATE, channel_id, by=by, now=now, changes=changes)

    def remove_bot_from_guild(self, guild_id: str, *, now: datetime, by: str | None = None) -> None:
        self._change_guild(guild_id, bot_is_member=False)
        self._audit(guild_id, MEMBER_KICK, self._state.identity.bot_user_id, by=by, now=now)

    def return_bot_to_guild(self, guild_id: str) -> None:
        self._change_guild(guild_id, bot_is_member=True)

    def set_permissions(
        self, place_id: str, permissions: int | Iterable[str], *, now: datetime, by: str | None = None
    ) -> None:
        """Set what the bot may do in a channel, or, with a guild's id, in the guild as a whole (View Audit Log)."""
        bits = permission_bits(permissions)
        if place_id in self._state.guilds:
            self._change_guild(place_id, permissions=bits)
            return
        channel = self._channel(place_id)
        self._state.channels.put(place_id, replace(channel, permissions=bits))
        changes = (Change("allow", str(channel.permissions), str(bits)),)
        more = {"changes": changes, "options": (("id", self._state.identity.bot_user_id), ("type", "1"))}
        self._audit(channel.guild_id, CHANNEL_OVERWRITE_UPDATE, place_id, by=by, now=now, **more)

    def remove_member(self, guild_id: str, user_id: str) -> None:
        """A user leaves the guild, and can no longer be added to threads."""
        self._change_guild(guild_id, absent=self._state.guilds[guild_id].absent | {user_id})

    def set_roles(self, guild_id: str, user_id: str, roles: Iterable[str], *, now: datetime | None = None) -> None:
        """The roles that a member has from now on. With `now`, the owner gave or took them, and the audit log has it."""
        known, given = dict(self._state.guilds[guild_id].roles), tuple(roles)
        changes = effects.role_changes(known.get(user_id, ()), given)
        self._change_guild(guild_id, roles=tuple({**known, user_id: given}.items()))
        if now is not None and changes:
            self._audit(guild_id, MEMBER_ROLE_UPDATE, user_id, by=None, now=now, changes=changes)

    def add_archived_threads(
        self,
        channel_id: str,
        count: int,
        *,
        newest: datetime,
        name_of: Callable[[int], str] = "thread {}".format,
        step: timedelta = timedelta(minutes=1),
        by: str | None = None,
        type: int = PUBLIC_THREAD,
        message_count: int = 3,
    ) -> list[str]:
        """Add a long past: threads archived by Discord, number 0 at `newest`, each next one a `step` earlier; their ids."""
        channel = self._channel(channel_id)
        owner, kind = by or self._owner(channel.guild_id), effects.thread_kind(channel, type)
        moments = [newest - step * number for number in range(count)]
        threads = [
            effects.archived_thread(channel, kind, owner, name_of(number), moment, number, message_count=message_count)
            for number, moment in enumerate(moments)
        ]
        self._state.put_archived_threads(threads)
        return [thread.id for thread in threads]

    def _post_first_message(self, thread: Thread, channel: Channel, message_id: str | None, now: datetime) -> None:
        """Post the message that a new thread comes with: the first one of a post, or the announcement in the channel."""
        if effects.is_forum(channel):
            effects.add_message(
                self._state, Message(thread.id, thread.id, thread.owner_id, thread.name, now), first=True
            )
        elif message_id is None:
            effects.announce_thread(self._state, thread, now=now)

    def _change(self, thread_id: str, *, by: str | None, now: datetime, **changes: Any) -> None:
        thread = self._thread(thread_id)
        if thread.archived and changes.get("archived") is not False and set(changes) != {"archived"}:
            raise ImpossibleAction(f"thread {thread_id} is archived: it must be opened first")
        effects.change_thread(self._state, thread, by=by or self._owner(thread.guild_id), now=now, **changes)

    def _change_guild(self, guild_id: str, **changes: Any) -> None:
        self._state.guilds.put(guild_id, replace(self._state.guilds[guild_id], **changes))

    def _audit(self, guild_id: str, action: int, target_id: str, *, by: str | None, now: datetime, **more: Any) -> None:
        author = by or self._owner(guild_id)
        effects.add_audit_entry(self._state, guild_id, action, target_id, by=author, now=now, **more)

    def _check_source(self, channel_id: str, message_id: str | None) -> None:
        if message_id is None:
            return
        message = self._state.messages.get(message_id)
        if message is None or message.channel_id != channel_id:
            raise ImpossibleAction(f"no message {message_id} in {channel_id}")
        if not effects.can_start_thread(self._state, message):
            raise ImpossibleAction(f"a thread was started from message {message_id} already")

    def _check_name(self, name: str) -> None:
        if not 1 <= utf16_length(name) <= MAX_THREAD_NAME_UNITS:
            raise ImpossibleAction("a name has 1 to 100 characters")

    def _message(self, channel_id: str, message_id: str) -> Message:
        message = self._state.messages.get(message_id)
        if message is None or message.channel_id != channel_id:
            raise ImpossibleAction(f"no message {message_id} in {channel_id}")
        return message

    def _thread(self, thread_id: str) -> Thread:
        thread = self._state.threads.get(thread_id)
        if thread is None:
            raise ImpossibleAction(f"no thread {thread_id}")
        return thread

    def _channel(self, channel_id: str) -> Channel:
        channel = self._state.channels.get(channel_id)
        if channel is None:
            raise ImpossibleAction(f"no channel {channel_id}")
        return channel

    def _owner(self, guild_id: str) -> str:
        return self._state.guilds[guild_id].owner_id
