"""What the reconciler does about a guild: what is on record is compared with what Discord shows, and out comes a plan.

Pure: the same observation gives the same plan, which can be printed and carried out later or not at all. A plan may first *ask*:
threads that are on record as active and not in the active list are read one by one, and with the fetched the observation is
compared again. A plan never starts a thread, and nothing is taken for deleted because a list lacks it.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from handler.discord.models import Channel
from handler.runtime.clock import iso, parse_iso
from handler.sessions.names import Names
from handler.sessions.reconcile.actions import (
    Action,
    AddNamesake,
    AdvanceWatermark,
    Commit,
    DropClaim,
    EndGeneration,
    Fetch,
    Gone,
    HoldDeletion,
    MoveToEnd,
    Observation,
    OutOfReach,
    Plan,
    RemoveNamesake,
    Settle,
    Unclear,
    UnwatchNamesake,
    UpdateSession,
)
from handler.sessions.reconcile.pace import growing_pause
from handler.sessions.threads.match import best_first, is_public_thread
from handler.sessions.threads.record import differences, thread_attributes
from handler.store.items import Namesake, Session, Status, namesake_item_key

HELD_FOR: Final = timedelta(minutes=30)  # a deletion in bulk must be seen twice, so far apart: a fault is over by then
FEW_DELETIONS: Final = 3  # as many are believed at once
ONE_IN: Final = 5  # and more, if they are at most one in so many of the sessions looked at
ACTIVITY_STEP: Final = timedelta(hours=1)  # `last_activity_at` is written when it moved by so much, to bound writes
ASK_FIRST: Final = timedelta(hours=1)  # a thread out of reach is asked for again after this,
ASK_LATEST: Final = timedelta(days=7)  # then after as long as it has been out of reach, and at the latest after this


def make_plan(observation: Observation, names: Names) -> Plan:
    """The plan for a observation. With `fetches` in it the fetched are to be added to the observation first."""
    found = [
        *(item for session in observation.sessions for item in _session(observation, names, session)),
        *(item for namesake in observation.namesakes for item in _namesake(observation, names, namesake)),
        *_strangers(observation, names),
    ]
    fetches = {item.thread_id: item for item in found if isinstance(item, Fetch)}
    if fetches:
        return Plan(fetches=tuple(fetches.values()))
    actions = [item for item in found if not isinstance(item, Fetch)]
    # Marks come first: once a thread is archived on record, nobody sees that it has left the list.
    return Plan(actions=(*_marks(observation, actions), *_braked(observation, actions)))


def _session(observation: Observation, names: Names, session: Session) -> Iterator[Fetch | Action]:
    match session.status:
        case Status.VACANT:
            return
        case Status.CREATING:
            yield from _claim(observation, names, session)
        case Status.OPEN | Status.CLOSED:
            yield from _open(observation, names, session)
        case _:
            raise ValueError(f"unknown status {session.status!r}")


def _claim(observation: Observation, names: Names, session: Session) -> Iterator[Fetch | Action]:
    """A claim whose lease is over: somebody died, or gave up."""
    if session.lease.is_live(observation.now):
        return
    if session.source_message_id is None:
        yield DropClaim(session)
        return
    answer = observation.known(session.source_message_id)
    if answer is None:
        if _may_ask(observation, session, session.source_message_id):
            yield Fetch(session.source_message_id)
    elif isinstance(answer, Channel):
        yield from _other_name(observation, names, session, answer)
        yield Commit(session, answer)
    elif isinstance(answer, Gone):
        yield EndGeneration(session)
    elif isinstance(answer, OutOfReach):
        yield UpdateSession(session, out_of_reach(session, observation.now))


def _open(observation: Observation, names: Names, session: Session) -> Iterator[Fetch | Action]:
    thread_id = session.discord_thread_id
    if thread_id is None:  # half a restore: not for us to guess
        return
    if session.deletion.begun_at is not None:  # housekeeping's to finish: no write of ours would be won
        return
    answer = observation.known(thread_id)
    if answer is None and _may_ask(observation, session, thread_id):
        yield Fetch(thread_id)
        return
    if isinstance(answer, Gone):
        yield EndGeneration(session, sweeps=observation.sweeps)
    elif isinstance(answer, Channel):
        yield from _shown(observation, names, session, answer)
    elif isinstance(answer, OutOfReach):
        yield UpdateSession(session, out_of_reach(session, observation.now, sweeps=observation.sweeps))
    elif isinstance(answer, Unclear) and thread_id in observation.heard_of:
        yield from _heard(observation, session)
    if thread_id in observation.swept:
        yield MoveToEnd(session)


def _heard(observation: Observation, session: Session) -> Iterator[Action]:
    """Something was heard of a thread that did not answer: kept on record, for the audit log tells it only once."""
    found = again(session, observation.now) if session.problem.ask_again_at is None else {}
    locked_by = observation.locked_by.get(session.discord_thread_id or "")
    if locked_by is not None and locked_by != session.thread.locked_by:
        found["locked_by"] = locked_by
    if found:
        yield UpdateSession(session, found)


def _may_ask(observation: Observation, session: Session, thread_id: str) -> bool:
    """Out of reach: ever more seldom. Archived on record: only when something was heard of it, or it is its turn."""
    if thread_id in observation.doubted or thread_id in observation.heard_of:
        return True
    if session.problem.ask_again_at is not None and session.problem.ask_again_at > iso(observation.now):
        return False
    return bool(session.problem.flags) or not session.thread.archived or thread_id in observation.swept


def _shown(observation: Observation, names: Names, session: Session, thread: Channel) -> Iterator[Action]:
    # The name comes first: whoever dies before it is on record sees again that it is new.
    yield from _other_name(observation, names, session, thread)
    found = changes(session, thread, observation.now, locked_by=observation.locked_by.get(thread.id))
    if found:
        yield UpdateSession(session, found)


def _other_name(observation: Observation, names: Names, session: Session, thread: Channel) -> Iterator[Action]:
    """A thread that bears another session's name is that one's namesake; an archived one was noted when it was renamed."""
    key = names.session_key_of(thread.name)
    if key is None or key == session.session_key:
        return
    if thread.archived and thread.name == session.thread.name:
        return
    item_key = namesake_item_key(session.parent_channel_id, key, thread.id)
    if item_key not in (namesake.item_key for namesake in observation.namesakes):
        yield AddNamesake(session.parent_channel_id, key, thread)


def changes(session: Session, thread: Channel, now: datetime, *, locked_by: str | None = None) -> dict[str, Any]:
    """What differs between the record and what is shown. A closed session stays closed while its thread is archived.

    `locked_by`: who locked it last, where that is known.
    """
    status = session.status if thread.archived else Status.OPEN
    found = differences(session, thread, status, now)
    if marks := session.problem.flags:  # all of it, because what is marked is watched, and what is archived is not
        found = {**thread_attributes(thread, now), **found, **dict.fromkeys(marks)}
    if not found and _moved(session, thread):
        found = {"last_activity_at": iso(thread.last_activity)}
        found |= {} if thread.archived else {"seen_active_at": iso(now)}
    if thread.locked and locked_by is not None and locked_by != session.thread.locked_by:
        found["locked_by"] = locked_by
    if (opened_at := _opened_meanwhile(session, thread)) is not None:
        found["opened_at"] = opened_at
    return found


def _opened_meanwhile(session: Session, thread: Channel) -> str | None:
    """When somebody opened the archived thread, by hand, too; it may be archived again. Housekeeping counts it as activity."""
    if not session.thread.archived or session.thread.archived_at is None or thread.archive_time is None:
        return None
    if session.deletion.locking_at is not None:  # an archived thread cannot be locked before it is opened: that was us
        return None
    changed_at = iso(thread.archive_time)
    return changed_at if changed_at > max(session.thread.archived_at, session.opened_at or "") else None


def _moved(session: Session, thread: Channel) -> bool:
    if session.thread.last_activity_at is None:
        return True
    return thread.last_activity - parse_iso(session.thread.last_activity_at) >= ACTIVITY_STEP


def out_of_reach(session: Session, now: datetime, *, sweeps: bool = False) -> dict[str, Any]:
    """What to write down of a thread that cannot be read: kept, and asked for ever more seldom.

    `sweeps`: an archived one comes to its turn again. It is not watched for it, else a lost channel's whole past would be.
    """
    since = parse_iso(session.problem.unreachable_since) if session.problem.unreachable_since else now
    pause = growing_pause(since, now, ASK_FIRST, ASK_LATEST)
    return {
        "unreachable_since": iso(since),
        "ask_again_at": iso(now + pause),
        "missing_since": None,
        "watch_guild_id": None if sweeps and session.thread.archived else session.guild_id,
    }


def again(session: Session, now: datetime) -> dict[str, Any]:
    """What to write down of a thread of which something is to be found out still: watched, and asked by the next run."""
    return {"ask_again_at": iso(now), "watch_guild_id": session.guild_id}


def missing(session: Session, now: datetime) -> dict[str, Any]:
    """What to write down of a thread whose end is held back: watched, so that the next run sees it, archived or not."""
    return {"missing_since": iso(now), "ask_again_at": None, "watch_guild_id": session.guild_id}


def _namesake(observation: Observation, names: Names, namesake: Namesake) -> Iterator[Fetch | Action]:
    answer = observation.known(namesake.thread_id)
    if answer is None:
        yield Fetch(namesake.thread_id)
    elif isinstance(answer, Gone):
        # One 404 alone is a fault: the note stays for look-ups, which ask twice.
        yield RemoveNamesake(namesake) if namesake.thread_id in observation.deleted else UnwatchNamesake(namesake)
    elif isinstance(answer, OutOfReach):
        yield UnwatchNamesake(namesake)
    elif isinstance(answer, Channel):
        if not names.bears(answer.name, namesake.session_key):
            yield RemoveNamesake(namesake)
        elif answer.archived:
            yield UnwatchNamesake(namesake)


def _strangers(observation: Observation, names: Names) -> Iterator[Action]:
    """Active threads that nobody knows and that are named like sessions."""
    known = {session.thread_id for session in observation.sessions} | observation.merged
    known |= still_noted(observation.namesakes, observation.active, names)
    by_channel: dict[str, list[Channel]] = {}
    for thread in observation.active.values():
        if thread.id in known or thread.parent_id is None or not is_public_thread(thread):
            continue
        if names.session_key_of(thread.name) is not None:
            by_channel.setdefault(thread.parent_id, []).append(thread)
    for channel_id, threads in by_channel.items():
        yield Settle(channel_id, tuple(best_first(threads)))


def still_noted(namesakes: Iterable[Namesake], active: Mapping[str, Channel], names: Names) -> set[str]:
    """The noted threads, without those that the active list shows by another name: these may be somebody else's."""
    return {
        n.thread_id
        for n in namesakes
        if n.thread_id not in active or names.bears(active[n.thread_id].name, n.session_key)
    }


def _marks(observation: Observation, actions: list[Action]) -> Iterator[Action]:
    """The channels in which a thread was archived."""
    left = {s.session.parent_channel_id for s in actions if isinstance(s, UpdateSession) and _is_archiving(s)}
    rested = [s.namesake for s in actions if isinstance(s, UnwatchNamesake)]
    left |= {n.parent_channel_id for n in rested if isinstance(observation.known(n.thread_id), Channel)}
    for channel_id in sorted(left):
        yield AdvanceWatermark(channel_id)


def _is_archiving(action: UpdateSession) -> bool:
    return action.changes.get("archived") is True and not action.session.thread.archived


def _braked(observation: Observation, actions: list[Action]) -> tuple[Action, ...]:
    """A fault at Discord must not wipe the table: many deletions at once are held back until they are seen again.

    What was held back once waits its time, however many the others are by then. Claims are not counted: no thread of
    theirs is on record.
    """
    threads = [s.discord_thread_id for s in observation.sessions if s.discord_thread_id is not None]
    looked_at = sum(isinstance(observation.known(thread_id), Channel | Gone) for thread_id in threads)
    ends = sum(isinstance(action, EndGeneration) and action.session.discord_thread_id is not None for action in actions)
    bulk = ends > FEW_DELETIONS and ends * ONE_IN > looked_at
    return tuple(
        HoldDeletion(action.session)
        if isinstance(action, EndGeneration) and _is_held(observation, action.session, bulk=bulk)
        else action
        for action in actions
    )


def _is_held(observation: Observation, session: Session, *, bulk: bool) -> bool:
    if observation.let_through or session.discord_thread_id is None:
        return False
    if session.problem.missing_since is None:
        return bulk
    return observation.now - parse_iso(session.problem.missing_since) < HELD_FOR
