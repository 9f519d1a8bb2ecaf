"""Plan: compare the records of a guild with what Discord shows, and return what to do.

Pure: the same observation gives the same plan, which can be printed, applied later, or dropped. A plan may first ask
for fetches: threads that are active on record and not in the active list are read one by one, then the plan is made
again. A plan never starts a thread, and never takes a thread for deleted because a list lacks it. The sessions of a
channel that is gone or out of reach are left alone (`channels`).
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Final

from handler.discord import snowflakes
from handler.discord.models import Channel, ChannelType
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
    HoldDeletion,
    MoveToEnd,
    Plan,
    RemoveNamesake,
    Settle,
    UnwatchNamesake,
    UpdateSession,
)
from handler.sessions.reconcile.changes import changes_from_thread, changes_out_of_reach, changes_to_ask_again
from handler.sessions.reconcile.channels import choose_fetches, plan_channels, plan_forgotten
from handler.sessions.reconcile.lost_roles import plan_lost_roles
from handler.sessions.reconcile.observation import Gone, Observation, OutOfReach, Unclear
from handler.sessions.reconcile.pace import rotate
from handler.sessions.threads.match import best_first, is_public_thread, is_unused
from handler.store.items import Namesake, Session, Status, namesake_item_key

HOLD_TIME: Final = timedelta(minutes=30)  # a deletion in bulk must be seen twice, so far apart: a fault is over by then
ATTEMPT_TIME: Final = timedelta(minutes=10)  # a request whose answer was lost has landed by then, or never does
EXTRA_AGE: Final = timedelta(minutes=5)  # an opener that commits its own thread has done so by then
FEW_DELETIONS: Final = 3  # so many are believed at once,
MAX_ENDS: Final = 20  # in one run: ten requests each, so 40 seconds at the pace
ONE_IN: Final = 5  # and more if they are at most one in so many of the sessions with a clear answer


def make_plan(observation: Observation, names: Names) -> Plan:
    """Plan what to do. If the plan has fetches, add their answers to the observation and plan again."""
    found = [
        *plan_channels(observation),
        *_plan_extra_private_threads(observation, names),
        *(item for session in observation.sessions for item in _plan_session(observation, names, session)),
        *(item for namesake in observation.namesakes for item in _plan_namesake(observation, names, namesake)),
        *_plan_unknown_threads(observation, names),
        *plan_lost_roles(observation),
        *plan_forgotten(observation),
    ]
    fetches = choose_fetches(observation, (item for item in found if isinstance(item, Fetch)))
    if fetches:
        return Plan(fetches=fetches)
    actions = [item for item in found if not isinstance(item, Fetch)]
    # Watermarks come first: once a thread is archived on record, nothing shows that it has left the active list.
    watermarks = _plan_watermarks(observation, actions)
    return Plan(actions=(*watermarks, *_put_ends_last(observation, _hold_back(observation, actions))))


def _plan_session(observation: Observation, names: Names, session: Session) -> Iterator[Fetch | Action]:
    match session.status:
        case Status.VACANT:
            return
        case Status.CREATING:
            yield from _plan_claim(observation, names, session)
        case Status.OPEN | Status.CLOSED:
            lost = observation.is_lost(session.parent_channel_id)
            yield from _plan_lost(observation, session) if lost else _plan_open(observation, names, session)
        case _:
            raise ValueError(f"unknown status {session.status!r}")


def _plan_claim(observation: Observation, names: Names, session: Session) -> Iterator[Fetch | Action]:
    """Plan for a claim, once its lease has ended: its opener died or gave up."""
    if session.lease.is_live(observation.now):
        return
    if session.source_message_id is None:
        if not _may_have_a_thread(observation, session):
            yield DropClaim(session)
        return
    if observation.is_lost(session.parent_channel_id):
        return
    match observation.find_state(session.source_message_id):
        case None:
            if _may_fetch(observation, session, session.source_message_id):
                yield Fetch(session.source_message_id, session.parent_channel_id)
        case Channel() as thread:
            yield from _plan_rename(observation, names, session, thread)
            yield Commit(session, thread)
        case Gone():
            yield EndGeneration(session)
        case OutOfReach():
            yield UpdateSession(session, changes_out_of_reach(session, observation.now))


def _may_have_a_thread(observation: Observation, session: Session) -> bool:
    """Whether an attempt to create a thread without an anchor may still show one: as an unknown thread it is settled."""
    attempted_at = session.create_attempted_at
    return attempted_at is not None and observation.now - parse_iso(attempted_at) < ATTEMPT_TIME


def _plan_open(observation: Observation, names: Names, session: Session) -> Iterator[Fetch | Action]:
    thread_id = session.discord_thread_id
    if thread_id is None:  # a table that was half restored: do not guess
        return
    if session.deletion.begun_at is not None:  # housekeeping finishes it, and our writes would be lost
        return
    state = observation.find_state(thread_id)
    if state is None and _may_fetch(observation, session, thread_id):
        yield Fetch(thread_id, session.parent_channel_id)
        return
    checks_archived = observation.checks_archived
    match state:
        case Gone():
            yield EndGeneration(session, checks_archived=checks_archived)
        case Channel() as thread:
            yield from _plan_update(observation, names, session, thread)
        case OutOfReach():
            changes = changes_out_of_reach(session, observation.now, checks_archived=checks_archived)
            yield UpdateSession(session, changes)
        case Unclear() if thread_id in observation.in_audit_log:
            yield from _plan_to_ask_again(observation, session)
    if thread_id in observation.due_for_check:
        yield MoveToEnd(session)


def _plan_lost(observation: Observation, session: Session) -> Iterator[Action]:
    """The channel is gone or out of reach: ask nothing, and write down what is told only once."""
    if session.discord_thread_id in observation.in_audit_log and session.deletion.begun_at is None:
        yield from _plan_to_ask_again(observation, session)
    if session.discord_thread_id in observation.due_for_check:
        yield MoveToEnd(session)


def _plan_to_ask_again(observation: Observation, session: Session) -> Iterator[Action]:
    """The audit log has news of a thread that did not answer. It has them only once, so write them down."""
    changes = changes_to_ask_again(session, observation.now) if session.problem.ask_again_at is None else {}
    locked_by = observation.locked_by.get(session.discord_thread_id or "")
    if locked_by is not None and locked_by != session.thread.locked_by:
        changes["locked_by"] = locked_by
    if changes:
        yield UpdateSession(session, changes)


def _may_fetch(observation: Observation, session: Session, thread_id: str) -> bool:
    """Whether to fetch now. Out of reach: less and less often. Archived: only if there is news, or for a check."""
    if thread_id in observation.must_fetch or thread_id in observation.in_audit_log:
        return True
    if session.problem.ask_again_at is not None and session.problem.ask_again_at > iso(observation.now):
        return False
    return bool(session.problem.flags) or not session.thread.archived or thread_id in observation.due_for_check


def _plan_update(observation: Observation, names: Names, session: Session, thread: Channel) -> Iterator[Action]:
    # The namesake comes first: if the run dies before the new name is on record, the next one sees the rename again.
    yield from _plan_rename(observation, names, session, thread)
    locked_by = observation.locked_by.get(thread.id)
    if changes := changes_from_thread(session, thread, observation.now, locked_by=locked_by):
        yield UpdateSession(session, changes)


def _plan_rename(observation: Observation, names: Names, session: Session, thread: Channel) -> Iterator[Action]:
    """A thread that bears the name of another session is a namesake of that session."""
    key = names.session_key_of(thread.name)
    if key is None or key == session.session_key or not is_public_thread(thread):
        return
    if thread.archived and thread.name == session.thread.name:  # added when it was renamed
        return
    item_key = namesake_item_key(session.parent_channel_id, key, thread.id)
    if item_key not in (namesake.item_key for namesake in observation.namesakes):
        yield AddNamesake(session, key, thread)


def _plan_namesake(observation: Observation, names: Names, namesake: Namesake) -> Iterator[Fetch | Action]:
    match observation.find_state(namesake.thread_id):
        case None if not observation.is_lost(namesake.parent_channel_id):
            yield Fetch(namesake.thread_id, namesake.parent_channel_id)
        case Gone():
            # One 404 alone may be a fault: keep the namesake for look-ups, which ask twice.
            deleted = namesake.thread_id in observation.deleted_in_audit_log
            yield RemoveNamesake(namesake) if deleted else UnwatchNamesake(namesake)
        case OutOfReach():
            yield UnwatchNamesake(namesake)
        case Channel() as thread:
            if not names.bears(thread.name, namesake.session_key):
                yield RemoveNamesake(namesake)
            elif thread.archived:
                yield UnwatchNamesake(namesake)


def _plan_unknown_threads(observation: Observation, names: Names) -> Iterator[Action]:
    """Settle active threads that are named like sessions and are neither on record, namesakes nor left alone."""
    known = {session.thread_id for session in observation.sessions} | observation.left_alone
    known |= find_settled(observation.namesakes, observation.active, names)
    by_channel: dict[str, list[Channel]] = {}
    for thread in observation.active.values():
        if thread.id in known or thread.parent_id is None or not is_public_thread(thread):
            continue
        if names.session_key_of(thread.name) is not None:
            by_channel.setdefault(thread.parent_id, []).append(thread)
    for channel_id, threads in by_channel.items():
        yield Settle(channel_id, tuple(best_first(threads)))


def _plan_extra_private_threads(observation: Observation, names: Names) -> Iterator[Action]:
    """Settle private threads of the bot's own that attempts left some time ago: before claims are dropped."""
    known = {session.thread_id for session in observation.sessions} | observation.left_alone
    bots = {observation.application_id, observation.bot_user_id}
    for thread in observation.active.values():
        is_own = thread.type == ChannelType.PRIVATE_THREAD and thread.owner_id in bots and is_unused(thread)
        if not is_own or thread.id in known or names.session_key_of(thread.name) is None:
            continue
        if thread.parent_id is not None and observation.now - snowflakes.time_of(thread.id) >= EXTRA_AGE:
            yield Settle(thread.parent_id, (thread,))


def find_settled(namesakes: Iterable[Namesake], active: Mapping[str, Channel], names: Names) -> set[str]:
    """The ids of the namesakes, without those that the active list shows by another name."""
    return {
        n.thread_id
        for n in namesakes
        if n.thread_id not in active or names.bears(active[n.thread_id].name, n.session_key)
    }


def _plan_watermarks(observation: Observation, actions: list[Action]) -> Iterator[Action]:
    """Advance the watermark of each channel in which a thread was archived."""
    channels = {
        a.session.parent_channel_id
        for a in actions
        if isinstance(a, UpdateSession) and _archives(a) and not a.session.private
    }
    unwatched = [a.namesake for a in actions if isinstance(a, UnwatchNamesake)]
    channels |= {n.parent_channel_id for n in unwatched if isinstance(observation.find_state(n.thread_id), Channel)}
    for channel_id in sorted(channels):
        yield AdvanceWatermark(channel_id)


def _archives(action: UpdateSession) -> bool:
    return action.changes.get("archived") is True and not action.session.thread.archived


def _hold_back(observation: Observation, actions: list[Action]) -> Iterator[Action]:
    """Hold back many deletions at once until they are seen again: a fault at Discord must not wipe the table.

    Once held back, a deletion waits its time, however many the others are by then. Claims do not count: they have no
    thread on record.
    """
    threads = [s.discord_thread_id for s in observation.sessions if s.discord_thread_id is not None]
    clear = sum(isinstance(observation.find_state(thread_id), Channel | Gone) for thread_id in threads)
    ends = sum(isinstance(a, EndGeneration) and a.session.discord_thread_id is not None for a in actions)
    bulk = ends > FEW_DELETIONS and ends * ONE_IN > clear
    for action in actions:
        if isinstance(action, EndGeneration) and _must_hold(observation, action.session, bulk=bulk):
            yield HoldDeletion(action.session)
        else:
            yield action


def _put_ends_last(observation: Observation, actions: Iterable[Action]) -> Iterator[Action]:
    """End so many generations after everything else: they cost most. The next runs go on with the rest."""
    ends: list[EndGeneration] = []
    for action in actions:
        if isinstance(action, EndGeneration):
            ends.append(action)
        else:
            yield action
    ends = rotate(ends, observation.now)
    yield from ends[:MAX_ENDS]
    for end in ends[MAX_ENDS:]:
        if not end.session.problem.flags:
            yield UpdateSession(end.session, changes_to_ask_again(end.session, observation.now))


def _must_hold(observation: Observation, session: Session, *, bulk: bool) -> bool:
    if observation.let_through or session.discord_thread_id is None:
        return False
    if session.problem.missing_since is None:
        return bulk
    return observation.now - parse_iso(session.problem.missing_since) < HOLD_TIME
