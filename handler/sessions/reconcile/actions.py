"""What a plan of the reconciler is made of: threads to fetch first, then actions. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from handler.discord.models import Channel
from handler.store.items import Namesake, Session


class Fetch(msgspec.Struct, frozen=True, tag=True):
    """Read the thread, or the parent channel itself, then plan again."""

    thread_id: str
    parent_channel_id: str


class SessionAction(msgspec.Struct, frozen=True, tag=True):
    """An action on one session, as it was read."""

    session: Session


class ThreadAction(SessionAction, frozen=True):
    """An action on a session's thread, as it was read."""

    thread: Channel


class UpdateSession(SessionAction, frozen=True):
    """Bring the record up to date."""

    changes: Mapping[str, Any]  # by attribute; None removes it


class MoveToEnd(SessionAction, frozen=True):
    """The archived session was checked: all others come before its next check."""


class Commit(ThreadAction, frozen=True):
    """The thread of the recorded source message exists: open the session."""


class DropClaim(SessionAction, frozen=True):
    """The lease has ended, and nothing is recorded: the session is vacant."""


class EndGeneration(SessionAction, frozen=True):
    """The thread is gone: end the generation, if the evidence agrees."""

    checks_archived: bool = False  # as in the observation


class HoldDeletion(SessionAction, frozen=True):
    """The thread seems gone, and so do too many others: hold the end back, and report it."""


class RemoveMember(SessionAction, frozen=True):
    """A member lost the role by which the private session was theirs: remove them, if that is still so."""

    user_id: str


class Settle(msgspec.Struct, frozen=True, tag=True):
    """Settle unknown threads of this channel that are named like sessions."""

    parent_channel_id: str
    threads: tuple[Channel, ...]


class AddNamesake(SessionAction, frozen=True):
    """The thread of one session bears the name of another: whoever opens that name is led to it."""

    session_key: str  # of that name
    thread: Channel


class RemoveNamesake(msgspec.Struct, frozen=True, tag=True):
    """The thread no longer bears the name, or the audit log says that it was deleted."""

    namesake: Namesake


class UnwatchNamesake(msgspec.Struct, frozen=True, tag=True):
    """The thread is archived or cannot be read: leave it to look-ups until it is active again."""

    namesake: Namesake


class AdvanceWatermark(msgspec.Struct, frozen=True, tag=True):
    """A thread of this channel was archived: settle what is newly archived there, and move the watermark."""

    parent_channel_id: str


class ParkChannel(msgspec.Struct, frozen=True, tag=True):
    """The parent channel is gone or cannot be read: leave its sessions alone, and ask for it less and less often."""

    channel_id: str
    changes: Mapping[str, Any]  # to the channel's item, by attribute; None removes it


class UnparkChannel(msgspec.Struct, frozen=True, tag=True):
    """The parked channel answers again."""

    channel_id: str
    changes: Mapping[str, Any]


Action = (
    AdvanceWatermark
    | UpdateSession
    | MoveToEnd
    | Commit
    | DropClaim
    | EndGeneration
    | HoldDeletion
    | RemoveMember
    | Settle
    | AddNamesake
    | RemoveNamesake
    | UnwatchNamesake
    | ParkChannel
    | UnparkChannel
)


class Plan(msgspec.Struct, frozen=True):
    """Either threads to fetch or actions, never both."""

    fetches: tuple[Fetch, ...] = ()
    actions: tuple[Action, ...] = ()

    @property
    def held(self) -> int:
        """How many deletions are held back."""
        return sum(isinstance(action, HoldDeletion) for action in self.actions)
