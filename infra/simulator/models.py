"""What the world consists of. Records are frozen: a change puts another record in their place."""

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
THREAD_KINDS: Final = (ANNOUNCEMENT_THREAD, PUBLIC_THREAD, PRIVATE_THREAD)

# Minutes without activity after which Discord may archive a thread (same page).
ARCHIVE_DURATIONS: Final = (60, 1440, 4320, 10080)
# What Discord takes when a bot names no duration and the channel has no default of its own: a day.
DEFAULT_ARCHIVE_DURATION: Final = 1440

# Flag of a forum or media channel in which each post needs a tag (Discord docs, "Channel: Channel Flags").
REQUIRE_TAG: Final = 1 << 4

# Message types and flags (Discord docs, "Message").
THREAD_CREATED: Final = 18
HAS_THREAD: Final = 1 << 5
EPHEMERAL: Final = 1 << 6
LOADING: Final = 1 << 7

# Audit log actions (Discord docs, "Audit Log").
CHANNEL_DELETE: Final = 12
CHANNEL_OVERWRITE_UPDATE: Final = 14
MEMBER_KICK: Final = 20
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
    """`permissions` are the bot's in the guild as a whole; `absent` are users known not to be members."""

    id: str
    name: str
    owner_id: str
    permissions: int
    bot_is_member: bool = True
    absent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel that is no thread. `permissions` are the bot's in it; `tags` are ids and names."""

    id: str
    guild_id: str
    kind: int
    name: str
    permissions: int
    flags: int = 0
    tags: tuple[tuple[str, str], ...] = ()
    default_archive_duration: int | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """`members` are user ids with the time of joining, in order of joining."""

    id: str
    guild_id: str
    parent_id: str
    kind: int
    name: str
    owner_id: str
    created_at: datetime
    archive_timestamp: datetime
    archived: bool = False
    locked: bool = False
    auto_archive_duration: int = DEFAULT_ARCHIVE_DURATION
    invitable: bool = True
    rate_limit_per_user: int = 0
    flags: int = 0
    applied_tags: tuple[str, ...] = ()
    last_message_id: str | None = None
    message_count: int = 0
    total_message_sent: int = 0
    members: tuple[tuple[str, datetime], ...] = ()

    @property
    def is_private(self) -> bool:
        return self.kind == PRIVATE_THREAD

    def has_member(self, user_id: str) -> bool:
        return any(member == user_id for member, _ in self.members)


@dataclass(frozen=True, slots=True)
class Message:
    """`embeds` and `components` are JSON. `thread_started`: a thread was started from it once, living or not."""

    id: str
    channel_id: str
    author_id: str
    content: str
    at: datetime
    kind: int = 0
    flags: int = 0
    nonce: str | None = None
    embeds: bytes = b"[]"
    components: bytes = b"[]"
    mentions: tuple[str, ...] = ()
    mention_everyone: bool = False
    edited_at: datetime | None = None
    reference: str | None = None
    thread_started: bool = False


@dataclass(frozen=True, slots=True)
class Nonce:
    """The first message that an author posted under a nonce."""

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


InteractionState = Literal["pending", "deferred", "answered", "dead", "deleted"]


@dataclass(frozen=True, slots=True)
class Interaction:
    """Discord's side of one interaction.

    `pending`: no answer came yet; `deferred`: the user reads "thinking…"; `answered`: there is an original response; `dead`:
    the first answer came too late or was nonsense; `deleted`: the original response was deleted. `taken_in_at` is when the
    first answer becomes known to the routes of the original response. `message` and `first_answer` are JSON.
    """

    token: str
    id: str
    application_id: str
    at: datetime
    state: InteractionState = "pending"
    channel_id: str = "0"
    message_id: str = "0"
    taken_in_at: datetime | None = None
    edited_at: datetime | None = None
    message: bytes = b"{}"
    first_answer: bytes = b"null"


@dataclass(frozen=True, slots=True)
class Commands:
    """The registered commands of one scope, as JSON."""

    definitions: bytes = b"[]"


@dataclass(frozen=True, slots=True)
class RateRule:
    """`limit` requests per `per` seconds. A hidden one is not shown in headers before it bites."""

    limit: int
    per: float
    scope: str = "user"
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    opened_at: datetime
    used: int
