"""Housekeeping's decisions as a table: session on record × thread on Discord × settings → the action."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handler.discord.models import AuditChange, AuditEntry, Channel, ThreadMetadata
from handler.discord.snowflakes import lowest_at
from handler.runtime.clock import iso
from handler.sessions.reconcile.housekeeping import HousekeepingSettings, plan_housekeeping
from handler.sessions.reconcile.observation import Observation
from handler.sessions.threads.archiving import archived_by_a_person
from handler.store.items import Session, Status, session_from_item

CHANGES_PER_RUN = 20
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CREATED_AT = NOW - timedelta(days=100)
THREAD = lowest_at(CREATED_AT)

APPLICATION, BOT, MODERATOR = "1000", "1001", "2"  # an old application: its bot has an id of its own

OFF = HousekeepingSettings()
IDLE = HousekeepingSettings(idle_archive=timedelta(hours=24))
CLOSE = HousekeepingSettings(delete_after=timedelta(days=30))
DELETE = HousekeepingSettings(delete_after=timedelta(days=30), delete_mode="delete")


def ago(**span: float) -> str:
    return iso(NOW - timedelta(**span))


def thread(
    *,
    idle: timedelta = timedelta(days=40),
    archived: bool = True,
    changed: timedelta | None = None,
    locked: bool = False,
    owner: str | None = BOT,
) -> Channel:
    """A thread whose last message is `idle` old, and which was archived or opened `changed` ago."""
    metadata = ThreadMetadata(archived=archived, archive_timestamp=iso(NOW - (changed or idle)), locked=locked)
    return Channel(id=THREAD, type=11, owner_id=owner, last_message_id=lowest_at(NOW - idle), thread_metadata=metadata)


def session(**attributes: Any) -> Session:
    base = {
        "parent_channel_id": "10",
        "session_key": "old",
        "session_name": "old",
        "guild_id": "1",
        "generation": 1,
        "status": Status.OPEN,
        "discord_thread_id": THREAD,
    }
    return session_from_item({**base, **attributes})


def marked(**attributes: Any) -> Session:
    same = lowest_at(NOW - timedelta(days=40))
    return session(**{"delete_marked_at": ago(minutes=5), "delete_marked_message": same, **attributes})


def seen(*sessions_and_thread: Any) -> Observation:
    """What a run has seen: these sessions, and the thread that all of them have."""
    *sessions, found = sessions_and_thread
    return Observation(
        now=NOW, sessions=tuple(sessions), fetched={THREAD: found}, application_id=APPLICATION, bot_user_id=BOT
    )


@dataclass(frozen=True)
class Case:
    """One row."""

    title: str
    settings: HousekeepingSettings
    session: Session
    thread: Channel
    action: str | None


MINUTES, HOURS, DAYS = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LOCKED_BY_US = marked(delete_locking_at=ago(minutes=1))
CASES = [
    Case("all is off", OFF, session(), thread(), None),
    Case("idle, but archived already", IDLE, session(), thread(), None),
    Case("idle for a day", IDLE, session(), thread(idle=24 * HOURS, archived=False), "Archive"),
    Case("idle for less", IDLE, session(), thread(idle=23 * HOURS, archived=False), None),
    Case("idle, opened by hand an hour ago", IDLE, session(), thread(archived=False, changed=HOURS), None),
    Case("idle, opened an hour ago", IDLE, session(opened_at=ago(hours=1)), thread(archived=False), None),
    Case("idle and kept", IDLE, session(keep=True), thread(archived=False), None),
    Case("over, archived", CLOSE, session(), thread(), "Close"),
    Case("over, active", CLOSE, session(), thread(archived=False), "Close"),
    Case("over and closed already", CLOSE, session(status=Status.CLOSED), thread(), None),
    Case("over and kept", CLOSE, session(keep=True), thread(), None),
    Case("not over yet", CLOSE, session(), thread(idle=29 * DAYS), None),
    Case("over, archived only yesterday", CLOSE, session(), thread(changed=DAYS), "Close"),
    Case("over, opened yesterday", DELETE, session(opened_at=ago(days=1)), thread(), None),
    Case("over", DELETE, session(), thread(), "Mark"),
    Case("closed for long", DELETE, session(status=Status.CLOSED), thread(), "Mark"),
    Case("closed yesterday", DELETE, session(status=Status.CLOSED), thread(changed=DAYS), None),
    Case("kept, closed for long", DELETE, session(status=Status.CLOSED, keep=True), thread(), "Mark"),
    Case("over, a person's", DELETE, session(), thread(owner=MODERATOR), "Close"),
    Case("over, of an application's id that is no user's", DELETE, session(), thread(owner=APPLICATION), "Close"),
    Case("over, nobody knows whose", DELETE, session(), thread(owner=None), "Close"),
    Case("over, a person's, active", DELETE, session(), thread(owner=MODERATOR, archived=False), "Close"),
    Case("over, a person's, closed already", DELETE, session(status=Status.CLOSED), thread(owner=MODERATOR), None),
    Case("over, locked by a moderator", DELETE, session(locked_by=MODERATOR), thread(locked=True), "Close"),
    Case("over, locked by somebody", DELETE, session(), thread(locked=True), "Close"),
    Case("over, locked by the app", DELETE, session(locked_by=APPLICATION), thread(locked=True), "Mark"),
    Case("marked, a person's", DELETE, marked(), thread(owner=MODERATOR), "Unmark"),
    Case("marked, then locked by a moderator", DELETE, marked(locked_by=MODERATOR), thread(locked=True), "Unmark"),
    Case("marked, then locked by somebody", DELETE, marked(), thread(locked=True), "Unmark"),
    Case("marked, and locked by housekeeping", DELETE, LOCKED_BY_US, thread(locked=True, changed=MINUTES), "Delete"),
    Case("marked, then locked again", DELETE, LOCKED_BY_US, thread(locked=True, changed=-6 * MINUTES), "Unmark"),
    Case("marked by a former run", DELETE, marked(), thread(), "Delete"),
    Case("marked a minute ago", DELETE, marked(delete_marked_at=ago(minutes=1)), thread(), None),
    Case("marked, then written in", DELETE, marked(), thread(idle=HOURS), "Unmark"),
    Case("marked, then opened", DELETE, marked(opened_at=ago(minutes=1)), thread(), "Unmark"),
    Case("marked, then kept", DELETE, marked(keep=True), thread(), "Unmark"),
    Case("marked, then turned off", OFF, marked(), thread(), "Unmark"),
    Case("marked, then the mode changed", CLOSE, marked(), thread(), "Unmark"),
    Case("deletion begun", DELETE, marked(deleting_at=ago(minutes=1)), thread(), "FinishDeletion"),
    Case("deletion begun, then turned off", OFF, marked(deleting_at=ago(minutes=1)), thread(), "FinishDeletion"),
    Case("locked and left long ago", DELETE, session(delete_locking_at=ago(minutes=6)), thread(), "ReleaseLock"),
    Case("locked and left just now", DELETE, session(delete_locking_at=ago(minutes=4)), thread(), None),
    Case("a claim", DELETE, session(status=Status.CREATING, discord_thread_id=None), thread(), None),
    Case("vacant", DELETE, session(status=Status.VACANT, discord_thread_id=None), thread(), None),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_housekeeping_plans_the_action_of_its_case(case: Case) -> None:
    observation = seen(case.session, case.thread)
    assert [type(action).__name__ for action in plan_housekeeping(observation, case.settings)] == (
        [case.action] if case.action else []
    )


def test_a_session_whose_thread_was_not_seen_is_left_alone() -> None:
    assert plan_housekeeping(Observation(now=NOW, sessions=(session(),)), DELETE) == ()


def test_one_run_plans_a_bounded_number_of_actions() -> None:
    many = tuple(session(session_key=str(number)) for number in range(CHANGES_PER_RUN + 1))
    observation = seen(*many, thread())
    assert len(plan_housekeeping(observation, DELETE)) == CHANGES_PER_RUN


@pytest.mark.parametrize("sessions", [21, 25, 50, 60, 100])
def test_within_a_day_of_exact_ticks_each_session_has_its_turn(sessions: int) -> None:
    many = tuple(session(session_key=str(number)) for number in range(sessions))
    ticks = (NOW + timedelta(minutes=5 * number) for number in range(24 * 12))
    observations = (replace(seen(*many, thread()), now=now) for now in ticks)
    assert {
        action.session.session_key for observation in observations for action in plan_housekeeping(observation, DELETE)
    } == set(map(str, range(sessions)))


def entry(*, at: timedelta, archived: bool = True, target: str = THREAD) -> AuditEntry:
    changes = (AuditChange(key="archived", old_value=not archived, new_value=archived),)
    return AuditEntry(id=lowest_at(NOW - at), action_type=111, target_id=target, user_id="7", changes=changes)


@pytest.mark.parametrize(
    ("found", "by_a_person"),
    [
        (entry(at=HOURS), True),
        (entry(at=HOURS, archived=False), False),
        (entry(at=HOURS, target="9"), False),
        (entry(at=2 * DAYS), False),
    ],
)
def test_a_person_archived_the_thread_if_the_audit_log_has_an_entry_of_that_moment(
    found: AuditEntry, by_a_person: bool
) -> None:
    assert archived_by_a_person([found], thread(changed=HOURS)) is by_a_person
