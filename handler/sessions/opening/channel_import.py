"""Import a channel's past, once: settle every archived thread that is named like a session.

Pages are read newest first; where the next one begins is written to the channel's item after each page, so that any
process can go on. Threads move while this runs: so at the end the active list and the pages down to the import's start
are read again, and only then `imported_at` is set to that start, which is Discord's time less a margin. An opener may
leave as soon as a thread bears its session's name, but must not create one before the end.
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
from handler.sessions.model import Matches, Opened, StartOver
from handler.sessions.names import SessionName
from handler.sessions.opening.adopt import adopt, link_renamed
from handler.sessions.opening.next_step import NextStep
from handler.sessions.opening.opener import Opener
from handler.sessions.threads.lists import WATERMARK_MARGIN, read_active, read_archived_pages, read_archived_since
from handler.sessions.threads.look_up import find_matches
from handler.sessions.threads.match import OVERLAP, is_public_thread, next_page_before
from handler.sessions.threads.search import read_hits, search
from handler.sessions.threads.settle import settle
from handler.store.items import ChannelItem, Session

PAGE_SECONDS: Final = 1.0  # about what one page takes: with less time left, no further page is begun
_NO_DEADLINE_SECONDS: Final = 3600.0  # for callers without one: an import ends by itself


async def open_from_past(
    opener: Opener, session: Session | None, step: NextStep, channel: ChannelItem
) -> Opened | StartOver:
    """In a channel whose past is not known yet: import until a thread bears the session's name, and open that."""
    context, request = opener.context, opener.request
    if session is not None and step is not NextStep.CLAIM:  # no claim is held while the past is read
        await context.store.claims.drop(session, now=context.clock.now())
        return StartOver.PAST_CHANGED
    found = await import_past(context, channel, request.name, stretch=request.import_stretch)
    if isinstance(found, StartOver):
        return found
    if found.renamed is not None and not found.adoptable:
        return await link_renamed(opener, found.renamed)
    return await adopt(opener, session, found.adoptable, channel)


async def import_afresh(context: Context, channel: ChannelItem, requested_by: str, *, stretch: float) -> ChannelItem:
    """Import the channel's past from the beginning, whatever is known of it; the channel's item once it is done.

    `requested_by` is the id of the request: a repeat goes on with what it began. Raises Importing like `import_past`.
    """
    await context.store.channels.restart_import(channel, requested_by)
    return await import_whole(context, await _read_channel(context, channel), stretch=stretch)


async def import_whole(context: Context, channel: ChannelItem, *, stretch: float | None) -> ChannelItem:
    """Import the channel's past to its end, if it is not known yet. Raises Importing like `import_past`."""
    if channel.imported_at is None:
        await import_past(context, channel, None, stretch=stretch)
        return await _read_channel(context, channel)
    return channel


async def import_past(
    context: Context, channel: ChannelItem, name: SessionName | None, *, stretch: float | None = None
) -> Matches | StartOver:
    """Go on with the channel's import until a thread bears the name of that session (None: of no session), or to its end.

    The active list and Discord's search are asked for the name first. PAST_CHANGED: the import has reached its end, or
    another one has given the session its thread. Raises Importing, with the progress so far, when the deadline is near
    or `stretch` seconds are over; what was done is kept.
    """
    begun = context.clock.now()
    session_key = None if name is None else name.key
    if name is not None:
        active, hits = await gather(
            read_active(context, channel.channel_id, channel.guild_id), search(context, channel.channel_id, name)
        )
        threads: Sequence[Channel] = (*active, *await read_hits(context, hits, (t.id for t in active)))
        if (found := await _find(context, channel, session_key, threads)) is not None:
            return found
    while channel.imported_at is None:
        now = context.clock.now()
        stretched = stretch is not None and (now - begun).total_seconds() >= stretch
        if stretched or remaining(now, _NO_DEADLINE_SECONDS) < PAGE_SECONDS:
            raise Importing(channel.progress)
        threads, then = await _read_step(context, channel)
        if (found := await _find(context, channel, session_key, threads)) is not None:
            return found
        await settle(context, channel, threads, during=then.import_started_at or channel.import_started_at)
        if not await context.store.channels.advance_import(channel, then):
            # Another import has moved on, and may have settled the very thread that this one searches for.
            if session_key is not None and await _has_thread(context, channel, session_key):
                return StartOver.PAST_CHANGED
            then = await _read_channel(context, channel)
        channel = then
    return StartOver.PAST_CHANGED


async def _read_step(context: Context, channel: ChannelItem) -> tuple[Sequence[Channel], ChannelItem]:
    """The next threads to settle, and the channel's item once they are: the last page's step reads the end, too."""
    begin = parse_iso(channel.import_before) if channel.import_before else None
    since = parse_iso(channel.import_since) if channel.import_since else None
    then, threads = channel, list[Channel]()
    pages = read_archived_pages(context, channel.channel_id, before=begin, resumed=begin is not None)
    async for new, page in pages:
        threads += new
        counted = [t for t in new if begin is None or (t.archive_time or begin) < begin - 2 * OVERLAP]
        then = _count(context, then, counted, pages=1)
        then = msgspec.structs.replace(
            then, import_started_at=then.import_started_at or iso(page.date - WATERMARK_MARGIN)
        )
        onward = next_page_before(page.threads, new)
        if not page.has_more or onward is None or (since is not None and onward < since):
            break
        # Kept to the millisecond, and one more to overlap. A page of threads that were all archived in one
        # millisecond brings us no further: then the next one is read in the same step.
        if begin is None or onward + OVERLAP < begin:
            return threads, msgspec.structs.replace(then, import_before=iso(onward + OVERLAP))
    started = then.import_started_at or iso(context.clock.now())
    active, moved = await gather(
        read_active(context, channel.channel_id, channel.guild_id),
        read_archived_since(context, channel.channel_id, parse_iso(started)),
    )
    own = [thread for thread in active if thread.parent_id == channel.channel_id]
    then = _count(context, then, own)
    if moved.has_more:  # too many for one go were archived meanwhile: import these, too
        then = msgspec.structs.replace(then, import_started_at=None, import_before=None, import_since=started)
    else:
        then = msgspec.structs.replace(then, imported_at=started)
    return (*threads, *own, *moved.threads), then


def _count(context: Context, channel: ChannelItem, threads: Sequence[Channel], *, pages: int = 0) -> ChannelItem:
    """The channel's item with these threads in its progress."""
    named = sum(is_public_thread(t) and context.names.session_key_of(t.name) is not None for t in threads)
    return msgspec.structs.replace(
        channel,
        import_pages=channel.import_pages + pages,
        import_threads=channel.import_threads + len(threads),
        import_sessions=channel.import_sessions + named,
    )


async def _has_thread(context: Context, channel: ChannelItem, session_key: str) -> bool:
    session = await context.store.sessions.get(channel.channel_id, session_key)
    return session is not None and session.discord_thread_id is not None


async def _read_channel(context: Context, channel: ChannelItem) -> ChannelItem:
    """The channel's item as it is now. If it was lost, the import begins again."""
    empty = ChannelItem(channel_id=channel.channel_id, guild_id=channel.guild_id, kind=channel.kind)
    return await context.store.channels.get(channel.channel_id) or empty


async def _find(
    context: Context, channel: ChannelItem, session_key: str | None, threads: Sequence[Channel]
) -> Matches | None:
    """The threads that bear the session's name; None if there is none, or none is searched for."""
    if session_key is None:
        return None
    found = await find_matches(context, channel, session_key, {t.id: t for t in threads}.values())
    return found if found.adoptable or found.renamed is not None else None
