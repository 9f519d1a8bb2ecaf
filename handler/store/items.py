"""The items of the table: what is on record, and under which keys.

Times are texts as `handler.runtime.clock.iso` writes them, so that they compare as times; ids are snowflakes as texts.
An absent attribute is absent, never empty or null. Only vacant sessions carry `expires_at`.
One that cannot be read raises UnreadableItem: see `reading`.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final

import msgspec

from handler.store.lease import Lease
from handler.store.parts import Card, Closing, Deletion, Problem, Progress, Settlement, ThreadRecord
from handler.store.private import PRIVATE, list_of, private_key
from handler.store.reading import Item, read_item, unreadable
from handler.store.settings import ChannelSettings

Key = dict[str, str]


class Status(StrEnum):
    """The state of a session. Every branch on it handles all four and raises on anything else."""

    VACANT = "vacant"  # no thread, no claim
    CREATING = "creating"  # claimed: its thread is being made
    OPEN = "open"  # has its thread
    CLOSED = "closed"  # has its thread, and a person, a program or housekeeping closed it; opening it reopens it


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a session that ends with its generation."""

    discord_thread_id: str | None = None
    source_message_id: str | None = None
    source_is_persons: bool = False  # somebody else than this bot wrote it: it is never deleted or edited
    create_attempted_at: str | None = None  # when a thread without an anchor was first asked for
    create_attempts: int | None = None  # how often
    topic: str | None = None  # as the source message, or the post's first message, shows it
    topic_to_show: str | None = None  # given later: it becomes the topic once the source message shows it
    label: str | None = None  # what the program that asked for the thread calls itself
    data: str | None = None  # what a program keeps with the session, as JSON
    waiting_since: str | None = None  # a question is open since then
    waiting_for: str | None = None  # the id of the newest one
    waiting_message_id: str | None = None  # and its card
    member_ids: tuple[str, ...] = ()  # who was added to the thread by a command or a program, in that order
    role_ids: tuple[str, ...] = ()  # of a private session: whoever has one of them sees it
    lease: Lease = Lease()
    adopted_by: str | None = None  # the opener that adopted the thread: an exact repeat gets the same answer
    settlement: Settlement = Settlement()
    thread: ThreadRecord = ThreadRecord()
    problem: Problem = Problem()
    opened_at: str | None = None  # the last open that left a trace: it counts as activity
    deletion: Deletion = Deletion()
    closing: Closing = Closing()
    card: Card = Card()
    progress: Progress = Progress()
    tag_request: str | None = None  # the last one for a tag of its post: see `sessions.threads.tags`


class Session(Generation, frozen=True, kw_only=True):
    """A session item: one name in one parent channel. The item is flat: see `session_from_item`."""

    parent_channel_id: str
    session_key: str
    session_name: str  # the first spelling, without the prefix
    status: Status
    generation: int  # from 1; only grows
    guild_id: str
    keep: bool = False  # not archived for being idle, and opened again when Discord's own timer archived it
    former: str | None = None  # the threads that it had before: see `handler.store.former`
    private: bool = False
    creator_id: str | None = None  # of a private one: who opened it first; None: a program

    @property
    def pair(self) -> tuple[str, str]:
        """What tells sessions apart: the parent channel, and the session key or, of a private one, its `private_key`."""
        key = private_key(self.session_key, self.creator_id) if self.private else self.session_key
        return self.parent_channel_id, key

    @property
    def item_key(self) -> Key:
        return session_item_key(*self.pair)

    @property
    def listed_in(self) -> str:
        """The partition of ActivityIndex in which it is listed while it has a thread."""
        return list_of(self.parent_channel_id, private=self.private)

    @property
    def thread_id(self) -> str | None:
        """The thread on record, or the one that was or will be started from the recorded source message."""
        return self.discord_thread_id or self.source_message_id

    @property
    def stays_open(self) -> bool:
        """Whether the thread is opened again when Discord's own timer archived it, and not archived for being idle."""
        return self.keep or self.waiting_since is not None

    def has(self, thread_id: str) -> bool:
        """Whether this session has that thread, on record or about to be started."""
        return thread_id in (self.discord_thread_id, self.source_message_id)


# The fields of a session that are structs of their own; their attributes stand beside the others in the item.
_PARTS: Final[dict[str, type[msgspec.Struct]]] = {
    name: type(default)
    for name, default in zip(Generation.__struct_fields__, Generation.__struct_defaults__, strict=True)
    if isinstance(default, msgspec.Struct)
}


def session_from_item(item: Item) -> Session:
    """The session in an item. Attributes that it does not know are ignored. Raises UnreadableItem."""
    session = read_item(item, {**item, **dict.fromkeys(_PARTS, item)}, Session)
    has_thread = session.status in (Status.OPEN, Status.CLOSED)
    if (
        session.generation < 1
        or (has_thread and session.discord_thread_id is None)
        or ("pk" in item and session.item_key != {"pk": item["pk"], "sk": item["sk"]})
    ):
        raise unreadable(item)
    return session


def session_attributes(session: Session) -> dict[str, Any]:
    """The attributes of a session as its item has them; None where one is absent."""
    attributes: dict[str, Any] = msgspec.to_builtins(session)
    for part in _PARTS:
        attributes |= attributes.pop(part)
    return attributes


def _attribute_names() -> Iterator[str]:
    for field in Generation.__struct_encode_fields__:
        part = _PARTS.get(field)
        yield from (field,) if part is None else (*part.__struct_encode_fields__, *getattr(part, "INDEXED", ()))


GENERATION_ATTRIBUTES: Final = tuple(_attribute_names())  # what an item loses when its generation ends


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """A thread pointer item: whose the thread is, or what it was merged into."""

    thread_id: str
    parent_channel_id: str | None = None  # of the session; None in a merged one
    session_key: str | None = None  # of a private session, its `private_key`
    merged_into: str | None = None  # the thread that is kept
    merged_at: str | None = None  # when the merge began
    link_message_id: str | None = None  # the message in the merged thread that links the kept one
    discarded_at: str | None = None  # since then no session takes the thread: an extra one to be deleted, or let go

    @classmethod
    def from_item(cls, item: Item) -> "Pointer":
        """Raises UnreadableItem, also for one that points nowhere."""
        pointer = read_item(item, {**item, "thread_id": item["pk"].removeprefix("THREAD#")}, cls)
        if pointer.merged_into is None and not (pointer.parent_channel_id and pointer.session_key):
            raise unreadable(item)
        return pointer

    def names(self, parent_channel_id: str, session_key: str) -> bool:
        return (self.parent_channel_id, self.session_key) == (parent_channel_id, session_key)


class Namesake(msgspec.Struct, frozen=True, kw_only=True):
    """A namesake item: the thread bears the name of a session that is not its own; or it is that session's own, otherwise named."""

    parent_channel_id: str
    session_key: str  # of the session whose name it bears
    thread_id: str
    gone_at: str | None = None  # since then its GET says that it does not exist
    passed_at: str | None = None  # one look-up of several read it then, and could not adopt it
    thread_name: str | None = None  # of a thread that is to be found by this other name, as long as it bears it

    @property
    def item_key(self) -> Key:
        return namesake_item_key(self.parent_channel_id, self.session_key, self.thread_id)

    @classmethod
    def from_item(cls, item: Item) -> "Namesake":
        """Read the ids from the item's keys: a session key may hold "#", an id never does. Raises UnreadableItem."""
        key, _, thread_id = item["sk"].removeprefix("NAMESAKE#").rpartition("#")
        parent = item["pk"].removeprefix("CHANNEL#")
        return read_item(item, {**item, "parent_channel_id": parent, "session_key": key, "thread_id": thread_id}, cls)


class ChannelItem(msgspec.Struct, frozen=True, kw_only=True):
    """A channel item: what kind of channel it is, how far its past is known, and its settings."""

    channel_id: str
    guild_id: str
    kind: int  # Discord's channel type
    imported_at: str | None = None  # the watermark: all threads archived before it are settled
    import_started_at: str | None = None  # while an import runs: what imported_at will be
    import_before: str | None = None  # and the archive time from which the next page is read; None: the newest
    import_since: str | None = None  # where it ends: all older threads are settled; None: at the oldest
    import_asked_by: str | None = None  # the id of the interaction that asked for the last import
    import_pages: int = 0
    import_threads: int = 0
    import_sessions: int = 0
    unreachable_since: str | None = None  # the reconciler leaves its sessions alone: it does not answer
    gone_since: str | None = None  # and the answer was that there is no such channel
    ask_again_at: str | None = None  # it is not asked before this moment
    settings: ChannelSettings = ChannelSettings()

    @classmethod
    def from_item(cls, item: Item) -> "ChannelItem":
        """Raises UnreadableItem."""
        return read_item(item, {**item, "channel_id": item["pk"].removeprefix("CHANNEL#"), "settings": item}, cls)

    @property
    def progress(self) -> dict[str, int]:
        return {"pages": self.import_pages, "threads": self.import_threads, "sessions": self.import_sessions}


def session_item_key(parent_channel_id: str, key: str) -> Key:
    return {"pk": f"CHANNEL#{parent_channel_id}", "sk": key if key.startswith(PRIVATE) else f"SESSION#{key}"}


def namesake_item_key(parent_channel_id: str, key: str, thread_id: str) -> Key:
    return {"pk": f"CHANNEL#{parent_channel_id}", "sk": f"NAMESAKE#{key}#{thread_id}"}


def pointer_item_key(thread_id: str) -> Key:
    return {"pk": f"THREAD#{thread_id}", "sk": "THREAD"}


def channel_item_key(channel_id: str) -> Key:
    return {"pk": f"CHANNEL#{channel_id}", "sk": "CHANNEL"}


def guild_item_key(guild_id: str) -> Key:
    return {"pk": f"GUILD#{guild_id}", "sk": "GUILD"}
