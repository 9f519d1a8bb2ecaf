"""Parent channels that are gone or out of reach, and which threads to fetch first. Pure.

If a thread of a channel is gone or out of reach, the channel may be: then the channel is asked for before the rest of its
threads. While it does not answer, it is *parked*: its sessions stay as they are and cost no request. It is asked for
less and less often, and its sessions are taken up again when it answers, or when the active list shows a thread of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from handler.discord.models import Channel
from handler.runtime.clock import iso, parse_iso
from handler.sessions.reconcile.actions import Action, Fetch, ParkChannel, UnparkChannel, UnwatchNamesake, UpdateSession
from handler.sessions.reconcile.observation import Gone, Observation, OutOfReach, ThreadState
from handler.sessions.reconcile.pace import growing_pause, rotate
from handler.store.items import Namesake, Session

MIN_PARKED_PAUSE: Final = timedelta(hours=1)  # until a parked channel is asked for again
MAX_PARKED_PAUSE: Final = timedelta(days=7)  # and at least this often, however long it does not answer
GONE_FOR_GOOD: Final = timedelta(days=7)  # Discord restores no channel, and no fault lasts so long
MAX_FORGOTTEN: Final = 100  # sessions of such channels in one run: a write each, so a second or two
PARKED: Final = ("unreachable_since", "gone_since", "ask_again_at")  # of the channel's item
UNWATCHED: Final[Mapping[str, None]] = dict.fromkeys(("watch_guild_id", "due_in", "due_at", "missing_since"))


def choose_fetches(observation: Observation, wanted: Iterable[Fetch]) -> tuple[Fetch, ...]:
    """Which of these fetches to make now, one of each channel first. Each run begins at another one."""
    by_channel: dict[str, list[Fetch]] = defaultdict(list)
    by_thread = {fetch.thread_id: fetch for fetch in wanted}  # a namesake's may be a session's, too
    for fetch in rotate([*by_thread.values()], observation.now):
        by_channel[fetch.parent_channel_id].append(fetch)
    answers = _find_answers(observation)
    chosen: list[Fetch] = []
    for channel_id, fetches in by_channel.items():
        if channel_id in observation.parents or isinstance(observation.fetched.get(channel_id), Channel):
            chosen += fetches
        elif any(isinstance(state, Gone | OutOfReach) for state in answers[channel_id]):
            chosen.append(Fetch(channel_id, channel_id))
        else:
            chosen += fetches if answers[channel_id] else fetches[:1]
    return tuple(chosen)


def _find_answers(observation: Observation) -> defaultdict[str, list[ThreadState]]:
    """What this run's fetches of threads were answered, by the parent channel."""
    answers: defaultdict[str, list[ThreadState]] = defaultdict(list)
    for owner in _owners(observation):
        if (state := observation.fetched.get(owner.thread_id or "")) is not None:
            answers[owner.parent_channel_id].append(state)
    return answers


def _owners(observation: Observation) -> tuple[Session | Namesake, ...]:
    return (*observation.sessions, *observation.namesakes)


def plan_channels(observation: Observation) -> Iterator[Fetch | Action]:
    """Ask for the parked channels whose pause is over; park those that do not answer."""
    for channel_id, parked in observation.parked.items():
        if channel_id in observation.parents or isinstance(observation.fetched.get(channel_id), Channel):
            yield UnparkChannel(channel_id, dict.fromkeys(("watch_guild_id", *PARKED)))
        elif channel_id not in observation.fetched and (parked.ask_again_at or "") <= iso(observation.now):
            yield Fetch(channel_id, channel_id)
    for channel_id in sorted({*observation.parked, *(owner.parent_channel_id for owner in _owners(observation))}):
        state = observation.fetched.get(channel_id)
        if isinstance(state, Gone | OutOfReach) and observation.is_lost(channel_id):
            yield ParkChannel(channel_id, _changes_of_parked(observation, channel_id, state))


def _changes_of_parked(observation: Observation, channel_id: str, state: Gone | OutOfReach) -> dict[str, Any]:
    now, parked = observation.now, observation.parked.get(channel_id)
    since = parse_iso(parked.unreachable_since) if parked is not None and parked.unreachable_since else now
    gone_since = parked.gone_since if parked is not None else None
    pause = growing_pause(since, now, MIN_PARKED_PAUSE, MAX_PARKED_PAUSE)
    values = iso(since), gone_since or iso(now) if isinstance(state, Gone) else None, iso(now + pause)
    return {"watch_guild_id": observation.guild_id, **dict(zip(PARKED, values, strict=True))}


def plan_forgotten(observation: Observation) -> Iterator[Action]:
    """Watch the sessions of channels that are gone for good no longer, so many in one run. Their items stay."""
    gone = {
        channel_id
        for channel_id, parked in observation.parked.items()
        if observation.is_lost(channel_id)
        and parked.gone_since is not None
        and observation.now - parse_iso(parked.gone_since) >= GONE_FOR_GOOD
    }
    sessions = [
        UpdateSession(session, {**UNWATCHED, "unreachable_since": iso(observation.now)})
        for session in observation.sessions
        if session.parent_channel_id in gone
        and session.discord_thread_id is not None
        and session.deletion.begun_at is None
    ]
    namesakes = [UnwatchNamesake(n) for n in observation.namesakes if n.parent_channel_id in gone]
    forgotten: tuple[Action, ...] = (*sessions, *namesakes)
    yield from forgotten[:MAX_FORGOTTEN]
