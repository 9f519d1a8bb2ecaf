"""Models as Discord's JSON (Discord docs, "Channel", "Message", "User", "Audit Log")."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, Final

import msgspec

from infra.simulator.models import HAS_THREAD, AuditEntry, Change, Channel, Guild, Message, Thread, User
from infra.simulator.snowflakes import timestamp
from infra.simulator.state import State

# The count of members stops at this number (Discord docs, "Channel").
_MAX_MEMBER_COUNT: Final = 50


def user(state: State, user_id: str) -> dict[str, Any]:
    """A user. Without `add_user`, the name is made of the id."""
    known = state.users.get(user_id) or User(user_id, f"user{user_id}")
    rendered = {
        "id": user_id,
        "username": known.name,
        "avatar": None,
        "discriminator": "0",
        "public_flags": 0,
        "flags": 0,
        "global_name": None,
        "primary_guild": None,
    }
    return {**rendered, "bot": True} if known.bot else rendered


def channel(state: State, channel: Channel) -> dict[str, Any]:
    """A channel that is not a thread. Unlike Discord, it never names a deleted message as the last one."""
    posted = [int(message.id) for message in state.messages.values() if message.channel_id == channel.id]
    rendered: dict[str, Any] = {
        "id": channel.id,
        "type": channel.kind,
        "last_message_id": str(max(posted)) if posted else None,
        "flags": channel.flags,
        "guild_id": channel.guild_id,
        "name": channel.name,
        "parent_id": None,
        "rate_limit_per_user": 0,
        "topic": None,
        "position": 0,
        "permission_overwrites": _overwrites(state, channel),
        "nsfw": False,
    }
    if channel.tags:
        rendered["available_tags"] = [
            {"id": tag, "name": name, "moderated": tag in channel.moderated_tags, "emoji_id": None, "emoji_name": None}
            for tag, name in channel.tags
        ]
    return rendered


def everyone(guild: Guild) -> dict[str, Any]:
    """The role of all members, which has the guild's id (Discord docs, "Permissions"). Here it is what the bot may do."""
    flags = dict.fromkeys(("hoist", "managed", "mentionable"), False)
    looks = {"position": 0, "color": 0, "icon": None, "unicode_emoji": None, "flags": 0, "description": None}
    colors = {"primary_color": 0, "secondary_color": None, "tertiary_color": None}
    return {
        "id": guild.id,
        "name": "@everyone",
        "permissions": str(guild.permissions),
        **flags,
        **looks,
        "colors": colors,
    }


def _overwrites(state: State, channel: Channel) -> list[dict[str, Any]]:
    """How the channel differs from the guild for the bot, as an overwrite of its own (Discord docs, "Channel", Overwrite)."""
    guild = state.guilds.get(channel.guild_id)
    if guild is None or guild.permissions == channel.permissions:
        return []
    allowed, denied = channel.permissions & ~guild.permissions, guild.permissions & ~channel.permissions
    return [{"id": state.identity.bot_user_id, "type": 1, "allow": str(allowed), "deny": str(denied)}]


def thread_member(thread: Thread, user_id: str) -> dict[str, Any] | None:
    """The membership of a user; None if the user is not a member."""
    for member, joined in thread.members:
        if member == user_id:
            return {"id": thread.id, "user_id": user_id, "join_timestamp": timestamp(joined), "flags": 0}
    return None


def thread(thread: Thread, *, member_of: str | None = None) -> dict[str, Any]:
    """A thread, with the membership of the user `member_of`, if any."""
    metadata: dict[str, Any] = {
        "archived": thread.archived,
        "archive_timestamp": timestamp(thread.archive_timestamp),
        "auto_archive_duration": thread.auto_archive_duration,
        "locked": thread.locked,
        "create_timestamp": timestamp(thread.created_at),
    }
    if thread.is_private:
        metadata["invitable"] = thread.invitable
    rendered: dict[str, Any] = {
        "id": thread.id,
        "type": thread.kind,
        "last_message_id": thread.last_message_id,
        "flags": thread.flags,
        "guild_id": thread.guild_id,
        "name": thread.name,
        "parent_id": thread.parent_id,
        "rate_limit_per_user": thread.rate_limit_per_user,
        "bitrate": 64000,
        "user_limit": 0,
        "rtc_region": None,
        "owner_id": thread.owner_id,
        "thread_metadata": metadata,
        "message_count": thread.message_count,
        "member_count": min(len(thread.members), _MAX_MEMBER_COUNT),
        "total_message_sent": thread.total_message_sent,
    }
    if thread.applied_tags:
        rendered["applied_tags"] = list(thread.applied_tags)
    if member_of is not None and (member := thread_member(thread, member_of)) is not None:
        rendered["member"] = member
    return rendered


def message(state: State, message: Message) -> dict[str, Any]:
    """A message as the bot may read it: without the privileged intent, other people's words are empty."""
    bot = state.identity.bot_user_id
    readable = state.switches.message_content or message.author_id == bot or bot in message.mentions
    started = state.threads.get(message.id) if message.thread_started else None
    rendered: dict[str, Any] = {
        "type": message.kind,
        "content": message.content if readable else "",
        "mentions": [user(state, mentioned) for mentioned in message.mentions],
        "mention_roles": [],
        "attachments": [],
        "embeds": embeds(_decoded(message.embeds)) if readable else [],
        "timestamp": timestamp(message.at),
        "edited_timestamp": timestamp(message.edited_at) if message.edited_at else None,
        "flags": message.flags | (HAS_THREAD if started else 0),
        "components": components(_decoded(message.components)) if readable else [],
        "id": message.id,
        "channel_id": message.channel_id,
        "author": user(state, message.author_id),
        "pinned": False,
        "mention_everyone": message.mention_everyone,
        "tts": False,
    }
    if started is not None:
        rendered["thread"] = thread(started)
    if message.replies_to is not None:
        reference = {"type": 0, "channel_id": message.channel_id, "message_id": message.replies_to}
        rendered["message_reference"] = reference
    elif message.reference is not None:
        rendered["message_reference"] = {"type": 0, "channel_id": message.reference}
    return rendered


def member(state: State, user_id: str, roles: Sequence[str]) -> dict[str, Any]:
    """A member of a guild."""
    return {
        "avatar": None,
        "banner": None,
        "communication_disabled_until": None,
        "deaf": False,
        "flags": 0,
        "joined_at": "2024-01-01T00:00:00.000000+00:00",
        "mute": False,
        "nick": None,
        "pending": False,
        "premium_since": None,
        "roles": list(roles),
        "user": user(state, user_id),
    }


def embeds(sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Embeds as Discord returns them: each with its type."""
    return [{"type": "rich", **embed} for embed in sent]


def components(sent: list[dict[str, Any]], numbers: Iterator[int] | None = None) -> list[dict[str, Any]]:
    """Components as Discord returns them: numbered through the message, parents before children."""
    numbers = numbers or count(1)
    numbered = []
    for component in sent:
        shown = {**component, "id": component.get("id") or next(numbers)}
        if "components" in component:
            shown["components"] = components(component["components"], numbers)
        numbered.append(shown)
    return numbered


def _new_value(change: Change) -> Any:
    """Roles that were given or taken away are objects with id and name (Discord docs, "Audit Log", partial role)."""
    return [dict(role) for role in change.new] if change.key.startswith("$") else change.new


def audit_entry(entry: AuditEntry) -> dict[str, Any]:
    """An entry of the audit log."""
    rendered: dict[str, Any] = {
        "id": entry.id,
        "action_type": entry.action,
        "user_id": entry.user_id,
        "target_id": entry.target_id,
    }
    if entry.changes:
        rendered["changes"] = [
            {
                "key": change.key,
                **({} if change.old is None else {"old_value": change.old}),
                **({} if change.new is None else {"new_value": _new_value(change)}),
            }
            for change in entry.changes
        ]
    if entry.options:
        rendered["options"] = dict(entry.options)
    if entry.reason is not None:
        rendered["reason"] = entry.reason
    return rendered


def entry(state: State, entry_id: str, rendered: dict[str, Any]) -> Any:
    """An entry of a list, in another shape if a switch says so."""
    odd = dict(state.switches.odd_entries).get(entry_id)
    return rendered if odd is None else msgspec.json.decode(odd)


def _decoded(array: bytes) -> Any:
    return [] if array == b"[]" else msgspec.json.decode(array)
