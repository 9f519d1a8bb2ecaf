"""Which threads may be a session's, which one is best, and which archived pages are read."""

import itertools
from datetime import datetime, timedelta

import pytest

from handler.discord.models import Channel
from handler.runtime.clock import iso
from handler.sessions.threads.match import archived_window, best_first, is_adoptable, is_public_thread, next_page_before
from handler.store.items import Pointer, Session, Status
from tests.kit.samples import CHANNEL, KEY, MADE_AT, THREAD_ID, session, thread

ARCHIVE_TIME_MARGIN = timedelta(minutes=1)
OVERLAP = timedelta(milliseconds=1)


def test_the_best_thread_has_most_messages_then_the_latest_activity_then_the_smallest_id() -> None:
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
        (
            THEIRS,
            session(session_key="b", status=Status.CREATING, discord_thread_id=None, source_message_id=THREAD_ID),
            False,
        ),
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
    ("record", "before", "since"),
    [
        (session(archived=True, archived_at=iso(AT), seen_active_at=iso(SEEN)), AT, AT),
        (session(archived=True, archived_at=None, seen_active_at=iso(SEEN)), None, SEEN),
        (session(archived=False, archived_at=iso(AT), seen_active_at=iso(SEEN)), None, SEEN),
        (session(), None, MADE_AT),
        (session(discord_thread_id=None, source_message_id=THREAD_ID, status=Status.CREATING), None, MADE_AT),
    ],
    ids=["archive time known", "archive time unknown", "active on record", "never seen", "not committed"],
)
def test_where_a_missing_thread_is_searched_for(record: Session, before: datetime | None, since: datetime) -> None:
    upper = None if before is None else before + ARCHIVE_TIME_MARGIN
    assert archived_window(record, THREAD_ID) == (upper, since - ARCHIVE_TIME_MARGIN)
