"""The effects of an action on the state, whether the bot or a person does it.

Nothing is checked here. Each function leaves counts, indices and the audit log consistent.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from infra.simulator.models import (
    ANNOUNCEMENT,
    ANNOUNCEMENT_THREAD,
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
from infra.simulator.snowflakes import TIME_SHIFT, lowest_snowflake, snowflake_time
from infra.simulator.state import State

# The fields of a thread that the audit log reports, with their names there.
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
    """Whether its threads are posts, which begin with a message of their own."""
    return channel.kind in (FORUM, MEDIA)


def thread_kind(parent: Channel, asked: int | None = None) -> int:
    """The type of a new thread. Announcement channels have their own type."""
    if parent.kind == ANNOUNCEMENT:
        return ANNOUNCEMENT_THREAD
    return PUBLIC_THREAD if asked is None or is_forum(parent) else asked


def can_start_thread(state: State, message: Message) -> bool:
    """Whether no thread has been started from the message, or it was deleted and the switch allows another one."""
    if message.id in state.threads:
        return False
    return not message.thread_started or state.switches.second_thread_from_message


def add_audit_entry(
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
    if state.switches.keep_audit_log:
        entry = AuditEntry(state.allot(now), action, by, target_id, now, changes, options, reason)
        state.audit.put(guild_id, (*(state.audit.get(guild_id) or ()), entry))


def add_thread(state: State, thread: Thread, *, now: datetime, reason: str | None = None) -> Thread:
    """Add a new thread with its creator as the first member, and mark its source message."""
    thread = replace(thread, members=((thread.owner_id, now),))
    state.put_thread(thread)
    source = state.messages.get(thread.id)
    if source is not None:
        state.messages.put(source.id, replace(source, thread_started=True))
    _audit_thread(state, THREAD_CREATE, None, thread, by=thread.owner_id, now=now, reason=reason)
    return thread


def announce_thread(state: State, thread: Thread, *, now: datetime) -> None:
    """Post the system message that the parent channel gets for a public thread without a source message."""
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
    """Set fields of a thread. Nothing happens without a change. `by` None means Discord, which leaves no audit entry."""
    changed = replace(thread, **changes)
    if changed == thread:
        return thread
    if changed.archived != thread.archived:
        changed = replace(changed, archive_timestamp=now)
    state.put_thread(changed)
    if by is not None:
        _audit_thread(state, THREAD_UPDATE, thread, changed, by=by, now=now, reason=reason)
    return changed


def remove_thread(state: State, thread: Thread, *, by: str, now: datetime, reason: str | None = None) -> None:
    """Delete a thread and the messages in it. Its source message stays."""
    drop_thread(state, thread)
    _audit_thread(state, THREAD_DELETE, thread, None, by=by, now=now, reason=reason)


def drop_thread(state: State, thread: Thread) -> None:
    """Delete a thread without an audit entry, as when its channel is deleted."""
    drop_messages(state, thread.id)
    state.drop_thread(thread)


def drop_messages(state: State, channel_id: str) -> None:
    """Delete all messages of a channel or thread without an audit entry."""
    for message in [message for message in state.messages.values() if message.channel_id == channel_id]:
        state.messages.discard(message.id)


def archived_thread(
    channel: Channel, kind: int, owner: str, name: str, archived_at: datetime, number: int, *, message_count: int
) -> Thread:
    """A thread of a long past, created a day before it was archived. `number` tells those of one moment apart."""
    created_at = archived_at - timedelta(days=1)
    return Thread(
        id=str(lowest_snowflake(created_at) + number % (1 << TIME_SHIFT)),
        guild_id=channel.guild_id,
        parent_id=channel.id,
        kind=kind,
        name=name,
        owner_id=owner,
        created_at=created_at,
        archive_timestamp=archived_at,
        archived=True,
        last_message_id=str(lowest_snowflake(created_at) + (1 << TIME_SHIFT)),
        message_count=message_count,
        total_message_sent=message_count,
        members=((owner, created_at),),
    )


def is_idle(thread: Thread, now: datetime) -> bool:
    """Whether Discord's timer may archive the thread."""
    last = snowflake_time(thread.last_message_id) if thread.last_message_id else thread.created_at
    active = max(last, thread.archive_timestamp)
    return now >= active + timedelta(minutes=thread.auto_archive_duration)


def add_message(state: State, message: Message, *, first: bool = False) -> Message:
    """Add a new message. In a thread, its author joins, an archived thread opens, and all but the `first` of a post count."""
    state.messages.put(message.id, message)
    if message.nonce is not None:
        state.nonces.put((message.author_id, message.nonce), Nonce(message.id, message.at))
    thread = state.threads.get(message.channel_id)
    if thread is None:
        return message
    # Discord docs, "Threads": a mention adds the user to the thread; in a public one it only shows it to them.
    joining = (message.author_id, *(message.mentions if thread.is_private else ()))
    new = tuple((user, message.at) for user in dict.fromkeys(joining) if not thread.has_member(user))
    joined = (*thread.members, *new)
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
    """Delete a message. A thread that was started from it stays."""
    state.messages.discard(message.id)
    thread = state.threads.get(message.channel_id)
    if thread is not None and message.id != thread.id:
        state.put_thread(replace(thread, message_count=thread.message_count - 1))
    place = thread or state.channels.get(message.channel_id)
    if place is not None and by != message.author_id:
        options = (("channel_id", message.channel_id), ("count", "1"))
        add_audit_entry(
            state, place.guild_id, MESSAGE_DELETE, message.author_id, by=by, now=now, options=options, reason=reason
        )


def _audit_thread(
    state: State,
    action: int,
    before: Thread | None,
    after: Thread | None,
    *,
    by: str,
    now: datetime,
    reason: str | None,
) -> None:
    """Report the audited fields that differ, and nothing if none does. New and deleted threads are reported without tags."""
    whole = before is None or after is None
    changes = [
        Change(key, getattr(before, name, None), getattr(after, name, None))
        for name, key in _AUDITED
        if not (whole and name == "applied_tags")
    ]
    changed = tuple(change for change in changes if change.old != change.new)
    thread = after or before
    if thread is not None and changed:
        add_audit_entry(state, thread.guild_id, action, thread.id, by=by, now=now, changes=changed, reason=reason)


def role_changes(before: Iterable[str], after: Iterable[str]) -> tuple[Change, ...]:
    """The roles that a member got and lost, as the audit log has them (Discord docs, "Audit Log", partial role)."""
    found = (("$add", set(after) - set(before)), ("$remove", set(before) - set(after)))
    return tuple(
        Change(key, None, tuple((("id", role), ("name", f"role {role}")) for role in sorted(roles)))
        for key, roles in found
        if roles
    )
