"""Importing a channel's past, once: every archived thread that is named like a session is settled.

Pages are read newest first; where the next one begins is kept with the channel after each page, so anybody may go on
after a kill. Threads move while this runs: so at the end the active list and the pages down to the import's start are
read again, and only then `imported_at` is set to that start, which is Discord's own time less a margin. Whoever needs a
name before the end may leave as soon as a thread bears it, but must not create one.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from handler.discord.models import Channel
from handler.errors import Importing
from handler.runtime.clock import iso, parse_iso
from handler.runtime.concurrency import gather
from handler.runtime.deadline import remaining
from handler.sessions.context import Context
from handler.sessions.opening.adopt import Matches
from handler.sessions.threads.archive import WATERMARK_MARGIN, archived_down_to, archived_pages
from handler.sessions.threads.look_up import is_match, sort_by_owner
from handler.sessions.threads.match import OVERLAP, is_public_thread, next_page_before
from handler.sessions.threads.requests import translate_refusals
from handler.sessions.threads.settle import settle
from handler.store.items import ChannelItem, Session

PAGE_BUDGET: Final = 1.0  # seconds before the deadline at which no further page is begun: one takes about so long
_NO_DEADLINE: Final = 3600.0  # seconds, for callers without one: an import ends by itself


class Found(msgspec.Struct, frozen=True):
    """The import was left early: these threads bear the name that was asked for."""

    adoptable: Matches
    foreign: tuple[Channel, Session] | None


async def import_afresh(context: Context, channel: ChannelItem, asked_by: str, *, stretch: float) -> ChannelItem:
    """Import the channel's past from the beginning, whatever is known of it; the channel's record once it is done.

    `asked_by` is the id of the request: a repeat goes on with what it began. Raises Importing like `import_past`.
    """
    await context.store.channels.restart_import(channel, asked_by)
    return await import_whole(context, await _again(context, channel), stretch=stretch)


async def import_whole(context: Context, channel: ChannelItem, *, stretch: float | None) -> ChannelItem:
    """Import the channel's past to its end, if it is not known yet. Raises Importing like `import_past`."""
    if channel.imported_at is None:
        await import_past(context, channel, None, stretch=stretch)
        return await _again(context, channel)
    return channel


async def import_past(
    context: Context, channel: ChannelItem, wanted: str | None, *, stretch: float | None = None
) -> Found | None:
    """Go on with the channel's import until a thread bears the name of the session `wanted`, or to its end.

    None: it is done, or somebody else has found the thread; read the session again. Raises Importing, with the progress
    so far, when the deadline is near or `stretch` seconds are over; what was done is kept.
    """
    begun = context.clock.now()
    if wanted is not None:
        first = await _active(context, channel)
        if (found := await _found(context, channel, wanted, first)) is not None:
            return found
    while channel.imported_at is None:
        now = context.clock.now()
        stretched = stretch is not None and (now - begun).total_seconds() >= stretch
        if stretched or remaining(now, _NO_DEADLINE) < PAGE_BUDGET:
            raise Importing(channel.progress)
        threads, then = await _page(context, channel)
        if (found := await _found(context, channel, wanted, threads)) is not None:
            return found
        await settle(context, channel, threads, during=then.import_started_at)
        if not await context.store.channels.advance_import(channel, then):
            # Somebody else moved it, and may have settled the very thread that is wanted here.
            if wanted is not None and await _has_thread(context, channel, wanted):
                return None
            then = await _again(context, channel)
        channel = then
    return None


async def _page(context: Context, channel: ChannelItem) -> tuple[Sequence[Channel], ChannelItem]:
    """The next threads to settle, and the channel's record once they are: after the last page, the end is read too."""
    begin = parse_iso(channel.import_before) if channel.import_before else None
    then, threads = channel, list[Channel]()
    async for new, page in archived_pages(context, channel.channel_id, before=begin):
        threads += new
        counted = [t for t in new if begin is None or (t.archive_time or begin) < begin - 2 * OVERLAP]
        then = msgspec.structs.replace(
            then,
            import_started_at=then.import_started_at or iso(page.date - WATERMARK_MARGIN),
            import_pages=then.import_pages + 1,
            import_threads=then.import_threads + len(counted),
            import_sessions=then.import_sessions + _like_sessions(context, counted),
        )
        onward = next_page_before(page.threads, new)
        if not page.has_more or onward is None:
            break
        # Kept to the millisecond, and one more to overlap. A page of threads that were all archived in one
        # millisecond brings us no further: then the next one is read in the same step.
        if begin is None or onward + OVERLAP < begin:
            return threads, msgspec.structs.replace(then, import_before=iso(onward + OVERLAP))
    started = then.import_started_at or iso(context.clock.now())
    active, moved = await gather(
        _active(context, channel), archived_down_to(context, channel.channel_id, parse_iso(started))
    )
    active = [thread for thread in active if thread.parent_id == channel.channel_id]
    then = msgspec.structs.replace(
        then,
        imported_at=started,
        import_threads=then.import_threads + len(active),
        import_sessions=then.import_sessions + _like_sessions(context, active),
    )
    return (*threads, *active, *moved.threads), then


def _like_sessions(context: Context, threads: Sequence[Channel]) -> int:
    """How many of them are named like sessions."""
    return sum(is_public_thread(t) and context.names.session_key_of(t.name or "") is not None for t in threads)


async def _has_thread(context: Context, channel: ChannelItem, session_key: str) -> bool:
    session = await context.store.sessions.get(channel.channel_id, session_key)
    return session is not None and session.discord_thread_id is not None


async def _again(context: Context, channel: ChannelItem) -> ChannelItem:
    """The channel's record as it is now. If it was lost, the import begins again."""
    empty = ChannelItem(channel_id=channel.channel_id, guild_id=channel.guild_id, kind=channel.kind)
    return await context.store.channels.get(channel.channel_id) or empty


async def _active(context: Context, channel: ChannelItem) -> Sequence[Channel]:
    question = context.discord.active_threads(channel.guild_id)
    return (await translate_refusals(context, channel.channel_id, question, ())).threads


async def _found(
    context: Context, channel: ChannelItem, wanted: str | None, threads: Sequence[Channel]
) -> Found | None:
    if wanted is None:
        return None
    matches = {t.id: t for t in threads if is_match(context, t, channel.channel_id, wanted)}
    if not matches:
        return None
    adoptable, foreign = await sort_by_owner(context, channel.channel_id, wanted, list(matches.values()))
    return Found(adoptable, foreign) if adoptable or foreign else None
