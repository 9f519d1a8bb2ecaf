"""Advance the watermark of a channel in which threads were archived."""

from typing import Final

from handler.discord.rest import PAGE_SIZE
from handler.runtime.clock import iso
from handler.sessions.context import Context
from handler.sessions.reconcile.pace import Pace
from handler.sessions.threads.lists import WATERMARK_MARGIN, is_beyond_watermark, read_newly_archived
from handler.sessions.threads.settle import settle, settle_and_advance

MAX_PAGES: Final = 5  # a watermark that lags further is moved by an opener's look-up or import


async def advance_watermark(context: Context, channel_id: str, pace: Pace) -> None:
    """Settle the threads archived since the channel's watermark, and move it past them.

    A channel without a watermark is imported when somebody opens a session there.
    """
    channel = await context.store.channels.get(channel_id)
    if channel is None or channel.imported_at is None:
        return
    await pace()
    archived = await read_newly_archived(context, channel, max_pages=MAX_PAGES)
    await pace(len(archived.threads) // PAGE_SIZE)  # for the further pages, afterwards
    beyond = [thread for thread in archived.threads if is_beyond_watermark(channel, thread)]
    if archived.has_more:
        await settle(context, channel, beyond)
    else:
        await settle_and_advance(context, channel, beyond, iso(archived.date - WATERMARK_MARGIN))
