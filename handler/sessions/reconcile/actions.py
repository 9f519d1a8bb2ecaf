"""The reconciler's vocabulary: what is known of a guild, what may be asked, and the actions that a plan is made of. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec

from handler.discord.models import AuditAction, AuditEntry, Channel
from handler.store.items import Namesake, Session


class Gone(msgspec.Struct, frozen=True):
    """Asked for: 404 with code 10003."""


class OutOfReach(msgspec.Struct, frozen=True):
    """Asked for: 403. Lost access is no deletion."""


class Unclear(msgspec.Struct, frozen=True):
    """Asked for, and not answered properly: nothing is concluded."""


ThreadState = Channel | Gone | OutOfReach | Unclear


@dataclass(frozen=True, kw_only=True)
class Observation:
    """All that a comparison knows. `active` and `fetched` are by thread id; `audit`, oldest first, is None where it may
    not be read.

    `sessions`: the watched ones, and those that audit entries, the sweep or unarchived threads brought in. `sweeps`:
    archived sessions are looked at in turn; `swept`: the threads whose turn it is. `doubted`: threads whose record moved while the list was read,
    so that they are asked for instead. `merged`: threads that were merged into another one. `bot_user_id`: known where
    an entry tells of a lock. `let_through`: a person lets held deletions through.
    """

    now: datetime
    sessions: tuple[Session, ...] = ()
    namesakes: tuple[Namesake, ...] = ()
    active: Mapping[str, Channel] = field(default_factory=dict)
    fetched: Mapping[str, ThreadState] = field(default_factory=dict)
    audit: tuple[AuditEntry, ...] | None = None
    swept: frozenset[str] = frozenset()
    sweeps: bool = False
    doubted: frozenset[str] = frozenset()
    merged: frozenset[str] = frozenset()
    application_id: str = ""
    bot_user_id: str | None = None
    let_through: bool = False

    def known(self, thread_id: str) -> ThreadState | None:
        """What Discord says of a thread; None: it is to be asked."""
        listed = None if thread_id in self.doubted else self.active.get(thread_id)
        return self.fetched.get(thread_id) or listed

    @cached_property
    def heard_of(self) -> frozenset[str]:
        """The threads of which the audit log tells anything."""
        told = (e for e in self.audit or () if e.action_type in _ABOUT_THREADS)
        return frozenset(e.target_id for e in told if e.target_id is not None)

    @cached_property
    def deleted(self) -> frozenset[str]:
        """The threads whose deletion the audit log tells."""
        told = (e for e in self.audit or () if e.action_type == AuditAction.THREAD_DELETE)
        return frozenset(e.target_id for e in told if e.target_id is not None)

    @cached_property
    def locked_by(self) -> dict[str, str]:
        """Who locked each thread last, by the audit log. A lock of the bot's is the application's."""
        locks = (
            e for e in self.audit or () if e.action_type == AuditAction.THREAD_UPDATE and e.new_value("locked") is True
        )
        who = {e.target_id: e.user_id for e in locks if e.target_id is not None and e.user_id is not None}
        return {t: self.application_id if user == self.bot_user_id else user for t, user in who.items()}


_ABOUT_THREADS = frozenset(AuditAction)


class Fetch(msgspec.Struct, frozen=True, tag=True):
    """Read the thread, and compare again."""

    thread_id: str


class UpdateSession(msgspec.Struct, frozen=True, tag=True):
    """Bring the record up to date; a value of None removes the attribute."""

    session: Session
    changes: Mapping[str, Any]


class MoveToEnd(msgspec.Struct, frozen=True, tag=True):
    """The sweep has looked at it: it goes to the end of the row."""

    session: Session


class Commit(msgspec.Struct, frozen=True, tag=True):
    """The thread of the recorded source message exists: the session is open."""

    session: Session
    thread: Channel


class DropClaim(msgspec.Struct, frozen=True, tag=True):
    """The claim is over, and nothing is recorded."""

    session: Session


class EndGeneration(msgspec.Struct, frozen=True, tag=True):
    """The thread is gone: the generation ends, if the evidence agrees. `sweeps`: as in the observation."""

    session: Session
    sweeps: bool = False


class HoldDeletion(msgspec.Struct, frozen=True, tag=True):
    """The thread seems gone, with too many others: held back, and reported."""

    session: Session


class Settle(msgspec.Struct, frozen=True, tag=True):
    """Threads of this channel that nobody knows and that are named like sessions get their place."""

    parent_channel_id: str
    threads: tuple[Channel, ...]


class AddNamesake(msgspec.Struct, frozen=True, tag=True):
    """A session's thread was given another session's name: who opens that name is led to it."""

    parent_channel_id: str
    session_key: str
    thread: Channel


class RemoveNamesake(msgspec.Struct, frozen=True, tag=True):
    """The thread bears the name no more, or was deleted, as the audit log tells."""

    namesake: Namesake


class UnwatchNamesake(msgspec.Struct, frozen=True, tag=True):
    """The thread is archived or cannot be seen: it is not watched until it is active again. A look-up fetches for it."""

    namesake: Namesake


class AdvanceWatermark(msgspec.Struct, frozen=True, tag=True):
    """A thread has left the active list for the archive: what is newly archived in this channel is settled."""

    parent_channel_id: str


Action = (
    AdvanceWatermark
    | UpdateSession
    | MoveToEnd
    | Commit
    | DropClaim
    | EndGeneration
    | HoldDeletion
    | Settle
    | AddNamesake
    | RemoveNamesake
    | UnwatchNamesake
)


class Plan(msgspec.Struct, frozen=True):
    """Either what is still to be asked, or what to do."""

    fetches: tuple[Fetch, ...] = ()
    actions: tuple[Action, ...] = ()

    @property
    def held(self) -> int:
        return sum(isinstance(action, HoldDeletion) for action in self.actions)
