"""Private threads on Discord: those that may be a private session's, and what is known of them without the record.

A private session's thread is one that the bot created. No list of public threads has it, and no look-up, import or
namesake of a public session knows it. If the record was lost, the first message in the thread, which is the bot's, tells
who opened the session.
"""

from collections.abc import Sequence
from typing import Final

from handler.discord import refusals
from handler.discord.models import Channel, ChannelType
from handler.errors import Forbidden, MissingAccess, MissingPermissions, NotFound, OnethreadError
from handler.runtime.clock import iso
from handler.runtime.concurrency import gather
from handler.sessions.context import Context
from handler.sessions.model import LookUp, Match
from handler.sessions.names import SessionName
from handler.sessions.threads.lists import read_active
from handler.sessions.threads.look_up import read_owners
from handler.sessions.threads.match import best_first
from handler.sessions.threads.requests import translate_refusals
from handler.sessions.threads.search import read_hits
from handler.sessions.threads.source_message import read_opened_by
from handler.store.items import ChannelItem

MAX_FIRST_MESSAGES: Final = 5  # our own is among them: it is posted as soon as the thread is on record


async def look_up_private(context: Context, channel: ChannelItem, name: SessionName) -> LookUp:
    """The private threads of the bot's own that bear the name and belong to no session.

    Reads the active list, the newest page of archived private threads that the bot has joined, that of all of them, where
    the bot may, and Discord's search, which finds older ones. Raises what any of the reads raises, except the search.
    """
    channel_id = channel.channel_id
    (active, joined), (all_archived, hits), on_record = await gather(
        gather(read_active(context, channel_id, channel.guild_id), _read_archived(context, channel_id)),
        gather(_read_all(context, channel_id), _search(context, channel_id, name)),
        context.store.sessions.get_private(channel_id, name.key),
    )
    listed = {thread.id: thread for thread in (*all_archived, *joined, *active) if thread.is_readable}
    listed |= {thread.id: thread for thread in await read_hits(context, hits, listed)}
    known = {session.thread_id for session in on_record}  # so no further read tells whether there are any
    bot_user_id = await context.discord.current_user_id()
    own = [
        thread
        for thread in listed.values()
        if is_private_of(thread, channel_id)
        and thread.id not in known
        and thread.owner_id == bot_user_id
        and context.names.bears(thread.name, name.key)
    ]
    owners = await read_owners(context, own)
    free = [thread for thread in best_first(own) if owners.is_adoptable(thread, channel_id, "")]
    matches = (Match(thread, owners.pointers.get(thread.id)) for thread in free)
    return LookUp(adoptable=tuple(matches), started_at=iso(context.clock.now()))


def is_private_of(thread: Channel, parent_channel_id: str) -> bool:
    """Whether it is a private thread of that channel."""
    return thread.type == ChannelType.PRIVATE_THREAD and thread.parent_id == parent_channel_id


async def find_archived(context: Context, parent_channel_id: str, thread_id: str) -> Channel | None:
    """The thread, if it is in the list of archived private threads that the bot has joined."""
    page = await _read_archived(context, parent_channel_id, below=str(int(thread_id) + 1))
    return next((thread for thread in page if thread.id == thread_id), None)


async def read_creator(context: Context, thread_id: str) -> str | None:
    """Who opened the session, by its description among the first messages of the thread.

    A user's id, or PROGRAM; None if there is no description.
    """
    messages, bot_user_id = await gather(
        context.discord.messages_after(thread_id, thread_id, limit=MAX_FIRST_MESSAGES),
        context.discord.current_user_id(),
    )
    told = (read_opened_by(m.content) for m in messages if m.author.id == bot_user_id)
    return next(filter(None, told), None)


async def is_member(context: Context, thread_id: str, user_id: str) -> bool:
    """Whether Discord says that the user is a member of the thread."""
    try:
        await context.discord.check_thread_member(thread_id, user_id)
    except NotFound:
        return False
    return True


async def _read_archived(context: Context, channel_id: str, below: str | None = None) -> Sequence[Channel]:
    request = context.discord.joined_private_threads(channel_id, before=below)
    return await translate_refusals(context, channel_id, request, refusals.NEEDED_TO_LOOK_UP)


async def _read_all(context: Context, channel_id: str) -> Sequence[Channel]:
    request = context.discord.private_threads(channel_id)
    try:
        return await translate_refusals(context, channel_id, request, refusals.NEEDED_TO_LOOK_UP)
    except (Forbidden, MissingAccess, MissingPermissions):  # without Manage Threads
        return ()


async def _search(context: Context, channel_id: str, name: SessionName) -> list[Channel]:
    try:
        hits = await context.discord.search_threads(channel_id, context.names.thread_name(name.spelling))
    except OnethreadError:
        return []
    return [thread for thread in hits if is_private_of(thread, channel_id)]
