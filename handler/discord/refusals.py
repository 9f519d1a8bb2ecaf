"""What Discord's refusals mean: its error codes, the permissions that each step needs, and the error that people read. Pure."""

from collections.abc import Sequence
from typing import Final, NoReturn

from handler.discord.permissions import Permission
from handler.errors import (
    DiscordRefused,
    DiscordUnavailable,
    Forbidden,
    MissingAccess,
    MissingPermissions,
    NotFound,
    OnethreadError,
    RefusedByAutoMod,
    TooManyThreads,
    UnsupportedChannel,
)

# What each step needs, in the order in which people should grant it.
NEEDED_TO_CREATE: Final = (
    Permission.VIEW_CHANNEL,
    Permission.SEND_MESSAGES,
    Permission.READ_MESSAGE_HISTORY,
    Permission.CREATE_PUBLIC_THREADS,
)
NEEDED_TO_LOOK_UP: Final = (Permission.READ_MESSAGE_HISTORY,)
NEEDED_TO_ANCHOR: Final = (Permission.SEND_MESSAGES,)
NEEDED_TO_START: Final = (Permission.CREATE_PUBLIC_THREADS,)
NEEDED_TO_UNARCHIVE: Final = (Permission.SEND_MESSAGES_IN_THREADS,)
NEEDED_TO_UNLOCK: Final = (Permission.MANAGE_THREADS,)

# Discord's JSON error codes (Discord docs, "Opcodes and Status Codes").
UNKNOWN_CHANNEL: Final = 10003
UNKNOWN_MESSAGE: Final = 10008
THREAD_ALREADY_CREATED: Final = 160004
_MISSING_ACCESS: Final = frozenset({50001, 10004})  # 10004, unknown guild: the bot is no member of it
_AUTOMOD: Final = frozenset({200000, 200001})
_TOO_MANY: Final = frozenset({160006, 160007})
_WRONG_CHANNEL_TYPE: Final = 50024


def raise_unless_gone(missing: NotFound) -> None:
    """Return if the 404 says that the channel or thread does not exist. Any other 404 is an outage: DiscordUnavailable."""
    if missing.code != UNKNOWN_CHANNEL:
        raise DiscordUnavailable(str(missing)) from missing


def raise_translation(refusal: DiscordRefused, needs: Sequence[Permission]) -> NoReturn:
    """Raise the error that people are told, for a definite refusal of a step that needs these permissions."""
    error = translate(refusal, needs)
    if error is refusal:
        raise refusal
    raise error from refusal


def translate(refusal: DiscordRefused, needs: Sequence[Permission]) -> OnethreadError:
    """The error that people are told, for a definite refusal of a step that needs these permissions."""
    if refusal.code in _MISSING_ACCESS:
        return MissingAccess(str(refusal))
    if refusal.code in _AUTOMOD:
        return RefusedByAutoMod(str(refusal))
    if refusal.code in _TOO_MANY:
        return TooManyThreads(str(refusal))
    if refusal.code == _WRONG_CHANNEL_TYPE:
        return UnsupportedChannel(str(refusal))
    if isinstance(refusal, Forbidden):
        if not needs:
            return MissingAccess(str(refusal))
        return MissingPermissions([p.name for p in needs if p.name], str(refusal))
    return refusal
