"""The items of the table: what is on record, and under which keys.

Times are texts as `handler.clock.iso` writes them, so that they compare as times; ids are snowflakes kept as text. An
absent attribute is absent, never empty or null; only vacant sessions carry `expires_at`.
"""

from enum import StrEnum

import msgspec

Key = dict[str, str]


class Status(StrEnum):
    """Where a session stands. Every branch on it handles all four and raises on anything else."""

    VACANT = "vacant"  # no thread, no claim
    CREATING = "creating"  # somebody claimed it and makes the thread
    OPEN = "open"  # has its thread
    CLOSED = "closed"  # has its thread, and was closed with `/session close`; opening it reopens it


class Session(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A session item: one name in one parent channel."""

    parent_channel_id: str
    session_key: str
    session_name: str
    status: Status
    generation: int
    guild_id: str
    discord_thread_id: str | None = None
    source_message_id: str | None = None
    lease_owner: str | None = None
    lease_expires_at: str | None = None
    adopted_by: str | None = None  # the opener who adopted the thread: so that an exact repeat is told the same
    thread_name: str | None = None
    archived: bool = False
    locked: bool = False
    locked_by: str | None = None
    archived_at: str | None = None
    seen_active_at: str | None = None
    created_at: str | None = None
    created_by: str | None = None
    last_activity_at: str | None = None
    topic: str | None = None

    @property
    def thread_id(self) -> str | None:
        """The thread on record, or the one that was or will be started from the recorded source message."""
        return self.discord_thread_id or self.source_message_id

    def has(self, thread_id: str) -> bool:
        """Whether this session still has that thread, be it on record or about to be."""
        return thread_id in (self.discord_thread_id, self.source_message_id)


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """A thread pointer item: whose the thread is, or what it was merged into."""

    thread_id: str
    parent_channel_id: str | None = None
    session_key: str | None = None
    merged_into: str | None = None

    def names(self, parent_channel_id: str, session_key: str) -> bool:
        return (self.parent_channel_id, self.session_key) == (parent_channel_id, session_key)


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A namesake item: the thread bears a session's name without being its own.

    `gone_at`: since then its GET says that it does not exist.
    """

    thread_id: str
    gone_at: str | None = None


class ChannelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A channel item: what kind of channel it is, and how far its past is known.

    `imported_at`: all threads archived before it are settled. While the first import runs, `import_started_at` is what
    it will become, and `import_before` the archive time from which the next page is read (absent: the newest).
    """

    channel_id: str
    guild_id: str
    kind: int
    imported_at: str | None = None
    import_started_at: str | None = None
    import_before: str | None = None
    import_pages: int = 0
    import_threads: int = 0
    import_sessions: int = 0

    @property
    def progress(self) -> dict[str, int]:
        return {"pages": self.import_pages, "threads": self.import_threads, "sessions": self.import_sessions}


def session_item_key(parent_channel_id: str, key: str) -> Key:
    return {"pk": f"CHANNEL#{parent_channel_id}", "sk": f"SESSION#{key}"}


def namesake_item_key(parent_channel_id: str, key: str, thread_id: str) -> Key:
    return {"pk": f"CHANNEL#{parent_channel_id}", "sk": f"NAMESAKE#{key}#{thread_id}"}


def pointer_item_key(thread_id: str) -> Key:
    return {"pk": f"THREAD#{thread_id}", "sk": "THREAD"}


def channel_item_key(channel_id: str) -> Key:
    return {"pk": f"CHANNEL#{channel_id}", "sk": "CHANNEL"}


def guild_item_key(guild_id: str) -> Key:
    return {"pk": f"GUILD#{guild_id}", "sk": "GUILD"}
