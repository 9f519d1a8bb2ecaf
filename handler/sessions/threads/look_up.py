"""The look-up: every thread on Discord that bears a session's name in its channel, and which session has it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from handler.discord.models import POST_PARENTS, Channel
from handler.errors import DiscordUnavailable, Importing, UnreadableItem
from handler.runtime.clock import iso
from handler.runtime.concurrency import gather, gather_limited
from handler.sessions.context import Context
from handler.sessions.model import LookUp, Match, Matches, Renamed
from handler.sessions.names import SessionName
from handler.sessions.threads.lists import WATERMARK_MARGIN, is_beyond_watermark, read_active, read_newly_archived
from handler.sessions.threads.match import best_first, is_adoptable, is_public_thread
from handler.sessions.threads.namesakes import fetch_namesake, is_passed
from handler.sessions.threads.other_names import find_alike, read_reduced
from handler.sessions.threads.search import read_hits, search
from handler.store.items import ChannelItem, Namesake, Pointer, Session

MAX_NAMESAKES_READ: Final = 100  # in one look-up: it takes some seconds, mostly two requests each
MAX_NAMESAKES_AT_ONCE: Final = 5  # requests side by side: leaves most of the bot's 50 a second to others


async def look_up(context: Context, channel: ChannelItem, name: SessionName) -> LookUp:
    """All threads on Discord that bear the session's name in this channel.

    Reads side by side the active list, the pages archived since the channel's watermark, the key's namesakes, and
    Discord's search; then, only if there is a match, the pointers. Raises what any of the reads raises, except the
    search: half a look-up is none.
    """
    session_key = name.key
    active, archived, (namesakes, reduced), hits = await gather(
        read_active(context, channel.channel_id, channel.guild_id),
        read_newly_archived(context, channel),
        _read_namesakes(context, channel, session_key),
        search(context, channel.channel_id, name),
    )
    listed = {t.id: t for t in (*reduced, *archived.threads, *active)}
    known = [*listed, *(namesake.thread_id for namesake in namesakes)]
    listed |= {t.id: t for t in await read_hits(context, hits, known)}
    matches = await _find_with_namesakes(context, channel, session_key, listed, namesakes)
    return LookUp(
        adoptable=matches.adoptable,
        renamed=matches.renamed,
        active=active,
        newly_archived=tuple(t for t in archived.threads if is_beyond_watermark(channel, t)),
        complete=not archived.has_more,
        started_at=iso(archived.date - WATERMARK_MARGIN),
    )


async def _read_namesakes(
    context: Context, channel: ChannelItem, session_key: str
) -> tuple[list[Namesake], list[Channel]]:
    """The namesakes of the key, and the threads of the key that is left if Discord takes characters out of the name."""
    return await gather(
        context.store.namesakes.of_session(channel.channel_id, session_key),
        read_reduced(context, channel, session_key),
    )


async def _find_with_namesakes(
    context: Context,
    channel: ChannelItem,
    session_key: str,
    listed: Mapping[str, Channel],
    namesakes: Sequence[Namesake],
) -> Matches:
    """The matches among the listed threads and the first namesakes, or among the next ones, until one can be adopted.

    Raises Importing if none can and more namesakes are left than one look-up reads: the next look-up goes on there.
    """
    now = context.clock.now()
    noted = {n.thread_id: n.thread_name for n in namesakes if n.thread_name is not None}
    are_many = len(namesakes) > MAX_NAMESAKES_READ
    unlisted = [n for n in namesakes if n.thread_id not in listed and not (are_many and is_passed(n, now))]
    unlisted.sort(key=lambda namesake: -int(namesake.thread_id))  # the newest first: it is most likely in use
    chosen = unlisted[:MAX_NAMESAKES_READ]
    matches = Matches()
    for start in range(0, max(1, len(chosen)), MAX_NAMESAKES_AT_ONCE):
        some = chosen[start : start + MAX_NAMESAKES_AT_ONCE]
        read = await gather_limited(MAX_NAMESAKES_AT_ONCE, [fetch_namesake(context, n) for n in some])
        threads = {t.id: t for t in (*(listed.values() if start == 0 else ()), *read) if t is not None}
        found = await find_matches(context, channel, session_key, threads.values(), noted)
        matches = Matches(adoptable=found.adoptable, renamed=matches.renamed or found.renamed)
        if matches.adoptable:
            return matches
        if are_many:
            passed = [n for n, thread in zip(some, read, strict=True) if thread is not None]
            await gather_limited(
                MAX_NAMESAKES_AT_ONCE, [context.store.namesakes.set_passed(n, iso(now)) for n in passed]
            )
    if matches.renamed is None and len(unlisted) > len(chosen):
        raise Importing({"threads": len(namesakes) - len(unlisted) + len(chosen)})
    return matches


async def find_matches(
    context: Context,
    channel: ChannelItem,
    session_key: str,
    threads: Iterable[Channel],
    noted: Mapping[str, str] = MappingProxyType({}),
) -> Matches:
    """Those of the threads that bear the session's name; the `noted` ones, by id, bear another one.

    Raises UnreadableItem if it is not known whose one of them is, and DiscordUnavailable if one cannot be read.
    """
    parent_channel_id, are_posts = channel.channel_id, channel.kind in POST_PARENTS
    readable = [
        thread if thread.is_readable else await _read_again(context, thread, session_key)
        for thread in threads
        if thread.parent_id in (parent_channel_id, None)
    ]
    public = [t for t in readable if t is not None and t.parent_id == parent_channel_id and is_public_thread(t)]
    matches = [t for t in public if context.names.bears(t.name, session_key) or noted.get(t.id) == t.name]
    if not matches:
        matches = await find_alike(context, parent_channel_id, session_key, public, are_posts=are_posts)
    if not matches:
        return Matches()
    owners = await read_owners(context, matches, other_than=(parent_channel_id, session_key))
    if owners.unreadable:
        raise UnreadableItem(f"the owners of the threads {', '.join(sorted(owners.unreadable))} cannot be read")
    adoptable: list[Match] = []
    renamed: list[Renamed] = []
    for thread in best_first(matches):
        if owners.is_adoptable(thread, parent_channel_id, session_key):
            adoptable.append(Match(thread, owners.pointers.get(thread.id)))
        elif (owner := owners.sessions.get(thread.id)) is not None:
            renamed.append(Renamed(thread, owner))
    return Matches(adoptable=tuple(adoptable), renamed=next(iter(renamed), None))


async def _read_again(context: Context, thread: Channel, session_key: str) -> Channel | None:
    """A thread that a list showed in a shape that is not known, read by itself; None if it does not bear the name.

    Raises DiscordUnavailable if it bears the name and cannot be read. One whose name is not known either is passed over.
    """
    if thread.name is not None and not context.names.bears(thread.name, session_key):
        return None
    try:
        if not thread.id:
            raise DiscordUnavailable(f"a list has a thread of the session {session_key!r} without its id")
        return await context.discord.channel_or_none(thread.id)
    except DiscordUnavailable:
        if thread.name is None:
            return None
        raise


@dataclass(frozen=True, slots=True)
class Owners:
    """What is on record of threads, by the thread's id."""

    pointers: Mapping[str, Pointer]
    sessions: Mapping[str, Session]  # those that the pointers name
    unreadable: frozenset[str] = frozenset()  # the threads whose pointer or session cannot be read

    def is_adoptable(self, thread: Channel, parent_channel_id: str, session_key: str) -> bool:
        if thread.id in self.unreadable:
            return False
        pointer, owner = self.pointers.get(thread.id), self.sessions.get(thread.id)
        return is_adoptable(pointer, owner, parent_channel_id, session_key)


async def read_owners(
    context: Context, threads: Sequence[Channel], *, other_than: tuple[str, str] | None = None
) -> Owners:
    """The pointers of these threads and the sessions that they name, without that one: (parent channel, session key)."""
    pointers = await context.store.pointers.get_many(t.id for t in threads)
    named = {
        p.thread_id: (p.parent_channel_id, p.session_key)
        for p in pointers.values()
        if p.parent_channel_id and p.session_key and not (other_than and p.names(*other_than))
    }
    sessions = await context.store.sessions.get_many(named.values())
    unreadable = {thread_id for thread_id, pair in named.items() if pair in sessions.unreadable}
    owners = {thread_id: sessions[pair] for thread_id, pair in named.items() if pair in sessions}
    return Owners(pointers, owners, pointers.unreadable | unreadable)
