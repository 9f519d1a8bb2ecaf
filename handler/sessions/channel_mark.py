"""The reconciler's part in a channel's mark: it moves on where threads are archived, so that a look-up stays at one page."""

from typing import Final

from handler.clock import iso, parse_iso
from handler.sessions.adoption import settle
from handler.sessions.lookup import MARK_MARGIN, archived_down_to, beyond_mark
from handler.sessions.pace import Pace
from handler.sessions.ports import Ports

PAGES_MOST: Final = 5  # beyond that the mark was left behind by far: an opener's look, which reads all, moves it

PAGE: Final = 100  # threads; Discord docs, "List Public Archived Threads", limit


async def move_mark(ports: Ports, channel_id: str, pace: Pace) -> None:
    """Settle what was archived since the channel's mark, and move the mark past it.

    A channel without a mark is imported when somebody opens a session there.
    """
    channel = await ports.store.channel(channel_id)
    if channel is None or channel.imported_at is None:
        return
    mark = parse_iso(channel.imported_at)
    await pace()
    archived = await archived_down_to(ports, channel_id, mark, pages_most=PAGES_MOST)
    await pace(len(archived.threads) // PAGE)  # further pages are made up for, and then kept to
    await settle(ports, channel, [thread for thread in archived.threads if beyond_mark(channel, thread)])
    if not archived.has_more:
        await ports.store.move_mark(channel, iso(archived.date - MARK_MARGIN))
