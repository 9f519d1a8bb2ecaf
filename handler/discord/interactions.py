"""An interaction as commands read it: flat, small and checked. Pure.

Discord docs, "Receiving and Responding", interaction structure. A mistyped field counts as absent: a signed payload of
any shape can be parsed, and a command that lacks a field says so in its answer.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from handler.discord import permissions, snowflakes
from handler.discord.models import THREAD_TYPES
from handler.discord.permissions import Permission
from handler.runtime.secrets import Secret

# Types of options and of commands (Discord docs, "Application Commands").
SUBCOMMAND: Final = 1
SUBCOMMAND_GROUP: Final = 2
CHAT_INPUT: Final = 1
MAX_COMMAND_DEPTH: Final = 3  # command, group, subcommand
MESSAGE_COMMAND: Final = 3  # in the menu of a message
# Types of interactions (Discord docs, "Receiving and Responding").
MESSAGE_COMPONENT: Final = 3  # a button or a select
MODAL_SUBMIT: Final = 5
EPHEMERAL: Final = 1 << 6  # flag of a message that only its reader sees (Discord docs, "Message")
LAYOUT: Final = 1 << 15  # flag of a message made of components alone (Discord docs, "Message", IS_COMPONENTS_V2)
MAX_CUSTOM_ID: Final = 100  # characters (Discord docs, "Components")
MAX_ROLES: Final = 250  # of a server (Discord's support article "Account Caps, Server Caps, and More")
MAX_VALUES: Final = 25  # of a select or a modal (Discord docs, "Components")
# The first part of a path that is no slash command's: none has such a name.
BUTTON: Final = "button"  # a select too
MODAL: Final = "modal"
MENU: Final = "menu"  # a message command
MAX_NUMBER: Final = 2**63  # queue messages hold 64-bit integers; permissions and options are far smaller

Value = str | int | float | bool


class Target(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The message in whose menu a command was used."""

    id: str
    author_id: str | None = None
    content: str = ""
    thread_id: str | None = None  # of the thread that was started from it
    thread_name: str | None = None


class Interaction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who used which command, button, select or modal, and where."""

    id: str
    token: Secret
    type: int
    # ("session", "open") for a command, ("menu", name) for a message command, ("button", name) for a button or select,
    # ("modal", name) for a modal.
    path: tuple[str, ...] = ()
    options: dict[str, Value] = {}  # of a command, by name
    focused: str | None = None  # the option that the user is typing, in an autocompletion
    values: tuple[str, ...] = ()  # what was chosen in a select
    fields: dict[str, tuple[str, ...]] = {}  # of a modal, by `custom_id`: the text, or what was chosen
    target: Target | None = None  # of a message command
    guild_id: str | None = None
    channel_id: str | None = None  # where it was used; it may be a thread
    channel_type: int | None = None
    parent_id: str | None = None  # the parent of that channel
    user_id: str | None = None
    user_name: str | None = None  # as in Discord's profiles, not the name that a server shows
    user_roles: frozenset[str] = frozenset()  # ids
    user_permissions: int | None = None  # the user's permission bits in that channel
    app_permissions: int | None = None  # the bot's
    custom_id: str | None = None  # of a button, select or modal: "name:argument"
    message_id: str | None = None  # of a button or select, and of the modal that it opened: the message that has it
    message_flags: int = EPHEMERAL  # of that message
    message_content: str = ""
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
    def replaces_message(self) -> bool:
        """Whether its answer replaces the message that has the button or select: one that only the user sees."""
        return self.message_id is not None and bool(self.message_flags & EPHEMERAL)

    @property
    def by_moderator(self) -> bool:
        """Whether the user has Manage Threads where it was used."""
        return permissions.has(self.user_permissions or 0, Permission.MANAGE_THREADS)

    @property
    def of_layout(self) -> bool:
        """Whether that message is a layout, which it then stays."""
        return self.replaces_message and bool(self.message_flags & LAYOUT)

    @property
    def argument(self) -> str:
        """The argument in the `custom_id` of the button, select or modal."""
        return (self.custom_id or "").partition(":")[2]

    def text(self, name: str) -> str | None:
        """The text that was typed in a modal's field, or the option of that name; None if there is none."""
        value = self.fields[name][0] if self.fields.get(name) else self.options.get(name)
        return value if isinstance(value, str) else None

    def flag(self, name: str) -> bool | None:
        """The option of that name, if it is yes or no."""
        value = self.options.get(name)
        return value if isinstance(value, bool) else None


def parse(payload: Mapping[str, Any]) -> Interaction | None:
    """The interaction in a signed payload; None if it lacks the id or token that an answer needs."""
    interaction_id, token, kind = _snowflake(payload, "id"), payload.get("token"), payload.get("type")
    if interaction_id is None or not isinstance(token, str) or not token or not isinstance(kind, int):
        return None
    channel, member = _object(payload, "channel"), _object(payload, "member")
    data, user, message = _object(payload, "data"), _object(member, "user"), _object(payload, "message")
    custom_id = _custom_id(data) if kind in (MESSAGE_COMPONENT, MODAL_SUBMIT) else None
    path, options, focused = _path(kind, data, custom_id)
    return Interaction(
        id=interaction_id,
        token=Secret(token),
        type=kind,
        path=path,
        options=options,
        focused=focused,
        values=_texts(data.get("values")) if kind == MESSAGE_COMPONENT else (),
        fields=dict(_fields(data)) if kind == MODAL_SUBMIT else {},
        target=_target(data) if path[:1] == (MENU,) else None,
        guild_id=_snowflake(payload, "guild_id"),
        channel_id=_snowflake(channel, "id") or _snowflake(payload, "channel_id"),
        channel_type=_number(channel.get("type")),
        parent_id=_snowflake(channel, "parent_id"),
        user_id=_snowflake(user, "id"),
        user_name=name if isinstance(name := user.get("username"), str) else None,
        user_roles=frozenset(role for role in _texts(member.get("roles"), MAX_ROLES) if snowflakes.is_snowflake(role)),
        user_permissions=_permissions(member, "permissions"),
        app_permissions=_permissions(payload, "app_permissions"),
        custom_id=custom_id,
        message_id=_snowflake(message, "id") if custom_id is not None else None,
        message_flags=flags if isinstance(flags := _number(message.get("flags")), int) else EPHEMERAL,
        message_content=content if isinstance(content := message.get("content"), str) else "",
    )


def _custom_id(data: Mapping[str, Any]) -> str | None:
    custom_id = data.get("custom_id")
    return custom_id if isinstance(custom_id, str) and 0 < len(custom_id) <= MAX_CUSTOM_ID else None


def _path(
    kind: int, data: Mapping[str, Any], custom_id: str | None
) -> tuple[tuple[str, ...], dict[str, Value], str | None]:
    """The path, the options, and the name of the one that is being typed."""
    if custom_id is not None:
        return (MODAL if kind == MODAL_SUBMIT else BUTTON, custom_id.partition(":")[0]), {}, None
    name = data.get("name")
    if kind in (MESSAGE_COMPONENT, MODAL_SUBMIT) or not isinstance(name, str):
        return (), {}, None
    if (command_type := data.get("type", CHAT_INPUT)) != CHAT_INPUT:
        return ((MENU, name) if command_type == MESSAGE_COMMAND else ()), {}, None
    path, level = [name], data
    while len(path) < MAX_COMMAND_DEPTH:
        inner = next((o for o in _options(level) if o.get("type") in (SUBCOMMAND, SUBCOMMAND_GROUP)), None)
        if inner is None:
            break
        path.append(inner["name"])
        level = inner
    given = {o["name"]: o["value"] for o in _options(level) if _is_value(o.get("value"))}
    return tuple(path), given, next((o["name"] for o in _options(level) if o.get("focused") is True), None)


def _target(data: Mapping[str, Any]) -> Target | None:
    message_id = _snowflake(data, "target_id")
    if message_id is None:
        return None
    message = _object(_object(_object(data, "resolved"), "messages"), message_id)
    thread = _object(message, "thread")
    return Target(
        id=message_id,
        author_id=_snowflake(_object(message, "author"), "id"),
        content=content if isinstance(content := message.get("content"), str) else "",
        thread_id=_snowflake(thread, "id"),
        thread_name=name if isinstance(name := thread.get("name"), str) else None,
    )


def _fields(data: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The fields of a modal: each in a label of its own, or in an action row as older clients have it."""
    for row in _objects(data.get("components")):
        for field in (_object(row, "component"), *_objects(row.get("components"))):
            if (custom_id := _custom_id(field)) is not None:
                value = field.get("value")
                yield custom_id, (value,) if isinstance(value, str) else _texts(field.get("values"))


def _texts(value: object, most: int = MAX_VALUES) -> tuple[str, ...]:
    return tuple(text for text in value[:most] if isinstance(text, str)) if isinstance(value, list) else ()


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    yield from (part for part in value[:MAX_VALUES] if isinstance(part, dict)) if isinstance(value, list) else ()


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
