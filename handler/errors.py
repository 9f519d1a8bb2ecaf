"""Every error that leaves a module of this project, as one tree.

    OnethreadError
    ├── ConfigurationError
    ├── InvalidRequest
    ├── Conflict
    ├── InvalidName
    ├── SessionNotFound
    ├── UnsupportedChannel
    ├── ChannelGone
    ├── MissingAccess
    ├── MissingPermissions
    ├── NotAllowed
    │   └── GuildNotAllowed
    ├── ThreadLocked
    │   └── ArchivedByModerator
    ├── RefusedByAutoMod
    │   └── MessagesDeleted
    ├── BotTokenRefused
    ├── UnreadableItem
    ├── DiscordRefused
    │   ├── NotFound
    │   └── Forbidden
    └── TryAgain
        ├── TooManyThreads
        ├── TooManyCreations
        ├── RateLimited
        ├── Importing
        ├── DiscordUnavailable
        │   └── OutcomeUnknown
        ├── StoreUnavailable
        └── TimedOut
            └── Merging

``str(error)`` is the technical text for logs; ``error.message`` is the text for people. Neither ever holds a secret.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar


class OnethreadError(Exception):
    """The base of all errors."""

    kind: ClassVar[str] = "internal"  # the public name of the error
    retryable: ClassVar[bool] = False  # whether the same request may succeed later
    extra_fields: ClassVar[tuple[str, ...]] = ()  # further attributes that programs get
    default_message: ClassVar[str] = "Something went wrong on my side."

    def __init__(self, detail: str = "", *, message: str | None = None) -> None:
        super().__init__(detail or type(self).__name__)
        self.message = message or self.default_message

    def public(self) -> dict[str, Any]:
        """The ``error`` object that programs get: ``kind``, ``message``, ``retryable`` and the `extra_fields`."""
        values = {name: getattr(self, name) for name in ("kind", "message", "retryable", *self.extra_fields)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


class ConfigurationError(OnethreadError):
    """Environment variables are missing or malformed; ``faults`` names each of them, never a value."""

    kind = "configuration"

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults), message="This bot isn't set up correctly. Please tell whoever runs it.")
        self.faults = tuple(faults)


class InvalidRequest(OnethreadError):
    """A program's request has unknown, missing or mistyped fields; the message names each of them."""

    kind = "invalid_request"
    default_message = "The request is malformed."


class Conflict(OnethreadError):
    """A `request_id` was used before, for something else."""

    kind = "conflict"
    default_message = "That request_id was used before, for something else. Give every request an id of its own."


class InvalidName(OnethreadError):
    """The session name is empty, too long, or cannot be the name of a thread; the message says which."""

    kind = "invalid_name"
    default_message = "That session name can't be used. Choose another one."


class SessionNotFound(OnethreadError):
    """There is no such session, or the requester may not know of it: the two are told apart by nobody."""

    kind = "not_found"
    default_message = "There's no session of that name in this channel. `/session list` shows them all."


class UnsupportedChannel(OnethreadError):
    """Channels of this type cannot have sessions."""

    kind = "unsupported_channel"
    default_message = "Sessions work in text, announcement, forum and media channels, and not in this type of channel."


class ChannelGone(OnethreadError):
    """The parent channel was deleted."""

    kind = "channel_gone"
    default_message = "That channel was deleted, so its sessions can't be opened."


class MissingAccess(OnethreadError):
    """The bot cannot see the channel or thread (Discord: 50001)."""

    kind = "missing_access"
    default_message = (
        "I can't see that channel. Ask an admin to give my role **View Channel** there, "
        "or to invite me to the server with the `bot` scope."
    )


class MissingPermissions(OnethreadError):
    """The bot sees the channel but lacks permissions (Discord: 50013), named as ``CREATE_PUBLIC_THREADS``."""

    kind = "missing_permissions"
    extra_fields = ("permissions",)

    def __init__(self, permissions: Sequence[str], detail: str = "") -> None:
        self.permissions = tuple(permissions)
        names = ", ".join(permission_title(name) for name in self.permissions)
        super().__init__(
            detail or f"missing permissions: {', '.join(self.permissions)}",
            message=f"I'm missing a permission here: **{names}**. Ask an admin to grant it to my role."
            if len(self.permissions) == 1
            else f"I'm missing permissions here: **{names}**. Ask an admin to grant them to my role.",
        )


class NotAllowed(OnethreadError):
    """The member who asks lacks a permission: Manage Threads, or another one that the message names."""

    kind = "not_allowed"
    default_message = "Only members with **Manage Threads** can do that. Ask a moderator."


class GuildNotAllowed(NotAllowed):
    """The deployment works for other guilds only (`AllowedGuilds`)."""

    default_message = "I'm not set up to work in this server. Whoever runs me has a list of the servers that I serve."


class ThreadLocked(OnethreadError):
    """The thread is locked and the requester may not unlock it; ``opened`` is the `Opened` to link, if known."""

    kind = "locked"
    default_message = "The thread is locked. A moderator can unlock it, or open it for you."

    def __init__(self, opened: Any = None, *, message: str | None = None) -> None:
        super().__init__("the thread is locked", message=message)
        self.opened = opened


class ArchivedByModerator(ThreadLocked):
    """A person archived the thread, and a program's message would open it again."""

    kind = "thread_archived_by_moderator"
    default_message = "Somebody archived the thread, so I don't write in it. The operation ensure opens it again."

    def __init__(self, opened: Any = None, *, message: str | None = None) -> None:
        super().__init__(opened, message=message)
        self.args = ("a person archived the thread",)


class RefusedByAutoMod(OnethreadError):
    """AutoMod refused the source message or the thread's name (Discord: 200000, 200001)."""

    kind = "refused_by_automod"
    default_message = "This server's AutoMod refused that name or topic. Choose another one."


class MessagesDeleted(RefusedByAutoMod):
    """Each source message was deleted before its thread could be started, as other moderation bots do."""

    default_message = (
        "What I post in this channel is deleted at once, perhaps by another bot, so I can't start a thread. "
        "Ask a moderator to let my messages stay, then try again."
    )


class BotTokenRefused(OnethreadError):
    """Discord answered 401: the bot's token is wrong or was reset."""

    kind = "bot_token_refused"
    default_message = "Discord doesn't accept my token. Please tell whoever runs this bot to renew it."


class UnreadableItem(OnethreadError):
    """An item of the table cannot be read: it was edited by hand, or a newer version wrote it. It is left as it is."""

    kind = "store_unreadable"
    default_message = (
        "I can't read what I have on record of this, so I've changed nothing. Please tell whoever runs this bot."
    )


class DiscordRefused(OnethreadError):
    """Any other 4xx; ``code`` is Discord's JSON error code, 0 if there is none."""

    kind = "discord_refused"
    fields: Collection[str] = ()  # of the form that Discord finds fault with
    extra_fields = ("status", "code")

    def __init__(self, status: int, code: int, text: str = "", *, route: str = "", message: str | None = None) -> None:
        number = f"code {code}" if code else f"status {status}"
        super().__init__(
            f"{route} answered {status}, code {code}: {text}".strip(),
            message=message or f"Discord refused this with {number}. Please tell whoever runs this bot.",
        )
        self.status, self.code, self.text, self.route = status, code, text, route


class NotFound(DiscordRefused):
    """404: a channel (10003), message (10008) or webhook (10015) does not exist."""


class Forbidden(DiscordRefused):
    """403: the bot lacks access (50001) or permissions (50013), or Discord says no for another reason."""


class TryAgain(OnethreadError):
    """The same request may succeed later; nothing is lost."""

    retryable = True
    repeated_by_us: ClassVar[bool] = True  # False: it takes people or much time, so only the requester repeats it
    kind = "discord_unavailable"


class TooManyThreads(TryAgain):
    """The guild is at its limit of active threads (Discord: 160006, 160007)."""

    kind = "too_many_threads"
    repeated_by_us = False
    default_message = (
        "This server has too many active threads, so Discord won't open another. Archive some, then try again."
    )


class TooManyCreations(TryAgain):
    """The member has had as many sessions created as one may (`MemberCreationsPerHour`). No program meets it."""

    kind = "rate_limited"
    repeated_by_us = False
    default_message = "You've started a lot of sessions here. Try again in some minutes."


class RateLimited(TryAgain):
    """Discord demands to wait for ``retry_after`` seconds, longer than the deadline allows."""

    kind = "rate_limited"
    extra_fields = ("retry_after",)

    def __init__(self, retry_after: float, *, scope: str = "user", route: str = "") -> None:
        seconds = max(1, math.ceil(retry_after))
        super().__init__(
            f"{route} is rate limited ({scope}) for {retry_after:.1f} s",
            message=f"Discord is rate-limiting me. Nothing is lost: try again in {quantity(seconds, 'second')}.",
        )
        self.retry_after = retry_after
        self.progress: Mapping[str, int] = {}  # counts of what was done before, where that is useful


class Importing(TryAgain):
    """The channel's past is being imported; ``progress`` counts ``pages``, ``threads`` and ``sessions`` so far."""

    kind = "importing"
    extra_fields = ("progress",)

    def __init__(self, progress: Mapping[str, Any]) -> None:
        threads, sessions = progress.get("threads", 0), progress.get("sessions", 0)
        self.so_far = (  # the beginning of each text about an import
            "First I'm checking this channel's old threads, so that I don't create duplicates "
            f"({threads:,} checked, {quantity(sessions, 'session')})."
        )
        super().__init__("the channel is being imported", message=f"{self.so_far} Try again in a minute.")
        self.progress = dict(progress)


class DiscordUnavailable(TryAgain):
    """Discord cannot be reached, answers 5xx, or sends a malformed response."""

    default_message = "Discord isn't answering properly right now. Nothing is lost: try again in a minute."


class OutcomeUnknown(DiscordUnavailable):
    """The request was sent and its response was lost, so it may have been applied."""


class StoreUnavailable(TryAgain):
    """DynamoDB throttles or cannot be reached; a write may have been applied."""

    kind = "store_unavailable"
    default_message = "I can't reach my database right now. Nothing is lost: try again in a minute."


class TimedOut(TryAgain):
    """The deadline passed before the work was done."""

    kind = "timed_out"
    default_message = "That took too long. Nothing is lost: try again."


class Merging(TimedOut):
    """The deadline passed before all duplicates were merged; ``progress`` counts the ``merged`` ones."""

    def __init__(self, progress: Mapping[str, int]) -> None:
        super().__init__("duplicates are still being merged")
        self.progress = dict(progress)


def quantity(number: int, noun: str) -> str:
    """``1 thread``, ``3,000 threads``: for texts that people read."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def permission_title(permission: str) -> str:
    """``CREATE_PUBLIC_THREADS`` → ``Create Public Threads``, as in Discord's settings."""
    return " ".join(w if w == "in" else w.capitalize() for w in permission.lower().split("_"))
