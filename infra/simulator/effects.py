"""What an act does to the world, whoever does it: the bot through a request, a person by hand.

Nothing is checked here. Each function leaves the world whole: counts, indices and the audit log agree afterwards.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from infra.simulator.models import (
    ANNOUNCEMENT,
    FORUM,
    MEDIA,
    MESSAGE_DELETE,
    PUBLIC_THREAD,
    THREAD_CREATE,
    THREAD_CREATED,
    THREAD_DELETE,
    THREAD_UPDATE,
    AuditEntry,
    Change,
    Channel,
    Message,
    Nonce,
    Thread,
)
from infra.simulator.state import State

# The fields of a thread that the audit log tells of, with their names there.
_AUDITED: Final = (
    ("name", "name"),
    ("kind", "type"),
    ("archived", "archived"),
    ("locked", "locked"),
    ("auto_archive_duration", "auto_archive_duration"),
    ("rate_limit_per_user", "rate_limit_per_user"),
    ("flags", "flags"),
    ("applied_tags", "applied_tags"),
)


def is_forum(channel: Channel) -> bool:
    """Whether its children are posts: threads that begin with a message of their own."""
    return channel.kind in (FORUM, MEDIA)


def record(
    state: State,
    guild_id: str,
    action: int,
    target_id: str,
    *,
    by: str,
    now: datetime,
    changes: tuple[Change, ...] = (),
    options: tuple[tuple[str, str], ...] = (),
    reason: str | None = None,
) -> None:
    """Adds an entry to the guild's audit log."""
    if state.switches.keep_audit_log:
        entry = AuditEntry(state.allot(now), action, by, target_id, now, changes, options, reason)
        state.audit.put(guild_id, (*(state.audit.get(guild_id) or ()), entry))


def add_thread(state: State, thread: Thread, *, now: datetime, reason: str | None = None) -> Thread:
    """A new thread, its creator being its first member; the message that it was started from remembers it."""
    thread = replace(thread, members=((thread.owner_id, now),))
    state.put_thread(thread)
    source = state.messages.get(thread.id)
    if source is not None:
        state.messages.put(source.id, replace(source, thread_started=True))
    changes = tuple(Change(key, None, getattr(thread, name)) for name, key in _AUDITED if name != "applied_tags")
    record(
        state, thread.guild_id, THREAD_CREATE, thread.id, by=thread.owner_id, now=now, changes=changes, reason=reason
    )
    return thread


def announce_thread(state: State, thread: Thread, *, now: datetime) -> None:
    """The system message that stands in the parent channel for a public thread that was started from no message."""
    if thread.kind == PUBLIC_THREAD:
        message = Message(
            state.allot(now),
            thread.parent_id,
            thread.owner_id,
            thread.name,
            now,
            kind=THREAD_CREATED,
            reference=thread.id,
        )
        state.messages.put(message.id, message)


def change_thread(
    state: State,
    thread: Thread,
    *,
    by: str | None,
    now: datetime,
    reason: str | None = None,
    **changes: Any,
) -> Thread:
    """Sets fields of a thread. What does not change leaves no trace; `by` None stands for Discord, which leaves none ever."""
    changed = replace(thread, **changes)
    if changed == thread:
        return thread
    if changed.archived != thread.archived:
        changed = replace(changed, archive_timestamp=now)
    state.put_thread(changed)
    seen = tuple(
        Change(key, getattr(thread, name), getattr(changed, name))
        for name, key in _AUDITED
        if getattr(thread, name) != getattr(changed, name)
    )
    if by is not None and seen:
        record(state, thread.guild_id, THREAD_UPDATE, thread.id, by=by, now=now, changes=seen, reason=reason)
    return changed


def remove_thread(state: State, thread: Thread, *, by: str, now: datetime, reason: str | None = None) -> None:
    """A thread goes with all that was said in it. The message that it was started from stays."""
    drop_thread(state, thread)
    changes = tuple(Change(key, getattr(thread, name), None) for name, key in _AUDITED if name != "applied_tags")
    record(state, thread.guild_id, THREAD_DELETE, thread.id, by=by, now=now, changes=changes, reason=reason)


def drop_thread(state: State, thread: Thread) -> None:
    """A thread goes without a word in the audit log, as when its channel goes."""
    for message in [message for message in state.messages.values() if message.channel_id == thread.id]:
        state.messages.drop(message.id)
    state.drop_thread(thread)


def add_message(state: State, message: Message, *, first: bool = False) -> Message:
    """A new message. In a thread it counts, its author joins, and an archived thread opens; the `first` of a post counts not."""
    state.messages.put(message.id, message)
    if message.nonce is not None:
        state.nonces.put((message.author_id, message.nonce), Nonce(message.id, message.at))
    thread = state.threads.get(message.channel_id)
    if thread is None:
        return message
    joined = (
        thread.members if thread.has_member(message.author_id) else (*thread.members, (message.author_id, message.at))
    )
    changed = replace(
        thread,
        last_message_id=message.id,
        message_count=thread.message_count + (not first),
        total_message_sent=thread.total_message_sent + (not first),
        members=joined,
        archived=False,
        archive_timestamp=message.at if thread.archived else thread.archive_timestamp,
    )
    state.put_thread(changed)
    return message


def remove_message(state: State, message: Message, *, by: str, now: datetime, reason: str | None = None) -> None:
    """A message goes; a thread that was started from it stays."""
    state.messages.drop(message.id)
    thread = state.threads.get(message.channel_id)
    if thread is not None and message.id != thread.id:
        state.put_thread(replace(thread, message_count=thread.message_count - 1))
    place = thread or state.channels.get(message.channel_id)
    if place is not None and by != message.author_id:
        options = (("channel_id", message.channel_id), ("count", "1"))
        record(state, place.guild_id, MESSAGE_DELETE, message.author_id, by=by, now=now, options=options, reason=reason)


def thread_kind(parent: Channel, asked: int | None = None) -> int:
    """The type of a thread of that parent: announcement channels have their own."""
    if parent.kind == ANNOUNCEMENT:
        return 10
    return PUBLIC_THREAD if asked is None or is_forum(parent) else asked
