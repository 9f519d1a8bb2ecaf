"""What the bot may do (Discord docs, "Permissions")."""

from collections.abc import Iterable
from typing import Final

from infra.simulator.models import Channel, Thread
from infra.simulator.refusals import Error, Refusal
from infra.simulator.state import State

PERMISSION_BITS: Final = {
    "MANAGE_CHANNELS": 1 << 4,
    "VIEW_AUDIT_LOG": 1 << 7,
    "VIEW_CHANNEL": 1 << 10,
    "SEND_MESSAGES": 1 << 11,
    "MANAGE_MESSAGES": 1 << 13,
    "EMBED_LINKS": 1 << 14,
    "READ_MESSAGE_HISTORY": 1 << 16,
    "MENTION_EVERYONE": 1 << 17,
    "MANAGE_THREADS": 1 << 34,
    "CREATE_PUBLIC_THREADS": 1 << 35,
    "CREATE_PRIVATE_THREADS": 1 << 36,
    "SEND_MESSAGES_IN_THREADS": 1 << 38,
}
# All that a bot can need to work with threads.
DEFAULT_PERMISSIONS: Final = sum(bit for name, bit in PERMISSION_BITS.items() if name != "MANAGE_CHANNELS")


def default_permissions_without(*names: str) -> int:
    return DEFAULT_PERMISSIONS & ~permission_bits(names)


def permission_bits(permissions: int | Iterable[str]) -> int:
    """Permissions as a number, from a number or from Discord's names. Raises KeyError for an unknown name."""
    if isinstance(permissions, int):
        return permissions
    return sum(PERMISSION_BITS[name] for name in frozenset(permissions))


def allows(channel: Channel, name: str) -> bool:
    """Whether the bot has the permission in the channel. Without View Channel it has none."""
    wanted = PERMISSION_BITS[name] | PERMISSION_BITS["VIEW_CHANNEL"]
    return channel.permissions & wanted == wanted


def require(channel: Channel, *names: str) -> None:
    """Refuse with Missing Access if the bot cannot see the channel, with Missing Permissions if a named one is missing."""
    if not allows(channel, "VIEW_CHANNEL"):
        raise Refusal(Error.MISSING_ACCESS)
    if not all(allows(channel, name) for name in names):
        raise Refusal(Error.MISSING_PERMISSIONS)


def sees_thread(state: State, thread: Thread) -> bool:
    """Whether the bot sees the thread: it sees the parent, and is a member or moderator if the thread is private."""
    parent = state.channels.get(thread.parent_id)
    if parent is None or not allows(parent, "VIEW_CHANNEL"):
        return False
    return not thread.is_private or allows(parent, "MANAGE_THREADS") or thread.has_member(state.identity.bot_user_id)


def send_permission(thread: Thread | None) -> str:
    """The permission that posting needs, in a thread or in a channel."""
    return "SEND_MESSAGES" if thread is None else "SEND_MESSAGES_IN_THREADS"
