"""Looking for threads on Discord: by name for an opener, by id as evidence. What cannot be read is no evidence."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

from handler.clock import iso, parse_iso
from handler.concurrency import at_most, together
from handler.discord.models import Channel, ThreadList
from handler.discord.permissions import Permission
from handler.errors import ChannelGone, DiscordRefused, DiscordUnavailable, Forbidden, NotFound, OnethreadError
from handler.sessions import decide
from handler.sessions.model import Look
from handler.sessions.ports import Ports
from handler.table.items import ChannelRecord, Note, Pointer, Session

MARK_MARGIN: Final = timedelta(seconds=60)  # Discord's Date header has whole seconds, and its lists may lag a little
GONE_FOR: Final = timedelta(minutes=30)  # between two looks that find a noted thread gone, before it is forgotten
NAMESAKES_AT_ONCE: Final = 5  # requests side by side: leaves most of the bot's 50 a second to others

T = TypeVar("T")


async def look_up(ports: Ports, channel: ChannelRecord, session_key: str) -> Look:
    """Everything on Discord that bears the session's name in this channel, and whose it is.

    Reads side by side the active list, the archived pages newer than the channel's `imported_at`, and the key's
    namesakes; then, only if there is a match, the pointers. Raises what any of the reads raises: half a look is none.
    """
    active, archived, namesakes = await together(
        _active(ports, channel), _newly_archived(ports, channel), ports.store.namesakes(channel.channel_id, session_key)
    )
    listed = {t.id: t for t in (*archived.threads, *active)}
    unlisted = [note for note in namesakes if note.thread_id not in listed]
    asked = [noted(ports, channel.channel_id, session_key, note) for note in unlisted]
    for thread in await at_most(NAMESAKES_AT_ONCE, asked):
        if thread is not None:
            listed[thread.id] = thread
    matches = [t for t in listed.values() if bears(ports, t, channel.channel_id, session_key)]
    adoptable, foreign = await whose(ports, channel.channel_id, session_key, matches)
    return Look(
        adoptable=adoptable,
        foreign=foreign,
        archived_seen=tuple(t for t in archived.threads if beyond_mark(channel, t)),
        started_at=iso(archived.date - MARK_MARGIN),
    )


def bears(ports: Ports, thread: Channel, parent_channel_id: str, session_key: str) -> bool:
    """Whether a thread is a match for the session: its name, its parent, and no private thread."""
    return (
        thread.parent_id == parent_channel_id
        and decide.is_match_type(thread)
        and ports.names.bears(thread.name or "", session_key)
    )


async def whose(
    ports: Ports, parent_channel_id: str, session_key: str, matches: Sequence[Channel]
) -> tuple[tuple[tuple[Channel, Pointer | None], ...], tuple[Channel, Session] | None]:
    """Sort matches into those that can be adopted, best first, and the session that has another one of them."""
    if not matches:
        return (), None
    pointers = await ports.store.pointers(t.id for t in matches)
    owners = await owners_of(ports, pointers.values(), parent_channel_id, session_key)
    adoptable: list[tuple[Channel, Pointer | None]] = []
    foreign: tuple[Channel, Session] | None = None
    for thread in decide.best_first(matches):
        pointer = pointers.get(thread.id)
        owner = owners.get(thread.id)
        if decide.adoptable(pointer, owner, parent_channel_id, session_key):
            adoptable.append((thread, pointer))
        elif owner is not None and foreign is None:
            foreign = (thread, owner)
    return tuple(adoptable), foreign


async def owners_of(
    ports: Ports, pointers: Iterable[Pointer], parent_channel_id: str, session_key: str | None
) -> dict[str, Session]:
    """The sessions that these pointers name, other than the one that asks, by the thread's id."""
    named = {
        p.thread_id: (p.parent_channel_id, p.session_key)
        for p in pointers
        if p.parent_channel_id and p.session_key and not (session_key and p.names(parent_channel_id, session_key))
    }
    sessions = await ports.store.sessions(named.values()) if named else {}
    return {thread_id: sessions[pair] for thread_id, pair in named.items() if pair in sessions}


async def archived_pages(
    ports: Ports, channel_id: str, *, before: datetime | None
) -> AsyncIterator[tuple[list[Channel], ThreadList]]:
    """The archived public threads, newest first: each page's threads that were not on a former one, and the page.

    Pages overlap by a millisecond, because several threads may be archived in the same one.
    """
    known: set[str] = set()
    while True:
        page = await asking(
            ports, channel_id, ports.discord.archived_threads(channel_id, before=before), decide.TO_LOOK
        )
        new = [t for t in page.threads if t.id not in known]
        known.update(t.id for t in new)
        yield new, page
        before = decide.next_before(page.threads, new)
        if not page.has_more or before is None:
            return


async def archived_down_to(
    ports: Ports,
    channel_id: str,
    down_to: datetime,
    *,
    before: datetime | None = None,
    pages_most: int | None = None,
) -> ThreadList:
    """The archived threads of the pages that reach down to that archive time; `date` is of the first answer.

    `has_more`: they do not reach so far, because there are more than `pages_most` of them.
    """
    threads: list[Channel] = []
    date: datetime | None = None
    pages, has_more = 0, False
    async for new, page in archived_pages(ports, channel_id, before=before):
        threads += new
        pages += 1
        date = date or page.date
        if any(t.archive_time is not None and t.archive_time < down_to for t in page.threads):
            break
        if pages == pages_most:
            has_more = page.has_more
            break
    return ThreadList(tuple(threads), has_more=has_more, date=date or ports.clock.now())


async def find(ports: Ports, session: Session) -> Channel | None:
    """The session's thread (on record, or of the recorded source message) if it lives; None only on full evidence.

    That is: its GET says 404 with code 10003, its parent answers 200, and neither the active list nor the archived
    pages have it. One 404 alone is a fault until the others agree. Raises when any of them cannot be read.
    """
    thread_id = session.thread_id
    if thread_id is None:
        return None
    try:
        return await asking(ports, session.parent_channel_id, ports.discord.channel(thread_id), ())
    except NotFound as missing:
        if missing.code != decide.UNKNOWN_CHANNEL:
            raise DiscordUnavailable(str(missing)) from missing
    before, down_to = decide.archived_window(session, thread_id)
    _, active, archived = await together(
        _parent(ports, session.parent_channel_id),
        asking(ports, session.parent_channel_id, ports.discord.active_threads(session.guild_id), ()),
        archived_down_to(ports, session.parent_channel_id, down_to, before=before),
    )
    found = next((t for t in (*active.threads, *archived.threads) if t.id == thread_id), None)
    if found is None and before is not None:  # archived again since it was recorded: then on the newest page
        question = ports.discord.archived_threads(session.parent_channel_id, before=None)
        newest = await asking(ports, session.parent_channel_id, question, decide.TO_LOOK)
        found = next((t for t in newest.threads if t.id == thread_id), None)
    return found


async def asking(ports: Ports, parent_channel_id: str, question: Awaitable[T], needs: Sequence[Permission]) -> T:
    """Await a request; a refusal becomes the error that people are told. A 404 stays, unless it is the list's channel."""
    try:
        return await question
    except DiscordRefused as refusal:
        if refusal.code == decide.UNKNOWN_CHANNEL and needs:
            await confirm_gone(ports, parent_channel_id)
        decide.tell(refusal, needs)


async def confirm_gone(ports: Ports, parent_channel_id: str) -> None:
    """Something said that the parent channel is unknown: raise ChannelGone if it really is, else DiscordUnavailable."""
    await _parent(ports, parent_channel_id)
    raise DiscordUnavailable(f"channel {parent_channel_id} was called unknown, and is there")


async def _parent(ports: Ports, channel_id: str) -> Channel:
    try:
        return await ports.discord.channel(channel_id)
    except NotFound as missing:
        raise ChannelGone(str(missing)) from missing
    except DiscordRefused as refusal:
        decide.tell(refusal, ())


async def _active(ports: Ports, channel: ChannelRecord) -> tuple[Channel, ...]:
    listed = await asking(ports, channel.channel_id, ports.discord.active_threads(channel.guild_id), ())
    return listed.threads


def beyond_mark(channel: ChannelRecord, thread: Channel) -> bool:
    """Whether a thread was archived since the channel's mark: a page that reaches down to the mark holds older ones."""
    archived_at = thread.archive_time
    return channel.imported_at is None or archived_at is None or archived_at >= parse_iso(channel.imported_at)


async def _newly_archived(ports: Ports, channel: ChannelRecord) -> ThreadList:
    mark = parse_iso(channel.imported_at or iso(ports.clock.now()))
    return await archived_down_to(ports, channel.channel_id, mark)


async def noted(ports: Ports, channel_id: str, session_key: str, note: Note) -> Channel | None:
    """A noted namesake that no list shows, if it lives and may be seen.

    A thread that the bot may not see is no match: it is private. One that is gone is forgotten only when it was gone half
    an hour ago, too: a fault is over by then. The note of a renamed one stays, because the name may come back.
    """
    thread: Channel | None = None
    with contextlib.suppress(Forbidden):
        thread = await _living(ports, note.thread_id)
        with contextlib.suppress(OnethreadError):
            await _remember(ports, channel_id, session_key, note, gone=thread is None)
    return thread


async def _living(ports: Ports, thread_id: str) -> Channel | None:
    for _ in range(2):  # one 404 alone is a fault
        try:
            return await ports.discord.channel(thread_id)
        except NotFound as missing:
            if missing.code != decide.UNKNOWN_CHANNEL:
                raise DiscordUnavailable(str(missing)) from missing
    return None


async def _remember(ports: Ports, channel_id: str, session_key: str, note: Note, *, gone: bool) -> None:
    now = ports.clock.now()
    if not gone and note.gone_at is not None:
        await ports.store.mark_namesake(channel_id, session_key, note.thread_id, None)
    elif gone and note.gone_at is None:
        await ports.store.mark_namesake(channel_id, session_key, note.thread_id, iso(now))
    elif gone and note.gone_at is not None and now - parse_iso(note.gone_at) >= GONE_FOR:
        await ports.store.drop_namesake(channel_id, session_key, note.thread_id)
