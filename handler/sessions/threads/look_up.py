"""The look-up: every thread on Discord that bears a session's name in its channel, and whose each one is."""

import contextlib
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from handler.discord.models import Channel, ThreadList
from handler.errors import Forbidden, OnethreadError
from handler.runtime.clock import iso, parse_iso
from handler.runtime.concurrency import gather, gather_limited
from handler.sessions.context import Context
from handler.sessions.model import Look
from handler.sessions.threads.archive import WATERMARK_MARGIN, archived_down_to, is_beyond_watermark
from handler.sessions.threads.match import best_first, is_adoptable, is_public_thread
from handler.sessions.threads.requests import translate_refusals
from handler.store.items import ChannelItem, Namesake, Pointer, Session

GONE_FOR: Final = timedelta(minutes=30)  # between two looks that find a noted thread gone, before it is forgotten

NAMESAKES_AT_ONCE: Final = 5  # requests side by side: leaves most of the bot's 50 a second to others


async def look_up(context: Context, channel: ChannelItem, session_key: str) -> Look:
    """Everything on Discord that bears the session's name in this channel, and whose it is.

    Reads side by side the active list, the archived pages newer than the channel's `imported_at`, and the key's
    namesakes; then, only if there is a match, the pointers. Raises what any of the reads raises: half a look is none.
    """
    active, archived, namesakes = await gather(
        _active(context, channel),
        _newly_archived(context, channel),
        context.store.namesakes.of_session(channel.channel_id, session_key),
    )
    listed = {t.id: t for t in (*archived.threads, *active)}
    unlisted = [fetch_namesake(context, namesake) for namesake in namesakes if namesake.thread_id not in listed]
    for thread in await gather_limited(NAMESAKES_AT_ONCE, unlisted):
        if thread is not None:
            listed[thread.id] = thread
    matches = [t for t in listed.values() if is_match(context, t, channel.channel_id, session_key)]
    adoptable, foreign = await sort_by_owner(context, channel.channel_id, session_key, matches)
    return Look(
        adoptable=adoptable,
        foreign=foreign,
        archived_seen=tuple(t for t in archived.threads if is_beyond_watermark(channel, t)),
        started_at=iso(archived.date - WATERMARK_MARGIN),
    )


def is_match(context: Context, thread: Channel, parent_channel_id: str, session_key: str) -> bool:
    """Whether a thread is a match for the session: its name, its parent, and no private thread."""
    return (
        thread.parent_id == parent_channel_id
        and is_public_thread(thread)
        and context.names.bears(thread.name or "", session_key)
    )


async def sort_by_owner(
    context: Context, parent_channel_id: str, session_key: str, matches: Sequence[Channel]
) -> tuple[tuple[tuple[Channel, Pointer | None], ...], tuple[Channel, Session] | None]:
    """Sort matches into those that can be adopted, best first, and the session that has another one of them."""
    if not matches:
        return (), None
    pointers = await context.store.pointers.get_many(t.id for t in matches)
    owners = await pointer_owners(context, pointers.values(), parent_channel_id, session_key)
    adoptable: list[tuple[Channel, Pointer | None]] = []
    foreign: tuple[Channel, Session] | None = None
    for thread in best_first(matches):
        pointer = pointers.get(thread.id)
        owner = owners.get(thread.id)
        if is_adoptable(pointer, owner, parent_channel_id, session_key):
            adoptable.append((thread, pointer))
        elif owner is not None and foreign is None:
            foreign = (thread, owner)
    return tuple(adoptable), foreign


async def pointer_owners(
    context: Context, pointers: Iterable[Pointer], parent_channel_id: str, session_key: str | None
) -> dict[str, Session]:
    """The sessions that these pointers name, other than the one that asks, by the thread's id."""
    named = {
        p.thread_id: (p.parent_channel_id, p.session_key)
        for p in pointers
        if p.parent_channel_id and p.session_key and not (session_key and p.names(parent_channel_id, session_key))
    }
    sessions = await context.store.sessions.get_many(named.values()) if named else {}
    return {thread_id: sessions[pair] for thread_id, pair in named.items() if pair in sessions}


async def _active(context: Context, channel: ChannelItem) -> tuple[Channel, ...]:
    listed = await translate_refusals(context, channel.channel_id, context.discord.active_threads(channel.guild_id), ())
    return listed.threads


async def _newly_archived(context: Context, channel: ChannelItem) -> ThreadList:
    mark = parse_iso(channel.imported_at or iso(context.clock.now()))
    return await archived_down_to(context, channel.channel_id, mark)


async def fetch_namesake(context: Context, namesake: Namesake) -> Channel | None:
    """A noted namesake that no list shows, if it lives and may be seen.

    A thread that the bot may not see is no match: it is private. One that is gone is forgotten only when it was gone half
    an hour ago, too: a fault is over by then. The note of a renamed one stays, because the name may come back.
    """
    thread: Channel | None = None
    with contextlib.suppress(Forbidden):
        thread = await context.discord.channel_or_none(namesake.thread_id)
        if thread is None:  # one 404 alone is a fault
            thread = await context.discord.channel_or_none(namesake.thread_id)
        with contextlib.suppress(OnethreadError):
            await _record_gone(context, namesake, gone=thread is None)
    return thread


async def _record_gone(context: Context, namesake: Namesake, *, gone: bool) -> None:
    now = context.clock.now()
    if not gone and namesake.gone_at is not None:
        await context.store.namesakes.set_gone(namesake, None)
    elif gone and namesake.gone_at is None:
        await context.store.namesakes.set_gone(namesake, iso(now))
    elif gone and namesake.gone_at is not None and now - parse_iso(namesake.gone_at) >= GONE_FOR:
        await context.store.namesakes.remove(namesake.parent_channel_id, namesake.session_key, namesake.thread_id)
