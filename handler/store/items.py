"""The items of the table: what is on record, and under which keys.

Times are texts as `handler.clock.iso` writes them, so that they compare as times; ids are snowflakes kept as text. An
absent attribute is absent, never empty or null; only vacant sessions carry `expires_at`.
"""

from enum import StrEnum
from typing import Any

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
    settled_in: str | None = None  # the import, by its start, that gave the session its thread,
    settled_messages: int | None = None  # which had so many messages then
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
    missing_since: str | None = None  # the reconciler held its deletion back then
    unreachable_since: str | None = None  # the thread could not be read since then (403)
    ask_again_at: str | None = None  # and is not asked for before this moment
    keep: bool = False  # not archived for being idle, and opened again when Discord's own timer archived it
    opened_at: str | None = None  # the last open that left a trace: it counts as activity
    delete_marked_at: str | None = None  # housekeeping means to delete the thread; any open clears the mark
    delete_marked_message: str | None = None  # and what its last message was then
    delete_locking_at: str | None = None  # housekeeping was about to lock the thread then
    deleting_at: str | None = None  # the mark was taken: nobody links the thread any more

    @property
    def pair(self) -> tuple[str, str]:
        """What tells sessions apart: the parent channel and the session key."""
        return self.parent_channel_id, self.session_key

    @property
    def thread_id(self) -> str | None:
        """The thread on record, or the one that was or will be started from the recorded source message."""
        return self.discord_thread_id or self.source_message_id

    def has(self, thread_id: str) -> bool:
        """Whether this session still has that thread, be it on record or about to be."""
        return thread_id in (self.discord_thread_id, self.source_message_id)


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """A thread pointer item: whose the thread is, or what it was merged into.

    Of a merged one, `merged_at` is when that began, and `link_message_id` the message in it that links the kept thread.
    """

    thread_id: str
    parent_channel_id: str | None = None
    session_key: str | None = None
    merged_into: str | None = None
    merged_at: str | None = None
    link_message_id: str | None = None

    def names(self, parent_channel_id: str, session_key: str) -> bool:
        return (self.parent_channel_id, self.session_key) == (parent_channel_id, session_key)


class Namesake(msgspec.Struct, frozen=True, kw_only=True):
    """A namesake item that is watched: its thread is active, and bears a name that is not its own session's."""

    parent_channel_id: str
    session_key: str
    thread_id: str

    @classmethod
    def of(cls, item: dict[str, Any]) -> "Namesake":
        """Read off its keys; a session key may hold "#", an id never does."""
        key, _, thread_id = item["sk"].removeprefix("NAMESAKE#").rpartition("#")
        return cls(parent_channel_id=item["pk"].removeprefix("CHANNEL#"), session_key=key, thread_id=thread_id)


class GuildItem(msgspec.Struct, frozen=True, kw_only=True):
    """A guild item. `parked` counts how often in a row the guild did not answer; it is due again at `due_at`."""

    guild_id: str
    audit_watermark: str | None = None  # the id of the last audit entry that was carried out
    audit_denied_since: str | None = None  # the bot may not read the log since then; it asks again at `audit_again_at`
    audit_again_at: str | None = None
    reconciled_at: str | None = None  # the beginning of the last whole run
    due_at: str | None = None
    parked: int = 0
    let_through_until: str | None = None  # a person lets held deletions through until then


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A namesake item: the thread bears a session's name without being its own.

    `gone_at`: since then its GET says that it does not exist.
    """

    thread_id: str
    gone_at: str | None = None


class ChannelItem(msgspec.Struct, frozen=True, kw_only=True):
    """A channel item: what kind of channel it is, and how far its past is known.

    `imported_at`: all threads archived before it are settled. While the first import runs, `import_started_at` is what
    it will become, and `import_before` the archive time from which the next page is read (absent: the newest).
    `import_asked_by`: the id of the interaction that asked for the last import; it began afresh then.
    """

    channel_id: str
    guild_id: str
    kind: int
    imported_at: str | None = None
    import_started_at: str | None = None
    import_before: str | None = None
    import_asked_by: str | None = None
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
