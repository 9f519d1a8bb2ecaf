"""Merging duplicates, step by step, so that it may be killed anywhere and continued by anybody.

    adopt      the mapping points to the kept thread, if none is on record
    point      the other thread's pointer says what it was merged into: from here on nobody adopts it, come what may
    open       one PATCH, if it is archived: else neither a message nor a new name is possible
    link       a message in it links the kept thread (nonce), and its id is noted with the pointer
    close      one PATCH: a name that is no session's, archived and locked
    forget     the namesake note goes; while it is there, the thread is found again

Nothing is deleted. A thread that began to be merged is told from a finished one by its name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from handler.discord import refusals, snowflakes
from handler.discord.models import Channel
from handler.errors import DiscordRefused, DiscordUnavailable, Merging, NotFound, RateLimited, TryAgain
from handler.runtime.clock import iso, parse_iso
from handler.runtime.deadline import remaining
from handler.sessions.context import Context
from handler.sessions.duplicates.find import MAX_READ, namesakes_by_key, read_group, settle_lists
from handler.sessions.duplicates.group import NEEDED_TO_MERGE, Group, OtherThread, link_message, link_nonce, merged_name
from handler.sessions.threads.generation import StillThere, end_generation
from handler.sessions.threads.match import is_match
from handler.sessions.threads.namesakes import fetch_namesake
from handler.sessions.threads.settle import settle
from handler.store.items import ChannelItem, Namesake, Pointer, Session

MERGE_BUDGET: Final = 5.0  # seconds before the deadline at which no further thread is begun: four requests, and repeats
_NO_DEADLINE: Final = 3600.0  # seconds, for callers without one
CLOCKS_APART: Final = timedelta(minutes=1)  # ours and Discord's, at most
REASON: Final = "Merged into the session's one thread"

THREAD_ARCHIVED: Final = 50083  # Discord docs, "Opcodes and Status Codes"
THREAD_LOCKED: Final = 160005  # there, too


@dataclass(slots=True)
class MergeResult:
    """How many threads were merged, and how many had to be left as they were."""

    merged: int = 0
    left: int = 0


async def merge_duplicates(context: Context, channel: ChannelItem, *, merged_before: int = 0) -> MergeResult:
    """Merge all duplicates of the channel, whose past must be known.

    `merged_before`: by former attempts, for the progress. Raises Merging when the deadline is near, and whatever
    Discord's refusals mean; what was done stays, and a repeat goes on.
    """
    done = MergeResult(merged=merged_before)
    try:
        await _merge_all(context, channel, done)
    except RateLimited as wait:
        wait.progress = {"merged": done.merged}
        raise
    return done


async def _merge_all(context: Context, channel: ChannelItem, done: MergeResult) -> None:
    _stop_in_time(context, done)
    listed = await settle_lists(context, channel)
    for key, noted_ids in _in_parts(await namesakes_by_key(context, channel)):
        _stop_in_time(context, done)
        session = await context.store.sessions.get(channel.channel_id, key)
        group = await read_group(context, channel, key, session, noted_ids, listed)
        if group is not None:
            await _merge_group(context, channel, group, done)
        tried = {other.thread.id for other in group.others} if group is not None else set()
        await _forget_merged(context, channel, key, [i for i in noted_ids if i not in tried], done)
        listed = {}  # read by now, and older with each group


def _in_parts(keys: Mapping[str, list[str]]) -> Iterator[tuple[str, list[str]]]:
    """The keys, and their threads as many at a time as can be read in one go."""
    for key, ids in keys.items():
        for start in range(0, len(ids), MAX_READ):
            yield key, ids[start : start + MAX_READ]


def _stop_in_time(context: Context, done: MergeResult) -> None:
    if remaining(context.clock.now(), _NO_DEADLINE) < MERGE_BUDGET:
        raise Merging({"merged": done.merged})


async def _merge_group(context: Context, channel: ChannelItem, group: Group, done: MergeResult) -> None:
    session = group.session if group.on_record else await _adopted(context, channel, group)
    if session is None or session.discord_thread_id is None:
        done.left += len(group.others)
        return
    for other in group.others:
        _stop_in_time(context, done)
        if other.thread.id != session.discord_thread_id:
            if await _merge(context, session, other):
                done.merged += 1
            else:
                done.left += 1


async def _adopted(context: Context, channel: ChannelItem, group: Group) -> Session | None:
    """The session once it has one of the group's threads. None: not now."""
    gone = group.session if group.session is not None and group.session.discord_thread_id is not None else None
    if gone is not None and isinstance(await end_generation(context, gone), StillThere):
        return None  # its thread lives after all
    await settle(context, channel, [group.kept, *(other.thread for other in group.others)])
    session = await context.store.sessions.get(channel.channel_id, group.session_key)
    if session is not None and session.discord_thread_id is not None:  # it is no namesake any more
        await context.store.namesakes.remove(channel.channel_id, group.session_key, session.discord_thread_id)
    return session


async def _merge(context: Context, session: Session, other: OtherThread) -> bool:
    """Merge one thread. False: it is left as it is, because something has changed or Discord refused."""
    pointer, kept_id = other.pointer, session.discord_thread_id or ""
    try:
        thread = await context.discord.channel(other.thread.id)  # it may have been renamed since its group was read
        if not is_match(context.names, thread, session.parent_channel_id, session.session_key):
            return False
        if pointer is None or pointer.merged_into != kept_id:
            at = iso(context.clock.now())
            if not await context.store.pointers.merge(session, thread.id, pointer, at=at):
                return False
            pointer = Pointer(thread_id=thread.id, merged_into=kept_id)
        await _say_so(context, thread, pointer)
        await context.discord.change_thread(
            thread.id, name=merged_name(thread.name or ""), archived=True, locked=True, reason=REASON
        )
    except DiscordRefused as refusal:
        return _left(refusal)
    await context.store.namesakes.remove(session.parent_channel_id, session.session_key, thread.id)
    return True


def _left(refusal: DiscordRefused) -> bool:
    """What a refusal means for one thread: it is left, or nothing goes on before people have done something."""
    if refusal.code in (THREAD_ARCHIVED, THREAD_LOCKED):  # somebody has just archived or locked it
        raise DiscordUnavailable(str(refusal)) from refusal
    error = refusals.translate(refusal, NEEDED_TO_MERGE[2:])
    if isinstance(error, TryAgain) or refusal.status == 403:
        raise error from refusal
    return False


async def _say_so(context: Context, thread: Channel, pointer: Pointer) -> None:
    """Open the thread if it is archived, and link the kept one in it, unless that was done."""
    if thread.archived:
        await context.discord.change_thread(thread.id, archived=False, reason=REASON)
    kept_id = pointer.merged_into or ""
    if pointer.link_message_id is not None:
        return
    message_id = await _posted_before(context, thread, pointer)
    if message_id is None:
        message_id = await _post(context, thread, kept_id)
    if message_id is not None:
        await context.store.pointers.set_link(thread.id, kept_id, message_id)


async def _posted_before(context: Context, thread: Channel, pointer: Pointer) -> str | None:
    """The link, where whoever began to merge died before its id was noted: the thread's last message, if it is ours."""
    if thread.last_message_id is None or pointer.merged_at is None:
        return None
    if snowflakes.time_of(thread.last_message_id) < parse_iso(pointer.merged_at) - CLOCKS_APART:
        return None
    try:
        message = await context.discord.message(thread.id, thread.last_message_id)
    except NotFound:
        return None
    return message.id if message.author.id == await context.discord.current_user_id() else None


async def _post(context: Context, thread: Channel, kept_id: str) -> str | None:
    """Post the link; None if that message was posted and somebody deleted it."""
    body, nonce = link_message(kept_id), link_nonce(thread.id, kept_id)
    try:
        return (await context.discord.post_message(thread.id, body, nonce=nonce)).id
    except NotFound as missing:
        if missing.code == refusals.UNKNOWN_MESSAGE:
            return None
        raise
    except DiscordRefused as refusal:
        if refusal.code != THREAD_LOCKED:
            raise
    await context.discord.change_thread(thread.id, archived=False, locked=False, reason=REASON)
    return (await context.discord.post_message(thread.id, body, nonce=nonce)).id


async def _forget_merged(
    context: Context, channel: ChannelItem, key: str, noted_ids: list[str], done: MergeResult
) -> None:
    """Drop the notes of threads that are merged already: whoever did it died before that."""
    for pointer in (await context.store.pointers.get_many(noted_ids)).values():
        if pointer.merged_into is None:
            continue
        namesake = Namesake(parent_channel_id=channel.channel_id, session_key=key, thread_id=pointer.thread_id)
        thread = await fetch_namesake(context, namesake)
        if thread is not None and not is_match(context.names, thread, channel.channel_id, key):
            await context.store.namesakes.remove(channel.channel_id, key, thread.id)
            done.merged += 1
