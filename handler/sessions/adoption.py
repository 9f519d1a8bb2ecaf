"""Adopting threads that are there already, and settling: every thread named like a session gets its place.

A settled thread is on its session's record, or noted as a namesake, or merged into another one. What is settled is
found without being searched for again.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from handler.concurrency import at_most
from handler.discord.models import Channel
from handler.sessions import decide
from handler.sessions.lookup import owners_of
from handler.sessions.model import Opened, OpenRequest
from handler.sessions.names import SessionName
from handler.sessions.ports import Journey, Ports
from handler.sessions.reuse import make_usable
from handler.table.claims import Write
from handler.table.items import ChannelRecord, Pointer, Session, Status

SETTLED_AT_ONCE: Final = 8  # transactions side by side: well below the connection pool

Matches = tuple[tuple[Channel, Pointer | None], ...]


async def adopt(
    ports: Ports,
    session: Session | None,
    matches: Matches,
    channel: ChannelRecord,
    request: OpenRequest,
    journey: Journey,
) -> Opened | None:
    """Adopt the best match for the opener and make it usable; None: somebody was quicker, read again."""
    thread, pointer = matches[0]
    write = await _adopt(
        ports,
        channel,
        session,
        request.name,
        thread,
        pointer,
        topic=request.topic,
        adopted_by=request.requester.owner,
    )
    if not write.won:
        return None
    for other, _ in matches[1:]:
        await _note(ports, channel, request.name.key, other)
    return await make_usable(ports, write.mine, thread, request, journey, adopted=True)


async def settle(ports: Ports, channel: ChannelRecord, threads: Iterable[Channel], *, during: str | None = None) -> int:
    """Settle all of these threads of the channel that are named like sessions; returns how many are.

    `during`: the import that is at work, by its start. It sees a name's threads page by page: a better one takes the
    place of the one that it has found before, as long as nobody has opened that. May be repeated and may run beside itself. Raises when the store cannot be reached: then some are not settled.
    """
    by_key: dict[str, list[Channel]] = defaultdict(list)
    for thread in {t.id: t for t in threads}.values():  # lists that were read at different times may overlap
        key = ports.names.session_key_of(thread.name or "")
        if key is not None and thread.parent_id == channel.channel_id and decide.is_match_type(thread):
            by_key[key].append(thread)
    if not by_key:
        return 0
    pointers = await ports.store.pointers(t.id for group in by_key.values() for t in group)
    owners = await owners_of(ports, pointers.values(), channel.channel_id, None)
    sessions = await ports.store.sessions((channel.channel_id, key) for key in by_key)
    jobs = []
    for key, group in by_key.items():
        session = sessions.get((channel.channel_id, key))
        open_ones = [t for t in group if not _is_settled(pointers.get(t.id), owners.get(t.id), key)]
        jobs.append(_settle_key(ports, channel, key, session, open_ones, pointers, owners, during))
    await at_most(SETTLED_AT_ONCE, jobs)
    return sum(map(len, by_key.values()))


def _is_settled(pointer: Pointer | None, owner: Session | None, key: str) -> bool:
    """Whether nothing is to be done for a thread: merged, or on record for the very session whose name it bears."""
    if pointer is None:
        return False
    if pointer.merged_into is not None:
        return True
    return owner is not None and owner.has(pointer.thread_id) and owner.session_key == key


async def _settle_key(
    ports: Ports,
    channel: ChannelRecord,
    key: str,
    session: Session | None,
    threads: list[Channel],
    pointers: dict[str, Pointer],
    owners: dict[str, Session],
    during: str | None,
) -> None:
    rest = decide.best_first(threads)
    free = [t for t in rest if decide.adoptable(pointers.get(t.id), owners.get(t.id), channel.channel_id, key)]
    if free and _takes_a_thread(session):
        name = ports.names.parse(free[0].name or "")
        write = await _adopt(ports, channel, session, name, free[0], pointers.get(free[0].id), during=during)
        if write.won or (write.session is not None and write.session.has(free[0].id)):
            rest.remove(free[0])
    elif (
        free
        and session is not None
        and during is not None
        and session.settled_in == during
        and await _exchanged(ports, session, free[0], pointers.get(free[0].id))
    ):
        rest.remove(free[0])
    noted = await ports.store.noted_namesakes(channel.channel_id, [(key, t.id) for t in rest])
    for thread in rest:
        if noted.get((key, thread.id)) != (not thread.archived):
            await _note(ports, channel, key, thread)


async def _exchanged(ports: Ports, session: Session, found: Channel, pointer: Pointer | None) -> bool:
    """Whether the thread that was found is better than the one on record, and has taken its place."""
    if pointer is not None or not decide.is_better(found, session):
        return False
    seen = {**decide.seen(found, ports.clock.now()), "settled_messages": found.message_count or 0}
    return await ports.store.exchange(session, found.id, seen=seen)


def _takes_a_thread(session: Session | None) -> bool:
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


async def _adopt(
    ports: Ports,
    channel: ChannelRecord,
    session: Session | None,
    name: SessionName,
    thread: Channel,
    pointer: Pointer | None,
    *,
    topic: str | None = None,
    adopted_by: str | None = None,
    during: str | None = None,
) -> Write:
    return await ports.store.adopt(
        session,
        parent_channel_id=channel.channel_id,
        session_key=name.key,
        session_name=name.spelling,
        guild_id=channel.guild_id,
        thread_id=thread.id,
        pointer=pointer,
        seen=decide.seen(thread, ports.clock.now()),
        topic=topic,
        created_by=thread.owner_id,
        adopted_by=adopted_by,
        settled_in=during,
        settled_messages=None if during is None else thread.message_count or 0,
    )


async def _note(ports: Ports, channel: ChannelRecord, key: str, thread: Channel) -> None:
    await ports.store.note_namesake(
        channel.channel_id, key, thread.id, guild_id=channel.guild_id, active=not thread.archived
    )
