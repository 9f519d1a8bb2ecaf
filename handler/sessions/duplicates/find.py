"""Finding duplicates in a channel. Nothing is changed on Discord: what the lists show is settled, as an open would do.

Where to look: each thread that bears a session's name without being on its record is noted as a namesake, once the past
of the channel is imported and what moved since is settled. Each is read, and believed only if it lives and still bears
the name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from handler.discord.models import Channel
from handler.errors import Forbidden
from handler.runtime.concurrency import gather, gather_limited
from handler.sessions.context import Context
from handler.sessions.duplicates.group import Duplicates, Group, group_of
from handler.sessions.threads.lists import read_active, read_newly_archived
from handler.sessions.threads.look_up import NAMESAKES_AT_ONCE, read_owners
from handler.sessions.threads.match import is_match
from handler.sessions.threads.namesakes import fetch_namesake
from handler.sessions.threads.settle import settle
from handler.store.items import ChannelItem, Namesake, Session, Status

MAX_READ: Final = 300  # threads read in one go: some seconds' worth, and far more than a message has room for


async def settle_lists(context: Context, channel: ChannelItem) -> dict[str, Channel]:
    """Settle what the active list and the archived pages since the channel's mark show; those threads, by id."""
    active, archived = await gather(
        read_active(context, channel.channel_id, channel.guild_id), read_newly_archived(context, channel)
    )
    listed = {t.id: t for t in (*archived.threads, *active) if t.parent_id == channel.channel_id}
    await settle(context, channel, listed.values())
    return listed


async def namesakes_by_key(context: Context, channel: ChannelItem) -> dict[str, list[str]]:
    """The ids of the threads that are noted, by the session key whose name they bore; most threads first."""
    found = await context.store.namesakes.of_channel(channel.channel_id)
    return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))


async def find_duplicates(context: Context, channel: ChannelItem) -> Duplicates:
    """The session names of the channel that several threads bear. Its past must be known."""
    listed = await settle_lists(context, channel)
    keys = await namesakes_by_key(context, channel)
    chosen: dict[str, list[str]] = {}
    room = MAX_READ
    for key, ids in keys.items():
        if room > 0:
            chosen[key] = ids[:room]
            room -= len(chosen[key])
    sessions = await context.store.sessions.get_many((channel.channel_id, key) for key in chosen)
    groups = [
        await read_group(context, channel, key, sessions.get((channel.channel_id, key)), ids, listed)
        for key, ids in chosen.items()
    ]
    return Duplicates(tuple(group for group in groups if group is not None), unread=_count(keys) - _count(chosen))


def _count(keys: Mapping[str, list[str]]) -> int:
    return sum(map(len, keys.values()))


async def read_group(
    context: Context,
    channel: ChannelItem,
    key: str,
    session: Session | None,
    noted_ids: list[str],
    listed: Mapping[str, Channel],
) -> Group | None:
    """What the name's threads are now, and which is kept; None where nothing is to be merged, or all is out of reach.

    `listed` are threads that have just been read.
    """
    reading = _Reading(context, channel, key, listed)
    try:
        own = await reading.own(session)
    except Forbidden:
        return None
    if own is None and session is not None and session.status is Status.CREATING and session.source_message_id:
        return None  # somebody is making its thread at this moment
    read = await gather_limited(NAMESAKES_AT_ONCE, [reading.namesake(thread_id) for thread_id in noted_ids])
    bearing = [t for t in read if t is not None and is_match(context.names, t, channel.channel_id, key)]
    if not bearing:
        return None
    owners = await read_owners(context, channel.channel_id, bearing, other_than=key)
    return group_of(key, session, own, bearing, owners.pointers, owners.sessions, channel.channel_id)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads the threads of one name, those that a list showed without a request."""

    context: Context
    channel: ChannelItem
    key: str
    listed: Mapping[str, Channel]

    async def own(self, session: Session | None) -> Channel | None:
        """The thread on record, if it seems to live. Raises Forbidden."""
        thread_id = session.thread_id if session is not None else None
        if thread_id is None or thread_id in self.listed:
            return self.listed.get(thread_id or "")
        return await self.context.discord.channel_or_none(thread_id)

    async def namesake(self, thread_id: str) -> Channel | None:
        noted = Namesake(parent_channel_id=self.channel.channel_id, session_key=self.key, thread_id=thread_id)
        return self.listed.get(thread_id) or await fetch_namesake(self.context, noted)
