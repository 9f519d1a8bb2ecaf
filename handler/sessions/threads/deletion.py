"""Deleting a session's thread for good: nobody loses a fresh message, and nobody is led to a dead link.

    mark    the session, with the thread's last message           a run of housekeeping
    wait    for a later run, MARKED_FOR after: messages may come
    lock    the thread, noted on record before it is done         a later run, from here on
    look    is the last message still that one?
    take    the mark, unless an open has cleared it
    look    once more, because moderators write in locked threads, too
    delete  the thread, then the generation ends as `ending` describes

Any open of a session that has been idle writes before it links, and clears the mark with it: then the take is lost, or
the next run sees that it was opened. Once the mark is taken that write is lost, and the opener finishes the deletion
instead, then makes the session anew. Who dies on the way leaves a mark that a later
run goes on from, or a lock that is on record as ours, which any open lifts and a later run gives back.

A taken mark is given back only when somebody has unlocked the thread and written in it after all, and only OVER_AFTER
later: before that, whoever took it may be about to delete.
"""

from enum import Enum, auto
from typing import Final

import msgspec

from handler.discord import refusals
from handler.discord.models import Channel
from handler.errors import DiscordRefused, DiscordUnavailable, NotFound
from handler.runtime.clock import parse_iso
from handler.sessions.context import Context
from handler.sessions.threads.generation import end_generation
from handler.sessions.threads.locks import RUN_OVER_AFTER, locked_by_housekeeping
from handler.sessions.threads.record import is_untouched, last_message
from handler.store.items import Session

REASON: Final = "Onethread: no activity for the time set in DeleteAfterDays"

STILL_DELETING: Final = (
    "The old thread of this session is being deleted, and somebody used it meanwhile. Try again in a few minutes."
)


class DeletionResult(Enum):
    """How far a deletion came."""

    DONE = auto()
    KEPT = auto()  # the thread stays: it was used meanwhile
    UNDER_WAY = auto()  # to be finished later


async def delete_marked(context: Context, session: Session) -> DeletionResult:
    """Lock, look, take and delete: for a session whose mark was read and is old enough."""
    thread = await _locked(context, session)
    if thread is None:
        return DeletionResult.KEPT
    if is_untouched(session, thread):
        taken = await context.store.deletions.begin(session, thread, now=context.clock.now())
        if taken.won:
            return await finish(context, taken.mine)
        if taken.session is not None and taken.session.deletion.begun_at is not None:
            return DeletionResult.UNDER_WAY  # another run was quicker
    await leave(context, session)
    return DeletionResult.KEPT


async def leave(context: Context, session: Session) -> bool:
    """The thread stays: the mark that was read goes, and a lock of ours with it. False: it was not there any more."""
    write = await context.store.deletions.unmark(session, now=context.clock.now())
    await unlock_ours(context, session)
    return write.won


async def finish(context: Context, session: Session) -> DeletionResult:
    """Delete the thread of a session whose mark was taken, and end the generation. May be repeated by anyone."""
    taken = await _taken(context, session)
    if taken is None:
        return DeletionResult.UNDER_WAY  # somebody else has just gone on with it
    try:
        if not await _delete_untouched(context, taken):
            return await _given_back(context, session, taken)
    except NotFound as missing:  # somebody was quicker
        refusals.raise_unless_gone(missing)
    except DiscordRefused as refusal:
        refusals.raise_translation(refusal, refusals.NEEDED_TO_UNLOCK)
    found = await end_generation(context, taken)
    return DeletionResult.DONE if found is None else DeletionResult.UNDER_WAY


async def _delete_untouched(context: Context, session: Session) -> bool:
    """Whether the thread was deleted; False: somebody has written in it since it was marked."""
    thread = await context.discord.channel(session.discord_thread_id or "")
    if last_message(thread) == session.deletion.marked_message:
        thread = await _locked_again(context, thread)
    if not is_untouched(session, thread):
        return False
    await context.discord.delete_thread(thread.id, reason=REASON)
    return True


async def finish_for_opener(context: Context, session: Session) -> bool:
    """Whether the thread is gone and the session is to be made anew; False: it stays, read again.

    Raises DiscordUnavailable while neither can be told.
    """
    match await finish(context, session):
        case DeletionResult.DONE:
            return True
        case DeletionResult.KEPT:
            return False
        case DeletionResult.UNDER_WAY:
            raise DiscordUnavailable("a deletion is under way", message=STILL_DELETING)


async def unlock_ours(context: Context, session: Session) -> None:
    """Open the thread if it is locked and housekeeping did that. The note of it stays for a while: see `release`.

    `session` is as it was read: while it was marked, the lock was ours.
    """
    current = await context.store.sessions.get(session.parent_channel_id, session.session_key)
    if current is None or current.discord_thread_id != session.discord_thread_id or current.deletion.locking_at is None:
        return
    if current.deletion.begun_at is not None:
        return
    thread = await _living(context, current)
    marked = msgspec.structs.replace(current.deletion, marked_at=session.deletion.marked_at)
    believed = msgspec.structs.replace(current, deletion=marked)
    if thread is not None and thread.locked and locked_by_housekeeping(believed, thread, context.application_id):
        await context.discord.change_thread(thread.id, archived=False, locked=False, reason="Onethread: it is in use")


async def release(context: Context, session: Session) -> None:
    """Long after housekeeping locked a thread that it then left alone: no lock of ours is left, nor the note of it."""
    await unlock_ours(context, session)
    await context.store.deletions.clear_locking(session)


async def _locked(context: Context, session: Session) -> Channel | None:
    """The thread, locked and archived, as it is then. None: the mark is gone."""
    thread = await _living(context, session)
    if thread is None:
        raise DiscordUnavailable("a marked thread does not answer: its absence is the reconciler's to judge")
    if last_message(thread) != session.deletion.marked_message or (thread.locked and thread.archived):
        return thread
    if not thread.locked and not (await context.store.deletions.set_locking(session, now=context.clock.now())).won:
        return None
    return await _locked_again(context, thread)


async def _locked_again(context: Context, thread: Channel) -> Channel:
    """The thread, locked and archived, as it is then. An open that lost against the take may have unlocked it."""
    if thread.locked and thread.archived:
        return thread
    if thread.archived:  # it cannot be locked before it is opened, and opened unlocked anybody could write in it
        await context.discord.change_thread(thread.id, archived=False, locked=True, reason=REASON)
    await context.discord.change_thread(thread.id, archived=True, locked=True, reason=REASON)
    return await context.discord.channel(thread.id)


async def _living(context: Context, session: Session) -> Channel | None:
    assert session.discord_thread_id is not None  # noqa: S101 - only sessions with a thread are marked
    return await context.discord.channel_or_none(session.discord_thread_id)


async def _taken(context: Context, session: Session) -> Session | None:
    """The session, taken so lately that nobody gives the thread back before a request of ours has landed."""
    assert session.deletion.begun_at is not None  # noqa: S101 - it was taken
    now = context.clock.now()
    if now - parse_iso(session.deletion.begun_at) < RUN_OVER_AFTER / 2:
        return session
    write = await context.store.deletions.resume(session, now=now)
    return write.mine if write.won else None


async def _given_back(context: Context, read: Session, taken: Session) -> DeletionResult:
    """Nobody can be about to delete any more, if who took the mark did so long ago. `read`: as it was before ours."""
    if context.clock.now() - parse_iso(read.deletion.begun_at or "") < RUN_OVER_AFTER:
        return DeletionResult.UNDER_WAY
    await context.store.deletions.cancel(taken)
    return DeletionResult.KEPT
