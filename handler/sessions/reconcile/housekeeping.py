"""Housekeeping of old sessions: which of those that a run has seen are to be archived, closed, deleted or kept. Pure.

`IdleArchiveHours` archives threads that were idle for so long. `DeleteAfterDays` ends sessions that have been closed, or
without activity, for so long: in the mode `archive` the thread is archived and the session `closed`, in the mode `delete`
the thread goes, over two runs (`deleting`). A session with `keep` is left alone, unless it is closed, and its thread is
opened again when Discord's own timer archived it.

Activity is a message, an open that found something to do, or the opening of the archived thread by anybody.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from zlib import crc32

import msgspec

from handler.config import DeleteMode
from handler.discord import snowflakes
from handler.discord.models import AuditAction, AuditEntry, Channel
from handler.runtime.clock import iso, parse_iso
from handler.sessions.reconcile import actions as reconciling
from handler.sessions.reconcile.actions import Observation, UpdateSession
from handler.sessions.threads.locks import RUN_OVER_AFTER
from handler.sessions.threads.record import last_active_at, last_message
from handler.store.items import Session, Status

CHANGES_PER_RUN: Final = 20  # of each kind of action but deletions: a request or two each, so ten seconds at the pace
DELETIONS_PER_RUN: Final = 5  # as many as the sweep brings; a dozen requests each
MARKED_FOR: Final = timedelta(minutes=2)  # so long people have for a message or an open, and two runs at once are none
MARK_GOOD_FOR: Final = timedelta(days=1)  # an older one is from before a pause of housekeeping: marked anew
AUDIT_MARGIN: Final = timedelta(minutes=1)  # between a thread's archive time and the entry that tells who archived it


class HousekeepingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What this deployment wants of it; None is off."""

    idle_archive: timedelta | None = None
    delete_after: timedelta | None = None
    delete_mode: DeleteMode = "archive"

    @classmethod
    def of(cls, idle_archive_hours: int, delete_after_days: int, delete_mode: DeleteMode) -> "HousekeepingSettings":
        """From the configuration's numbers, where 0 is off."""
        return cls(
            idle_archive=timedelta(hours=idle_archive_hours) if idle_archive_hours else None,
            delete_after=timedelta(days=delete_after_days) if delete_after_days else None,
            delete_mode=delete_mode,
        )

    @property
    def trace_after(self) -> timedelta | None:
        """How long a session is idle before an open leaves a trace: who opens it before has as long again at least."""
        return None if self.delete_after is None else self.delete_after / 2

    @property
    def sweeps(self) -> bool:
        """Whether archived sessions have to be looked at that nothing was heard of."""
        return self.delete_after is not None


OFF: Final = HousekeepingSettings()


class Archive(msgspec.Struct, frozen=True, tag=True):
    """The thread has been idle: archive it."""

    session: Session
    thread: Channel


class Close(msgspec.Struct, frozen=True, tag=True):
    """The session has been without activity: archive its thread, and close it."""

    session: Session
    thread: Channel


class Mark(msgspec.Struct, frozen=True, tag=True):
    """The thread is to be deleted: not yet."""

    session: Session
    thread: Channel


class Unmark(msgspec.Struct, frozen=True, tag=True):
    """The marked session is in use again, or not to be deleted any more."""

    session: Session


class Delete(msgspec.Struct, frozen=True, tag=True):
    """The session was marked by a former run, and nothing has happened since."""

    session: Session


class FinishDeletion(msgspec.Struct, frozen=True, tag=True):
    """A deletion was begun: the mark is taken."""

    session: Session


class ReleaseLock(msgspec.Struct, frozen=True, tag=True):
    """A deletion was begun and left: no lock of ours may stay."""

    session: Session


class Reopen(msgspec.Struct, frozen=True, tag=True):
    """The thread of a kept session was archived: open it again, unless a person did it. Then `changes` are written down."""

    session: Session
    thread: Channel
    changes: dict[str, Any]


HousekeepingAction = Archive | Close | Mark | Unmark | Delete | FinishDeletion | ReleaseLock | Reopen
_MOST: Final = {Delete: DELETIONS_PER_RUN, FinishDeletion: DELETIONS_PER_RUN}


def plan_housekeeping(observation: Observation, settings: HousekeepingSettings) -> tuple[HousekeepingAction, ...]:
    """What is to be done about the sessions of a observation, bounded; `Reopen` is found by `keeps`.

    Each run begins at another session: what is refused for ever must not keep the others from their turn.
    """
    counts: dict[type, int] = {}
    bounded = []
    first = crc32(iso(observation.now).encode()) % len(observation.sessions) if observation.sessions else 0
    for session in (*observation.sessions[first:], *observation.sessions[:first]):
        for action in _step(observation, settings, session):
            counts[type(action)] = counts.get(type(action), 0) + 1
            if counts[type(action)] <= _MOST.get(type(action), CHANGES_PER_RUN):
                bounded.append(action)
    return tuple(bounded)


def _step(observation: Observation, settings: HousekeepingSettings, session: Session) -> Iterator[HousekeepingAction]:
    match session.status:
        case Status.VACANT | Status.CREATING:
            return
        case Status.OPEN | Status.CLOSED:
            pass
        case _:
            raise ValueError(f"unknown status {session.status!r}")
    if session.deletion.begun_at is not None:
        yield FinishDeletion(session)
        return
    thread = observation.known(session.discord_thread_id or "")
    if not isinstance(thread, Channel):
        return
    if session.deletion.marked_at is not None:
        yield from _marked(observation, settings, session, thread)
    elif session.deletion.locking_at is not None:
        if observation.now - parse_iso(session.deletion.locking_at) >= RUN_OVER_AFTER:
            yield ReleaseLock(session)
    else:
        yield from _unmarked(observation, settings, session, thread)


def _marked(
    observation: Observation, settings: HousekeepingSettings, session: Session, thread: Channel
) -> Iterator[HousekeepingAction]:
    same = last_message(thread) == session.deletion.marked_message
    age = observation.now - parse_iso(session.deletion.marked_at or "")
    if (
        not same
        or age > MARK_GOOD_FOR
        or settings.delete_mode != "delete"
        or not is_over(session, thread, settings, observation.now)
    ):
        yield Unmark(session)
    elif age >= MARKED_FOR:
        yield Delete(session)


def _unmarked(
    observation: Observation, settings: HousekeepingSettings, session: Session, thread: Channel
) -> Iterator[HousekeepingAction]:
    if is_over(session, thread, settings, observation.now):
        if settings.delete_mode == "delete":
            yield Mark(session, thread)
        elif session.status is Status.OPEN:
            yield Close(session, thread)
    elif settings.idle_archive is None or session.keep or thread.archived:
        return
    elif observation.now - last_active_at(session, thread) >= settings.idle_archive:
        yield Archive(session, thread)


def is_over(session: Session, thread: Channel, settings: HousekeepingSettings, now: datetime) -> bool:
    """Whether the session has been closed, or without activity, for so long that it is to end."""
    if settings.delete_after is None:
        return False
    if session.status is Status.CLOSED and thread.archived:
        return now - (thread.archive_time or last_active_at(session, thread)) >= settings.delete_after
    return not session.keep and now - last_active_at(session, thread) >= settings.delete_after


# Kept sessions.


def split_kept(
    observation: Observation, planned: Iterable[reconciling.Action]
) -> tuple[tuple[reconciling.Action, ...], tuple[Reopen, ...]]:
    """The plan's actions without those that write down that a kept session's thread was archived; those, as `Reopen`.

    Without the audit log nobody can tell who archived it: then there are none, and `keep` is off.
    """
    others: list[reconciling.Action] = []
    kept: list[Reopen] = []
    for action in planned:
        thread = _archived_by_somebody(observation, action)
        if thread is None or not isinstance(action, UpdateSession):
            others.append(action)
        elif len(kept) < CHANGES_PER_RUN:  # the others stay as they are on record, so that the next run sees them again
            kept.append(Reopen(action.session, thread, dict(action.changes)))
    return tuple(others), tuple(kept)


def _archived_by_somebody(observation: Observation, action: reconciling.Action) -> Channel | None:
    """The thread of a kept session that was active on record, if it is archived now."""
    if observation.audit is None or not isinstance(action, UpdateSession):
        return None
    session = action.session
    if not session.keep or session.thread.archived or session.status is not Status.OPEN:
        return None
    thread = observation.known(session.discord_thread_id or "")
    return thread if isinstance(thread, Channel) and thread.archived else None


def archived_by_a_person(entries: Iterable[AuditEntry], thread: Channel) -> bool:
    """Whether the audit log tells who archived the thread. Discord's own timer leaves no entry."""
    since = None if thread.archive_time is None else thread.archive_time - AUDIT_MARGIN
    return any(
        entry.action_type == AuditAction.THREAD_UPDATE
        and entry.target_id == thread.id
        and entry.new_value("archived") is True
        and (since is None or snowflakes.time_of(entry.id) >= since)
        for entry in entries
    )
