"""What people do on Discord, and Discord itself: no permissions are asked for, but what cannot be done is refused.

Each act takes the moment, and who did it (`by`; the guild's owner if nobody is named), and leaves in the audit log what it
would leave there. Impossible acts raise `ImpossibleAct` and change nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from infra.simulator import effects
from infra.simulator.call import units
from infra.simulator.models import (
    ARCHIVE_DURATIONS,
    CHANNEL_DELETE,
    CHANNEL_OVERWRITE_UPDATE,
    DEFAULT_ARCHIVE_DURATION,
    MEMBER_KICK,
    PUBLIC_THREAD,
    Change,
    Channel,
    Message,
    Thread,
)
from infra.simulator.permissions import permission_bits
from infra.simulator.routes.messages import mentioned
from infra.simulator.snowflakes import TIME_SHIFT, lowest_at, time_of
from infra.simulator.state import State

_MAX_NAME: Final = 100


class ImpossibleAction(ValueError):
    """Nobody could do this on Discord: the thing is gone, archived, taken."""


class People:
    """Everybody else on Discord."""

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
        """Creates a thread and gives its id: from a message, without one, private (type 12), or a forum's post."""
        channel = self._channel(channel_id)
        self._check_name(name)
        self._check_startable(channel_id, message_id)
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
        self._open(effects.add_thread(self._state, thread, now=now), channel, message_id, now)
        if archived or locked:
            self._change(thread.id, by=by, now=now, archived=archived, locked=locked)
        return thread.id

    def post_message(self, channel_id: str, content: str, *, now: datetime, by: str | None = None) -> str:
        """Posts a message in a channel or thread and gives its id. An archived thread opens."""
        thread = self._state.threads.get(channel_id)
        channel = self._channel(thread.parent_id if thread else channel_id)
        if thread is not None and thread.archived and thread.locked:
            raise ImpossibleAction(f"thread {channel_id} is archived and locked")
        if thread is None and effects.is_forum(channel):
            raise ImpossibleAction(f"channel {channel_id} is a forum")
        author = by or self._owner(channel.guild_id)
        users, everyone = mentioned(content, None)
        message = Message(
            self._state.allot(now), channel_id, author, content, now, mentions=users, mention_everyone=everyone
        )
        return effects.add_message(self._state, message).id

    def delete_message(self, channel_id: str, message_id: str, *, now: datetime, by: str | None = None) -> None:
        message = self._state.messages.get(message_id)
        if message is None or message.channel_id != channel_id:
            raise ImpossibleAction(f"no message {message_id} in {channel_id}")
        place = self._state.threads.get(channel_id) or self._channel(channel_id)
        effects.remove_message(self._state, message, by=by or self._owner(place.guild_id), now=now)

    def delete_thread(self, thread_id: str, *, now: datetime, by: str | None = None) -> None:
        thread = self._thread(thread_id)
        effects.remove_thread(self._state, thread, by=by or self._owner(thread.guild_id), now=now)

    def rename(self, thread_id: str, name: str, *, now: datetime, by: str | None = None) -> None:
        """Renames a thread that is not archived."""
        self._check_name(name)
        self._change(thread_id, by=by, now=now, name=name)

    def archive(self, thread_id: str, *, now: datetime, by: str | None = None) -> None:
        self._change(thread_id, by=by, now=now, archived=True)

    def unarchive(self, thread_id: str, *, now: datetime, by: str | None = None) -> None:
        """Opens a thread again; a locked one stays locked."""
        self._change(thread_id, by=by, now=now, archived=False)

    def lock(self, thread_id: str, *, now: datetime, by: str | None = None) -> None:
        """Locks a thread that is not archived."""
        self._change(thread_id, by=by, now=now, locked=True)

    def unlock(self, thread_id: str, *, now: datetime, by: str | None = None) -> None:
        """Unlocks a thread that is not archived."""
        self._change(thread_id, by=by, now=now, locked=False)

    def edit_thread(self, thread_id: str, *, now: datetime, by: str | None = None, **changes: Any) -> None:
        """Sets several fields at once, by the names of the record: an archived thread needs `archived=False` among them."""
        self._change(thread_id, by=by, now=now, **changes)

    def auto_archive(self, thread_id: str, *, now: datetime) -> None:
        """Discord's own timer archives a thread, early or not. The audit log says nothing of it."""
        effects.change_thread(self._state, self._thread(thread_id), by=None, now=now, archived=True)

    def auto_archive_idle(self, *, now: datetime) -> list[str]:
        """Discord's own timer archives what has been idle for its time, and the ids of that are given."""
        idle = [thread for thread in self._state.threads.values() if not thread.archived and _is_idle(thread, now)]
        for thread in idle:
            self.auto_archive(thread.id, now=now)
        return [thread.id for thread in idle]

    def delete_channel(self, channel_id: str, *, now: datetime, by: str | None = None) -> None:
        """A channel goes with its threads and messages. The audit log tells of the channel alone."""
        channel = self._channel(channel_id)
        for thread in [thread for thread in self._state.threads.values() if thread.parent_id == channel_id]:
            effects.drop_thread(self._state, thread)
        for message in [message for message in self._state.messages.values() if message.channel_id == channel_id]:
            self._state.messages.drop(message.id)
        self._state.channels.drop(channel_id)
        changes = (Change("name", channel.name, None), Change("type", channel.kind, None))
        owner = by or self._owner(channel.guild_id)
        effects.record(self._state, channel.guild_id, CHANNEL_DELETE, channel_id, by=owner, now=now, changes=changes)

    def remove_bot_from_guild(self, guild_id: str, *, now: datetime, by: str | None = None) -> None:
        guild = self._state.guilds[guild_id]
        self._state.guilds.put(guild_id, replace(guild, bot_is_member=False))
        bot = self._state.identity.bot_user_id
        effects.record(self._state, guild_id, MEMBER_KICK, bot, by=by or guild.owner_id, now=now)

    def return_bot_to_guild(self, guild_id: str) -> None:
        self._state.guilds.put(guild_id, replace(self._state.guilds[guild_id], bot_is_member=True))

    def set_permissions(
        self, place_id: str, permissions: int | Iterable[str], *, now: datetime, by: str | None = None
    ) -> None:
        """Sets what the bot may do in a channel, or, by a guild's id, in the guild as a whole (View Audit Log)."""
        bits = permission_bits(permissions)
        guild = self._state.guilds.get(place_id)
        if guild is not None:
            self._state.guilds.put(place_id, replace(guild, permissions=bits))
            return
        channel = self._channel(place_id)
        self._state.channels.put(place_id, replace(channel, permissions=bits))
        changes = (Change("allow", str(channel.permissions), str(bits)),)
        options = (("id", self._state.identity.bot_user_id), ("type", "1"))
        effects.record(
            self._state,
            channel.guild_id,
            CHANNEL_OVERWRITE_UPDATE,
            place_id,
            by=by or self._owner(channel.guild_id),
            now=now,
            changes=changes,
            options=options,
        )

    def remove_member(self, guild_id: str, user_id: str) -> None:
        """A user leaves the guild: nobody can add that user to a thread any more."""
        guild = self._state.guilds[guild_id]
        self._state.guilds.put(guild_id, replace(guild, absent=guild.absent | {user_id}))

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
        age: timedelta = timedelta(days=1),
        message_count: int = 3,
    ) -> list[str]:
        """A long past: threads archived by Discord, number 0 at `newest`, each next one a `step` earlier. Gives their ids.

        Each was created `age` before it was archived. A step of zero makes them all equal in time.
        """
        channel = self._channel(channel_id)
        owner = by or self._owner(channel.guild_id)
        kind = effects.thread_kind(channel, type)
        threads = []
        for number in range(count):
            archived_at = newest - step * number
            born = archived_at - age
            thread = Thread(
                id=str(lowest_at(born) + number % (1 << TIME_SHIFT)),
                guild_id=channel.guild_id,
                parent_id=channel_id,
                kind=kind,
                name=name_of(number),
                owner_id=owner,
                created_at=born,
                archive_timestamp=archived_at,
                archived=True,
                last_message_id=str(lowest_at(born) + (1 << TIME_SHIFT)),
                message_count=message_count,
                total_message_sent=message_count,
                members=((owner, born),),
            )
            threads.append(thread)
        self._state.put_archived_threads(threads)
        return [thread.id for thread in threads]

    def _open(self, thread: Thread, channel: Channel, message_id: str | None, now: datetime) -> None:
        """What comes with a new thread: the first message of a post, or the announcement in the channel."""
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

    def _check_startable(self, channel_id: str, message_id: str | None) -> None:
        if message_id is None:
            return
        message = self._state.messages.get(message_id)
        if message is None or message.channel_id != channel_id:
            raise ImpossibleAction(f"no message {message_id} in {channel_id}")
        again = message.thread_started and not self._state.switches.second_thread_from_message
        if again or message_id in self._state.threads:
            raise ImpossibleAction(f"a thread was started from message {message_id} already")

    def _check_name(self, name: str) -> None:
        if not 1 <= units(name) <= _MAX_NAME:
            raise ImpossibleAction("a name has 1 to 100 characters")

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


def _is_idle(thread: Thread, now: datetime) -> bool:
    last = time_of(thread.last_message_id) if thread.last_message_id else thread.created_at
    active = max(last, thread.archive_timestamp)
    return now >= active + timedelta(minutes=thread.auto_archive_duration)
