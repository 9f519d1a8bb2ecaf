"""An interaction as commands read it: flat, small, and made of checked parts only. Pure.

Discord docs, "Receiving and Responding", interaction structure. What is missing or mistyped counts as absent: a signed
payload of any shape can be read, and what a command then lacks it says in its answer.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from handler.discord import permissions, snowflakes
from handler.runtime.secrets import Secret

# Types of options and of commands (Discord docs, "Application Commands").
SUBCOMMAND: Final = 1
SUBCOMMAND_GROUP: Final = 2
CHAT_INPUT: Final = 1
MAX_COMMAND_DEPTH: Final = 3  # command, group, subcommand
MESSAGE_COMPONENT: Final = 3  # an interaction by a button (Discord docs, "Receiving and Responding")
MAX_CUSTOM_ID: Final = 100  # characters (Discord docs, "Components")
BUTTON: Final = "button"  # before a button's own name in a path: no command is called so
MAX_NUMBER: Final = 2**63  # what queue messages can carry; permissions and options stay far below

Value = str | int | float | bool


class Interaction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who used what, where.

    `path` is the command with its groups and subcommand, ``("session", "open")``. `channel_type` and `parent_id` are
    those of the channel in which it was used, which may be a thread. `user_permissions` and `app_permissions` are the
    bits in that channel. Of a button `path` is ``("button", name)``: its `custom_id` is ``name:argument``, and `message_id`
    the message under which it stands. `done_before` is what former receives of the same interaction have done; only jobs have
    it.
    """

    id: str
    token: Secret
    type: int
    path: tuple[str, ...] = ()
    options: dict[str, Value] = {}
    guild_id: str | None = None
    channel_id: str | None = None
    channel_type: int | None = None
    parent_id: str | None = None
    user_id: str | None = None
    user_permissions: int | None = None
    app_permissions: int | None = None
    custom_id: str | None = None
    message_id: str | None = None
    done_before: dict[str, int] = {}

    @property
    def name(self) -> str:
        """The command as people type it, for logs."""
        if self.custom_id is not None:
            return " ".join(self.path)
        return "/" + " ".join(self.path) if self.path else f"interaction of type {self.type}"

    @property
    def is_button(self) -> bool:
        """Whether it came from a button: its answer replaces the message under which that stands."""
        return self.custom_id is not None

    @property
    def button_argument(self) -> str:
        """What the button's `custom_id` carries."""
        return (self.custom_id or "").partition(":")[2]


def parse(payload: Mapping[str, Any]) -> Interaction | None:
    """The interaction in a signed payload; None if it cannot even be answered later, for want of an id or a token."""
    interaction_id, token, kind = _snowflake(payload, "id"), payload.get("token"), payload.get("type")
    if interaction_id is None or not isinstance(token, str) or not token or not isinstance(kind, int):
        return None
    channel, member = _object(payload, "channel"), _object(payload, "member")
    data = _object(payload, "data")
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
        user_id=_snowflake(_object(member, "user"), "id"),
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
