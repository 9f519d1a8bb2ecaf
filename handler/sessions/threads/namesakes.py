"""Namesakes: threads that bear a session's name without being its thread."""

import contextlib
from datetime import datetime, timedelta
from typing import Final

from handler.discord import refusals
from handler.discord.models import Channel, ChannelType
from handler.errors import Forbidden, OnethreadError
from handler.runtime.clock import iso, parse_iso
from handler.sessions.context import Context
from handler.store.items import ChannelItem, Namesake, Session

FORGET_AFTER: Final = timedelta(minutes=30)  # between two look-ups that find a namesake gone: a fault is over by then


async def add_namesake(context: Context, parent: ChannelItem | Session, session_key: str, thread: Channel) -> None:
    """Add the thread to the namesakes of that key, unless it is a private one. `parent` tells the channel and the guild."""
    if thread.type == ChannelType.PRIVATE_THREAD:
        return
    channel_id = parent.channel_id if isinstance(parent, ChannelItem) else parent.parent_channel_id
    await context.store.namesakes.add(
        channel_id, session_key, thread.id, guild_id=parent.guild_id, active=not thread.archived
    )


async def note_other_name(context: Context, parent: ChannelItem | Session, session_key: str, thread: Channel) -> None:
    """The session's thread may not bear the session's name: Discord changed it, or another bot started the thread.

    Then it is noted for the key that it does bear, and for the session's own key by its other name: so it is found if
    the session's item is lost.
    """
    key = context.names.session_key_of(thread.name)
    if key == session_key or thread.type == ChannelType.PRIVATE_THREAD:
        return
    if key is not None:
        await add_namesake(context, parent, key, thread)
    channel_id = parent.channel_id if isinstance(parent, ChannelItem) else parent.parent_channel_id
    await context.store.namesakes.add(
        channel_id, session_key, thread.id, guild_id=parent.guild_id, active=False, thread_name=thread.name
    )


async def fetch_namesake(context: Context, namesake: Namesake) -> Channel | None:
    """A namesake that no list shows; None if it is gone or the bot may not see it.

    A thread that the bot may not see is private, so it is no match. A namesake is removed when it is gone in two look-ups
    at least FORGET_AFTER apart. A renamed one stays, because its name may come back.
    """
    try:
        thread = await context.discord.channel_or_none(namesake.thread_id)
        if thread is None:  # one 404 alone is a fault
            thread = await context.discord.channel_or_none(namesake.thread_id)
    except Forbidden as refusal:
        if refusals.is_out_of_reach(refusal):
            return None
        raise
    with contextlib.suppress(OnethreadError):
        await _update_gone_at(context, namesake, is_gone=thread is None)
    return thread


def is_passed(namesake: Namesake, now: datetime) -> bool:
    """Whether a look-up of a short time ago has read the namesake and could not adopt it: it was gone, or no match."""
    read_at = max(namesake.gone_at or "", namesake.passed_at or "")
    return bool(read_at) and now - parse_iso(read_at) < FORGET_AFTER


async def _update_gone_at(context: Context, namesake: Namesake, *, is_gone: bool) -> None:
    now, gone_at = context.clock.now(), namesake.gone_at
    if not is_gone and gone_at is not None:
        await context.store.namesakes.set_gone(namesake, None)
    elif is_gone and gone_at is None:
        await context.store.namesakes.set_gone(namesake, iso(now))
    elif is_gone and gone_at is not None and now - parse_iso(gone_at) >= FORGET_AFTER:
        await context.store.namesakes.remove(namesake.parent_channel_id, namesake.session_key, namesake.thread_id)
