"""Merge duplicates, step by step, so that anybody can go on from wherever it was killed.

    adopt     if no thread is on record, the session gets the kept one
    point     the other thread's pointer says what it was merged into: from here on, nobody adopts it
    open      one PATCH, if it is archived: it takes no message or new name otherwise
    link      a message in it links the kept thread (with a nonce); the pointer keeps the message's id
    close     one PATCH: a name that is not a session's, archived and locked
    remove    the namesake goes; until then, the thread is found again

Nothing is deleted. The name tells a finished merge from one that was only begun.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from functools import partial
from typing import Final

from handler.discord import refusals, snowflakes
from handler.discord.models import Channel
from handler.errors import DiscordRefused, DiscordUnavailable, Merging, NotFound, RateLimited, TryAgain
from handler.runtime.clock import iso, parse_iso
from handler.runtime.deadline import remaining
from handler.sessions.context import Context
from handler.sessions.duplicates.find import MAX_READ, read_group, read_namesake_ids, settle_listed
from handler.sessions.duplicates.group import (
    NEEDED_TO_MERGE,
    NEUTRAL_NAME,
    Group,
    OtherThread,
    build_link,
    link_nonce,
    name_merged,
)
from handler.sessions.model import Requester
from handler.sessions.threads.generation import StillThere, end_generation
from handler.sessions.threads.match import is_match
from handler.sessions.threads.namesakes import fetch_namesake
from handler.sessions.threads.settle import settle
from handler.store.items import ChannelItem, Namesake, Pointer, Session

MERGE_SECONDS: Final = 5.0  # no merge begins later than this before the deadline: four requests, and repeats
_NO_DEADLINE_SECONDS: Final = 3600.0  # for callers without one
CLOCK_MARGIN: Final = timedelta(minutes=1)  # between our clock and Discord's
REASON: Final = "Merged into the session's one thread"


@dataclass(slots=True)
class MergeResult:
    """How far merging the threads of a channel came."""

    merged: int = 0
    skipped: int = 0  # left as they were, because something had changed
    refused: int = 0  # not merged, because Discord refused: a repeat would be refused too
    last: tuple[Session, OtherThread] | None = None  # left to `merge_last`
    reason: str = REASON  # what the server's audit log says of each change


class _Merge(Enum):
    """How a merge of one thread went."""

    DONE = auto()
    SKIPPED = auto()
    REFUSED = auto()


async def merge_duplicates(
    context: Context,
    channel: ChannelItem,
    *,
    merged_before: int = 0,
    last: str | None = None,
    requester: Requester | None = None,
) -> MergeResult:
    """Merge all duplicates of the channel, whose past must be imported.

    `merged_before`: how many earlier attempts merged, for the progress. `last`: a thread that is not merged, but put into
    the result for `merge_last`. `requester`: named in the audit log. Raises Merging when the deadline is near, and what Discord's refusals mean. A repeat goes
    on.
    """
    result = MergeResult(merged=merged_before)
    if requester is not None:
        result.reason = f"Asked for by {requester}: {REASON}"
    try:
        await _merge_all(context, channel, result, last)
    except RateLimited as wait:
        wait.progress = {"merged": result.merged}
        raise
    return result


async def merge_last(context: Context, session: Session, other: OtherThread, reason: str = REASON) -> None:
    """Merge the thread that was left to the end. A repeat of the whole finds it again."""
    await _merge(context, session, other, reason)


async def _merge_all(context: Context, channel: ChannelItem, result: MergeResult, last: str | None) -> None:
    _check_deadline(context, result)
    listed = await settle_listed(context, channel)
    for key, namesake_ids in _split(await read_namesake_ids(context, channel)):
        _check_deadline(context, result)
        pair = channel.channel_id, key
        sessions = await context.store.sessions.get_many([pair])
        if sessions.unreadable:
            result.skipped += len(namesake_ids)
            continue
        group = await read_group(context, channel, key, sessions.get(pair), namesake_ids, listed)
        if group is not None:
            await _merge_group(context, channel, group, result, last)
        tried = {other.thread.id for other in group.others} if group is not None else set()
        await _remove_merged(context, channel, key, [i for i in namesake_ids if i not in tried], result)
        listed = {}  # too old from here on


def _split(ids_by_key: Mapping[str, list[str]]) -> Iterator[tuple[str, list[str]]]:
    """The keys, each with as many of its threads at a time as can be read in one go."""
    for key, ids in ids_by_key.items():
        for start in range(0, len(ids), MAX_READ):
            yield key, ids[start : start + MAX_READ]


def _check_deadline(context: Context, result: MergeResult) -> None:
    if remaining(context.clock.now(), _NO_DEADLINE_SECONDS) < MERGE_SECONDS:
        raise Merging({"merged": result.merged})


async def _merge_group(
    context: Context, channel: ChannelItem, group: Group, result: MergeResult, last: str | None
) -> None:
    session = group.session if group.on_record else await _adopt_one(context, channel, group)
    if session is None or session.discord_thread_id is None:
        result.skipped += len(group.others)
        return
    for other in group.others:
        _check_deadline(context, result)
        if other.thread.id == session.discord_thread_id:
            continue
        if other.thread.id == last:
            result.last = session, other
            continue
        match await _merge(context, session, other, result.reason):
            case _Merge.DONE:
                result.merged += 1
            case _Merge.SKIPPED:
                result.skipped += 1
            case _Merge.REFUSED:
                result.refused += 1


async def _adopt_one(context: Context, channel: ChannelItem, group: Group) -> Session | None:
    """Have the session adopt one of the group's threads, and return it. None: its own thread exists after all."""
    gone = group.session if group.session is not None and group.session.discord_thread_id is not None else None
    if gone is not None and isinstance(await end_generation(context, gone), StillThere):
        return None
    await settle(context, channel, [group.kept, *(other.thread for other in group.others)])
    session = await context.store.sessions.get(channel.channel_id, group.session_key)
    if session is not None and session.discord_thread_id is not None:  # no longer a namesake
        await context.store.namesakes.remove(channel.channel_id, group.session_key, session.discord_thread_id)
    return session


async def _merge(context: Context, session: Session, other: OtherThread, reason: str) -> _Merge:
    """Merge one thread."""
    pointer, kept_id = other.pointer, session.discord_thread_id or ""
    try:
        thread = await context.discord.channel(other.thread.id)  # it may have been renamed since its group was read
        if not is_match(context.names, thread, session.parent_channel_id, session.session_key):
            return _Merge.SKIPPED
        if pointer is None or pointer.merged_into != kept_id:
            at = iso(context.clock.now())
            if not await context.store.pointers.merge(session, thread.id, pointer, at=at):
                return _Merge.SKIPPED
            pointer = Pointer(thread_id=thread.id, merged_into=kept_id)
        await _link_kept(context, thread, pointer, reason)
        await _close(context, thread, reason)
    except DiscordRefused as refusal:
        _raise_unless_skippable(refusal)
        return _Merge.SKIPPED if isinstance(refusal, NotFound) else _Merge.REFUSED
    await context.store.namesakes.remove(session.parent_channel_id, session.session_key, thread.id)
    return _Merge.DONE


async def _close(context: Context, thread: Channel, reason: str) -> None:
    """Rename, archive and lock the thread. If the server refuses words of its name, it gets a name without them."""
    change = partial(context.discord.change_thread, thread.id, archived=True, locked=True, reason=reason)
    try:
        await change(name=name_merged(thread.name or ""))
    except DiscordRefused as refusal:
        if not refusals.refuses_words(refusal):
            raise
        await change(name=NEUTRAL_NAME)


def _raise_unless_skippable(refusal: DiscordRefused) -> None:
    """Raise if a repeat can succeed, or if the rest would be refused too until people have done something."""
    if refusal.code in (refusals.THREAD_ARCHIVED, refusals.THREAD_LOCKED):  # somebody has just archived or locked it
        raise DiscordUnavailable(str(refusal)) from refusal
    error = refusals.translate(refusal, NEEDED_TO_MERGE[2:])
    if isinstance(error, TryAgain) or refusal.status == 403:
        raise error from refusal


async def _link_kept(context: Context, thread: Channel, pointer: Pointer, reason: str) -> None:
    """Open the thread if it is archived, and post the link to the kept one in it unless it is there."""
    if thread.archived:
        await context.discord.change_thread(thread.id, archived=False, reason=reason)
    kept_id = pointer.merged_into or ""
    if pointer.link_message_id is not None:
        return
    message_id = await _find_link(context, thread, pointer)
    if message_id is None:
        message_id = await _post_link(context, thread, kept_id, reason)
    if message_id is not None:
        await context.store.pointers.set_link(thread.id, kept_id, message_id)


async def _find_link(context: Context, thread: Channel, pointer: Pointer) -> str | None:
    """The link of a merge that died before the pointer had its id: the thread's last message, if it is ours."""
    if thread.last_message_id is None or pointer.merged_at is None:
        return None
    if snowflakes.time_of(thread.last_message_id) < parse_iso(pointer.merged_at) - CLOCK_MARGIN:
        return None
    try:
        message = await context.discord.message(thread.id, thread.last_message_id)
    except NotFound:
        return None
    return message.id if message.author.id == await context.discord.current_user_id() else None


async def _post_link(context: Context, thread: Channel, kept_id: str, reason: str) -> str | None:
    """Post the link and return its id. None: it was posted before, and somebody deleted it."""
    body, nonce = build_link(kept_id), link_nonce(thread.id, kept_id)
    try:
        return (await context.discord.post_message(thread.id, body, nonce=nonce)).id
    except NotFound as missing:
        if missing.code == refusals.UNKNOWN_MESSAGE:
            return None
        raise
    except DiscordRefused as refusal:
        if refusal.code != refusals.THREAD_LOCKED:
            raise
    await context.discord.change_thread(thread.id, archived=False, locked=False, reason=reason)
    return (await context.discord.post_message(thread.id, body, nonce=nonce)).id


async def _remove_merged(
    context: Context, channel: ChannelItem, key: str, namesake_ids: list[str], result: MergeResult
) -> None:
    """Remove the namesakes whose threads are merged: whoever merged them died before this step."""
    for pointer in (await context.store.pointers.get_many(namesake_ids)).values():
        if pointer.merged_into is None:
            continue
        namesake = Namesake(parent_channel_id=channel.channel_id, session_key=key, thread_id=pointer.thread_id)
        thread = await fetch_namesake(context, namesake)
        if thread is not None and not is_match(context.names, thread, channel.channel_id, key):
            await context.store.namesakes.remove(channel.channel_id, key, thread.id)
            result.merged += 1
