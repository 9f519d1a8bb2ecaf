"""The plan as a table of cases: state on record × state on Discord × audit log → actions. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any, Final

import msgspec
import pytest

from handler.discord.models import AuditAction, AuditChange, AuditEntry, Channel, ChannelType, ThreadMetadata
from handler.discord.snowflakes import lowest_at, time_of
from handler.runtime.clock import iso
from handler.sessions.names import Names
from handler.sessions.reconcile.actions import EndGeneration, HoldDeletion, Plan, UpdateSession
from handler.sessions.reconcile.observation import Gone, Observation, OutOfReach, ThreadState, Unclear
from handler.sessions.reconcile.plan import make_plan
from handler.sessions.threads.record import thread_attributes
from handler.store.items import Namesake, Session, Status, session_from_item

MIN_ACTIVITY_STEP: Final = timedelta(hours=1)
FEW_DELETIONS: Final = 3
HOLD_TIME: Final = timedelta(minutes=30)
ONE_IN: Final = 5
NAMES: Final = Names("Session ")
CHANNEL: Final = "10"
GUILD: Final = "1"
APPLICATION: Final = "1000"
BOT: Final = "1001"  # an old application's bot has an id of its own
THREAD: Final = "1400000000000000000"
CREATED_AT: Final = time_of(THREAD)
NOW: Final = CREATED_AT + timedelta(days=3)
EARLIER, LATER = iso(NOW - timedelta(seconds=1)), iso(NOW + timedelta(seconds=5))


def thread(
    thread_id: str = THREAD,
    name: str = "Session a",
    *,
    archived: bool = False,
    locked: bool = False,
    kind: int = ChannelType.PUBLIC_THREAD,
    last_message_at: datetime | None = None,
) -> Channel:
    return Channel(
        id=thread_id,
        type=kind,
        name=name,
        guild_id=GUILD,
        parent_id=CHANNEL,
        last_message_id=lowest_at(last_message_at) if last_message_at else None,
        thread_metadata=ThreadMetadata(archived=archived, archive_timestamp=iso(CREATED_AT), locked=locked),
    )


def record(shown: Channel | None = None, key: str = "a", **attributes: Any) -> Session:
    """A session whose record agrees with this thread."""
    item: dict[str, Any] = {
        "parent_channel_id": CHANNEL,
        "session_key": key,
        "session_name": key,
        "guild_id": GUILD,
        "generation": 1,
        "status": Status.OPEN,
    }
    if shown is not None:
        item |= {**thread_attributes(shown, NOW - timedelta(hours=2)), "discord_thread_id": shown.id}
    return session_from_item({**item, **attributes})


def entry(action: AuditAction, target: str = THREAD, *, by: str = "8", number: int = 1, **new: Any) -> AuditEntry:
    changed = tuple(AuditChange(key=key, new_value=value) for key, value in new.items())
    return AuditEntry(id=str(number), action_type=action, target_id=target, user_id=by, changes=changed)


def observation(*sessions: Session, active: tuple[Channel, ...] = (), **more: Any) -> Observation:
    fields: dict[str, Any] = {"audit": (), "application_id": APPLICATION, **more}
    return Observation(now=NOW, sessions=sessions, active={t.id: t for t in active}, **fields)


def planned(seen: Observation) -> list[str]:
    """The plan in words."""
    plan = make_plan(seen, NAMES)
    return ["Fetch" for _ in plan.fetches] + [type(action).__name__ for action in plan.actions]


ACTIVE, ARCHIVED, LOCKED = thread(), thread(archived=True), thread(locked=True)
RENAMED, LIKE_B = thread(name="login bug"), thread(name="Session b")
RECORDS: Final = {
    "vacant": record(status=Status.VACANT),
    "claimed": record(status=Status.CREATING, lease_owner="x", lease_expires_at=LATER),
    "claimed, recorded": record(
        status=Status.CREATING, lease_owner="x", lease_expires_at=LATER, source_message_id=THREAD
    ),
    "expired claim": record(status=Status.CREATING, lease_owner="x", lease_expires_at=EARLIER),
    "expired claim, recorded": record(
        status=Status.CREATING, lease_owner="x", lease_expires_at=EARLIER, source_message_id=THREAD
    ),
    "open": record(ACTIVE),
    "archived": record(ARCHIVED),
    "closed": record(ARCHIVED, status=Status.CLOSED),
}
SHOWN: Final[dict[str, tuple[Channel | None, ThreadState | None]]] = {  # in the active list; the answer to a fetch
    "active": (ACTIVE, None),
    "locked": (LOCKED, None),
    "renamed": (RENAMED, None),
    "like b": (LIKE_B, None),
    "not listed": (None, None),
    "archived": (None, ARCHIVED),
    "gone": (None, Gone()),
    "out of reach": (None, OutOfReach()),
    "unclear": (None, Unclear()),
}
# The list alone decides about a thread without a session.
_UNKNOWN: Final = {"active": ["Settle"], "locked": ["Settle"], "like b": ["Settle"]}
_COMMITTED: Final = {
    "active": ["Commit"],
    "locked": ["Commit"],
    "renamed": ["Commit"],
    "like b": ["AddNamesake", "Commit"],
    "not listed": ["Fetch"],
    "archived": ["Commit"],
    "gone": ["EndGeneration"],
    "out of reach": ["UpdateSession"],
}
_CHANGED: Final = {
    "locked": ["UpdateSession"],
    "renamed": ["UpdateSession"],
    "like b": ["AddNamesake", "UpdateSession"],
}
_LOST: Final = {"gone": ["EndGeneration"], "out of reach": ["UpdateSession"]}
CASES: Final[dict[str, dict[str, list[str]]]] = {  # no entry: nothing to do
    "vacant": _UNKNOWN,
    "claimed": _UNKNOWN,
    "claimed, recorded": {},
    "expired claim": {shown: ["DropClaim", *_UNKNOWN.get(shown, [])] for shown in SHOWN},
    "expired claim, recorded": _COMMITTED,
    "open": {**_CHANGED, **_LOST, "not listed": ["Fetch"], "archived": ["AdvanceWatermark", "UpdateSession"]},
    "archived": {**_CHANGED, **_LOST, "active": ["UpdateSession"]},
    "closed": {**_CHANGED, **_LOST, "active": ["UpdateSession"]},
}


@pytest.mark.parametrize(("on_record", "on_discord"), list(product(RECORDS, SHOWN)))
@pytest.mark.parametrize("audit", [(), None], ids=["audit log", "no audit log"])
def test_the_plan_follows_from_the_record_and_from_what_discord_shows(
    on_record: str, on_discord: str, audit: tuple[AuditEntry, ...] | None
) -> None:
    listed, answer = SHOWN[on_discord]
    seen = observation(
        RECORDS[on_record],
        active=(listed,) if listed else (),
        fetched={THREAD: answer} if answer else {},
        audit=audit,
    )
    assert planned(seen) == CASES[on_record].get(on_discord, [])


AUDITED: Final = {
    "archived": entry(AuditAction.THREAD_UPDATE, archived=True),
    "deleted": entry(AuditAction.THREAD_DELETE),
    "another thread": entry(AuditAction.THREAD_DELETE, "77"),
    "no thread": AuditEntry(id="1", action_type=12, target_id=THREAD, user_id="8"),
}


@pytest.mark.parametrize("status", ["archived", "closed"])
@pytest.mark.parametrize(
    ("entries", "fetches"), [("archived", True), ("deleted", True), ("another thread", False), ("no thread", False)]
)
def test_an_archived_thread_is_fetched_if_the_audit_log_has_news_of_it(
    status: str, entries: str, fetches: bool
) -> None:
    assert planned(observation(RECORDS[status], audit=(AUDITED[entries],))) == (["Fetch"] if fetches else [])


def test_an_archived_thread_is_fetched_when_it_is_due_for_a_check_and_then_goes_to_the_end() -> None:
    due = observation(RECORDS["archived"], audit=None, due_for_check=frozenset({THREAD}))
    assert planned(due) == ["Fetch"]
    for answer, plan in (
        (ARCHIVED, ["MoveToEnd"]),
        (Unclear(), ["MoveToEnd"]),
        (OutOfReach(), ["UpdateSession", "MoveToEnd"]),
        (Gone(), ["MoveToEnd", "EndGeneration"]),
    ):
        assert planned(replace(due, fetched={THREAD: answer})) == plan


def test_a_check_fetches_nothing_while_the_thread_is_out_of_reach() -> None:
    archived = record(ARCHIVED, unreachable_since=EARLIER, ask_again_at=LATER)
    assert planned(observation(archived, audit=None, due_for_check=frozenset({THREAD}))) == ["MoveToEnd"]


@pytest.mark.parametrize("flags", [{"missing_since": EARLIER}, {"unreachable_since": EARLIER, "ask_again_at": EARLIER}])
def test_a_thread_with_a_problem_is_fetched_although_it_is_archived(flags: dict[str, str]) -> None:
    assert planned(observation(record(ARCHIVED, **flags))) == ["Fetch"]


def test_news_of_a_thread_out_of_reach_has_it_fetched_early() -> None:
    unreachable = record(ACTIVE, unreachable_since=EARLIER, ask_again_at=LATER)
    assert planned(observation(unreachable)) == []
    assert planned(observation(unreachable, audit=(AUDITED["deleted"],))) == ["Fetch"]


def test_problem_flags_are_removed_and_the_whole_record_is_written_once_the_thread_is_seen() -> None:
    flagged = record(ARCHIVED, missing_since=EARLIER, unreachable_since=EARLIER, ask_again_at=EARLIER)
    (action,) = make_plan(observation(flagged, fetched={THREAD: ARCHIVED}), NAMES).actions
    assert isinstance(action, UpdateSession)
    assert {name for name, value in action.changes.items() if value is None} >= {
        "missing_since",
        "unreachable_since",
        "ask_again_at",
    }
    assert action.changes["archived"] is True


def test_a_closed_session_opens_with_its_thread_and_not_before() -> None:
    (action,) = make_plan(observation(RECORDS["closed"], active=(ACTIVE,)), NAMES).actions
    assert isinstance(action, UpdateSession)
    assert action.changes["status"] is Status.OPEN
    assert planned(observation(RECORDS["closed"], fetched={THREAD: ARCHIVED})) == []


@pytest.mark.parametrize(
    ("entries", "locker"),
    [
        ([("8", True)], "8"),
        ([("8", True), ("9", False), ("9", True)], "9"),
        ([("9", True), (BOT, True)], APPLICATION),
        ([("8", False)], None),
        ([], None),
    ],
)
def test_the_last_person_who_locked_the_thread_is_on_record(
    entries: list[tuple[str, bool]], locker: str | None
) -> None:
    log = [
        entry(AuditAction.THREAD_UPDATE, by=by, number=n, locked=locked) for n, (by, locked) in enumerate(entries, 1)
    ]
    seen = observation(RECORDS["open"], active=(LOCKED,), audit=tuple(log), bot_user_id=BOT)
    (action,) = make_plan(seen, NAMES).actions
    assert isinstance(action, UpdateSession)
    assert action.changes.get("locked_by") == locker


def test_who_locked_the_thread_is_written_even_if_the_audit_log_says_it_later() -> None:
    log = (entry(AuditAction.THREAD_UPDATE, locked=True),)
    (action,) = make_plan(observation(record(LOCKED), active=(LOCKED,), audit=log), NAMES).actions
    assert isinstance(action, UpdateSession)
    assert action.changes == {"locked_by": "8"}


@pytest.mark.parametrize(
    ("moved", "written"), [(MIN_ACTIVITY_STEP, True), (MIN_ACTIVITY_STEP - timedelta(seconds=1), False)]
)
def test_activity_is_written_only_when_it_moved_far_enough(moved: timedelta, written: bool) -> None:
    quiet = thread(last_message_at=CREATED_AT + timedelta(hours=1))
    talk = thread(last_message_at=CREATED_AT + timedelta(hours=1) + moved)
    assert planned(observation(record(quiet), active=(talk,))) == (["UpdateSession"] if written else [])


def test_a_thread_whose_record_changed_is_fetched_instead_of_believing_the_list() -> None:
    seen = observation(RECORDS["archived"], active=(ACTIVE,), must_fetch=frozenset({THREAD}))
    assert planned(seen) == ["Fetch"]
    assert planned(replace(seen, fetched={THREAD: ARCHIVED})) == []


# Unknown threads and namesakes.

B: Final = Namesake(parent_channel_id=CHANNEL, session_key="b", thread_id=THREAD)


@pytest.mark.parametrize(
    ("unknown", "plan"),
    [
        (ACTIVE, ["Settle"]),
        (RENAMED, []),
        (thread(name="Session "), []),
        (thread(kind=ChannelType.PRIVATE_THREAD), []),
        (thread(kind=ChannelType.ANNOUNCEMENT_THREAD), ["Settle"]),
    ],
)
def test_an_unknown_thread_is_settled_if_it_is_public_and_named_like_a_session(
    unknown: Channel, plan: list[str]
) -> None:
    assert planned(observation(active=(unknown,))) == plan


def test_a_merged_thread_is_not_settled() -> None:
    assert planned(observation(active=(ACTIVE,), left_alone=frozenset({THREAD}))) == []


@pytest.mark.parametrize(
    ("listed", "answer", "audit", "plan"),
    [
        (LIKE_B, None, (), []),
        (RENAMED, None, (), ["RemoveNamesake"]),
        (None, None, (), ["Fetch"]),
        (None, thread(name="Session b", archived=True), (), ["AdvanceWatermark", "UnwatchNamesake"]),
        (None, Gone(), (), ["UnwatchNamesake"]),
        (None, Gone(), (AUDITED["deleted"],), ["RemoveNamesake"]),
        (None, OutOfReach(), (), ["UnwatchNamesake"]),
        (None, Unclear(), (), []),
    ],
)
def test_a_namesake_is_watched_while_it_is_active_and_bears_the_name(
    listed: Channel | None, answer: ThreadState | None, audit: tuple[AuditEntry, ...], plan: list[str]
) -> None:
    fetched = {THREAD: answer} if answer else {}
    assert (
        planned(observation(namesakes=(B,), active=(listed,) if listed else (), fetched=fetched, audit=audit)) == plan
    )


def test_a_namesake_is_not_added_twice() -> None:
    assert planned(observation(record(LIKE_B), active=(LIKE_B,))) == ["AddNamesake"]
    assert planned(observation(record(LIKE_B), active=(LIKE_B,), namesakes=(B,))) == []
    archived = thread(name="Session b", archived=True)
    assert planned(observation(record(archived), fetched={THREAD: archived}, due_for_check=frozenset({THREAD}))) == [
        "MoveToEnd"
    ]


# Held deletions.


def _deletions(gone: int, of: int, **flags: Any) -> Observation:
    threads = [thread(str(int(THREAD) + n), f"Session {n}") for n in range(of)]
    sessions = [record(t, key=str(n), **(flags if n < gone else {})) for n, t in enumerate(threads)]
    fetched: dict[str, ThreadState] = {t.id: Gone() for t in threads[:gone]}
    return replace(observation(*sessions, active=tuple(threads[gone:])), fetched=fetched)


def _ended_and_held(plan: Plan) -> tuple[int, int]:
    return sum(isinstance(action, EndGeneration) for action in plan.actions), sum(
        isinstance(action, HoldDeletion) for action in plan.actions
    )


@pytest.mark.parametrize(
    ("gone", "of", "held"),
    [
        (FEW_DELETIONS, FEW_DELETIONS, 0),
        (FEW_DELETIONS + 1, FEW_DELETIONS + 1, FEW_DELETIONS + 1),
        (FEW_DELETIONS + 1, (FEW_DELETIONS + 1) * ONE_IN, 0),
        (FEW_DELETIONS + 1, (FEW_DELETIONS + 1) * ONE_IN - 1, FEW_DELETIONS + 1),
    ],
)
def test_deletions_of_more_than_a_few_and_more_than_a_fifth_are_held_back(gone: int, of: int, held: int) -> None:
    plan = make_plan(_deletions(gone, of), NAMES)
    assert _ended_and_held(plan) == (gone - held, held)
    assert plan.held == held


@pytest.mark.parametrize(("since", "held"), [(HOLD_TIME, 0), (HOLD_TIME - timedelta(seconds=1), 4)])
def test_a_held_deletion_is_done_when_it_is_seen_again_after_the_hold_time(since: timedelta, held: int) -> None:
    plan = make_plan(_deletions(4, 4, missing_since=iso(NOW - since)), NAMES)
    assert _ended_and_held(plan) == (4 - held, held)


def test_a_held_deletion_waits_even_if_the_other_threads_came_back() -> None:
    assert _ended_and_held(make_plan(_deletions(1, 9, missing_since=EARLIER), NAMES)) == (0, 1)


def test_a_person_can_let_held_deletions_through() -> None:
    assert _ended_and_held(make_plan(replace(_deletions(4, 4), let_through=True), NAMES)) == (4, 0)


def test_a_run_ends_twenty_generations_and_has_the_next_one_ask_for_the_others() -> None:
    plan = make_plan(replace(_deletions(25, 25), let_through=True), NAMES)
    assert _ended_and_held(plan) == (20, 0)
    assert sum(isinstance(action, UpdateSession) for action in plan.actions) == 5


def test_threads_without_a_clear_answer_do_not_count_as_looked_at() -> None:
    """Four of twenty would be a fifth, but sixteen gave no answer."""
    seen = _deletions(4, 20)
    unclear: dict[str, ThreadState] = {thread_id: Unclear() for thread_id in seen.active}
    assert _ended_and_held(make_plan(replace(seen, active={}, fetched={**seen.fetched, **unclear}), NAMES)) == (
        0,
        4,
    )


def test_an_unknown_status_raises() -> None:
    with pytest.raises(ValueError, match="unknown status"):
        make_plan(observation(msgspec.structs.replace(RECORDS["open"], status="asleep")), NAMES)


def test_a_plan_can_be_printed_and_is_the_same_for_the_same_observation() -> None:
    seen = observation(RECORDS["open"], active=(LIKE_B,))
    assert make_plan(seen, NAMES) == make_plan(seen, NAMES)
    assert msgspec.json.encode(make_plan(seen, NAMES)).startswith(b'{"fetches":[],"actions":[{"type":"AddNamesake"')
