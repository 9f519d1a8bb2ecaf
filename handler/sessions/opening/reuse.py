"""Reuse: the session has its thread. One GET; one PATCH if it is archived or its lock may be lifted; then the link."""

import contextlib
from typing import Final

from handler.discord import permissions, refusals
from handler.discord.models import Channel
from handler.errors import (
    DiscordRefused,
    DiscordUnavailable,
    MissingPermissions,
    NotFound,
    OnethreadError,
    ThreadLocked,
)
from handler.runtime.concurrency import gather
from handler.runtime.deadline import Deadline, run_until
from handler.sessions.context import Context, OpenHistory
from handler.sessions.model import Opened, OpenRequest, Requester
from handler.sessions.opening.next_step import outcome
from handler.sessions.threads.deletion import finish_for_opener
from handler.sessions.threads.generation import end_generation
from handler.sessions.threads.locks import may_unlock
from handler.sessions.threads.record import changes_with_trace, differences, with_last_activity
from handler.sessions.threads.requests import translate_refusals
from handler.store.items import Session, Status

INVITE_SECONDS: Final = 1.0  # no answer waits longer for it: a hanging one would cost the answer in time


async def reuse(context: Context, session: Session, request: OpenRequest, history: OpenHistory) -> Opened | None:
    """Link the thread on record, usable. None: it was deleted, or the session went on: read it again.

    Raises ThreadLocked, with what was found, when it is locked and the requester may not unlock it.
    """
    assert session.discord_thread_id is not None  # noqa: S101 - callers branch on the status
    if session.deletion.begun_at is not None:  # housekeeping began, and whoever comes by finishes
        history.anew = await finish_for_opener(context, session) or history.anew
        return None
    question = context.discord.channel_or_none(session.discord_thread_id)
    thread = await translate_refusals(context, session.parent_channel_id, question, ())
    if thread is None:
        thread = await _end_generation(context, session, history)
    if thread is None:
        return None
    return await make_usable(context, session, thread, request, history)


async def make_usable(
    context: Context,
    session: Session,
    thread: Channel,
    request: OpenRequest,
    history: OpenHistory,
    *,
    adopted: bool = False,
) -> Opened | None:
    """Unarchive and unlock as far as needed and allowed, write down what differs, and answer."""
    requester, unlocked, reopened = request.requester, False, False
    if thread.locked and not may_unlock(session, thread, requester, context.unlock_policy, context.application_id):
        recorded = await _write_down(context, session, thread, session.status)
        if recorded is None or (recorded.deletion.locking_at is not None and session.deletion.locking_at is None):
            return None  # read again: the session went on, or housekeeping locked the thread and no moderator
        raise ThreadLocked(_opened(context, recorded, thread, request, history, adopted=adopted))
    if thread.archived or thread.locked:
        unlocked, reopened = thread.locked, True
        try:
            thread = await _change(context, session, thread, requester)
        except NotFound as missing:
            refusals.raise_unless_gone(missing)
            if await _end_generation(context, session, history) is None:
                return None
            raise DiscordUnavailable(str(missing)) from missing
    writing = _write_down_in_use(context, session, thread, adopted=adopted)
    if reopened or adopted:
        recorded, _ = await gather(writing, invite(context, thread.id, requester))
    else:
        recorded = await writing
    if recorded is None:
        return None
    recorded = await _with_topic(context, recorded, request.topic)
    return _opened(context, recorded, thread, request, history, adopted=adopted, reopened=reopened, unlocked=unlocked)


async def invite(context: Context, thread_id: str, requester: Requester) -> None:
    """Add the requester to the thread, so that it shows in his list. Best effort: the link works without it."""
    if requester.user_id is not None:
        adding = context.discord.add_thread_member(thread_id, requester.user_id)
        with contextlib.suppress(OnethreadError):
            await run_until(context.clock, Deadline.after(context.clock.now(), INVITE_SECONDS), adding)


async def _end_generation(context: Context, session: Session, history: OpenHistory) -> Channel | None:
    found = await end_generation(context, session)
    history.anew = history.anew or found is None
    return found


async def _change(context: Context, session: Session, thread: Channel, requester: Requester) -> Channel:
    """The one PATCH: an archived thread can be changed only in a request that unarchives it."""
    needs = refusals.NEEDED_TO_UNLOCK if thread.locked else refusals.NEEDED_TO_UNARCHIVE
    if requester.app_permissions is not None:
        missing = permissions.missing(requester.app_permissions, needs)
        if missing:
            raise MissingPermissions(missing)
    question = context.discord.change_thread(
        thread.id, archived=False, locked=False if thread.locked else None, reason=f"Session {session.session_key}"
    )
    try:
        return await question
    except NotFound:
        raise
    except DiscordRefused as refusal:
        refusals.raise_translation(refusal, needs)


async def _write_down(context: Context, session: Session, thread: Channel, status: Status) -> Session | None:
    """Bring the record up to date, if it differs. None: the session has another thread by now."""
    now = context.clock.now()
    changes = changes_with_trace(session, thread, differences(session, thread, status, now), now, context.trace_after)
    if not changes:
        return session
    if thread.name != session.thread.name:  # first: once the name is on record, nobody sees that it is new
        await _note_new_name(context, session, thread)
    write = await context.store.sessions.update(session, changes)
    return write.session if write.won else None


async def _write_down_in_use(context: Context, session: Session, thread: Channel, *, adopted: bool) -> Session | None:
    recorded = await _write_down(context, session, thread, Status.OPEN)
    # A guild that is given up has all its active sessions marked: the use of another one needs no note.
    if adopted or session.thread.archived or session.problem.unreachable_since is not None:
        await note_use(context, session.guild_id)
    return recorded


async def note_use(context: Context, guild_id: str) -> None:
    """The guild is in use: a reconciler that gave it up for a while comes back at once. Best effort.

    After the write that it goes with, so that an answer waits for nobody: it is beside the invitation.
    """
    with contextlib.suppress(OnethreadError):
        await context.store.guilds.make_due(guild_id, now=context.clock.now())


async def _note_new_name(context: Context, session: Session, thread: Channel) -> None:
    """A name that reads as another session's own: who opens that one is led here, unless it has its own thread."""
    key = context.names.session_key_of(thread.name or "")
    if key is not None and key != session.session_key:
        await context.store.namesakes.add(
            session.parent_channel_id, key, thread.id, guild_id=session.guild_id, active=not thread.archived
        )


async def _with_topic(context: Context, session: Session, topic: str | None) -> Session:
    """The first topic given stays; a session without one takes this one."""
    if topic is None or session.topic is not None:
        return session
    write = await context.store.sessions.add_topic(session, topic)
    return write.mine if write.won else session


def _opened(
    context: Context,
    session: Session,
    thread: Channel,
    request: OpenRequest,
    history: OpenHistory,
    *,
    adopted: bool = False,
    reopened: bool = False,
    unlocked: bool = False,
) -> Opened:
    return Opened(
        outcome=outcome(session, owner=request.requester.owner, adopted=adopted, reopened=reopened),
        session=with_last_activity(session, thread),
        asked=request.name.key,
        unlocked=unlocked,
        anew=history.anew,
        waited=history.waited,
    )
