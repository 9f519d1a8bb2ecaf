"""Find duplicates in a channel. It changes nothing on Discord, and settles what the lists show, as an open would.

Once the past of the channel is imported and newer threads are settled, each thread that bears a session's name without
being on its record is a namesake. Each namesake is read, and believed only if it exists and still bears the name.
"""

from collections.abc import Mapping
from typing import Final

from handler.discord.models import Channel
from handler.errors import Forbidden, Importing
from handler.runtime.concurrency import gather, gather_limited
from handler.sessions.context import Context
from handler.sessions.duplicates.group import Duplicates, Group, make_group
from handler.sessions.threads.lists import read_active, read_newly_archived
from handler.sessions.threads.look_up import MAX_NAMESAKES_AT_ONCE, read_owners
from handler.sessions.threads.match import is_match
from handler.sessions.threads.namesakes import fetch_namesake
from handler.sessions.threads.settle import settle
from handler.store.items import ChannelItem, Namesake, Session, Status

MAX_READ: Final = 300  # threads read in one go: some seconds' worth, and far more than a message has room for


async def find_duplicates(context: Context, channel: ChannelItem) -> Duplicates:
    """Find the session names of the channel that several threads bear. The channel's past must be imported."""
    listed = await settle_listed(context, channel)
    ids_by_key = await read_namesake_ids(context, channel)
    chosen: dict[str, list[str]] = {}
    room = MAX_READ
    for key, ids in ids_by_key.items():
        if room > 0:
            chosen[key] = ids[:room]
            room -= len(chosen[key])
    sessions = await context.store.sessions.get_many((channel.channel_id, key) for key in chosen)
    groups = [
        await read_group(context, channel, key, sessions.get((channel.channel_id, key)), ids, listed)
        for key, ids in chosen.items()
        if (channel.channel_id, key) not in sessions.unreadable
    ]
    unread = sum(map(len, ids_by_key.values())) - sum(map(len, chosen.values()))
    return Duplicates(tuple(group for group in groups if group is not None), unread=unread)


async def settle_listed(context: Context, channel: ChannelItem) -> dict[str, Channel]:
    """Settle the active threads and those archived since the channel's watermark; return them by id.

    Raises Importing if there are too many for one go: then they are imported first.
    """
    active, archived = await gather(
        read_active(context, channel.channel_id, channel.guild_id), read_newly_archived(context, channel)
    )
    listed = {t.id: t for t in (*archived.threads, *active) if t.parent_id == channel.channel_id}
    await settle(context, channel, listed.values())
    if archived.has_more:  # too many for one go
        await context.store.channels.reopen_import(channel)
        raise Importing({"threads": len(archived.threads)})
    return {thread_id: thread for thread_id, thread in listed.items() if thread.is_readable}


async def read_namesake_ids(context: Context, channel: ChannelItem) -> dict[str, list[str]]:
    """The ids of the channel's namesakes by session key; the keys with most threads first."""
    found = await context.store.namesakes.of_channel(channel.channel_id)
    return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))


async def read_group(
    context: Context,
    channel: ChannelItem,
    key: str,
    session: Session | None,
    namesake_ids: list[str],
    listed: Mapping[str, Channel],
) -> Group | None:
    """Read the threads of a name and choose the one to keep; None if there is nothing to merge, or no way to tell.

    `listed`: threads that have just been read; they take no request.
    """
    try:
        own = await _read_own(context, session, listed)
    except Forbidden:
        return None
    if own is None and session is not None and session.status is Status.CREATING and session.source_message_id:
        return None  # an opener is starting its thread at this moment

    async def read_namesake(thread_id: str) -> Channel | None:
        namesake = Namesake(parent_channel_id=channel.channel_id, session_key=key, thread_id=thread_id)
        return listed.get(thread_id) or await fetch_namesake(context, namesake)

    read = await gather_limited(MAX_NAMESAKES_AT_ONCE, [read_namesake(thread_id) for thread_id in namesake_ids])
    matches = [t for t in read if t is not None and is_match(context.names, t, channel.channel_id, key)]
    if not matches:
        return None
    owners = await read_owners(context, matches, other_than=(channel.channel_id, key))
    if owners.unreadable:
        return None
    return make_group(key, session, own, matches, owners.pointers, owners.sessions, channel.channel_id)


async def _read_own(context: Context, session: Session | None, listed: Mapping[str, Channel]) -> Channel | None:
    """The thread on record; None if there is none, or it seems gone. Raises Forbidden."""
    thread_id = session.thread_id if session is not None else None
    if thread_id is None or thread_id in listed:
        return listed.get(thread_id or "")
    return await context.discord.channel_or_none(thread_id)
