"""What Discord's refusals mean: its error codes, the permissions that each step needs, the error to report. Pure.

Codes: Discord docs, "Opcodes and Status Codes", JSON: all that the routes of threads, messages and webhooks can answer
and that mean more than their number says.
"""

from collections.abc import Sequence
from typing import Final, NoReturn

from handler.discord.permissions import Permission, missing
from handler.errors import (
    DiscordRefused,
    DiscordUnavailable,
    InvalidName,
    InvalidRequest,
    MissingAccess,
    MissingPermissions,
    NotFound,
    OnethreadError,
    RefusedByAutoMod,
    ThreadLocked,
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
NEEDED_TO_POST: Final = (Permission.VIEW_CHANNEL, Permission.SEND_MESSAGES, Permission.READ_MESSAGE_HISTORY)
NEEDED_TO_CREATE_PRIVATE: Final = (
    Permission.VIEW_CHANNEL,
    Permission.READ_MESSAGE_HISTORY,
    Permission.CREATE_PRIVATE_THREADS,
    Permission.SEND_MESSAGES_IN_THREADS,  # to describe the session, and to add members
)
NEEDED_TO_LOOK_UP: Final = (Permission.READ_MESSAGE_HISTORY,)
NEEDED_TO_ANCHOR: Final = (Permission.SEND_MESSAGES,)
NEEDED_TO_START: Final = (Permission.CREATE_PUBLIC_THREADS,)
NEEDED_TO_UNARCHIVE: Final = (Permission.SEND_MESSAGES_IN_THREADS,)
NEEDED_TO_UNLOCK: Final = (Permission.MANAGE_THREADS,)
NEEDED_TO_CLOSE: Final = (Permission.SEND_MESSAGES_IN_THREADS, Permission.MANAGE_THREADS)
NEEDED_TO_ADD: Final = (Permission.SEND_MESSAGES_IN_THREADS,)
NEEDED_TO_REMOVE: Final = (Permission.MANAGE_THREADS,)

UNKNOWN_CHANNEL: Final = 10003  # the channel or thread does not exist
UNKNOWN_MESSAGE: Final = 10008  # the message does not exist
UNKNOWN_MEMBER: Final = 10007  # the user is not in the guild, or not in the thread
UNKNOWN_USER: Final = 10013  # there is no such user
TOO_MANY_MEMBERS: Final = 30033  # of a thread
TAG_REQUIRED: Final = 40067  # each post of the forum or media channel needs a tag
THREAD_ALREADY_CREATED: Final = 160004  # a thread was already started from this message
THREAD_ARCHIVED: Final = 50083  # something in the thread cannot be changed, because it is archived
THREAD_LOCKED: Final = 160005  # the same, because it is locked
TOO_MANY_ACTIVE: Final = frozenset({160006, 160007})  # threads in the server; the same, in announcement channels
INVALID_WEBHOOK_TOKEN: Final = 50027  # an interaction's token is dead
_MISSING_PERMISSIONS: Final = 50013  # the bot lacks a permission; Discord does not say which one
_NO_HISTORY: Final = 160002  # the bot lacks Read Message History
_TWO_FACTOR: Final = 60003  # the server demands two-factor authentication of moderators, also of the bot's owner

# Refusals that say nothing about the request: the same one may succeed in a moment. Cloudflare's block; sending, or a
# feature, is disabled for now; a resource is limited; the application is not available yet; the API is overloaded.
NOT_NOW: Final = frozenset({40333, 40004, 40006, 40062, 110001, 130000})
# The same after too many requests, where the status is not 429: slow mode; edits for announcements; writes in a channel
# or a server; edits of old messages.
TOO_FAST: Final = frozenset({20016, 20022, 20028, 20029, 30046})
TOO_FAST_SECONDS: Final = 30.0  # such an answer names no time: a slow mode or a write limit is often over by then

_ERROR_BY_CODE: Final[dict[int, type[OnethreadError]]] = {
    10004: MissingAccess,  # unknown guild: the bot is not a member
    50001: MissingAccess,  # missing access
    40058: UnsupportedChannel,  # no messages in a forum channel
    50003: UnsupportedChannel,  # not in a DM channel
    50008: UnsupportedChannel,  # no messages in a non-text channel
    50024: UnsupportedChannel,  # not in this type of channel
    160006: TooManyThreads,  # active threads of the guild
    160007: TooManyThreads,  # the same, in announcement channels
    20009: RefusedByAutoMod,  # explicit content
    20031: RefusedByAutoMod,  # words that the guild does not allow in names
    200000: RefusedByAutoMod,  # a message
    200001: RefusedByAutoMod,  # a thread's name
    240000: RefusedByAutoMod,  # a harmful link
}

# A form's field with a user's words: Discord refused them. 50035; an older form of it has no code.
_INVALID_FORM: Final = frozenset({50035, 0})
NAME_REFUSED: Final = (
    "Discord doesn't accept that session name in this server: it may contain a word that the server or its Server "
    "Discovery doesn't allow. Choose another name."
)
TOPIC_REFUSED: Final = "Discord doesn't accept that topic in this server. Change it, or leave it out."

TOPIC_NOT_SHOWN: Final = (
    "Discord doesn't let me show that topic above the thread, so it stays as it was: the topic may contain a word that "
    "this server doesn't allow, or my message there was deleted."
)
REASON_REFUSED: Final = "This server's AutoMod refused that reason, so the session stays open. Choose other words."
LOCKED_BY_MODERATOR: Final = "A moderator has locked this session's thread, so only a moderator can close it."
THREAD_GONE: Final = "I can't find that session's thread: it seems to be deleted. `/session open` starts a new one."

TWO_FACTOR_NEEDED: Final = (
    "This server requires two-factor authentication for moderation, and the account that owns me doesn't use it. "
    "Please tell whoever runs this bot to turn it on."
)
ALL_GRANTED: Final = (
    f"Discord says that I'm missing a permission here (code {_MISSING_PERMISSIONS}), but I have those that I know this "
    "needs. Ask an admin to check my role and this channel's settings, then try again."
)


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
    """The error to report for the refusal of a step that needs these permissions; the refusal itself if none fits.

    Only the codes that say so mean a missing permission: any other refusal is reported with its number.
    """
    if (error := _ERROR_BY_CODE.get(refusal.code)) is not None:
        return error(str(refusal))
    if refusal.code in _INVALID_FORM and "name" in refusal.fields:
        return InvalidName(str(refusal), message=NAME_REFUSED)
    if refusal.code in _INVALID_FORM and "content" in refusal.fields:
        return InvalidRequest(str(refusal), message=TOPIC_REFUSED)
    if refusal.code == THREAD_LOCKED:
        return ThreadLocked()
    if refusal.code == _TWO_FACTOR:
        return reworded(refusal, TWO_FACTOR_NEEDED)
    if refusal.code == _NO_HISTORY:
        needs = (Permission.READ_MESSAGE_HISTORY,)
    elif refusal.code != _MISSING_PERMISSIONS:
        return refusal
    if not needs:
        return MissingAccess(str(refusal))
    return MissingPermissions([p.name for p in needs if p.name], str(refusal))


def refuses_words(refusal: DiscordRefused) -> bool:
    """Whether other words in its place would have been accepted."""
    return isinstance(translate(refusal, ()), InvalidName | InvalidRequest | RefusedByAutoMod)


def is_out_of_reach(refusal: DiscordRefused) -> bool:
    """Whether the bot lost its access to what it asked for. Of any other refusal that is not known."""
    return isinstance(translate(refusal, ()), MissingAccess)


def without_granted(error: MissingPermissions, granted: int) -> OnethreadError:
    """The error to report where the bot's permissions are known: it names none that is granted."""
    lacking = missing(granted, (Permission[name] for name in error.permissions))
    if lacking:
        return MissingPermissions(lacking, str(error))
    cause = error.__cause__
    return reworded(cause, ALL_GRANTED) if isinstance(cause, DiscordRefused) else error


def reworded(refusal: DiscordRefused, message: str) -> DiscordRefused:
    """The same refusal with another text for people."""
    new = type(refusal)(refusal.status, refusal.code, refusal.text, route=refusal.route, message=message)
    new.fields = refusal.fields
    return new
