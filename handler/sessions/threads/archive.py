"""The archived threads of a channel, page by page."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final

from handler.discord import refusals
from handler.discord.models import Channel, ThreadList
from handler.runtime.clock import parse_iso
from handler.sessions.context import Context
from handler.sessions.threads.match import next_page_before
from handler.sessions.threads.requests import translate_refusals
from handler.store.items import ChannelItem

WATERMARK_MARGIN: Final = timedelta(
    seconds=60
)  # Discord's Date header has whole seconds, and its lists may lag a little


async def archived_pages(
    context: Context, channel_id: str, *, before: datetime | None
) -> AsyncIterator[tuple[list[Channel], ThreadList]]:
    """The archived public threads, newest first: each page's threads that were not on a former one, and the page.

    Pages overlap by a millisecond, because several threads may be archived in the same one.
    """
    known: set[str] = set()
    while True:
        page = await translate_refusals(
            context, channel_id, context.discord.archived_threads(channel_id, before=before), refusals.NEEDED_TO_LOOK_UP
        )
        new = [t for t in page.threads if t.id not in known]
        known.update(t.id for t in new)
        yield new, page
        before = next_page_before(page.threads, new)
        if not page.has_more or before is None:
            return


async def archived_down_to(
    context: Context,
    channel_id: str,
    down_to: datetime,
    *,
    before: datetime | None = None,
    pages_most: int | None = None,
) -> ThreadList:
    """The archived threads of the pages that reach down to that archive time; `date` is of the first answer.

    `has_more`: they do not reach so far, because there are more than `pages_most` of them.
    """
    threads: list[Channel] = []
    date: datetime | None = None
    pages, has_more = 0, False
    async for new, page in archived_pages(context, channel_id, before=before):
        threads += new
        pages += 1
        date = date or page.date
        if any(t.archive_time is not None and t.archive_time < down_to for t in page.threads):
            break
        if pages == pages_most:
            has_more = page.has_more
            break
    return ThreadList(tuple(threads), has_more=has_more, date=date or context.clock.now())


def is_beyond_watermark(channel: ChannelItem, thread: Channel) -> bool:
    """Whether a thread was archived since the channel's mark: a page that reaches down to the mark holds older ones."""
    archived_at = thread.archive_time
    return channel.imported_at is None or archived_at is None or archived_at >= parse_iso(channel.imported_at)
