"""Discord's objects, with the fields that this project reads. Unknown fields are ignored; ids are snowflakes as text.

Discord docs, "Channel", "Message", "User", "Audit Log". Small on purpose: building decoders is part of a cold start.
"""

from datetime import datetime
from enum import IntEnum
from typing import Any, Final

import msgspec

from handler.discord import snowflakes
from handler.runtime.clock import parse_iso


class ChannelType(IntEnum):
    """The channel types that this project tells apart (Discord docs, "Channel", Channel Types)."""

    UNREADABLE = -1  # not Discord's: an entry of a list whose shape is not known; see `Channel.is_readable`
    TEXT = 0
    ANNOUNCEMENT = 5
    ANNOUNCEMENT_THREAD = 10
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12
    FORUM = 15
    MEDIA = 16


# Message types (Discord docs, "Message").
REPLY: Final = 19
SAID: Final = frozenset({0, REPLY})  # 0: an ordinary message

THREAD_TYPES: Final = frozenset(
    {ChannelType.ANNOUNCEMENT_THREAD, ChannelType.PUBLIC_THREAD, ChannelType.PRIVATE_THREAD}
)
# The channels that can have sessions. In the first ones a thread is started from a message, in the others it is a post.
ANCHORED_PARENTS: Final = frozenset({ChannelType.TEXT, ChannelType.ANNOUNCEMENT})
POST_PARENTS: Final = frozenset({ChannelType.FORUM, ChannelType.MEDIA})
PARENTS: Final = ANCHORED_PARENTS | POST_PARENTS

MAX_TAGS: Final = 5  # of a post (Discord docs, "Channel", applied_tags)
REQUIRE_TAG: Final = 1 << 4  # channel flag: each post needs a tag (Discord docs, "Channel", Channel Flags)


class ForumTag(msgspec.Struct, frozen=True):
    """A tag that the posts of a forum or media channel can have."""

    id: str
    name: str
    moderated: bool = False  # only members with Manage Threads may use it


class ThreadMetadata(msgspec.Struct, frozen=True):
    """The state of a thread."""

    archived: bool = False
    archive_timestamp: str | None = None  # when `archived` last changed
    locked: bool = False


class Channel(msgspec.Struct, frozen=True):
    """A channel or a thread: Discord uses one shape for both."""

    id: str
    type: int
    name: str | None = None
    guild_id: str | None = None
    parent_id: str | None = None
    owner_id: str | None = None
    last_message_id: str | None = None
    message_count: int | None = None  # without the first message of a post
    flags: int = 0
    applied_tags: tuple[str, ...] = ()  # of a post: their ids
    available_tags: tuple[ForumTag, ...] = ()  # of a forum or media channel
    thread_metadata: ThreadMetadata | None = None

    @property
    def is_thread(self) -> bool:
        return self.type in THREAD_TYPES

    @property
    def is_readable(self) -> bool:
        """Whether a list showed it in a shape that is known. Otherwise read it by its id, which may be empty, too."""
        return self.type != ChannelType.UNREADABLE

    @property
    def archived(self) -> bool:
        return self.thread_metadata is not None and self.thread_metadata.archived

    @property
    def locked(self) -> bool:
        return self.thread_metadata is not None and self.thread_metadata.locked

    @property
    def archive_time(self) -> datetime | None:
        """When `archived` last changed."""
        if self.thread_metadata is None or self.thread_metadata.archive_timestamp is None:
            return None
        return parse_iso(self.thread_metadata.archive_timestamp)

    @property
    def last_activity(self) -> datetime:
        """When the last message was written; when the thread began if there is none."""
        return snowflakes.time_of(self.last_message_id or self.id)


class User(msgspec.Struct, frozen=True):
    """A user, as in a message's author."""

    id: str
    bot: bool = False


class Member(msgspec.Struct, frozen=True):
    """A member of a guild."""

    role_ids: frozenset[str] = msgspec.field(name="roles")


class MessageReference(msgspec.Struct, frozen=True):
    """What a message refers to."""

    message_id: str | None = None


class Message(msgspec.Struct, frozen=True):
    """A message.

    Without the Message Content intent all that people say in one is empty, unless it mentions the app (facts: REST too).
    """

    id: str
    channel_id: str
    author: User
    content: str = ""
    type: int = 0
    timestamp: str = ""  # when it was posted, as Discord writes it
    message_reference: MessageReference | None = None
    attachments: tuple[Any, ...] = ()
    embeds: tuple[Any, ...] = ()
    components: tuple[Any, ...] = ()
    sticker_items: tuple[Any, ...] = ()
    poll: Any = None

    @property
    def is_said(self) -> bool:
        """Whether somebody wrote it: it is neither Discord's own nor the answer to a command."""
        return self.type in SAID

    @property
    def replies_to(self) -> str | None:
        """The id of the message to which it is a reply."""
        reference = self.message_reference
        return reference.message_id if reference is not None and self.type == REPLY else None

    @property
    def is_hidden(self) -> bool:
        """Whether what it says is kept from the bot: no message is empty."""
        said = (self.content, self.attachments, self.embeds, self.components, self.sticker_items)
        return self.is_said and not any(said) and self.poll is None


class ThreadList(msgspec.Struct, frozen=True):
    """The active threads of a guild, or a page of archived threads of a channel."""

    threads: tuple[Channel, ...]
    has_more: bool  # whether another page follows
    date: datetime  # when Discord responded, by its own clock (the ``Date`` header)


class AuditAction(IntEnum):
    """The audit log events about threads (Discord docs, "Audit Log", Audit Log Events)."""

    THREAD_CREATE = 110
    THREAD_UPDATE = 111
    THREAD_DELETE = 112


# Not a thread's: roles were given to a member, or taken away.
MEMBER_ROLE_UPDATE: Final = 25


class AuditChange(msgspec.Struct, frozen=True):
    """One changed field; a value that Discord left out is None."""

    key: str
    old_value: Any = None
    new_value: Any = None


class AuditEntry(msgspec.Struct, frozen=True):
    """Who did what to which thread. Automatic archiving leaves no entry."""

    id: str
    action_type: int
    target_id: str | None = None
    user_id: str | None = None
    changes: tuple[AuditChange, ...] = ()

    def new_value(self, key: str) -> Any:
        """The new value of a field; None if it did not change or was removed."""
        return next((change.new_value for change in self.changes if change.key == key), None)


class AuditPage(msgspec.Struct, frozen=True):
    """A page of the audit log, in Discord's order."""

    entries: tuple[AuditEntry, ...]  # those that could be read
    unreadable: tuple[str, ...] = ()  # the ids of the others, empty texts where there is none
    last_id: str | None = None  # the greatest of all ids: the next page begins there

    @property
    def size(self) -> int:
        """How many entries Discord gave."""
        return len(self.entries) + len(self.unreadable)
