"""Discord's lists of threads: the active ones of a guild, and the archived ones of a channel page by page."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final

from handler.discord import refusals
from handler.discord.models import Channel, ThreadList
from handler.errors import DiscordUnavailable
from handler.runtime.clock import iso, parse_iso
from handler.sessions.context import Context
from handler.sessions.threads.match import next_page_before
from handler.sessions.threads.requests import translate_refusals
from handler.store.items import ChannelItem

# Of archived threads, read in one go: some seconds' worth. More of them are imported, which can be resumed.
MAX_PAGES: Final = 10
# Discord's Date header has whole seconds, and its lists may lag a little.
WATERMARK_MARGIN: Final = timedelta(seconds=60)


async def read_active(context: Context, channel_id: str, guild_id: str) -> tuple[Channel, ...]:
    """All active threads of the guild that the bot may see; `channel_id` is the one that the request is about."""
    return (await translate_refusals(context, channel_id, context.discord.active_threads(guild_id))).threads


async def read_archived_pages(
    context: Context, channel_id: str, *, before: datetime | None, resumed: bool = False
) -> AsyncIterator[tuple[list[Channel], ThreadList]]:
    """The archived public threads, newest first: each page's threads that no former page had, and the page.

    `resumed`: a former page said that more follow from `before` on. Pages overlap by a millisecond, because several
    threads may be archived in the same one. Raises DiscordUnavailable when a page leads nowhere: it repeats what is
    known, and says that more follow.
    """
    known: set[str] = set()
    while True:
        page = await _read_page(context, channel_id, before)
        if resumed and not page.threads:  # pages overlap, so that one empty page alone is a fault
            page = await _read_page(context, channel_id, before)
        new = [t for t in page.threads if t.id not in known]
        known.update(t.id for t in new)
        yield new, page
        if not page.has_more:
            return
        onward = next_page_before(page.threads, new)
        if onward is None or (not new and before is not None and onward >= before):
            raise DiscordUnavailable("a page of archived threads leads to no other one, and says that more follow")
        before, resumed = onward, True


async def _read_page(context: Context, channel_id: str, before: datetime | None) -> ThreadList:
    request = context.discord.archived_threads(channel_id, before=before)
    return await translate_refusals(context, channel_id, request, refusals.NEEDED_TO_LOOK_UP)


async def read_archived_since(
    context: Context,
    channel_id: str,
    since: datetime,
    *,
    before: datetime | None = None,
    max_pages: int = MAX_PAGES,
) -> ThreadList:
    """The archived threads of the pages that reach down to that archive time; `date` is of the first answer.

    `has_more`: they do not reach so far, because there are more than `max_pages` of them.
    """
    threads: list[Channel] = []
    date: datetime | None = None
    pages, has_more = 0, False
    async for new, page in read_archived_pages(context, channel_id, before=before):
        threads += new
        pages += 1
        date = date or page.date
        if any(t.archive_time is not None and t.archive_time < since for t in page.threads):
            break
        if pages == max_pages:
            has_more = page.has_more
            break
    return ThreadList(tuple(threads), has_more=has_more, date=date or context.clock.now())


async def read_newly_archived(context: Context, channel: ChannelItem, *, max_pages: int = MAX_PAGES) -> ThreadList:
    """The archived pages that reach down to the channel's watermark, or to now if it has none. `has_more`: not so far."""
    watermark = parse_iso(channel.imported_at or iso(context.clock.now()))
    return await read_archived_since(context, channel.channel_id, watermark, max_pages=max_pages)


def is_beyond_watermark(channel: ChannelItem, thread: Channel) -> bool:
    """Whether a thread was archived since the channel's watermark. The last page that is read holds older ones, too."""
    archived_at = thread.archive_time
    return channel.imported_at is None or archived_at is None or archived_at >= parse_iso(channel.imported_at)
