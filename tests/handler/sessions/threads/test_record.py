"""What a record holds of a thread, and when a difference is worth a write."""

from datetime import timedelta
from typing import Any

import pytest

from handler.discord.models import Channel
from handler.runtime.clock import iso
from handler.sessions.threads.record import differences, thread_attributes, with_last_activity
from handler.store.items import Session, Status, session_attributes, session_from_item
from tests.kit.samples import MADE_AT, NOW, THREAD_ID, session, snowflake, thread


def test_the_attributes_of_an_active_thread() -> None:
    assert thread_attributes(thread(last_message_id=THREAD_ID), NOW) == {
        "thread_name": "Session 1A06A43",
        "archived": False,
        "locked": False,
        "locked_by": None,
        "archived_at": None,
        "last_activity_at": iso(MADE_AT),
        "created_at": iso(MADE_AT),
        "seen_active_at": iso(NOW),
    }


def test_an_archived_thread_has_its_archive_time_and_keeps_when_it_was_last_seen_active() -> None:
    facts = thread_attributes(thread(archived=True, archive_timestamp="2026-11-23T11:30:00.123456+00:00"), NOW)
    assert facts["archived_at"] == "2026-11-23T11:30:00.123Z"
    assert "seen_active_at" not in facts


def test_who_locked_a_thread_is_kept_as_long_as_it_is_locked() -> None:
    assert "locked_by" not in thread_attributes(thread(locked=True), NOW)


def test_the_archive_time_of_an_active_thread_is_when_it_was_unarchived_and_is_not_kept() -> None:
    assert thread_attributes(thread(archive_timestamp="2026-11-23T11:30:00+00:00"), NOW)["archived_at"] is None


def recorded(shown: Channel, **given_: Any) -> Session:
    """A record that says what Discord shows."""
    return session(**{**thread_attributes(shown, NOW - timedelta(minutes=3)), **given_})


ACTIVE = thread()
ARCHIVED = thread(archived=True, archive_timestamp="2026-11-23T11:30:00+00:00")


@pytest.mark.parametrize(
    ("record", "shown", "status"),
    [
        (recorded(ACTIVE), ACTIVE, Status.OPEN),
        (recorded(ARCHIVED), ARCHIVED, Status.OPEN),
        (recorded(ARCHIVED, status=Status.CLOSED), ARCHIVED, Status.CLOSED),
        (recorded(ACTIVE), thread(last_message_id=snowflake(NOW)), Status.OPEN),
        (recorded(ACTIVE, seen_active_at=None, created_at=None, last_activity_at=None), ACTIVE, Status.OPEN),
        (recorded(thread(locked=True), locked_by="7"), thread(locked=True), Status.OPEN),
    ],
    ids=["active", "archived", "closed", "new messages", "only quiet facts", "locked by somebody known"],
)
def test_nothing_is_written_if_nothing_that_matters_differs(record: Session, shown: Channel, status: Status) -> None:
    assert differences(record, shown, status, NOW) == {}


@pytest.mark.parametrize(
    ("record", "shown", "status", "changed"),
    [
        (recorded(ARCHIVED), ACTIVE, Status.OPEN, {"archived": False, "archived_at": None}),
        (recorded(ACTIVE), ARCHIVED, Status.OPEN, {"archived": True, "archived_at": "2026-11-23T11:30:00.000Z"}),
        (
            recorded(ARCHIVED, archived_at="2026-11-01T00:00:00.000Z"),
            ARCHIVED,
            Status.OPEN,
            {"archived_at": "2026-11-23T11:30:00.000Z"},
        ),
        (recorded(ACTIVE), thread(locked=True), Status.OPEN, {"locked": True}),
        (recorded(thread(locked=True), locked_by="7"), ACTIVE, Status.OPEN, {"locked": False, "locked_by": None}),
        (recorded(ACTIVE, locked_by="7"), ACTIVE, Status.OPEN, {"locked_by": None}),
        (recorded(ACTIVE), thread(name="done"), Status.OPEN, {"thread_name": "done"}),
        (recorded(ACTIVE, status=Status.CLOSED), ACTIVE, Status.OPEN, {"status": Status.OPEN}),
    ],
    ids=["unarchived", "archived", "archived again", "locked", "unlocked", "stale lock", "renamed", "reopened"],
)
def test_a_difference_is_written_together_with_the_quiet_attributes(
    record: Session, shown: Channel, status: Status, changed: dict[str, Any]
) -> None:
    written = differences(record, shown, status, NOW)
    assert changed.items() <= written.items()
    assert written["last_activity_at"] == iso(shown.last_activity)
    after = session_from_item({**session_attributes(record), **written})
    assert differences(after, shown, status, NOW) == {}


def test_an_answer_has_the_last_activity_that_discord_shows() -> None:
    later = thread(last_message_id=snowflake(MADE_AT + timedelta(minutes=1)))
    assert with_last_activity(session(), later).thread.last_activity_at == iso(MADE_AT + timedelta(minutes=1))
