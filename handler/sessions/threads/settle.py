"""Settling: every thread that is named like a session gets its place.

A settled thread is on its session's record, is noted as a namesake, or was merged into another one. What is settled is
found without another search.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from handler.discord.models import Channel
from handler.runtime.concurrency import gather_limited
from handler.sessions.context import Context
from handler.sessions.names import SessionName
from handler.sessions.threads.look_up import pointer_owners
from handler.sessions.threads.match import best_first, is_adoptable, is_better, is_public_thread
from handler.sessions.threads.record import thread_attributes
from handler.store.items import ChannelItem, Pointer, Session, Settlement, Status
from handler.store.sessions import Adoption
from handler.store.writes import Write

SETTLED_AT_ONCE: Final = 8  # transactions side by side: well below the connection pool


async def settle(
    context: Context, channel: ChannelItem, threads: Iterable[Channel], *, during: str | None = None
) -> int:
    """Settle all of these threads of the channel that are named like sessions; returns how many are.

    `during`: the import that is at work, by its start. It sees a name's threads page by page: a better one takes the
    place of the one that it has found before, as long as nobody has opened that. May be repeated and may run beside itself. Raises when the store cannot be reached: then some are not settled.
    """
    by_key: dict[str, list[Channel]] = defaultdict(list)
    for thread in {t.id: t for t in threads}.values():  # lists that were read at different times may overlap
        key = context.names.session_key_of(thread.name or "")
        if key is not None and thread.parent_id == channel.channel_id and is_public_thread(thread):
            by_key[key].append(thread)
    if not by_key:
        return 0
    pointers = await context.store.pointers.get_many(t.id for group in by_key.values() for t in group)
    owners = await pointer_owners(context, pointers.values(), channel.channel_id, None)
    sessions = await context.store.sessions.get_many((channel.channel_id, key) for key in by_key)
    jobs = []
    for key, group in by_key.items():
        session = sessions.get((channel.channel_id, key))
        open_ones = [t for t in group if not _is_settled(pointers.get(t.id), owners.get(t.id), key)]
        jobs.append(_settle_key(context, channel, key, session, open_ones, pointers, owners, during))
    await gather_limited(SETTLED_AT_ONCE, jobs)
    return sum(map(len, by_key.values()))


def _is_settled(pointer: Pointer | None, owner: Session | None, key: str) -> bool:
    """Whether nothing is to be done for a thread: merged, or on record for the very session whose name it bears."""
    if pointer is None:
        return False
    if pointer.merged_into is not None:
        return True
    return owner is not None and owner.has(pointer.thread_id) and owner.session_key == key


async def _settle_key(
    context: Context,
    channel: ChannelItem,
    key: str,
    session: Session | None,
    threads: list[Channel],
    pointers: dict[str, Pointer],
    owners: dict[str, Session],
    during: str | None,
) -> None:
    rest = best_first(threads)
    free = [t for t in rest if is_adoptable(pointers.get(t.id), owners.get(t.id), channel.channel_id, key)]
    if free and _takes_a_thread(session):
        name = context.names.parse(free[0].name or "")
        write = await _adopt(context, channel, session, name, free[0], pointers.get(free[0].id), during=during)
        if write.won or (write.session is not None and write.session.has(free[0].id)):
            rest.remove(free[0])
    elif (
        free
        and session is not None
        and during is not None
        and session.settlement.import_started_at == during
        and await _exchanged(context, session, free[0], pointers.get(free[0].id))
    ):
        rest.remove(free[0])
    noted = await context.store.namesakes.are_watched(channel.channel_id, [(key, t.id) for t in rest])
    for thread in rest:
        if noted.get((key, thread.id)) != (not thread.archived):
            await _note(context, channel, key, thread)


async def _exchanged(context: Context, session: Session, found: Channel, pointer: Pointer | None) -> bool:
    """Whether the thread that was found is better than the one on record, and has taken its place."""
    if pointer is not None or not is_better(found, session):
        return False
    seen = {**thread_attributes(found, context.clock.now()), "settled_messages": found.message_count or 0}
    return await context.store.sessions.replace_thread(session, found.id, seen=seen)


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
    context: Context,
    channel: ChannelItem,
    session: Session | None,
    name: SessionName,
    thread: Channel,
    pointer: Pointer | None,
    *,
    topic: str | None = None,
    adopted_by: str | None = None,
    during: str | None = None,
) -> Write:
    return await context.store.sessions.adopt(
        session,
        Adoption(
            parent_channel_id=channel.channel_id,
            session_key=name.key,
            session_name=name.spelling,
            guild_id=channel.guild_id,
            thread_id=thread.id,
            pointer=pointer,
            seen=thread_attributes(thread, context.clock.now()),
            topic=topic,
            created_by=thread.owner_id,
            adopted_by=adopted_by,
            settlement=Settlement(
                import_started_at=during, messages=None if during is None else thread.message_count or 0
            ),
        ),
    )


async def _note(context: Context, channel: ChannelItem, key: str, thread: Channel) -> None:
    await context.store.namesakes.add(
        channel.channel_id, key, thread.id, guild_id=channel.guild_id, active=not thread.archived
    )
