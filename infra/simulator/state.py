"""The whole world: tables of records, the indices over them, and the switches."""

from bisect import bisect_left, insort
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from infra.simulator.forkable import ForkableDict
from infra.simulator.models import (
    AuditEntry,
    Channel,
    Commands,
    Guild,
    Interaction,
    Message,
    Nonce,
    RateRule,
    Thread,
    User,
    Window,
)
from infra.simulator.snowflakes import lowest_at

# An archived thread's place in the pages of its parent: when it was archived, then its id.
Place = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Switches:
    """What of Discord can be set.

    nonce_seconds               how long a nonce is remembered: "a few minutes" in the documentation, three here
    second_thread_from_message  whether a message whose thread was deleted may have another one; documented nowhere
    message_content             the privileged intent: without it other people's words come empty
    active_thread_limit         active threads in a guild; about 1000 by users' reports
    thread_member_limit         members of a thread (Discord docs, "Threads")
    rename_limit                renames of one thread, as (number, seconds): 2 in 10 minutes by users' reports
    search_ready                whether the thread search has its index
    search_lag_seconds          how far the thread search is behind: half a minute by users' reports
    blocked_title_words         a thread name that contains one, in any case, is refused by AutoMod
    blocked_message_words       the same for messages
    callback_lag_seconds        how long after an inline answer the original response is unknown still
    callback_lag_code           10015 or 10008: what is answered meanwhile
    endpoint_accepted           whether the check of a new interactions endpoint succeeds
    keep_audit_log              off: no audit entries are written, which makes more states equal
    """

    nonce_seconds: float = 180
    second_thread_from_message: bool = False
    message_content: bool = False
    active_thread_limit: int = 1000
    thread_member_limit: int = 1000
    rename_limit: tuple[int, float] | None = (2, 600)
    search_ready: bool = True
    search_lag_seconds: float = 30
    blocked_title_words: tuple[str, ...] = ()
    blocked_message_words: tuple[str, ...] = ()
    callback_lag_seconds: float = 0
    callback_lag_code: int = 10015
    endpoint_accepted: bool = True
    keep_audit_log: bool = True


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the one application is. The token is no part of any repr."""

    application_id: str
    bot_user_id: str
    authorization: str

    def __repr__(self) -> str:
        return f"Identity(application_id={self.application_id!r}, bot_user_id={self.bot_user_id!r})"


class State:
    """The world at one moment. Everybody reads the tables; threads are written through `put_thread` and `drop_thread`."""

    __slots__ = (
        "active",
        "archived",
        "audit",
        "channels",
        "commands",
        "endpoint_url",
        "guilds",
        "identity",
        "interactions",
        "last_id",
        "messages",
        "nonces",
        "reported_missing",
        "rules",
        "switches",
        "threads",
        "users",
        "windows",
    )

    def __init__(self, identity: Identity, switches: Switches) -> None:
        self.identity = identity
        self.switches = switches
        self.endpoint_url: str | None = None
        self.last_id = 0
        self.reported_missing: frozenset[str] = frozenset()
        self.users: ForkableDict[str, User] = ForkableDict()
        self.guilds: ForkableDict[str, Guild] = ForkableDict()
        self.channels: ForkableDict[str, Channel] = ForkableDict()
        self.threads: ForkableDict[str, Thread] = ForkableDict()
        self.messages: ForkableDict[str, Message] = ForkableDict()
        self.nonces: ForkableDict[tuple[str, str], Nonce] = ForkableDict()
        self.audit: ForkableDict[str, tuple[AuditEntry, ...]] = ForkableDict()
        self.interactions: ForkableDict[str, Interaction] = ForkableDict()
        self.commands: ForkableDict[str, Commands] = ForkableDict()
        self.rules: ForkableDict[tuple[str, str], RateRule] = ForkableDict()
        self.windows: ForkableDict[tuple[str, ...], Window] = ForkableDict()
        # Indices: guild → ids of its active threads; (parent, private) → places of its archived ones, oldest first.
        self.active: ForkableDict[str, frozenset[str]] = ForkableDict()
        self.archived: ForkableDict[tuple[str, bool], tuple[Place, ...]] = ForkableDict()

    def fork(self) -> "State":
        """The same world once more; what happens to one does not happen to the other."""
        twin = State.__new__(State)
        twin.identity = self.identity
        twin.switches = self.switches
        twin.endpoint_url = self.endpoint_url
        twin.last_id = self.last_id
        twin.reported_missing = self.reported_missing
        twin.users = self.users.fork()
        twin.guilds = self.guilds.fork()
        twin.channels = self.channels.fork()
        twin.threads = self.threads.fork()
        twin.messages = self.messages.fork()
        twin.nonces = self.nonces.fork()
        twin.audit = self.audit.fork()
        twin.interactions = self.interactions.fork()
        twin.commands = self.commands.fork()
        twin.rules = self.rules.fork()
        twin.windows = self.windows.fork()
        twin.active = self.active.fork()
        twin.archived = self.archived.fork()
        return twin

    def fingerprint(self) -> Hashable:
        """Equal for equal worlds.

        The indices follow from the threads. `last_id` is left out: two worlds that differ in nothing else behave alike but
        for the ids of what is yet to come, which are new in both.
        """
        return (
            self.switches,
            self.endpoint_url,
            self.reported_missing,
            self.users.fingerprint(),
            self.guilds.fingerprint(),
            self.channels.fingerprint(),
            self.threads.fingerprint(),
            self.messages.fingerprint(),
            self.nonces.fingerprint(),
            self.audit.fingerprint(),
            self.interactions.fingerprint(),
            self.commands.fingerprint(),
            self.rules.fingerprint(),
            self.windows.fingerprint(),
        )

    def allot(self, now: datetime) -> str:
        """A new snowflake: of this millisecond, and above all earlier ones."""
        self.last_id = max(lowest_at(now), self.last_id + 1)
        return str(self.last_id)

    def put_thread(self, thread: Thread) -> None:
        """Sets a thread, new or changed, and keeps the indices."""
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
        self.threads.drop(thread.id)
        self._unlist(thread)

    def put_archived_threads(self, threads: Iterable[Thread]) -> None:
        """Sets many new archived threads of one parent and privacy at once."""
        new = tuple(threads)
        self.threads.put_all((thread.id, thread) for thread in new)
        if new:
            key = (new[0].parent_id, new[0].is_private)
            places = [(thread.archive_timestamp, int(thread.id)) for thread in new]
            self.archived.put(key, tuple(sorted([*(self.archived.get(key) or ()), *places])))

    def switch(self, **changes: object) -> None:
        """Sets switches by name; an unknown name is a TypeError."""
        self.switches = replace(self.switches, **changes)  # type: ignore[arg-type]  # replace checks the names itself

    def _list_archived(self, thread: Thread) -> None:
        key = (thread.parent_id, thread.is_private)
        places = list(self.archived.get(key) or ())
        insort(places, (thread.archive_timestamp, int(thread.id)))
        self.archived.put(key, tuple(places))

    def _unlist(self, thread: Thread) -> None:
        if not thread.archived:
            self.active.put(thread.guild_id, (self.active.get(thread.guild_id) or frozenset()) - {thread.id})
            return
        key = (thread.parent_id, thread.is_private)
        places = self.archived.get(key) or ()
        index = bisect_left(places, (thread.archive_timestamp, int(thread.id)))
        self.archived.put(key, places[:index] + places[index + 1 :])
