"""Permission bits, and which of them are missing. Pure.

Discord docs, "Permissions". Names are Discord's constants. Discord sends the bits as decimal text, because there are more than 32.
"""

from collections.abc import Iterable
from enum import IntFlag


class Permission(IntFlag):
    """The permissions that this project uses."""

    ADMINISTRATOR = 1 << 3  # implies all others
    VIEW_AUDIT_LOG = 1 << 7
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    EMBED_LINKS = 1 << 14
    READ_MESSAGE_HISTORY = 1 << 16
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38


def parse(text: str) -> int:
    """The bits in a decimal text, as in `app_permissions`. Raises ValueError."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError("permissions are a decimal number")
    return int(text)


def has(granted: int, permission: Permission) -> bool:
    """Whether this permission is granted, directly or by ADMINISTRATOR."""
    return bool(granted & (permission | Permission.ADMINISTRATOR))


def missing(granted: int, needed: Iterable[Permission]) -> list[str]:
    """The names of those that are needed and not granted, lowest bit first."""
    lacking = sorted({permission for permission in needed if not has(granted, permission)})
    return [permission.name or "" for permission in lacking]
