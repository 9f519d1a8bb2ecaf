"""A channel's watermark moves past what is settled, so that a look-up stays at one page."""

from collections.abc import Iterable

from handler.discord.models import Channel
from handler.sessions.context import Context
from handler.sessions.threads.settle import settle
from handler.store.items import ChannelItem


async def settle_and_advance(
    context: Context, channel: ChannelItem, archived: Iterable[Channel], started_at: str
) -> None:
    """Settle all that was archived since the channel's mark until `started_at`, then move the mark there."""
    await settle(context, channel, archived)
    await context.store.channels.move_watermark(channel, started_at)
