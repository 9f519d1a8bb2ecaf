"""Housekeeping of old sessions: which ones to archive, close, delete or open again, of those that a run has seen. Pure.

`IdleArchiveHours` archives threads that were idle for so long. `DeleteAfterDays` ends sessions that have been closed, or
without activity, for so long: in the mode `archive`, the thread is archived and the session `closed`; in the mode
`delete`, the thread is deleted over two runs, as `threads.deletion` describes. A thread that a person started or locked
is never deleted: there the mode is `archive`. A session with `keep` is left alone unless
it is closed, and its thread is opened again when Discord's own timer archived it.

Activity is a message, an open that wrote something, or the opening of the archived thread by anybody.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from handler.config import DeleteMode, ReconcilerConfig
from handler.discord.models import Channel
from handler.runtime.clock import parse_iso
from handler.sessions.reconcile.actions import Action, SessionAction, ThreadAction, UpdateSession
from handler.sessions.reconcile.observation import Gone, Observation, OutOfReach
from handler.sessions.reconcile.pace import rotate
from handler.sessions.threads.locks import RUN_OVER_AFTER, may_delete
from handler.sessions.threads.record import last_active_at, last_message
from handler.sessions.threads.source_message import is_stale
from handler.store.items import Session, Status

CHANGES_PER_RUN: Final = 20  # of each action but deletions: a request or two each, so ten seconds at the pace
DELETIONS_PER_RUN: Final = 5  # as many as the archived sessions that a run checks; a dozen requests each
MIN_MARK_AGE: Final = timedelta(minutes=2)  # time for a message or an open, and no two runs at once mark and delete
MAX_MARK_AGE: Final = timedelta(days=1)  # an older mark is from before a pause of housekeeping: mark again
MIN_CLOSE_AGE: Final = timedelta(minutes=2)  # whoever began the close has given up by then, or died


class HousekeepingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What this deployment has set. None is off."""

    idle_archive: timedelta | None = None
    delete_after: timedelta | None = None
    delete_mode: DeleteMode = "archive"

    @classmethod
    def from_config(cls, config: ReconcilerConfig) -> "HousekeepingSettings":
        """Read the configuration, where 0 is off."""
        return cls(
            idle_archive=timedelta(hours=config.idle_archive_hours) or None,
            delete_after=timedelta(days=config.delete_after_days) or None,
            delete_mode=config.delete_mode,
        )

    @property
    def checks_archived(self) -> bool:
        """Whether archived sessions have to be checked although there is no news of them."""
        return self.delete_after is not None

    @property
    def deletes(self) -> bool:
        """Whether the threads of old sessions are deleted."""
        return self.checks_archived and self.delete_mode == "delete"


OFF: Final = HousekeepingSettings()


class Archive(ThreadAction, frozen=True):
    """The thread has been idle: archive it."""


class Close(ThreadAction, frozen=True):
    """The session has been without activity, and its thread is not to be deleted: archive it, and close the session."""


class Mark(ThreadAction, frozen=True):
    """The session is over: mark it, so that a later run deletes its thread."""


class Unmark(SessionAction, frozen=True):
    """The marked session is in use again, or no longer to be deleted."""


class Delete(SessionAction, frozen=True):
    """An earlier run marked the session, and nothing has happened since: delete its thread."""


class FinishDeletion(SessionAction, frozen=True):
    """A deletion was begun and not finished."""


class ReleaseLock(SessionAction, frozen=True):
    """A deletion was given up after it locked the thread: no lock of ours may stay."""


class FinishClose(SessionAction, frozen=True):
    """A close was begun and not finished."""


class ShowCard(SessionAction, frozen=True):
    """The message above the thread does not show what is on record."""


class Reopen(ThreadAction, frozen=True):
    """The thread of a kept session was archived: open it again, unless a person archived it."""

    changes: dict[str, Any]  # to write if it stays archived


HousekeepingAction = (
    Archive | Close | Mark | Unmark | Delete | FinishDeletion | ReleaseLock | FinishClose | ShowCard | Reopen
)
_LIMITS: Final = {Delete: DELETIONS_PER_RUN, FinishDeletion: DELETIONS_PER_RUN}


def plan_housekeeping(observation: Observation, settings: HousekeepingSettings) -> tuple[HousekeepingAction, ...]:
    """Plan a bounded number of actions; `separate_reopens` finds those of kept sessions.

    Each run begins at another session, so that those that are always refused do not keep the others from their turn.
    """
    planned: Counter[type] = Counter()
    bounded = []
    for session in rotate(observation.sessions, observation.now):
        action = _plan_session(observation, settings, session)
        if action is not None and planned[type(action)] < _LIMITS.get(type(action), CHANGES_PER_RUN):
            planned[type(action)] += 1
            bounded.append(action)
    return tuple(bounded)


def _plan_session(
    observation: Observation, settings: HousekeepingSettings, session: Session
) -> HousekeepingAction | None:
    """What to do about the session; None: nothing."""
    match session.status:
        case Status.VACANT | Status.CREATING:
            return None
        case Status.OPEN | Status.CLOSED:
            pass
        case _:
            raise ValueError(f"unknown status {session.status!r}")
    if observation.is_lost(session.parent_channel_id):
        return None
    if session.deletion.begun_at is not None:
        return FinishDeletion(session)
    thread = observation.find_state(session.discord_thread_id or "")
    if isinstance(thread, Gone | OutOfReach):
        return None
    if session.closing.begun_at is not None:
        return FinishClose(session) if observation.now - parse_iso(session.closing.begun_at) >= MIN_CLOSE_AGE else None
    action = _plan_thread(observation, settings, session, thread) if isinstance(thread, Channel) else None
    return ShowCard(session) if action is None and is_stale(session) else action


def _plan_thread(
    observation: Observation, settings: HousekeepingSettings, session: Session, thread: Channel
) -> HousekeepingAction | None:
    deletes = settings.deletes and may_delete(
        session, thread, bot_user_id=observation.bot_user_id, application_id=observation.application_id
    )
    if session.deletion.marked_at is not None:
        return _plan_marked(session, thread, settings, observation.now, deletes=deletes)
    if session.deletion.locking_at is not None:
        over = observation.now - parse_iso(session.deletion.locking_at) >= RUN_OVER_AFTER
        return ReleaseLock(session) if over else None
    return _plan_unmarked(session, thread, settings, observation.now, deletes=deletes)


def _plan_marked(
    session: Session, thread: Channel, settings: HousekeepingSettings, now: datetime, *, deletes: bool
) -> HousekeepingAction | None:
    age = now - parse_iso(session.deletion.marked_at or "")
    if (
        last_message(thread) != session.deletion.marked_message
        or age > MAX_MARK_AGE
        or not deletes
        or not is_over(session, thread, settings, now)
    ):
        return Unmark(session)
    return Delete(session) if age >= MIN_MARK_AGE else None


def _plan_unmarked(
    session: Session, thread: Channel, settings: HousekeepingSettings, now: datetime, *, deletes: bool
) -> HousekeepingAction | None:
    if is_over(session, thread, settings, now):
        if deletes:
            return Mark(session, thread)
        return Close(session, thread) if session.status is Status.OPEN else None
    if settings.idle_archive is None or session.stays_open or thread.archived:
        return None
    return Archive(session, thread) if now - last_active_at(session, thread) >= settings.idle_archive else None


def is_over(session: Session, thread: Channel, settings: HousekeepingSettings, now: datetime) -> bool:
    """Whether the session has been closed, or without activity, for so long that it is to end."""
    if settings.delete_after is None:
        return False
    if session.status is Status.CLOSED and thread.archived:
        return now - (thread.archive_time or last_active_at(session, thread)) >= settings.delete_after
    return not session.stays_open and now - last_active_at(session, thread) >= settings.delete_after


# Kept sessions.


def separate_reopens(
    observation: Observation, planned: Iterable[Action]
) -> tuple[tuple[Action, ...], tuple[Reopen, ...]]:
    """Take out of the plan the updates that say that a kept session's thread was archived, and return them as `Reopen`.

    Without the audit log nothing tells who archived it: then there are none, and `keep` is off.
    """
    others: list[Action] = []
    reopens: list[Reopen] = []
    for action in planned:
        reopen = _find_reopen(observation, action)
        if reopen is None:
            others.append(action)
        elif len(reopens) < CHANGES_PER_RUN:  # the records of the rest stay as they are, so that the next run sees them
            reopens.append(reopen)
    return tuple(others), tuple(reopens)


def _find_reopen(observation: Observation, action: Action) -> Reopen | None:
    """What to do instead of this update; None unless a kept session's thread, active on record, is archived now."""
    if observation.audit is None or not isinstance(action, UpdateSession):
        return None
    session = action.session
    if (
        not session.stays_open
        or session.thread.archived
        or session.status is not Status.OPEN
        or session.closing.begun_at
    ):
        return None
    thread = observation.find_state(session.discord_thread_id or "")
    if isinstance(thread, Channel) and thread.archived:
        return Reopen(session, thread, dict(action.changes))
    return None
