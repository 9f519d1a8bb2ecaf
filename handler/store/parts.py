"""The parts of a session that end with its generation, by what they are about. Their attributes stand side by side in the item."""

from enum import StrEnum
from typing import ClassVar

import msgspec


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """How an import gave the session its thread."""

    import_started_at: str | None = msgspec.field(default=None, name="settled_in")  # names the import
    messages: int | None = msgspec.field(default=None, name="settled_messages")  # how many the thread had then


class ThreadRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What Discord showed of the session's thread when it was last seen."""

    name: str | None = msgspec.field(default=None, name="thread_name")
    archived: bool = False
    locked: bool = False
    locked_by: str | None = None
    archived_at: str | None = None
    seen_active_at: str | None = None  # it was active then
    created_at: str | None = None
    created_by: str | None = None  # who asked for the thread; of an adopted one, who started it
    last_activity_at: str | None = None

    # The keys of the sparse indices: written with the other attributes, not read.
    INDEXED: ClassVar = ("watch_guild_id", "due_in", "due_at", "listed_in", "activity")


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Flags of the reconciler: it cannot see the thread as it should."""

    missing_since: str | None = None  # the thread seems deleted; the end of the generation is held back
    unreachable_since: str | None = None  # the thread cannot be read (403)
    ask_again_at: str | None = None  # and is not read again before this moment

    @property
    def flags(self) -> list[str]:
        """The names of the flags that are set."""
        return [name for name in self.__struct_fields__ if getattr(self, name) is not None]


class Deletion(msgspec.Struct, frozen=True, kw_only=True):
    """How far housekeeping is with deleting the thread."""

    marked_at: str | None = msgspec.field(default=None, name="delete_marked_at")  # any open clears the mark
    marked_message: str | None = msgspec.field(default=None, name="delete_marked_message")  # the last message then
    locking_at: str | None = msgspec.field(default=None, name="delete_locking_at")  # about to lock the thread
    begun_at: str | None = msgspec.field(default=None, name="deleting_at")  # from then on the thread is not linked

    MARK: ClassVar = ("delete_marked_at", "delete_marked_message")  # the attributes of the mark


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """How the session was closed, and a close that is under way."""

    begun_at: str | None = msgspec.field(
        default=None, name="closing_at"
    )  # the thread is to be archived: see `store.closes`
    closed_at: str | None = None
    closed_by: str | None = None  # a user's id, or what a program calls itself; None: housekeeping
    reason: str | None = msgspec.field(default=None, name="close_reason")
    lock: bool | None = msgspec.field(default=None, name="close_lock")  # whether the thread is locked, too
    message_id: str | None = msgspec.field(
        default=None, name="close_message_id"
    )  # the message in the thread that says so
    locking_at: str | None = msgspec.field(
        default=None, name="close_locking_at"
    )  # the last lock for a close, or about to be
    request: str | None = msgspec.field(default=None, name="close_request")  # the last one, by the owner of its lease

    UNTIL_REOPENED: ClassVar = (
        "closing_at", "closed_at", "closed_by", "close_reason", "close_lock", "close_message_id"
    )  # fmt: skip


class WorkState(StrEnum):
    """What a program says of its work."""

    WORKING = "working"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What a program says of its work in the session."""

    state: WorkState | None = msgspec.field(default=None, name="progress")
    note: str | None = msgspec.field(default=None, name="progress_note")


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What the message above the thread shows of the session's state: see `sessions.threads.card`."""

    state: str | None = msgspec.field(default=None, name="card_state")  # None: open, as it was posted
    edited_at: str | None = msgspec.field(default=None, name="card_edited_at")
