"""Reuse the session's thread. One GET; one PATCH if it is archived or its lock may be lifted; then the link."""

import contextlib
from functools import partial
from typing import Final

import msgspec

from handler.discord import permissions, refusals
from handler.discord.models import Channel
from handler.discord.snowflakes import is_snowflake
from handler.errors import (
    ArchivedByModerator,
    DiscordRefused,
    DiscordUnavailable,
    MissingPermissions,
    NotFound,
    OnethreadError,
    ThreadLocked,
)
from handler.runtime.concurrency import gather
from handler.runtime.deadline import run_for
from handler.sessions.context import Context
from handler.sessions.model import Opened, Outcome, StartOver
from handler.sessions.opening import rights
from handler.sessions.opening.capacity import with_room
from handler.sessions.opening.next_step import outcome
from handler.sessions.opening.opener import Opener
from handler.sessions.opening.people import add_people
from handler.sessions.threads.archiving import archived_by_somebody_else
from handler.sessions.threads.card import show_topic
from handler.sessions.threads.deletion import finish_for_opener
from handler.sessions.threads.generation import Ended, StillThere, end_generation
from handler.sessions.threads.locks import may_unlock
from handler.sessions.threads.namesakes import add_namesake
from handler.sessions.threads.record import changes_with_trace, differences, with_last_activity
from handler.sessions.threads.requests import fetch_thread
from handler.store.items import Session, Status
from handler.store.parts import Closing

INVITE_SECONDS: Final = 1.0  # no answer waits longer for it: a hanging one would cost the answer in time


async def reuse(opener: Opener, session: Session) -> Opened | StartOver:
    """Link the thread on record, usable.

    Raises ThreadLocked, with what was found, if it is locked and the requester may not unlock it.
    """
    assert session.discord_thread_id is not None  # noqa: S101 - callers branch on the status
    if session.deletion.begun_at is not None:  # housekeeping began to delete the thread: finish it
        if await finish_for_opener(opener.context, session):
            opener.after_deletion = True
        return StartOver.DELETION_FINISHED
    thread = await fetch_thread(opener.context, session)
    if thread is None:
        end = await _end_generation(opener, session)
        if isinstance(end, Ended):
            return StartOver.GENERATION_ENDED
        thread = end.thread
    return await make_usable(opener, session, thread)


async def make_usable(
    opener: Opener, session: Session, thread: Channel, *, adopted: bool = False
) -> Opened | StartOver:
    """Unarchive and unlock the thread as far as needed and allowed, update the record, and answer."""
    context, requester = opener.context, opener.request.requester
    if thread.locked or thread.archived:
        settings = await opener.settings(session.parent_channel_id)
        if thread.locked and not may_unlock(session, thread, requester, settings.unlock, context.application_id):
            return await _refuse_locked(opener, session, thread, adopted=adopted)
        if thread.archived:
            rights.require_reopening(opener.request, settings.open, thread.id)
            await _respect_archiving(opener, session, thread)
    unlocked, reopened = thread.locked, thread.archived or thread.locked
    if reopened:
        try:
            thread = await _unarchive(opener, session, thread)
        except NotFound as missing:
            refusals.raise_unless_gone(missing)
            if isinstance(await _end_generation(opener, session), Ended):
                return StartOver.GENERATION_ENDED
            raise DiscordUnavailable(str(missing)) from missing
    update = _update_and_wake(context, session, thread, adopted=adopted)
    if session.private:
        recorded, _ = await gather(update, add_people(opener, session, thread))
    elif reopened or adopted:
        recorded, _ = await gather(update, invite(opener, thread))
    else:
        recorded = await update
    if isinstance(recorded, StartOver):
        return recorded
    recorded = await show_topic(context, recorded, opener.request.topic)
    how = outcome(recorded, owner=opener.owner, adopted=adopted, reopened=reopened)
    return _opened(opener, recorded, thread, how, unlocked=unlocked)


async def _respect_archiving(opener: Opener, session: Session, thread: Channel) -> None:
    """Raise ArchivedByModerator if a person archived the thread, and the request is to leave it alone then."""
    context, closed_by = opener.context, session.closing.closed_by
    if not opener.request.respects_archiving:
        return
    by_command = session.status is Status.CLOSED and closed_by is not None and is_snowflake(closed_by)
    if by_command or await archived_by_somebody_else(context, session.guild_id, thread):
        found = msgspec.structs.replace(session.thread, archived=True)  # the record may be older
        session = msgspec.structs.replace(session, thread=found)
        raise ArchivedByModerator(_opened(opener, session, thread, Outcome.REUSED))


async def _refuse_locked(opener: Opener, session: Session, thread: Channel, *, adopted: bool) -> StartOver:
    """Raise ThreadLocked, unless the session has changed."""
    recorded = await _update_record(opener.context, session, thread, session.status)
    if isinstance(recorded, StartOver):
        return recorded
    if recorded.deletion.locking_at is not None and session.deletion.locking_at is None:
        return StartOver.WRITE_LOST  # the lock is housekeeping's, not a moderator's
    raise ThreadLocked(_opened(opener, recorded, thread, outcome(recorded, owner=opener.owner, adopted=adopted)))


async def invite(opener: Opener, thread: Channel) -> None:
    """Add the requester to the thread, so that it is in their list. Best effort: the link works without it."""
    context, user_id = opener.context, opener.request.requester.user_id
    if user_id is not None:
        with contextlib.suppress(OnethreadError):
            await run_for(context.clock, INVITE_SECONDS, context.discord.add_thread_member(thread.id, user_id))


async def _end_generation(opener: Opener, session: Session) -> Ended | StillThere:
    """Raises NotAllowed, with nothing changed, for who may not have the next thread started."""
    if opener.request.requester.user_permissions is not None:
        channel = await opener.context.store.channels.get(session.parent_channel_id)
        kind = None if channel is None else channel.kind
        rights.require_starting(opener.request, opener.context.settings_of(channel).open, kind)
    end = await end_generation(opener.context, session)
    if isinstance(end, Ended):
        opener.after_deletion = True
    return end


async def _unarchive(opener: Opener, session: Session, thread: Channel) -> Channel:
    """Unarchive and unlock in one PATCH: an archived thread can be changed only in a request that unarchives it."""
    needs = refusals.NEEDED_TO_UNLOCK if thread.locked else refusals.NEEDED_TO_UNARCHIVE
    granted = opener.request.requester.app_permissions
    if granted is not None and (missing := permissions.missing(granted, needs)):
        raise MissingPermissions(missing)
    locked, discord = False if thread.locked else None, opener.context.discord
    try:
        unarchive = partial(discord.change_thread, thread.id, archived=False, locked=locked, reason=opener.reason)
        return await with_room(opener, session.guild_id, unarchive)
    except NotFound:
        raise
    except DiscordRefused as refusal:
        if refusal.code == refusals.THREAD_LOCKED:  # by somebody else, since it was read
            raise ThreadLocked(_opened(opener, session, thread, Outcome.REUSED)) from refusal
        refusals.raise_translation(refusal, needs)


async def _update_record(context: Context, session: Session, thread: Channel, status: Status) -> Session | StartOver:
    """The session, its record up to date. WRITE_LOST: it has another thread now, or none."""
    now = context.clock.now()
    found = differences(session, thread, status, now)
    if status is Status.OPEN and session.closing.begun_at is not None:  # the open comes after that close, and ends it
        found |= dict.fromkeys(Closing.UNTIL_REOPENED)
    changes = changes_with_trace(session, thread, found, now, context.trace_after)
    if not changes:
        return session
    if thread.name != session.thread.name:  # before the update: once the name is on record, it is not new any more
        key = context.names.session_key_of(thread.name)
        if key is not None and key != session.session_key:
            await add_namesake(context, session, key, thread)
    write = await context.store.sessions.update(session, changes)
    return write.mine if write.won else StartOver.WRITE_LOST


async def _update_and_wake(
    context: Context, session: Session, thread: Channel, *, adopted: bool
) -> Session | StartOver:
    recorded = await _update_record(context, session, thread, Status.OPEN)
    # A guild that is parked has all its active sessions flagged: using another one need not wake it.
    if adopted or session.thread.archived or session.problem.unreachable_since is not None:
        await wake_guild(context, session.guild_id)
    return recorded


async def wake_guild(context: Context, guild_id: str) -> None:
    """The guild is in use: a reconciler that has parked it comes back at once. Best effort.

    Called after the write that it goes with, beside the invitation, so that no answer waits for it.
    """
    with contextlib.suppress(OnethreadError):
        await context.store.guilds.make_due(guild_id, now=context.clock.now())


def _opened(opener: Opener, session: Session, thread: Channel, how: Outcome, *, unlocked: bool = False) -> Opened:
    return Opened(
        outcome=how,
        session=with_last_activity(session, thread),
        requested_key=opener.request.name.key,
        unlocked=unlocked,
        after_deletion=opener.after_deletion,
        waited=opener.waited,
    )
