"""The part of the reconciler that does what `housekeeping` says. Every action may be repeated, and left anywhere.

Counted are the actions by their names (`Archive`, `Close`, `Mark`, `Unmark`, `Delete`, `FinishDeletion`, `ReleaseLock`, `Reopen`), those
that somebody else was quicker than (`housekeeping_lost`), those that failed (`housekeeping_failed`), and `keep_off`, where
sessions are to be kept and the audit log may not be read.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from handler.discord import snowflakes
from handler.discord.models import Channel
from handler.discord.rest import PAGE_SIZE
from handler.errors import (
    BotTokenRefused,
    ChannelGone,
    DiscordRefused,
    Forbidden,
    MissingAccess,
    MissingPermissions,
    OnethreadError,
    RateLimited,
    StoreUnavailable,
)
from handler.runtime import telemetry
from handler.sessions.context import Context
from handler.sessions.reconcile import housekeeping
from handler.sessions.reconcile.actions import Observation
from handler.sessions.reconcile.audit_log import audit_pages
from handler.sessions.reconcile.housekeeping import (
    AUDIT_MARGIN,
    Archive,
    Close,
    Delete,
    FinishDeletion,
    HousekeepingAction,
    HousekeepingSettings,
    Mark,
    ReleaseLock,
    Reopen,
    Unmark,
)
from handler.sessions.reconcile.pace import Pace
from handler.sessions.threads import deletion
from handler.sessions.threads.deletion import DeletionResult
from handler.sessions.threads.record import differences, last_message
from handler.store.items import Session, Status

DELETION_REQUESTS: Final = 15  # of a deletion, at most, where the archived threads are one page
MAX_AUDIT_PAGES: Final = 5  # 500 entries within the two minutes around one archiving: more is a raid
REFUSALS: Final = (ChannelGone, Forbidden, MissingAccess, MissingPermissions)  # of a channel, not of one thread
IDLE: Final = "Onethread: idle for the time set in IdleArchiveHours"
OVER: Final = "Onethread: no activity for the time set in DeleteAfterDays"
KEPT: Final = "Onethread: this session is kept open"
IN_USE: Final = "Onethread: it was used meanwhile"


async def apply_housekeeping(
    context: Context, observation: Observation, kept: Sequence[Reopen], settings: HousekeepingSettings, pace: Pace
) -> Counter[str]:
    """Carry it out. Raises what would go wrong with the rest, too: BotTokenRefused, RateLimited, StoreUnavailable."""
    counts: Counter[str] = Counter()
    if observation.audit is None and any(session.keep for session in observation.sessions):
        counts["keep_off"] = 1
        telemetry.logger.warning("sessions are to be kept open; that is off, because the bot lacks View Audit Log")
    refused: set[str] = set()  # channels in which the rest would fare no better
    for action in (*kept, *await _confirmed(context, observation, settings)):
        if action.session.parent_channel_id in refused:
            continue
        await pace(DELETION_REQUESTS if isinstance(action, Delete | FinishDeletion) else 1)
        try:
            done = await _do(context, action, pace)
        except (BotTokenRefused, RateLimited, StoreUnavailable):
            raise
        except OnethreadError as error:
            counts["housekeeping_failed"] += 1
            telemetry.logger.warning("a action of housekeeping failed", extra={"detail": str(error)})
            await context.store.deletions.postpone(
                action.session, now=context.clock.now()
            )  # the others are to have their turn, too
            if isinstance(error, REFUSALS):
                refused.add(action.session.parent_channel_id)
        else:
            counts[type(action).__name__ if done else "housekeeping_lost"] += 1
    return counts


async def _confirmed(
    context: Context, observation: Observation, settings: HousekeepingSettings
) -> tuple[HousekeepingAction, ...]:
    """The actions, over the records as they are now."""
    concerned = {action.session.pair for action in housekeeping.plan_housekeeping(observation, settings)}
    if not concerned:
        return ()
    fresh = await context.store.sessions.get_many(concerned)
    return housekeeping.plan_housekeeping(replace(observation, sessions=tuple(fresh.values())), settings)


async def _do(context: Context, action: HousekeepingAction, pace: Pace) -> bool:
    """Whether it was done: False, if somebody else was quicker, or it is to be finished later."""
    now = context.clock.now()
    match action:
        case Archive(session=session, thread=thread):
            return await _archive(context, session, thread, session.status, IDLE)
        case Close(session=session, thread=thread):
            return await _archive(context, session, thread, Status.CLOSED, OVER)
        case Mark(session=session, thread=thread):
            return (await context.store.deletions.mark(session, last_message(thread), now=now)).won
        case Unmark(session=session):
            return await deletion.unmark(context, session)
        case Delete(session=session):
            return await deletion.delete_marked(context, session) is DeletionResult.DONE
        case FinishDeletion(session=session):
            return await deletion.finish(context, session) is DeletionResult.DONE
        case ReleaseLock(session=session):
            await deletion.release_lock(context, session)
            return True
        case Reopen():
            return await _keep(context, action, pace)
        case _:
            raise ValueError(f"unknown action {action!r}")


async def _archive(context: Context, session: Session, thread: Channel, status: Status, reason: str) -> bool:
    """Archive the thread, unless a message has just come, and write it down."""
    if not thread.archived:
        before = last_message(thread)
        thread = await context.discord.change_thread(thread.id, archived=True, reason=reason)
        if last_message(thread) != before:
            await context.discord.change_thread(thread.id, archived=False, reason=IN_USE)
            return False
    changes = differences(session, thread, status, context.clock.now())
    if not changes:
        return True
    write = await context.store.sessions.update(session, changes, as_read=True)
    if not write.won and write.session is not None and write.session.opened_at != session.opened_at:
        await context.discord.change_thread(
            thread.id, archived=False, reason=IN_USE
        )  # somebody was led there meanwhile
    return write.won


async def _keep(context: Context, action: Reopen, pace: Pace) -> bool:
    """Open the thread again, unless a person archived it, or it cannot be opened: then that is written down."""
    session, thread = action.session, action.thread
    if not await _by_a_person(context, session.guild_id, thread, pace):
        try:
            thread = await context.discord.change_thread(thread.id, archived=False, reason=KEPT)
        except DiscordRefused as refusal:
            telemetry.logger.warning("a kept session could not be opened again", extra={"detail": str(refusal)})
        else:
            changes = differences(session, thread, session.status, context.clock.now())
            return not changes or (await context.store.sessions.update(session, changes, as_read=True)).won
    await context.store.sessions.update(session, action.changes, as_read=True)
    return False


async def _by_a_person(context: Context, guild_id: str, thread: Channel, pace: Pace) -> bool:
    """Whether the audit log tells who archived the thread; True also where it does not let itself be read to its end."""
    if thread.archive_time is None:
        return True
    after = snowflakes.lowest_at(thread.archive_time - AUDIT_MARGIN)
    pages = 0
    await pace()
    try:
        async for page in audit_pages(context, guild_id, after=after, pace=pace):
            pages += 1
            if housekeeping.archived_by_a_person(page, thread):
                return True
            if any(snowflakes.time_of(entry.id) > thread.archive_time + AUDIT_MARGIN for entry in page):
                return False
            if pages == MAX_AUDIT_PAGES and len(page) == PAGE_SIZE:
                return True
    except Forbidden:
        return True
    return False
