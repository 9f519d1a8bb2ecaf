"""Close a session: its thread is archived, and locked if that is wanted; the record says who closed it, when and why.

    begin     on record: who, why, whether to lock        `store.closes.begin`
    announce  the message in the thread, then its id on record
    show      the card above the thread                   best effort
    archive   and lock, in one request
    finish    open → closed, on condition that the close is the one that was begun   `store.sessions.update`

Why the record comes first: a lock is known as ours before it is placed, so whatever dies, an open lifts it. Who meets a
close that has begun goes on with it, from the record: another closer, a repeat, and after some minutes the reconciler.

An open needs no thread that is archived, so it waits for no close: its write ends one that it meets. The closer then
loses `finish`, and opens the thread again. If it has died, the thread is archived and the session open, as if Discord
had archived it: the next open reopens it, and lifts the lock.

A close of a thread that is deleted ends nothing: that takes evidence (`threads.generation`). Housekeeping cannot begin
to delete the thread while a close is under way, because the close has cleared its mark.
"""

import contextlib
from typing import Final, NoReturn

from handler.discord import permissions, refusals
from handler.discord.models import Channel
from handler.errors import (
    DiscordRefused,
    DiscordUnavailable,
    MissingPermissions,
    OnethreadError,
    RefusedByAutoMod,
    SessionNotFound,
    ThreadLocked,
)
from handler.runtime.clock import parse_iso
from handler.sessions.context import Context
from handler.sessions.model import Requester
from handler.sessions.threads.card import show_card
from handler.sessions.threads.deletion import STILL_DELETING
from handler.sessions.threads.locks import is_ours, may_unlock
from handler.sessions.threads.once import post_once
from handler.sessions.threads.record import thread_attributes
from handler.sessions.threads.requests import fetch_thread
from handler.sessions.threads.source_message import A_PROGRAM, close_nonce, describe_close, is_stale
from handler.store.items import Session, Status

OPENED: Final = "Somebody has opened the session meanwhile"


async def close(
    context: Context, session: Session, requester: Requester, *, lock: bool = False, reason: str | None = None
) -> Session:
    """The session, closed; or open, if somebody has opened it since.

    Raises SessionNotFound, ThreadLocked, MissingPermissions, RefusedByAutoMod and DiscordUnavailable; then it is open.
    """
    return await finish_close(context, await begin_close(context, session, requester, lock=lock, reason=reason))


async def begin_close(
    context: Context, session: Session, requester: Requester, *, lock: bool = False, reason: str | None = None
) -> Session:
    """The session whose close has begun and is announced, for `finish_close`; or as it is, if there is nothing to do.

    That is if it is closed already, or if this very request closed it before and somebody has opened it since.
    """
    if session.closing.begun_at is None:
        thread = await _find_thread(context, session)
        if session.status is Status.CLOSED and thread.archived and (thread.locked or not lock):
            return session
        await _check(context, session, thread, requester)
        if thread.locked and not is_ours(session, thread, context.application_id):
            lock = False  # the thread stays locked, and the lock stays its moderator's
        session = await _begin(context, session, requester, lock=lock, reason=reason)
    return await _announce(context, session)


async def finish_close(context: Context, session: Session) -> Session:
    """Archive the thread of a session whose close has begun, and close it. May be repeated by anyone."""
    if session.closing.begun_at is None:
        return session
    now = await show_card(context, await _announce(context, session))
    if now.closing.begun_at != session.closing.begun_at:
        return await _accept_lost(context, session, now)
    session, thread = now, await _find_thread(context, session)
    if not thread.archived or (session.closing.lock and not thread.locked):
        thread = await _archive(context, session, thread)
    changes = {
        **thread_attributes(thread, context.clock.now()),
        "status": Status.CLOSED,
        "closed_at": session.closing.begun_at,
        "closing_at": None,
    }
    changes |= {"locked_by": context.application_id} if session.closing.lock else {}
    changes |= {"watch_guild_id": session.guild_id} if is_stale(session) else {}
    write = await context.store.sessions.update(session, changes)
    if not write.won:
        return await _accept_lost(context, session, write.session)
    if "watch_guild_id" in changes and not is_stale(write.mine):  # somebody else has just edited the message
        return (await context.store.cards.unwatch(write.mine)).mine
    return write.mine


async def resume_close(context: Context, session: Session) -> Session:
    """Finish a close that was left. Raises what `close` raises."""
    if session.closing.lock:
        write = await context.store.closes.resume(session, now=context.clock.now())
        if not write.won:
            return _still_there(session, write.session)
        session = write.mine
    return await finish_close(context, session)


async def _check(context: Context, session: Session, thread: Channel, requester: Requester) -> None:
    """Raise, with nothing changed, if the thread cannot be closed, or not by this requester."""
    if thread.locked:
        settings = context.settings_of(await context.store.channels.get(session.parent_channel_id))
        if not may_unlock(session, thread, requester, settings.unlock, context.application_id):
            raise ThreadLocked(message=refusals.LOCKED_BY_MODERATOR)
    granted = requester.app_permissions
    if granted is not None and (missing := permissions.missing(granted, refusals.NEEDED_TO_CLOSE)):
        raise MissingPermissions(missing)


async def _begin(
    context: Context, session: Session, requester: Requester, *, lock: bool, reason: str | None
) -> Session:
    write = await context.store.closes.begin(
        session,
        request=requester.owner,
        closed_by=requester.user_id or requester.label or A_PROGRAM,
        reason=reason,
        lock=lock,
        now=context.clock.now(),
    )
    return write.mine if write.won else _still_there(session, write.session)


def _still_there(read: Session, now: Session | None) -> Session:
    """The session as it is after a lost write. Raises if there is nothing to close."""
    if now is None or now.discord_thread_id != read.discord_thread_id:
        raise SessionNotFound("its thread has gone", message=refusals.THREAD_GONE)
    if now.deletion.begun_at is not None:
        raise DiscordUnavailable("a deletion is under way", message=STILL_DELETING)
    return now


async def _find_thread(context: Context, session: Session) -> Channel:
    thread = await fetch_thread(context, session)
    if thread is None:
        raise SessionNotFound("its thread is unknown", message=refusals.THREAD_GONE)
    return thread


# The message in the thread.


async def _announce(context: Context, session: Session) -> Session:
    """Say in the thread that it is closed, once."""
    if session.closing.begun_at is None or session.closing.message_id is not None:
        return session
    thread = await _find_thread(context, session)
    try:
        message_id = await _post(context, session, thread)
    except DiscordRefused as refusal:
        if refusal.code == refusals.UNKNOWN_MESSAGE:
            return session  # it was posted, and somebody has deleted it
        await _give_up(context, session, refusal)
    write = await context.store.closes.set_message(session, message_id)
    return write.mine if write.won else _still_there(session, write.session)


async def _post(context: Context, session: Session, thread: Channel) -> str:
    if thread.archived and thread.locked:  # no message opens it
        await context.discord.change_thread(thread.id, archived=False, reason=_reason(session))
    body = describe_close(session)
    message = await post_once(
        context,
        thread.id,
        body,
        nonce=close_nonce(session),
        since=parse_iso(session.closing.begun_at or ""),
        is_it=lambda message: message.content == body["content"],
    )
    return message.id


def _reason(session: Session) -> str:
    """What the server's audit log says."""
    return f"Closed by {session.closing.closed_by} (session {session.session_key})"


# The end.


async def _archive(context: Context, session: Session, thread: Channel) -> Channel:
    locked = True if session.closing.lock and not thread.locked else None
    change = context.discord.change_thread
    try:
        if thread.archived:  # it cannot be locked before it is opened
            await change(thread.id, archived=False, reason=_reason(session))
        return await change(thread.id, archived=True, locked=locked, reason=_reason(session))
    except DiscordRefused as refusal:
        await _give_up(context, session, refusal)


async def _give_up(context: Context, session: Session, refusal: DiscordRefused) -> NoReturn:
    """The session stays open, because Discord refuses: raise what that means."""
    await context.store.closes.give_up(session)
    if refusal.code == refusals.UNKNOWN_CHANNEL:
        raise SessionNotFound("its thread is unknown", message=refusals.THREAD_GONE) from refusal
    if refusals.refuses_words(refusal):
        raise RefusedByAutoMod(str(refusal), message=refusals.REASON_REFUSED) from refusal
    refusals.raise_translation(refusal, refusals.NEEDED_TO_CLOSE)


async def _accept_lost(context: Context, session: Session, now: Session | None) -> Session:
    """What the session is if it was not ours to finish the close. If somebody has opened it, the thread is opened again."""
    now = _still_there(session, now)
    if now.closing.closed_at == session.closing.begun_at:  # another closer was first, or our write was repeated
        return now
    if now.status is Status.OPEN and now.closing.begun_at is None:
        with contextlib.suppress(OnethreadError):  # the next open does it, too
            locked = False if session.closing.lock else None
            await context.discord.change_thread(now.thread_id or "", archived=False, locked=locked, reason=OPENED)
        now = await show_card(context, now)
    return now
