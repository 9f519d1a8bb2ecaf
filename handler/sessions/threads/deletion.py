"""Delete a session's thread for good: no fresh message is lost, and nobody is led to a dead link.

    mark    the session, with the thread's last message             a run of housekeeping
    wait    for a later run: messages may come
    lock    the thread, after `delete_locking_at` is on record      a later run, from here on
    check   that the last message is still that one, and that no lock is anybody else's
    begin   the deletion, unless an open has cleared the mark
    check   once more, because moderators can write in locked threads
    delete  the thread, then end the generation (`threads.generation`)

Any open of a session that has been idle writes before it links, and clears the mark with that: then `begin` is lost, or
the next run sees that the thread was opened. Once a deletion has begun that write is lost: the opener finishes the
deletion instead, and creates a new thread. A crash leaves a mark, from which a later run goes on, or a lock that is on
record as ours, which any open lifts and a later run removes.

Only threads that the bot started are deleted, and none that somebody else locked (`locks.may_delete`). Both are checked
again here, because they may have changed since the run saw the thread.

A deletion that has begun is cancelled only if somebody has used the thread after all, and only
RUN_OVER_AFTER later: before that, the run that began it may be about to delete.
"""

from enum import Enum, auto
from typing import Final

import msgspec

from handler.discord import refusals, snowflakes
from handler.discord.models import AuditAction, Channel
from handler.discord.rest import PAGE_SIZE
from handler.errors import DiscordRefused, DiscordUnavailable, Forbidden, NotFound
from handler.runtime.clock import iso, parse_iso
from handler.sessions.context import Context
from handler.sessions.threads.generation import Ended, StillThere, end_generation
from handler.sessions.threads.locks import RUN_OVER_AFTER, locked_by_housekeeping, may_delete
from handler.sessions.threads.record import is_untouched, last_message
from handler.store.items import Session

REASON: Final = "Onethread: no activity for the time set in DeleteAfterDays"

STILL_DELETING: Final = (
    "This session's old thread is being deleted, and someone has just used it. Try again in a few minutes."
)


class DeletionResult(Enum):
    """How far a deletion got."""

    DONE = auto()
    KEPT = auto()  # the thread stays: it was used meanwhile
    UNDER_WAY = auto()  # to be finished later


async def delete_marked(context: Context, session: Session) -> DeletionResult:
    """Lock, check, begin and delete, for a session whose mark is old enough; the mark is as it was read."""
    locked = await _lock_marked(context, session)
    if isinstance(locked, DeletionResult):
        return locked
    session, thread = locked
    if is_untouched(session, thread):
        if await _find_use(context, session, if_unknown=None) is not None:
            # The lock may be theirs: a later run, which knows who locked the thread, lifts ours.
            await context.store.deletions.unmark(session, now=context.clock.now())
            return DeletionResult.KEPT
        begun = await context.store.deletions.begin(session, thread, now=context.clock.now())
        if begun.won:
            return await finish(context, begun.mine)
        if begun.session is not None and begun.session.deletion.begun_at is not None:
            return DeletionResult.UNDER_WAY  # another run was quicker
    await unmark(context, session)
    return DeletionResult.KEPT


async def unmark(context: Context, session: Session) -> bool:
    """The thread stays: remove the mark, and a lock of ours. Returns whether the mark was still as it was read."""
    write = await context.store.deletions.unmark(session, now=context.clock.now())
    await _unlock(context, session)
    return write.won


async def finish(context: Context, session: Session) -> DeletionResult:
    """Finish a deletion that has begun, and end the generation. May be repeated by anyone."""
    resumed = await _resume(context, session)
    if isinstance(resumed, DeletionResult):
        return resumed
    try:
        kept = await _delete_untouched(context, resumed)
        if kept is not None:
            return await _cancel(context, session, resumed, keeps_lock=kept is _Kept.LOCKED)
    except NotFound as missing:  # another actor has deleted it
        refusals.raise_unless_gone(missing)
    except DiscordRefused as refusal:
        refusals.raise_translation(refusal, refusals.NEEDED_TO_UNLOCK)
    match await end_generation(context, resumed):
        case Ended():
            return DeletionResult.DONE
        case StillThere():
            return DeletionResult.UNDER_WAY


class _Kept(Enum):
    """Why a thread whose deletion has begun is not deleted."""

    USED = auto()  # somebody has written in it or opened it, or it is not the bot's
    LOCKED = auto()  # somebody else has locked it, or may have


async def _delete_untouched(context: Context, session: Session) -> _Kept | None:
    """Delete the thread, unless somebody has used it since it was marked; returns why not, None if it was deleted."""
    thread = await context.discord.channel(session.discord_thread_id or "")
    if thread.owner_id != await context.discord.current_user_id():
        return _Kept.USED
    if last_message(thread) != session.deletion.marked_message:
        return _Kept.USED
    if not thread.locked:
        thread = await _lock(context, thread)  # an open had unlocked it, before it met the deletion
    elif (
        _archive_time(thread) != session.thread.archived_at  # opened since: by whom?
        and (use := await _find_use(context, session, if_unknown=_Kept.LOCKED)) is not None
    ):
        return use
    if not is_untouched(session, thread):
        return _Kept.USED
    await context.discord.delete_thread(thread.id, reason=REASON)
    return None


def _archive_time(thread: Channel) -> str | None:
    """When the thread was archived, as it is on record."""
    return None if thread.archive_time is None else iso(thread.archive_time)


async def _find_use(context: Context, session: Session, *, if_unknown: _Kept | None) -> _Kept | None:
    """What the audit log says that somebody else did with the thread, since shortly before housekeeping locked it.

    `if_unknown`: the answer if the bot may not read the log. LOCKED also if more has happened than one page holds.
    """
    since = parse_iso(session.deletion.locking_at or session.deletion.marked_at or "") - RUN_OVER_AFTER
    try:
        page = await context.discord.audit_log(session.guild_id, after=snowflakes.lowest_at(since))
    except Forbidden:
        return if_unknown
    user_id = await context.discord.current_user_id()
    changes = [
        entry
        for entry in page.entries
        if entry.action_type == AuditAction.THREAD_UPDATE
        and entry.target_id == session.discord_thread_id
        and entry.user_id != user_id
    ]
    if page.size >= PAGE_SIZE or any(entry.new_value("locked") is True for entry in changes):
        return _Kept.LOCKED
    return _Kept.USED if any(entry.new_value("archived") is False for entry in changes) else None


async def finish_for_opener(context: Context, session: Session) -> bool:
    """Finish a deletion that has begun; returns whether the thread is gone, or was kept.

    Raises DiscordUnavailable while neither is known.
    """
    match await finish(context, session):
        case DeletionResult.DONE:
            return True
        case DeletionResult.KEPT:
            return False
        case DeletionResult.UNDER_WAY:
            raise DiscordUnavailable("a deletion is under way", message=STILL_DELETING)


async def release_lock(context: Context, session: Session) -> None:
    """Long after housekeeping locked a thread that it then kept: remove the lock, and what is on record of it."""
    await _unlock(context, session)
    await context.store.deletions.clear_locking(session)


async def _unlock(context: Context, session: Session) -> None:
    """Unlock the thread if housekeeping has locked it. What is on record of the lock stays: see `release_lock`.

    `session` is as it was read: while it was marked, the lock was ours.
    """
    current = await context.store.sessions.get(*session.pair)
    if current is None or current.discord_thread_id != session.discord_thread_id or current.deletion.locking_at is None:
        return
    if current.deletion.begun_at is not None:
        return
    thread = await context.discord.channel_or_none(current.discord_thread_id or "")
    marked = msgspec.structs.replace(current.deletion, marked_at=session.deletion.marked_at)
    believed = msgspec.structs.replace(current, deletion=marked)
    if thread is not None and thread.locked and locked_by_housekeeping(believed, thread, context.application_id):
        await context.discord.change_thread(thread.id, archived=False, locked=False, reason="Onethread: it is in use")


async def _lock_marked(context: Context, session: Session) -> tuple[Session, Channel] | DeletionResult:
    """The marked thread, locked and archived unless it has a new message. KEPT: it may not be deleted, or the mark is gone."""
    thread = await context.discord.channel_or_none(session.discord_thread_id or "")
    if thread is None:
        raise DiscordUnavailable("a marked thread does not answer: its absence is the reconciler's to judge")
    bot_user_id = await context.discord.current_user_id()
    if not may_delete(session, thread, bot_user_id=bot_user_id, application_id=context.application_id):
        await context.store.deletions.unmark(session, now=context.clock.now())
        return DeletionResult.KEPT
    if last_message(thread) != session.deletion.marked_message or (thread.locked and thread.archived):
        return session, thread
    announced = await context.store.deletions.set_locking(session, now=context.clock.now())
    return (announced.mine, await _lock(context, thread)) if announced.won else DeletionResult.KEPT


async def _lock(context: Context, thread: Channel) -> Channel:
    """The thread, locked and archived."""
    if thread.locked and thread.archived:
        return thread
    if thread.archived:  # it cannot be locked before it is opened, and opened unlocked anybody could write in it
        await context.discord.change_thread(thread.id, archived=False, locked=True, reason=REASON)
    await context.discord.change_thread(thread.id, archived=True, locked=True, reason=REASON)
    return await context.discord.channel(thread.id)


async def _resume(context: Context, session: Session) -> Session | DeletionResult:
    """The session, its deletion begun so lately that no run cancels it before a request of ours has landed."""
    assert session.deletion.begun_at is not None  # noqa: S101 - it was begun
    now = context.clock.now()
    if now - parse_iso(session.deletion.begun_at) < RUN_OVER_AFTER / 2:
        return session
    write = await context.store.deletions.resume(session, now=now)
    return write.mine if write.won else DeletionResult.UNDER_WAY  # another actor has just resumed it


async def _cancel(context: Context, read: Session, resumed: Session, *, keeps_lock: bool) -> DeletionResult:
    """Keep the thread, if the run that began the deletion is over. `read` is the session before `_resume`.

    `keeps_lock`: a lock that is found later does not count as housekeeping's.
    """
    if context.clock.now() - parse_iso(read.deletion.begun_at or "") < RUN_OVER_AFTER:
        return DeletionResult.UNDER_WAY
    await context.store.deletions.cancel(resumed, keeps_lock=keeps_lock)
    return DeletionResult.KEPT
