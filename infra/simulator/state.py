"""The whole simulated Discord: its models by id, the indices over them, and the switches."""

from bisect import bisect_left, insort
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter
from typing import Final, Literal

from infra.simulator.forkable import ForkableDict
from infra.simulator.models import (
    AuditEntry,
    Channel,
    Guild,
    Interaction,
    Message,
    Nonce,
    RateRule,
    Thread,
    User,
    Window,
)
from infra.simulator.snowflakes import lowest_snowflake

# An archived thread's place in the pages of its parent: when it was archived, then its id.
Place = tuple[datetime, int]


NO_KEY: Final = "0" * 64  # of an application of which nobody checks a signature

HalfPages = Literal[
    "empty",  # no thread, and more follow
    "lost",  # no thread, and no more follow, although there are some
    "unfinished",  # does not say whether more follow
    "oldest first",
    "of another channel",
    "the newest",  # whatever time was asked for, and more follow
    "without states",  # threads without `thread_metadata`
]


@dataclass(frozen=True, slots=True)
class Switches:
    """What can be set about Discord."""

    nonce_seconds: float = 180  # how long a nonce is remembered: "a few minutes" in the documentation
    second_thread_from_message: bool = False  # whether a message can have another thread after a deletion; undocumented
    message_content: bool = False  # the privileged intent; without it other people's words are empty
    active_thread_limit: int = 1000  # of a guild; about 1000 according to users
    thread_member_limit: int = 1000  # Discord docs, "Threads"
    rename_limit: tuple[int, float] | None = (2, 600)  # of one thread, number and seconds; according to users
    archived_pages: HalfPages | None = None  # what is wrong with each page of archived public threads
    search_ready: bool = True  # whether the thread search has its index
    search_lag_seconds: float = 30  # how far the thread search is behind; according to users
    blocked_title_words: tuple[str, ...] = ()  # AutoMod refuses a thread name that contains one, in any case
    blocked_message_words: tuple[str, ...] = ()  # the same for messages
    dropped_from_titles: str = ""  # characters that are taken out of a thread name, which is then trimmed; undocumented
    refused_title_words: tuple[str, ...] = ()  # a form error for a thread name with one, as in Server Discovery
    # Discord docs, "Receiving and Responding to Interactions"
    first_answer_seconds: float = 3  # how long Discord waits for the first answer
    callback_lag_seconds: float = 0  # how long after the first answer the original response is still unknown
    callback_lag_code: int = 10015  # what is answered during that time: 10015 or 10008
    endpoint_accepted: bool = True  # whether the check of a new interactions endpoint succeeds
    # Entries of thread lists and of the audit log that are answered in another shape: the id, and JSON instead of it.
    odd_entries: tuple[tuple[str, str], ...] = ()
    keep_audit_log: bool = True  # False: no audit entries, which makes more states equal


@dataclass(frozen=True, slots=True)
class Identity:
    """The one application. The token is left out of the repr."""

    application_id: str
    bot_user_id: str
    authorization: str  # the header that its requests must have
    public_key: str = NO_KEY  # with which its interactions are signed, in hexadecimal digits

    def __repr__(self) -> str:
        return f"Identity(application_id={self.application_id!r}, bot_user_id={self.bot_user_id!r})"


# What makes two states different: plain values, and dictionaries.
_VALUES: Final = ("switches", "endpoint_url", "install", "reported_missing", "search_index")
_DICTS: Final = (
    "users",
    "guilds",
    "channels",
    "threads",
    "messages",
    "nonces",
    "audit",
    "interactions",
    "commands",
    "rules",
    "windows",
)
# What does not: `last_id` decides only the ids still to come, and the indices follow from the threads.
_OTHER_VALUES: Final = ("identity", "last_id")
_INDICES: Final = ("active", "archived")
# The explorer compares very many states, and attrgetter is faster than getattr in a loop.
_values_of: Final = attrgetter(*_VALUES)
_dicts_of: Final = attrgetter(*_DICTS)


class State:
    """The whole simulated Discord at one moment.

    Everybody may read the dictionaries. Threads are written only by `put_thread`, `put_archived_threads` and `drop_thread`,
    which keep the indices.
    """

    __slots__ = (*_VALUES, *_DICTS, *_OTHER_VALUES, *_INDICES)

    def __init__(self, identity: Identity, switches: Switches) -> None:
        self.identity = identity
        self.switches = switches
        self.endpoint_url: str | None = None
        self.install: bytes = b"{}"  # JSON: what an invitation asks for, by kind of installation
        self.last_id = 0
        self.reported_missing: frozenset[str] = frozenset()  # threads whose next GET is answered 10003
        self.search_index: tuple[Thread, ...] | None = None  # what the thread search knows; None: it is up to date
        self.users: ForkableDict[str, User] = ForkableDict()
        self.guilds: ForkableDict[str, Guild] = ForkableDict()
        self.channels: ForkableDict[str, Channel] = ForkableDict()
        self.threads: ForkableDict[str, Thread] = ForkableDict()
        self.messages: ForkableDict[str, Message] = ForkableDict()
        self.nonces: ForkableDict[tuple[str, str], Nonce] = ForkableDict()  # by author and nonce
        self.audit: ForkableDict[str, tuple[AuditEntry, ...]] = ForkableDict()  # by guild, oldest first
        self.interactions: ForkableDict[str, Interaction] = ForkableDict()  # by token
        self.commands: ForkableDict[str, bytes] = ForkableDict()  # JSON, by guild; "" is the global scope
        self.rules: ForkableDict[tuple[str, str], RateRule] = ForkableDict()  # by method and route template
        self.windows: ForkableDict[tuple[str, ...], Window] = ForkableDict()
        self.active: ForkableDict[str, frozenset[str]] = ForkableDict()  # guild → ids of its active threads
        # (parent, type) → places of its archived threads, oldest first
        self.archived: ForkableDict[tuple[str, int], tuple[Place, ...]] = ForkableDict()

    def fork(self) -> "State":
        """An independent copy."""
        twin = State.__new__(State)
        for name in _VALUES + _OTHER_VALUES:
            setattr(twin, name, getattr(self, name))
        for name in _DICTS + _INDICES:
            setattr(twin, name, getattr(self, name).fork())
        return twin

    def fingerprint(self) -> Hashable:
        """A hashable value, equal for states that behave alike."""
        return (_values_of(self), *[each.fingerprint() for each in _dicts_of(self)])

    def allot(self, now: datetime) -> str:
        """A new snowflake, of this millisecond if possible, and above all earlier ones."""
        self.last_id = max(lowest_snowflake(now), self.last_id + 1)
        return str(self.last_id)

    def put_thread(self, thread: Thread) -> None:
        """Set a thread, new or changed."""
        old = self.threads.get(thread.id)
        self.threads.put(thread.id, thread)
        if old is not None and old.archived == thread.archived and old.archive_timestamp == thread.archive_timestamp:
            return
        if old is not None:
            self._unlist(old)
        if thread.archived:
            self._list_archived(thread)
        else:
            ids = self.active.get(thread.guild_id) or frozenset()
            self.active.put(thread.guild_id, ids | {thread.id})

    def drop_thread(self, thread: Thread) -> None:
        self.threads.discard(thread.id)
        self._unlist(thread)

    def put_archived_threads(self, threads: Iterable[Thread]) -> None:
        """Set many new archived threads at once, all of one parent and one type."""
        new = tuple(threads)
        self.threads.put_all((thread.id, thread) for thread in new)
        if new:
            key = _index_key(new[0])
            self.archived.put(key, tuple(sorted([*(self.archived.get(key) or ()), *map(_place, new)])))

    def switch(self, **changes: object) -> None:
        """Set switches by name. Raises TypeError for an unknown name."""
        self.switches = replace(self.switches, **changes)  # type: ignore[arg-type]  # replace checks the names itself

    def _list_archived(self, thread: Thread) -> None:
        places = list(self.archived.get(_index_key(thread)) or ())
        insort(places, _place(thread))
        self.archived.put(_index_key(thread), tuple(places))

    def _unlist(self, thread: Thread) -> None:
        if not thread.archived:
            self.active.put(thread.guild_id, (self.active.get(thread.guild_id) or frozenset()) - {thread.id})
            return
        places = self.archived.get(_index_key(thread)) or ()
        index = bisect_left(places, _place(thread))
        self.archived.put(_index_key(thread), places[:index] + places[index + 1 :])


def _index_key(thread: Thread) -> tuple[str, int]:
    return thread.parent_id, thread.kind


def _place(thread: Thread) -> Place:
    return thread.archive_timestamp, int(thread.id)
