"""The reconciler moves a channel's watermark where threads were archived."""

from typing import Final

from handler.discord.rest import PAGE_SIZE
from handler.runtime.clock import iso
from handler.sessions.context import Context
from handler.sessions.reconcile.pace import Pace
from handler.sessions.threads.lists import WATERMARK_MARGIN, is_beyond_watermark, read_newly_archived
from handler.sessions.threads.settle import settle, settle_and_advance

MAX_PAGES: Final = 5  # beyond that the mark was left behind by far: an opener's look, which reads all, moves it


async def advance_watermark(context: Context, channel_id: str, pace: Pace) -> None:
    """The reconciler's part, where threads were archived: settle what was archived since the channel's mark, and move the mark past it.

    A channel without a mark is imported when somebody opens a session there.
    """
    channel = await context.store.channels.get(channel_id)
    if channel is None or channel.imported_at is None:
        return
    await pace()
    archived = await read_newly_archived(context, channel, max_pages=MAX_PAGES)
    await pace(len(archived.threads) // PAGE_SIZE)  # further pages are made up for, and then kept to
    beyond = [thread for thread in archived.threads if is_beyond_watermark(channel, thread)]
    if archived.has_more:
        await settle(context, channel, beyond)
    else:
        await settle_and_advance(context, channel, beyond, iso(archived.date - WATERMARK_MARGIN))
