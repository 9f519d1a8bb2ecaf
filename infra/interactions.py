"""Build what Discord sends to an interactions endpoint, with a valid signature.

The events generator, the local stack and the tests all use this. Shapes: Discord docs, "Receiving and Responding"
(interaction structure, "Security and Authorization") and "Threads". ``now`` is an aware UTC datetime; ids are strings.
"""

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from nacl.signing import SigningKey

from infra.simulator.snowflakes import TIME_SHIFT, lowest_snowflake

# For local runs: an application, its guild, a text channel there, and a member.
DEVELOPMENT_APPLICATION_ID: Final = "1100000000000000001"
DEVELOPMENT_GUILD_ID: Final = "1100000000000000002"
DEVELOPMENT_CHANNEL_ID: Final = "1100000000000000003"
DEVELOPMENT_USER_ID: Final = "1100000000000000004"

PING: Final = 1
APPLICATION_COMMAND: Final = 2
MESSAGE_COMPONENT: Final = 3
AUTOCOMPLETE: Final = 4
MODAL_SUBMIT: Final = 5
MESSAGE_COMMAND: Final = 3  # a type of command
BUTTON, SELECT, TEXT_INPUT, TEXT, LABEL = 2, 3, 4, 10, 18  # types of components
GUILD_CONTEXT: Final = 0
SUBCOMMAND: Final = 1
# Types of options, by the type of their values; an id, which is a text, counts as a text here.
_OPTION_TYPES: Final = {str: 3, int: 4, bool: 5}
THREAD_TYPES: Final = frozenset({10, 11, 12})  # of an announcement channel, public, private

# What the bot's invitation asks for (docs/deploy.md): View Audit Log 7, View Channel 10, Send Messages 11, Read Message
# History 16, Manage Threads 34, Create Public Threads 35, Create Private Threads 36, Send Messages in Threads 38.
BOT_PERMISSIONS: Final = sum(1 << bit for bit in (7, 10, 11, 16, 34, 35, 36, 38))
# What an ordinary member has: View Channel 10, Send Messages 11, Read Message History 16, Use Application Commands 31,
# Create Public Threads 35, Create Private Threads 36, Send Messages in Threads 38.
MEMBER_PERMISSIONS: Final = sum(1 << bit for bit in (10, 11, 16, 31, 35, 36, 38))
# What a user of /session-admin has: also Manage Threads 34.
MODERATOR_PERMISSIONS: Final = MEMBER_PERMISSIONS | 1 << 34


def development_key() -> SigningKey:
    """The key pair for local runs. It is published here: never give its public half to a deployed stack."""
    return SigningKey(hashlib.sha256(b"onethread: the key of local runs").digest())


def snowflake(now: datetime, low_bits: int | None = None) -> str:
    """An id of the millisecond ``now``, with these ``low_bits`` (below 2**22) or random ones."""
    if low_bits is None:
        low_bits = secrets.randbits(TIME_SHIFT)
    return str(lowest_snowflake(now) | low_bits)


def ping(
    *, interaction_id: str | None = None, application_id: str = DEVELOPMENT_APPLICATION_ID, now: datetime
) -> dict[str, Any]:
    """Discord's check that an endpoint runs and verifies signatures."""
    return {**_envelope(PING, interaction_id or snowflake(now), application_id, None), "user": _user(application_id)}


def interaction(
    name: str, *, topic: str | None = None, options: Mapping[str, Any] | None = None, **place: Any
) -> dict[str, Any]:
    """``/session open name: [topic:]`` with its other ``options``; ``place`` as for ``used_in_guild``."""
    given = {"name": name} if topic is None else {"name": name, "topic": topic}
    return command("session open", {**given, **(options or {})}, **place)


def admin_command(
    subcommand: str,
    options: Mapping[str, Any] | None = None,
    *,
    member_permissions: int = MODERATOR_PERMISSIONS,
    **place: Any,
) -> dict[str, Any]:
    """``/session-admin import``, for example; ``place`` as for ``used_in_guild``."""
    return command(f"session-admin {subcommand}", options or {}, member_permissions=member_permissions, **place)


def command(path: str, options: Mapping[str, Any], **place: Any) -> dict[str, Any]:
    """A slash command, such as ``session close``, with these options (ids of users and roles as texts); ``place`` as for ``used_in_guild``."""
    payload = used_in_guild(APPLICATION_COMMAND, **place)
    return {**payload, "data": _command(payload["application_id"], path, options)}


def autocompletion(path: str, options: Mapping[str, Any], *, focused: str = "name", **place: Any) -> dict[str, Any]:
    """The user is typing the option ``focused``; ``place`` as for ``used_in_guild``."""
    payload = used_in_guild(AUTOCOMPLETE, **place)
    data = _command(payload["application_id"], path, options)
    for option in data["options"][0]["options"]:
        option |= {"focused": True} if option["name"] == focused else {}
    return {**payload, "data": data}


def message_command(name: str, message: Mapping[str, Any], **place: Any) -> dict[str, Any]:
    """A command in the menu of ``message``; ``place`` as for ``used_in_guild``."""
    payload = used_in_guild(APPLICATION_COMMAND, **place)
    data = {"id": payload["application_id"], "name": name, "type": MESSAGE_COMMAND, "target_id": message["id"]}
    return {**payload, "data": {**data, "resolved": {"messages": {message["id"]: dict(message)}}}}


def button(
    message: Mapping[str, Any],
    *,
    custom_id: str | None = None,
    member_permissions: int = MODERATOR_PERMISSIONS,
    **place: Any,
) -> dict[str, Any]:
    """A press of a button beneath a message of the bot, by default of its first; ``place`` as for ``used_in_guild``."""
    custom_id = custom_id or next(
        part["custom_id"] for part in parts_of(message) if part["type"] == BUTTON and "custom_id" in part
    )
    return _component(message, {"component_type": BUTTON, "custom_id": custom_id}, member_permissions, place)


def selection(
    message: Mapping[str, Any],
    custom_id: str,
    values: Sequence[str],
    *,
    member_permissions: int = MODERATOR_PERMISSIONS,
    **place: Any,
) -> dict[str, Any]:
    """A choice in a select beneath a message of the bot; ``place`` as for ``used_in_guild``."""
    data = {"component_type": SELECT, "custom_id": custom_id, "values": list(values)}
    return _component(message, data, member_permissions, place)


def modal_submit(
    custom_id: str,
    fields: Mapping[str, str | Sequence[str]],
    *,
    message: Mapping[str, Any] | None = None,
    **place: Any,
) -> dict[str, Any]:
    """A modal that the user has sent; ``message``: the one whose button opened it. ``place`` as for ``used_in_guild``."""
    rows = []
    for number, (name, value) in enumerate(fields.items()):
        given = {"type": TEXT_INPUT, "value": value} if isinstance(value, str) else {"type": SELECT, "values": value}
        rows.append(
            {"type": LABEL, "id": 2 * number + 1, "component": {**given, "custom_id": name, "id": 2 * number + 2}}
        )
    payload = {**used_in_guild(MODAL_SUBMIT, **place), "data": {"custom_id": custom_id, "components": rows}}
    return payload if message is None else {**payload, "message": dict(message)}


def parts_of(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """All components of a message, those in others too, from the top."""
    for part in (*message.get("components", ()), *filter(None, [message.get("accessory")])):
        yield part
        yield from parts_of(part)


def text_of(message: Mapping[str, Any]) -> str:
    """All that a message says: its content, or the texts of a layout."""
    texts = (message["content"], *(part["content"] for part in parts_of(message) if part["type"] == TEXT))
    return "\n".join(text for text in texts if text)


def _component(
    message: Mapping[str, Any], data: Mapping[str, Any], permissions: int, place: Mapping[str, Any]
) -> dict[str, Any]:
    payload = used_in_guild(MESSAGE_COMPONENT, member_permissions=permissions, **place)
    return {**payload, "data": {**data, "id": 2}, "message": dict(message)}


def used_in_guild(
    kind: int,
    *,
    channel_id: str,
    guild_id: str,
    user_id: str,
    channel_type: int = 0,
    parent_id: str | None = None,
    app_permissions: int = BOT_PERMISSIONS,
    member_permissions: int = MEMBER_PERMISSIONS,
    interaction_id: str | None = None,
    token: str | None = None,
    application_id: str = DEVELOPMENT_APPLICATION_ID,
    roles: Sequence[str] = (),
    now: datetime,
) -> dict[str, Any]:
    """An interaction in a guild's channel, or in a thread whose channel is ``parent_id``; without its data."""
    return {
        **_envelope(kind, interaction_id or snowflake(now), application_id, token),
        "app_permissions": str(app_permissions),
        "authorizing_integration_owners": {"0": guild_id},
        "channel": _channel(channel_id, guild_id, channel_type, parent_id, member_permissions),
        "channel_id": channel_id,
        "context": GUILD_CONTEXT,
        "guild": {"features": [], "id": guild_id, "locale": "en-US"},
        "guild_id": guild_id,
        "guild_locale": "en-US",
        "locale": "en-GB",
        "member": _member(user_id, member_permissions, roles),
    }


def sign(body: bytes, key: SigningKey, now: datetime) -> dict[str, str]:
    """The headers that Discord sends with ``body``. The signature covers the timestamp and the raw body."""
    timestamp = str(int(now.timestamp()))
    signature = key.sign(timestamp.encode() + body).signature
    return {
        "Content-Type": "application/json",
        "User-Agent": "Discord-Interactions/1.0 (+https://discord.com)",
        "X-Signature-Ed25519": signature.hex(),
        "X-Signature-Timestamp": timestamp,
    }


def encode(payload: Mapping[str, Any]) -> bytes:
    """The raw body as Discord writes it: compact JSON in UTF-8."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def _envelope(kind: int, interaction_id: str, application_id: str, token: str | None) -> dict[str, Any]:
    return {
        "application_id": application_id,
        "attachment_size_limit": 10_485_760,
        "entitlements": [],
        "id": interaction_id,
        "token": token or f"made-up-interaction-token-{interaction_id}",
        "type": kind,
        "version": 1,
    }


def _command(application_id: str, path: str, options: Mapping[str, Any]) -> dict[str, Any]:
    name, subcommand = path.split()
    given = [{"name": option, "type": _OPTION_TYPES[type(value)], "value": value} for option, value in options.items()]
    return {
        "id": application_id,
        "name": name,
        "options": [{"name": subcommand, "options": given, "type": SUBCOMMAND}],
        "type": 1,
    }


def _channel(channel_id: str, guild_id: str, kind: int, parent_id: str | None, permissions: int) -> dict[str, Any]:
    """The partial channel of an interaction. For a thread it has the parent's id, not its type."""
    channel = {
        "flags": 0,
        "guild_id": guild_id,
        "id": channel_id,
        "last_message_id": None,
        "name": "thread" if kind in THREAD_TYPES else "general",
        "nsfw": False,
        "parent_id": parent_id,
        "permissions": str(permissions),
        "rate_limit_per_user": 0,
        "type": kind,
    }
    if kind not in THREAD_TYPES:
        return {**channel, "position": 0, "topic": None}
    metadata = {
        "archive_timestamp": "2026-01-01T00:00:00.000000+00:00",
        "archived": False,
        "auto_archive_duration": 4320,
        "locked": False,
    }
    return {**channel, "thread_metadata": metadata}


def _member(user_id: str, permissions: int, roles: Sequence[str]) -> dict[str, Any]:
    return {
        "avatar": None,
        "communication_disabled_until": None,
        "deaf": False,
        "flags": 0,
        "joined_at": "2024-01-01T00:00:00.000000+00:00",
        "mute": False,
        "nick": None,
        "pending": False,
        "permissions": str(permissions),
        "premium_since": None,
        "roles": list(roles),
        "user": _user(user_id),
    }


def _user(user_id: str) -> dict[str, Any]:
    return {
        "avatar": None,
        "discriminator": "0",
        "global_name": f"Person {user_id[-4:]}",
        "id": user_id,
        "public_flags": 0,
        "username": f"person{user_id[-4:]}",
    }
