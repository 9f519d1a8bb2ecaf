"""Settling: every thread that is named like a session gets its place.

A settled thread is on record for its session, is a namesake, or was merged into another thread. A look-up finds it
without reading the archived pages.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from handler.discord.models import Channel
from handler.runtime.concurrency import gather_limited
from handler.sessions.context import Context
from handler.sessions.model import Match
from handler.sessions.names import SessionName
from handler.sessions.threads.extras import discard, discard_or_note
from handler.sessions.threads.generation import commit
from handler.sessions.threads.look_up import Owners, read_owners
from handler.sessions.threads.match import (
    best_first,
    is_better,
    is_public_thread,
    is_unused,
    may_be_extra,
    was_attempted,
)
from handler.sessions.threads.private_threads import is_private_of
from handler.sessions.threads.record import thread_attributes
from handler.store.adoption import Adoption
from handler.store.items import ChannelItem, Session, Status
from handler.store.parts import Settlement
from handler.store.writes import Write

MAX_SETTLED_AT_ONCE: Final = 8  # transactions side by side: well below the connection pool


async def settle(
    context: Context, channel: ChannelItem, threads: Iterable[Channel], *, during: str | None = None
) -> int:
    """Settle all of these threads of the channel that are named like sessions; returns how many are.

    `during`: the import at work, by its start. It sees a name's threads page by page: a better one replaces the one that
    it found before, as long as nobody has opened that. May be repeated and may run beside itself. Raises when the store
    cannot be reached; then some are not settled. What a list showed in a shape that is not known becomes a namesake,
    which a look-up reads by itself.
    """
    by_key: dict[str, list[Channel]] = defaultdict(list)
    for thread in {t.id: t for t in threads}.values():  # lists that were read at different times may overlap
        key = context.names.session_key_of(thread.name)
        if key is None:
            continue
        if not thread.is_readable:
            if thread.id and thread.parent_id in (channel.channel_id, None):
                await context.store.namesakes.add(channel.channel_id, key, thread.id, guild_id="", active=False)
        elif thread.parent_id == channel.channel_id and is_public_thread(thread):
            by_key[key].append(thread)
        elif is_private_of(thread, channel.channel_id):
            await _settle_private(context, channel, key, thread)
    if not by_key:
        return 0
    owners = await read_owners(context, [t for group in by_key.values() for t in group])
    sessions = await context.store.sessions.get_many((channel.channel_id, key) for key in by_key)
    settler = _Settler(context, channel, owners, during)
    jobs = [
        settler.settle_key(key, sessions.get(pair), group, may_adopt=pair not in sessions.unreadable)
        for key, group in by_key.items()
        for pair in [(channel.channel_id, key)]
    ]
    await gather_limited(MAX_SETTLED_AT_ONCE, jobs)
    return sum(map(len, by_key.values()))


async def settle_and_advance(
    context: Context, channel: ChannelItem, archived: Iterable[Channel], started_at: str
) -> None:
    """Settle all that was archived from the channel's watermark until `started_at`, then move the watermark there.

    So a look-up stays at one page.
    """
    await settle(context, channel, archived)
    await context.store.channels.advance_watermark(channel, started_at)


async def adopt_thread(
    context: Context,
    channel: ChannelItem,
    session: Session | None,
    name: SessionName,
    match: Match,
    *,
    adopted_by: str | None = None,
    during: str | None = None,
) -> Write:
    """Give the matching thread to the session, which has none as it was read."""
    thread = match.thread
    messages = None if during is None else thread.message_count or 0
    return await context.store.sessions.adopt(
        session,
        Adoption(
            parent_channel_id=channel.channel_id,
            session_key=name.key,
            session_name=name.spelling,
            guild_id=channel.guild_id,
            thread_id=thread.id,
            pointer=match.pointer,
            seen=thread_attributes(thread, context.clock.now()),
            created_by=thread.owner_id,
            adopted_by=adopted_by,
            settlement=Settlement(import_started_at=during, messages=messages),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Settler:
    """Settles the threads of one name after another."""

    context: Context
    channel: ChannelItem
    owners: Owners
    during: str | None

    async def settle_key(
        self, key: str, session: Session | None, threads: list[Channel], *, may_adopt: bool = True
    ) -> None:
        """Give the session the best of its threads if it has none; the others become namesakes.

        `may_adopt`: False if the session is on record and cannot be read.
        """
        rest = best_first(thread for thread in threads if not self._is_settled(thread, key))
        best = next((t for t in rest if self.owners.is_adoptable(t, self.channel.channel_id, key)), None)
        if may_adopt and best is not None and await self._give(session, Match(best, self.owners.pointers.get(best.id))):
            rest.remove(best)
            session = await self.context.store.sessions.get(self.channel.channel_id, key) if rest else session
        watched = await self.context.store.namesakes.are_watched(self.channel.channel_id, [(key, t.id) for t in rest])
        for thread in rest:
            if watched.get((key, thread.id)) != (not thread.archived):
                pointer = self.owners.pointers.get(thread.id)
                await discard_or_note(self.context, self.channel, session, key, thread, pointer)

    def _is_settled(self, thread: Channel, key: str) -> bool:
        """Whether nothing is to be done for a thread: merged, on record for the session whose name it bears, or unknown."""
        if thread.id in self.owners.unreadable:
            return True
        pointer, owner = self.owners.pointers.get(thread.id), self.owners.sessions.get(thread.id)
        if pointer is not None and pointer.merged_into is not None:
            return True
        return owner is not None and owner.has(thread.id) and owner.session_key == key

    async def _give(self, session: Session | None, best: Match) -> bool:
        """Whether the thread is the session's now."""
        if session is not None and session.status is Status.CREATING and await self._is_attempted(session, best):
            write = await commit(self.context, session, best.thread)
            return write.won or (write.session is not None and write.session.has(best.thread.id))
        if can_adopt(session):
            name = self.context.names.parse(best.thread.name or "")
            write = await adopt_thread(self.context, self.channel, session, name, best, during=self.during)
            return write.won or (write.session is not None and write.session.has(best.thread.id))
        return session is not None and await self._replace(session, best)

    async def _is_attempted(self, session: Session, found: Match) -> bool:
        """Whether an attempt at work made the thread: the claim goes on with it."""
        if found.pointer is not None or not was_attempted(session, found.thread):
            return False
        return found.thread.owner_id == await self.context.discord.current_user_id()

    async def _replace(self, session: Session, found: Match) -> bool:
        """Whether the thread has replaced a worse one that this import gave the session."""
        if self.during is None or session.settlement.import_started_at != self.during:
            return False
        if found.pointer is not None or not is_better(found.thread, session):
            return False
        now = self.context.clock.now()
        seen = {**thread_attributes(found.thread, now), "settled_messages": found.thread.message_count or 0}
        return await self.context.store.sessions.replace_thread(session, found.thread.id, seen=seen, now=now)


async def _settle_private(context: Context, channel: ChannelItem, key: str, thread: Channel) -> None:
    """A private thread on its own: commit it if an attempt at work made it, or discard it if it is an extra one.

    It is never given to another session. If several creators are at work under that name, they find it themselves.
    """
    pointer = (await context.store.pointers.get_many([thread.id])).get(thread.id)
    sessions = await context.store.sessions.get_private(channel.channel_id, key)
    is_own = thread.owner_id == await context.discord.current_user_id() and is_unused(thread)
    at_work = [s for s in sessions if s.status is Status.CREATING and was_attempted(s, thread)]
    if not is_own or len(at_work) > 1:
        return
    if at_work:
        if pointer is None:
            await commit(context, at_work[0], thread)
        return
    owner = next((s for s in sessions if may_be_extra(s, thread, pointer)), None)
    if owner is not None:
        await discard(context, owner, thread)


def can_adopt(session: Session | None) -> bool:
    """Whether the session can take a thread that was found: it has none, and none is being started."""
    if session is None:
        return True
    match session.status:
        case Status.VACANT:
            return True
        case Status.CREATING:
            return session.source_message_id is None
        case Status.OPEN | Status.CLOSED:
            return False
    raise ValueError(f"unknown status {session.status!r}")
