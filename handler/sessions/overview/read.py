"""Read a page of a list of sessions, a bounded number of items each.

A page is read from the index by last activity, from a place on. Whoever turns it says the place, so nothing is kept.
"""

from typing import Final, Literal

from handler.runtime.concurrency import gather
from handler.sessions.context import Context
from handler.sessions.names import Names
from handler.sessions.overview.choose import MAX_LOOKED_AT, PAGE, Matches, Page, active_at, with_words
from handler.store.activity import ActivityStore, Listed
from handler.store.items import Session

MAX_BEGINNINGS: Final = 25  # sessions read whose names begin with a text


async def read_page(
    activity: ActivityStore,
    listed_in: str,
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
        stretch = await activity.newer(listed_in, limit, than=place)
        found = [one for one in stretch.sessions if matches is None or matches(one.session)]
        if stretch.more or len(found) > PAGE:
            shown = found[-PAGE:]
            newer = shown[0].place if len(found) > PAGE else stretch.last
            return Page(_sessions(shown), newer, shown[-1].place if shown else place)
        place = None
    stretch = await activity.newest(listed_in, limit, before=place)
    found = [one for one in stretch.sessions if matches is None or matches(one.session)]
    newer = None
    if place is not None:
        newer = found[0].place if found else place
    return Page(_sessions(found[:PAGE]), newer, _older(found, stretch.last if stretch.more else None))


async def find(context: Context, parent_channel_id: str, text: str, *, after: str | None) -> Page:
    """The sessions with that text, those first whose names begin with it.

    `after`: the place behind which the page begins, "" for the newest; None for the first page, which has those names.
    """
    activity, matches = context.store.activity, with_words(text)
    first, stretch = await gather(
        _with_beginning(activity, context.names, parent_channel_id, text),
        activity.newest(parent_channel_id, MAX_LOOKED_AT, before=after or None),
    )
    shown_first = {session.session_key for session in first}
    found = [one for one in stretch.sessions if one.session.session_key not in shown_first and matches(one.session)]
    if after is not None:
        return Page(_sessions(found[:PAGE]), older=_older(found, stretch.last if stretch.more else None))
    free = PAGE - len(first)
    if len(found) > free:
        return Page((*first, *_sessions(found[:free])), older=found[free - 1].place if free else "")
    return Page((*first, *_sessions(found)), older=stretch.last if stretch.more else None)


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
