"""A channel's mark moves on, so that a look-up stays at one page: past what was settled, and only then."""

from collections.abc import Iterable
from typing import Final

from handler.clock import iso, parse_iso
from handler.discord.models import Channel
from handler.discord.rest import PAGE
from handler.sessions.adoption import settle
from handler.sessions.lookup import MARK_MARGIN, archived_down_to, beyond_mark
from handler.sessions.pace import Pace
from handler.sessions.ports import Ports
from handler.table.items import ChannelRecord

PAGES_MOST: Final = 5  # beyond that the mark was left behind by far: an opener's look, which reads all, moves it


async def pass_mark(ports: Ports, channel: ChannelRecord, archived: Iterable[Channel], started_at: str) -> None:
    """Settle all that was archived since the channel's mark until `started_at`, then move the mark there."""
    await settle(ports, channel, archived)
    await ports.store.move_mark(channel, started_at)


async def move_mark(ports: Ports, channel_id: str, pace: Pace) -> None:
    """The reconciler's part, where threads were archived: settle what was archived since the channel's mark, and move the mark past it.

    A channel without a mark is imported when somebody opens a session there.
    """
    channel = await ports.store.channel(channel_id)
    if channel is None or channel.imported_at is None:
        return
    mark = parse_iso(channel.imported_at)
    await pace()
    archived = await archived_down_to(ports, channel_id, mark, pages_most=PAGES_MOST)
    await pace(len(archived.threads) // PAGE)  # further pages are made up for, and then kept to
    beyond = [thread for thread in archived.threads if beyond_mark(channel, thread)]
    if archived.has_more:
        await settle(ports, channel, beyond)
    else:
        await pass_mark(ports, channel, beyond, iso(archived.date - MARK_MARGIN))
