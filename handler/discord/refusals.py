"""What Discord's refusals mean: its error codes, the permissions that each step needs, the error to report. Pure.

Codes: Discord docs, "Opcodes and Status Codes", JSON.
"""

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

# The permissions that each step needs, in the order in which people should grant them.
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

UNKNOWN_CHANNEL: Final = 10003  # the channel or thread does not exist
UNKNOWN_MESSAGE: Final = 10008  # the message does not exist
THREAD_ALREADY_CREATED: Final = 160004  # a thread was already started from this message
_UNKNOWN_GUILD: Final = 10004  # the bot is not a member of the guild
_MISSING_ACCESS: Final = 50001  # the bot cannot see the channel or thread
_WRONG_CHANNEL_TYPE: Final = 50024  # this type of channel cannot do that
_TOO_MANY_THREADS: Final = 160006  # the guild has as many active threads as it may have
_TOO_MANY_ANNOUNCEMENT_THREADS: Final = 160007  # the same, for threads in announcement channels
_MESSAGE_REFUSED_BY_AUTOMOD: Final = 200000  # AutoMod blocked the message
_TITLE_REFUSED_BY_AUTOMOD: Final = 200001  # AutoMod blocked the thread's name

_ERROR_BY_CODE: Final[dict[int, type[OnethreadError]]] = {
    _UNKNOWN_GUILD: MissingAccess,
    _MISSING_ACCESS: MissingAccess,
    _WRONG_CHANNEL_TYPE: UnsupportedChannel,
    _TOO_MANY_THREADS: TooManyThreads,
    _TOO_MANY_ANNOUNCEMENT_THREADS: TooManyThreads,
    _MESSAGE_REFUSED_BY_AUTOMOD: RefusedByAutoMod,
    _TITLE_REFUSED_BY_AUTOMOD: RefusedByAutoMod,
}


def raise_unless_gone(missing: NotFound) -> None:
    """Return if the 404 says that the channel or thread does not exist. Any other 404 is an outage: DiscordUnavailable."""
    if missing.code != UNKNOWN_CHANNEL:
        raise DiscordUnavailable(str(missing)) from missing


def raise_translation(refusal: DiscordRefused, needs: Sequence[Permission]) -> NoReturn:
    """Raise what `translate` returns."""
    error = translate(refusal, needs)
    if error is refusal:
        raise refusal
    raise error from refusal


def translate(refusal: DiscordRefused, needs: Sequence[Permission]) -> OnethreadError:
    """The error to report for the refusal of a step that needs these permissions; the refusal itself if none fits."""
    if (error := _ERROR_BY_CODE.get(refusal.code)) is not None:
        return error(str(refusal))
    if not isinstance(refusal, Forbidden):
        return refusal
    if not needs:
        return MissingAccess(str(refusal))
    return MissingPermissions([p.name for p in needs if p.name], str(refusal))
