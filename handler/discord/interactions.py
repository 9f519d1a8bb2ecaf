"""An interaction as commands read it: flat, small and checked. Pure.

Discord docs, "Receiving and Responding", interaction structure. A mistyped field counts as absent: a signed payload of
any shape can be parsed, and a command that lacks a field says so in its answer.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from handler.discord import permissions, snowflakes
from handler.discord.models import THREAD_TYPES
from handler.runtime.secrets import Secret

# Types of options and of commands (Discord docs, "Application Commands").
SUBCOMMAND: Final = 1
SUBCOMMAND_GROUP: Final = 2
CHAT_INPUT: Final = 1
MAX_COMMAND_DEPTH: Final = 3  # command, group, subcommand
MESSAGE_COMPONENT: Final = 3  # an interaction from a button (Discord docs, "Receiving and Responding")
MAX_CUSTOM_ID: Final = 100  # characters (Discord docs, "Components")
BUTTON: Final = "button"  # the first part of a button's path: no command has that name
MAX_NUMBER: Final = 2**63  # queue messages hold 64-bit integers; permissions and options are far smaller

Value = str | int | float | bool


class Interaction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who used which command or button, and where."""

    id: str
    token: Secret
    type: int
    path: tuple[str, ...] = ()  # ("session", "open") for a command; ("button", name) for a button
    options: dict[str, Value] = {}  # of a command, by name
    guild_id: str | None = None
    channel_id: str | None = None  # where it was used; it may be a thread
    channel_type: int | None = None
    parent_id: str | None = None  # the parent of that channel
    user_id: str | None = None
    user_name: str | None = None  # as in Discord's profiles, not the name that a server shows
    user_permissions: int | None = None  # the user's permission bits in that channel
    app_permissions: int | None = None  # the bot's
    custom_id: str | None = None  # of a button: "name:argument"
    message_id: str | None = None  # of a button: the message that it belongs to
    done_before: dict[str, int] = {}  # counts of what earlier attempts did; only jobs have it

    @property
    def name(self) -> str:
        """The command as users type it, for logs."""
        if self.custom_id is not None:
            return " ".join(self.path)
        return "/" + " ".join(self.path) if self.path else f"interaction of type {self.type}"

    @property
    def in_thread(self) -> bool:
        """Whether it was used in a thread."""
        return self.channel_type in THREAD_TYPES

    @property
    def is_button(self) -> bool:
        """Whether it came from a button: its answer replaces the button's message."""
        return self.custom_id is not None

    @property
    def button_argument(self) -> str:
        """The argument in the button's `custom_id`."""
        return (self.custom_id or "").partition(":")[2]


def parse(payload: Mapping[str, Any]) -> Interaction | None:
    """The interaction in a signed payload; None if it lacks the id or token that an answer needs."""
    interaction_id, token, kind = _snowflake(payload, "id"), payload.get("token"), payload.get("type")
    if interaction_id is None or not isinstance(token, str) or not token or not isinstance(kind, int):
        return None
    channel, member = _object(payload, "channel"), _object(payload, "member")
    data, user = _object(payload, "data"), _object(member, "user")
    custom_id = _custom_id(data) if kind == MESSAGE_COMPONENT else None
    path, options = _command(data) if custom_id is None else ((BUTTON, custom_id.partition(":")[0]), {})
    return Interaction(
        id=interaction_id,
        token=Secret(token),
        type=kind,
        path=path,
        options=options,
        guild_id=_snowflake(payload, "guild_id"),
        channel_id=_snowflake(channel, "id") or _snowflake(payload, "channel_id"),
        channel_type=_number(channel.get("type")),
        parent_id=_snowflake(channel, "parent_id"),
        user_id=_snowflake(user, "id"),
        user_name=name if isinstance(name := user.get("username"), str) else None,
        user_permissions=_permissions(member, "permissions"),
        app_permissions=_permissions(payload, "app_permissions"),
        custom_id=custom_id,
        message_id=_snowflake(_object(payload, "message"), "id"),
    )


def _custom_id(data: Mapping[str, Any]) -> str | None:
    custom_id = data.get("custom_id")
    return custom_id if isinstance(custom_id, str) and 0 < len(custom_id) <= MAX_CUSTOM_ID else None


def _command(data: Mapping[str, Any]) -> tuple[tuple[str, ...], dict[str, Value]]:
    name = data.get("name")
    if not isinstance(name, str) or data.get("type", CHAT_INPUT) != CHAT_INPUT:
        return (), {}
    path, level = [name], data
    while len(path) < MAX_COMMAND_DEPTH:
        inner = next((o for o in _options(level) if o.get("type") in (SUBCOMMAND, SUBCOMMAND_GROUP)), None)
        if inner is None:
            break
        path.append(inner["name"])
        level = inner
    return tuple(path), {o["name"]: o["value"] for o in _options(level) if _is_value(o.get("value"))}


def _options(level: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    options = level.get("options")
    for option in options if isinstance(options, list) else []:
        if isinstance(option, dict) and isinstance(option.get("name"), str):
            yield option


def _is_value(value: object) -> bool:
    return isinstance(value, str | float | bool) or _number(value) is not None


def _object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def _snowflake(parent: Mapping[str, Any], name: str) -> str | None:
    value = parent.get(name)
    return value if isinstance(value, str) and snowflakes.is_snowflake(value) else None


def _number(value: object) -> int | None:
    return value if type(value) is int and -MAX_NUMBER <= value < MAX_NUMBER else None


def _permissions(parent: Mapping[str, Any], name: str) -> int | None:
    value = parent.get(name)
    if not isinstance(value, str) or len(value) > snowflakes.MAX_DIGITS:
        return None
    try:
        return _number(permissions.parse(value))
    except ValueError:
        return None
