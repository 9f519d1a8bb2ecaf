"""Figures of a channel, from what is on record of its sessions. Nothing is counted while sessions are opened.

So a report costs those who open nothing, and reaches back to before it existed. What leaves nothing on record cannot be in
it: how often a session was reopened, and plain links.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from handler.runtime.clock import iso
from handler.runtime.concurrency import gather
from handler.sessions.overview.choose import State, active_at, state_of
from handler.store.activity import ActivityStore
from handler.store.former import Why, former_threads
from handler.store.items import Session
from handler.store.private import list_of

MAX_COUNTED: Final = 1000  # sessions of each list, the last active ones: about a megabyte to read


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the sessions that were active since some moment."""

    started: int  # their threads began since then
    went_on: int  # were there before, and were used again
    closed: int
    replaced: int  # have another thread, because the one before was deleted
    states: Mapping[State, int]  # how many are in which state now
    is_cut: bool = False  # there are more sessions than were counted


async def read_figures(activity: ActivityStore, channel_id: str, since: datetime) -> Figures:
    """The figures of all sessions of the channel, private ones among them."""
    public, private = await gather(
        activity.newest(channel_id, MAX_COUNTED), activity.newest(list_of(channel_id, private=True), MAX_COUNTED)
    )
    figures = count(((one.session for stretch in (public, private) for one in stretch.sessions)), since)
    return msgspec.structs.replace(figures, is_cut=public.more or private.more)


def count(sessions: Iterable[Session], since: datetime) -> Figures:
    """Pure. `sessions`: those that have a thread; the ones that were not active since then do not count."""
    start = iso(since)
    active = [session for session in sessions if active_at(session) >= start]
    started = sum((session.thread.created_at or "") >= start for session in active)
    return Figures(
        started=started,
        went_on=len(active) - started,
        closed=sum((session.closing.closed_at or "") >= start for session in active),
        replaced=sum(_was_deleted(session, start) for session in active),
        states=Counter(map(state_of, active)),
    )


def _was_deleted(session: Session, start: str) -> bool:
    """Whether a thread that the session had was found to be deleted since then."""
    return any(one.why in (Why.DELETED, Why.UNUSED) and one.ended_at >= start for one in former_threads(session))
