"""`list`: a channel's sessions, the last active first, page by page."""

from typing import Final

from handler.programs.answers import ListAnswer, session_answer
from handler.programs.requests import List
from handler.sessions.opening.channel import find_channel
from handler.sessions.overview.choose import in_state
from handler.sessions.protocol import Sessions
from handler.store.activity import Listed

MAX_LOOKED_AT: Final = 500  # items for one page, of which not every session is shown: a third of a megabyte
STRETCH: Final = 100  # items of one read: about 60 KB


async def list_sessions(sessions: Sessions, request: List, request_id: str) -> ListAnswer:
    """A page; `cursor` says where the next one begins. It may be short, or empty, although there are more."""
    channel, _ = await find_channel(sessions.context, request.parent_channel_id, guild_id=None, kind=None)
    matches = in_state(request.state, None)
    found: list[Listed] = []
    place, more = request.cursor, True
    for _ in range(MAX_LOOKED_AT // STRETCH):
        stretch = await sessions.context.store.activity.newest(channel.channel_id, STRETCH, before=place)
        found += [one for one in stretch.sessions if matches is None or matches(one.session)]
        place, more = stretch.last, stretch.more
        if not more or len(found) >= request.limit:
            break
    if len(found) > request.limit:
        found = found[: request.limit]
        place, more = found[-1].place, True
    shown = [session_answer(one.session) for one in found]
    return ListAnswer(sessions=shown, **({"cursor": place} if more and place is not None else {}))
