"""The protocol's decisions, as tables: every case that there is."""

import itertools
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Final, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.config import UnlockPolicy
from handler.discord.messages import MAX_NONCE_LENGTH
from handler.discord.models import Channel, ThreadMetadata
from handler.runtime.clock import iso
from handler.sessions.model import Outcome, Requester
from handler.sessions.opening.next_step import NextStep, next_step, outcome
from handler.sessions.opening.source_message import source_nonce
from handler.sessions.threads.locks import may_unlock
from handler.sessions.threads.match import (
    ARCHIVE_TIME_MARGIN,
    OVERLAP,
    archived_window,
    best_first,
    is_adoptable,
    is_public_thread,
    next_page_before,
)
from handler.store.items import Pointer, Session, Status
from handler.store.lease import CLOCKS_DIFFER, LEASE_SECONDS
from tests.kit.samples import CHANNEL, KEY, MADE_AT, NOW, THREAD_ID, session, thread

ME, OTHER = "interaction-1", "interaction-2"
# A lease that ends later was written by a clock that is wrong.
MAX_LEASE = timedelta(seconds=LEASE_SECONDS) + CLOCKS_DIFFER
LEASES: dict[str, str | None] = {
    "none": None,
    "running": iso(NOW + timedelta(milliseconds=1)),
    "ending now": iso(NOW),
    "over": iso(NOW - timedelta(hours=1)),
    "longest": iso(NOW + MAX_LEASE),
    "beyond belief": iso(NOW + MAX_LEASE + timedelta(milliseconds=1)),
}


# What to do next.


def test_with_nothing_on_record_the_session_is_claimed() -> None:
    assert next_step(None, owner=ME, now=NOW) is NextStep.CLAIM


EXPECTED: dict[tuple[Status, str | None, str], NextStep] = {
    **{(Status.VACANT, owner, lease): NextStep.CLAIM for owner in (None, ME, OTHER) for lease in LEASES},
    **{(Status.OPEN, owner, lease): NextStep.REUSE for owner in (None, ME, OTHER) for lease in LEASES},
    **{(Status.CLOSED, owner, lease): NextStep.REUSE for owner in (None, ME, OTHER) for lease in LEASES},
    **{(Status.CREATING, ME, lease): NextStep.RESUME for lease in LEASES},
    **{(Status.CREATING, owner, lease): NextStep.WAIT for owner in (None, OTHER) for lease in ("running", "longest")},
    **{
        (Status.CREATING, owner, lease): NextStep.TAKE_OVER
        for owner in (None, OTHER)
        for lease in ("none", "ending now", "over", "beyond belief")
    },
}


@pytest.mark.parametrize(
    ("status", "owner", "lease"), list(itertools.product(Status, (None, ME, OTHER), LEASES)), ids=str
)
def test_the_next_step_for_every_status_owner_and_lease(status: Status, owner: str | None, lease: str) -> None:
    read = session(status=status, lease_owner=owner, lease_expires_at=LEASES[lease])
    assert next_step(read, owner=ME, now=NOW) is EXPECTED[status, owner, lease]


def test_an_unknown_status_raises() -> None:
    unknown = cast("Session", SimpleNamespace(status="archived"))
    with pytest.raises(ValueError, match="archived"):
        next_step(unknown, owner=ME, now=NOW)


# The nonce.


@given(st.text(), st.text(), st.integers(1, 99))
def test_a_nonce_is_the_same_for_everybody_and_fits_discord(channel: str, key: str, generation: int) -> None:
    made = source_nonce(channel, key, generation)
    assert made == source_nonce(channel, key, generation)
    assert len(made) == MAX_NONCE_LENGTH == 25


def test_a_nonce_is_another_one_for_each_channel_key_and_generation() -> None:
    made = {
        source_nonce(channel, key, generation)
        for channel in ("1", "11")
        for key in ("x", "1x", "x1", "x\0001")
        for generation in (1, 11, 2)
    }
    assert len(made) == 2 * 4 * 3


# Locks and words.


@pytest.mark.parametrize("policy", ["moderators", "everyone"])
@pytest.mark.parametrize("moderator", [True, False])
@pytest.mark.parametrize("locked_by", [None, "app", "user"])
def test_a_lock_is_lifted_for_moderators_by_policy_or_if_it_was_this_app_s(
    policy: UnlockPolicy, moderator: bool, locked_by: str | None
) -> None:
    requester = Requester(owner=ME, may_unlock=moderator)
    expected = policy == "everyone" or moderator or locked_by == "app"
    assert may_unlock(session(locked_by=locked_by), Channel(id="5", type=11), requester, policy, "app") is expected


SOON: Final = NOW + timedelta(minutes=1)
LONG_AFTER: Final = NOW + timedelta(minutes=6)


@pytest.mark.parametrize(
    ("marked", "locked_by", "archived_at", "ours"),
    [
        (True, None, None, True),  # nobody has cleared the mark: the deletion goes on
        (True, "app", None, True),
        (True, "user", None, False),  # the audit log tells of a moderator
        (False, None, SOON, True),  # archived with the lock, soon after that was noted
        (False, "app", LONG_AFTER, True),
        (False, None, LONG_AFTER, False),
        (False, None, None, False),  # active again: a lock there was put on afterwards
        (False, "user", SOON, False),
    ],
)
def test_the_lock_of_a_deletion_that_was_left_is_ours_and_nobody_elses_is(
    marked: bool, locked_by: str | None, archived_at: datetime | None, ours: bool
) -> None:
    record = session(locked_by=locked_by, delete_locking_at=iso(NOW), delete_marked_at=iso(NOW) if marked else None)
    metadata = ThreadMetadata(
        archived=archived_at is not None, locked=True, archive_timestamp=iso(archived_at) if archived_at else None
    )
    thread = Channel(id="5", type=11, thread_metadata=metadata)
    assert may_unlock(record, thread, Requester(owner=ME), "moderators", "app") is ours


@pytest.mark.parametrize(
    ("lease_owner", "adopted", "reopened", "word"),
    [
        (None, False, False, Outcome.REUSED),
        (OTHER, False, False, Outcome.REUSED),
        (ME, False, False, Outcome.CREATED),
        (None, False, True, Outcome.REOPENED),
        (OTHER, False, True, Outcome.REOPENED),
        (ME, False, True, Outcome.CREATED),
        *((owner, True, reopened, Outcome.ADOPTED) for owner in (None, ME, OTHER) for reopened in (True, False)),
    ],
)
def test_the_word_for_how_the_thread_was_come_by(
    lease_owner: str | None, adopted: bool, reopened: bool, word: Outcome
) -> None:
    found = outcome(session(lease_owner=lease_owner), owner=ME, adopted=adopted, reopened=reopened)
    assert found is word


# Which thread.


def test_of_several_the_one_with_most_messages_then_the_latest_activity_then_the_smallest_id_is_first() -> None:
    later = str(9 << 40)
    ranked = [
        thread("20", message_count=9),
        thread("30", message_count=8, last_message_id=later),
        thread("9", message_count=8, last_message_id=str(8 << 40)),
        thread("90", message_count=8, last_message_id=str(8 << 40)),
        thread("5", message_count=None, last_message_id=later),
        thread("6", message_count=0, last_message_id=later),
        thread("7"),
    ]
    for shuffled in itertools.permutations(ranked):
        assert best_first(shuffled) == ranked


@pytest.mark.parametrize(("kind", "matches"), [(0, False), (10, True), (11, True), (12, False), (15, False)])
def test_public_and_announcement_threads_may_be_a_session_s(kind: int, matches: bool) -> None:
    assert is_public_thread(thread(type=kind)) is matches


OURS = Pointer(thread_id=THREAD_ID, parent_channel_id=CHANNEL, session_key=KEY)
THEIRS = Pointer(thread_id=THREAD_ID, parent_channel_id=CHANNEL, session_key="b")
MERGED = Pointer(thread_id=THREAD_ID, merged_into="77")
OTHERS = session(session_key="b")


@pytest.mark.parametrize(
    ("pointer", "owner", "may"),
    [
        (None, None, True),
        (OURS, None, True),
        (MERGED, None, False),
        (THEIRS, None, True),
        (THEIRS, OTHERS, False),
        (THEIRS, session(session_key="b", discord_thread_id=None, source_message_id=THREAD_ID), False),
        (THEIRS, session(session_key="b", discord_thread_id="78", source_message_id="78"), True),
        (THEIRS, session(session_key="b", status=Status.VACANT, discord_thread_id=None), True),
        (Pointer(thread_id=THREAD_ID, parent_channel_id="501", session_key=KEY), OTHERS, False),
    ],
    ids=["none", "ours", "merged", "of nobody", "has it", "will have it", "has another", "vacant", "other channel"],
)
def test_a_thread_is_adopted_unless_it_is_another_session_s_or_merged(
    pointer: Pointer | None, owner: Session | None, may: bool
) -> None:
    assert is_adoptable(pointer, owner, CHANNEL, KEY) is may


# Where the archived pages are read.


def page(*times: str | None) -> list[Channel]:
    return [thread(str(i + 1), archived=True, archive_timestamp=time) for i, time in enumerate(times)]


def test_the_next_page_overlaps_this_one_by_a_millisecond() -> None:
    threads = page("2026-11-23T11:00:00.000500+00:00", "2026-11-23T10:00:00.000500+00:00", None)
    assert next_page_before(threads, threads) == datetime.fromisoformat("2026-11-23T10:00:00.001500+00:00")
    assert timedelta(milliseconds=1) == OVERLAP


def test_a_page_with_nothing_new_leads_on_without_an_overlap() -> None:
    threads = page("2026-11-23T11:00:00.000500+00:00")
    assert next_page_before(threads, []) == datetime.fromisoformat("2026-11-23T11:00:00.000500+00:00")


@pytest.mark.parametrize("threads", [[], page(None)], ids=["empty", "without times"])
def test_a_page_without_times_leads_nowhere(threads: list[Channel]) -> None:
    assert next_page_before(threads, threads) is None


AT = datetime.fromisoformat("2026-11-20T10:00:00+00:00")
SEEN = datetime.fromisoformat("2026-11-22T10:00:00+00:00")


@pytest.mark.parametrize(
    ("record", "before", "down_to"),
    [
        (session(archived=True, archived_at=iso(AT), seen_active_at=iso(SEEN)), AT, AT),
        (session(archived=True, archived_at=None, seen_active_at=iso(SEEN)), None, SEEN),
        (session(archived=False, archived_at=iso(AT), seen_active_at=iso(SEEN)), None, SEEN),
        (session(), None, MADE_AT),
        (session(discord_thread_id=None, source_message_id=THREAD_ID, status=Status.CREATING), None, MADE_AT),
    ],
    ids=["archive time known", "archive time unknown", "active on record", "never seen", "not committed"],
)
def test_where_a_vanished_thread_is_looked_for(record: Session, before: datetime | None, down_to: datetime) -> None:
    upper = None if before is None else before + ARCHIVE_TIME_MARGIN
    assert archived_window(record, THREAD_ID) == (upper, down_to - ARCHIVE_TIME_MARGIN)
