"""What the simulated Discord consists of. All models are frozen: a change puts a new one in place of the old."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

# Channel types (Discord docs, "Channel: Channel Types").
TEXT: Final = 0
CATEGORY: Final = 4
ANNOUNCEMENT: Final = 5
ANNOUNCEMENT_THREAD: Final = 10
PUBLIC_THREAD: Final = 11
PRIVATE_THREAD: Final = 12
FORUM: Final = 15
MEDIA: Final = 16

# Minutes without activity after which Discord may archive a thread (same page).
ARCHIVE_DURATIONS: Final = (60, 1440, 4320, 10080)
# If the bot names no duration and the channel has no default: a day.
DEFAULT_ARCHIVE_DURATION: Final = 1440

# Characters of a thread's name, in UTF-16 units (same page).
MAX_THREAD_NAME_UNITS: Final = 100

# Flag of a forum or media channel in which each post needs a tag (Discord docs, "Channel: Channel Flags").
REQUIRE_TAG: Final = 1 << 4

# Message types and flags (Discord docs, "Message").
REPLY: Final = 19
THREAD_CREATED: Final = 18
CHAT_INPUT_COMMAND: Final = 20
HAS_THREAD: Final = 1 << 5
EPHEMERAL: Final = 1 << 6
LOADING: Final = 1 << 7

# Audit log actions (Discord docs, "Audit Log").
CHANNEL_UPDATE: Final = 11
CHANNEL_DELETE: Final = 12
CHANNEL_OVERWRITE_UPDATE: Final = 14
MEMBER_KICK: Final = 20
MEMBER_ROLE_UPDATE: Final = 25
MESSAGE_DELETE: Final = 72
THREAD_CREATE: Final = 110
THREAD_UPDATE: Final = 111
THREAD_DELETE: Final = 112


@dataclass(frozen=True, slots=True)
class User:
    id: str
    name: str
    bot: bool = False


@dataclass(frozen=True, slots=True)
class Guild:
    id: str
    name: str
    owner_id: str
    permissions: int  # the bot's, in the guild as a whole
    bot_is_member: bool = True
    roles: tuple[tuple[str, tuple[str, ...]], ...] = ()  # the roles of users who have some
    absent: frozenset[str] = frozenset()  # users who left; all others are members


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel that is not a thread."""

    id: str
    guild_id: str
    kind: int
    name: str
    permissions: int  # the bot's, in this channel
    flags: int = 0
    tags: tuple[tuple[str, str], ...] = ()  # ids and names
    moderated_tags: frozenset[str] = frozenset()  # the ids of those that need Manage Threads


@dataclass(frozen=True, slots=True)
class Thread:
    id: str
    guild_id: str
    parent_id: str
    kind: int
    name: str
    owner_id: str
    created_at: datetime
    archive_timestamp: datetime  # when `archived` last changed
    archived: bool = False
    locked: bool = False
    auto_archive_duration: int = DEFAULT_ARCHIVE_DURATION  # minutes
    invitable: bool = True
    rate_limit_per_user: int = 0  # slow mode, in seconds
    flags: int = 0
    applied_tags: tuple[str, ...] = ()
    last_message_id: str | None = None
    message_count: int = 0
    total_message_sent: int = 0
    members: tuple[tuple[str, datetime], ...] = ()  # user ids and when they joined, in that order

    @property
    def is_private(self) -> bool:
        return self.kind == PRIVATE_THREAD

    def has_member(self, user_id: str) -> bool:
        return any(member == user_id for member, _ in self.members)


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    channel_id: str
    author_id: str
    content: str
    at: datetime
    kind: int = 0
    flags: int = 0
    nonce: str | None = None
    embeds: bytes = b"[]"  # JSON
    components: bytes = b"[]"  # JSON
    mentions: tuple[str, ...] = ()  # user ids
    mention_everyone: bool = False
    edited_at: datetime | None = None
    replies_to: str | None = None  # id of a message in the same channel
    reference: str | None = None  # id of the thread that a system message announces
    thread_started: bool = False  # a thread was once started from it, even if it was deleted since


@dataclass(frozen=True, slots=True)
class Nonce:
    """The first message that an author posted with a nonce."""

    message_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """One changed field of an audit entry. `old` or `new` is None where Discord leaves it out."""

    key: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class AuditEntry:
    id: str
    action: int
    user_id: str
    target_id: str
    at: datetime
    changes: tuple[Change, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    reason: str | None = None


InteractionState = Literal[
    "pending",  # no answer yet
    "deferred",  # the user reads "thinking…"
    "answered",  # there is an original response
    "dead",  # the first answer was late or invalid
    "deleted",  # the original response was deleted
]


@dataclass(frozen=True, slots=True)
class Interaction:
    """Discord's side of one interaction."""

    token: str
    id: str
    application_id: str
    at: datetime
    state: InteractionState = "pending"
    channel_id: str = "0"
    message_id: str = "0"
    available_at: datetime | None = None  # from when on the routes of the original response know it
    edited_at: datetime | None = None
    message: bytes = b"{}"  # the original response, JSON
    first_answer: bytes = b"null"  # JSON


@dataclass(frozen=True, slots=True)
class RateRule:
    limit: int  # requests
    per: float  # seconds
    scope: str = "user"
    hidden: bool = False  # headers do not show it before it applies


@dataclass(frozen=True, slots=True)
class Window:
    """The requests counted against a limit since a moment."""

    opened_at: datetime
    used: int
