"""Read a page of a list of sessions, a bounded number of items each.

A page is read from the index by last activity, from a place on. Whoever turns it says the place, so nothing is kept.
"""

from collections.abc import Callable
from typing import Final, Literal

import msgspec

from handler.runtime.concurrency import gather
from handler.sessions.context import Context
from handler.sessions.names import Names
from handler.sessions.overview.choose import MAX_LOOKED_AT, PAGE, Matches, Page, active_at, with_words
from handler.sessions.threads.visibility import may_see
from handler.store.activity import ActivityStore, Listed, Stretch
from handler.store.items import Session
from handler.store.private import list_of

MAX_BEGINNINGS: Final = 25  # sessions read whose names begin with a text


class Viewer(msgspec.Struct, frozen=True):
    """Who reads a list of which channel: of its private sessions, they see their own and those that they were added to."""

    channel_id: str
    user_id: str
    role_ids: frozenset[str] = frozenset()
    moderates: bool = False

    def sees(self, session: Session) -> bool:
        return may_see(session, user_id=self.user_id, role_ids=self.role_ids, moderates=self.moderates)


async def read_page(
    activity: ActivityStore,
    viewer: Viewer,
    matches: Matches | None,
    *,
    towards: Literal["older", "newer"] = "older",
    place: str | None = None,
) -> Page:
    """The page behind that place; the first one if there is no place, or nothing newer.

    `matches`: which sessions are shown; None for all.
    """
    limit = PAGE + 1 if matches is None else MAX_LOOKED_AT
    if towards == "newer" and place is not None:
        stretch = await _newer(activity, viewer, limit, than=place)
        found = [one for one in stretch.sessions if matches is None or matches(one.session)]
        if stretch.more or len(found) > PAGE:
            shown = found[-PAGE:]
            newer = shown[0].place if len(found) > PAGE else stretch.last
            return Page(_sessions(shown), newer, shown[-1].place if shown else place)
        place = None
    stretch = await _newest(activity, viewer, limit, before=place)
    found = [one for one in stretch.sessions if matches is None or matches(one.session)]
    newer = None
    if place is not None:
        newer = found[0].place if found else place
    return Page(_sessions(found[:PAGE]), newer, _older(found, stretch.last if stretch.more else None))


async def find(context: Context, viewer: Viewer, text: str, *, after: str | None) -> Page:
    """The sessions with that text, those public ones first whose names begin with it.

    `after`: the place behind which the page begins, "" for the newest; None for the first page, which has those names.
    """
    activity, matches = context.store.activity, with_words(text)
    first, stretch = await gather(
        _with_beginning(activity, context.names, viewer.channel_id, text),
        _newest(activity, viewer, MAX_LOOKED_AT, before=after or None),
    )
    shown_first = {session.pair for session in first}
    found = [one for one in stretch.sessions if one.session.pair not in shown_first and matches(one.session)]
    if after is not None:
        return Page(_sessions(found[:PAGE]), older=_older(found, stretch.last if stretch.more else None))
    free = PAGE - len(first)
    if len(found) > free:
        return Page((*first, *_sessions(found[:free])), older=found[free - 1].place if free else "")
    return Page((*first, *_sessions(found)), older=stretch.last if stretch.more else None)


async def _newest(activity: ActivityStore, viewer: Viewer, limit: int, *, before: str | None) -> Stretch:
    public, private = await gather(
        activity.newest(viewer.channel_id, limit, before=before),
        activity.newest(list_of(viewer.channel_id, private=True), MAX_LOOKED_AT, before=before),
    )
    return merge(public, private, viewer, is_read=lambda place, last: place >= last)


async def _newer(activity: ActivityStore, viewer: Viewer, limit: int, *, than: str) -> Stretch:
    public, private = await gather(
        activity.newer(viewer.channel_id, limit, than=than),
        activity.newer(list_of(viewer.channel_id, private=True), MAX_LOOKED_AT, than=than),
    )
    return merge(public, private, viewer, is_read=lambda place, last: place <= last)


def merge(public: Stretch, private: Stretch, viewer: Viewer, *, is_read: Callable[[str, str], bool]) -> Stretch:
    """One stretch of both, as far as both were read. `is_read`: whether a place comes no later than another one.

    Private sessions that the viewer does not see change nothing, not even where it ends. So of very many private ones a
    member may miss some; a moderator sees all, and misses none.
    """
    seen = tuple(one for one in private.sessions if viewer.sees(one.session))
    last, more = public.last if public.more else None, public.more
    if viewer.moderates and private.more and private.last is not None:
        last = private.last if last is None or is_read(private.last, last) else last
        more = True
    both = [one for one in (*public.sessions, *seen) if last is None or is_read(one.place, last)]
    return Stretch(tuple(sorted(both, key=lambda one: one.place, reverse=True)), last, more)


async def _with_beginning(
    activity: ActivityStore, names: Names, parent_channel_id: str, text: str
) -> tuple[Session, ...]:
    beginning = names.beginning(text)
    if not beginning:
        return ()
    found = await activity.with_beginning(parent_channel_id, beginning, MAX_BEGINNINGS)
    return tuple(sorted(found, key=active_at, reverse=True)[:PAGE])


def _older(found: list[Listed], last: str | None) -> str | None:
    """Behind which place the next page begins. `last`: the last one that was looked at, None at the end."""
    return found[PAGE - 1].place if len(found) > PAGE else last


def _sessions(listed: list[Listed]) -> tuple[Session, ...]:
    return tuple(one.session for one in listed)
