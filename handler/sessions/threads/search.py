"""Discord's thread search: a second source for what the lists do not show.

In a channel that was converted (text to announcement, or back) the older archived threads are in no list. The search is
a hint: it lags, it may not be ready, and it is never proof that there is no thread.
"""

from collections.abc import Iterable
from typing import Final

from handler.discord.models import Channel
from handler.errors import Forbidden, OnethreadError
from handler.runtime.concurrency import gather_limited
from handler.sessions.context import Context
from handler.sessions.names import SessionName
from handler.sessions.threads.match import best_first, is_match

MAX_HITS: Final = 5  # read side by side: a name has one thread, as a rule, and one that can be adopted is enough


async def search(context: Context, channel_id: str, name: SessionName) -> list[Channel]:
    """The threads that bore the session's name when the search last knew them; none if the search fails.

    To be read before they are believed: see `read_hits`.
    """
    try:
        hits = await context.discord.search_threads(channel_id, context.names.thread_name(name.spelling))
    except OnethreadError:
        return []
    return [thread for thread in hits if is_match(context.names, thread, channel_id, name.key)]


async def read_hits(context: Context, hits: Iterable[Channel], known: Iterable[str]) -> list[Channel]:
    """The hits as they are now, the best ones of those that are not `known`.

    Left out are those that are gone, and those that the bot may not see. Raises when one cannot be read: it may be
    the session's thread.
    """
    known = set(known)
    unknown = best_first(thread for thread in hits if thread.id not in known)[:MAX_HITS]
    read = await gather_limited(MAX_HITS, [_read(context, thread.id) for thread in unknown])
    return [thread for thread in read if thread is not None]


async def _read(context: Context, thread_id: str) -> Channel | None:
    try:
        return await context.discord.channel_or_none(thread_id)
    except Forbidden:
        return None
