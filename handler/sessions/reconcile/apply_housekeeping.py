"""Apply housekeeping: do what `housekeeping` plans. Every action may be repeated, and abandoned anywhere."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from handler.discord import snowflakes
from handler.discord.models import AuditPage, Channel
from handler.discord.rest import PAGE_SIZE
from handler.errors import ChannelGone, DiscordRefused, Forbidden, MissingAccess, MissingPermissions, OnethreadError
from handler.runtime import telemetry
from handler.sessions.context import Context
from handler.sessions.reconcile import housekeeping
from handler.sessions.reconcile.audit_log import read_audit_pages
from handler.sessions.reconcile.housekeeping import HousekeepingAction, HousekeepingSettings, Reopen
from handler.sessions.reconcile.observation import Observation
from handler.sessions.reconcile.pace import Pace
from handler.sessions.reconcile.result import ActionResult, log_action, result_of, try_one, update_session
from handler.sessions.threads import deletion
from handler.sessions.threads.archiving import AUDIT_MARGIN, archive_unless_used, archived_by_a_person
from handler.sessions.threads.card import show_card
from handler.sessions.threads.close import resume_close
from handler.sessions.threads.deletion import DeletionResult
from handler.sessions.threads.record import differences, last_message
from handler.sessions.threads.source_message import is_stale
from handler.store.items import Status

MAX_DELETION_REQUESTS: Final = 15  # of a deletion whose archived threads are one page
MAX_AUDIT_PAGES: Final = 5  # 500 entries within the two minutes around one archiving: more is a raid
CHANNEL_REFUSALS: Final = (ChannelGone, Forbidden, MissingAccess, MissingPermissions)  # not of one thread alone
IDLE: Final = "Onethread: idle for the time set in IdleArchiveHours"
OVER: Final = "Onethread: no activity for the time set in DeleteAfterDays"
KEPT: Final = "Onethread: this session is kept open"
_DELETION_RESULTS: Final = {
    DeletionResult.DONE: ActionResult.DONE,
    DeletionResult.KEPT: ActionResult.LOST,
    DeletionResult.UNDER_WAY: ActionResult.LOST,  # a later run finishes it
}


async def apply_housekeeping(
    context: Context, observation: Observation, reopens: Sequence[Reopen], settings: HousekeepingSettings, pace: Pace
) -> Counter[str]:
    """Open kept sessions again, then plan and apply the rest; return the counts.

    Raises what would fail all the rest, too: BotTokenRefused, RateLimited, StoreUnavailable.
    """
    counts: Counter[str] = Counter()
    if observation.audit is None and any(session.stays_open for session in observation.sessions):
        counts["keep_off"] = 1
        telemetry.logger.warning("sessions are to be kept open; that is off, because the bot lacks View Audit Log")
    refused: set[str] = set()  # channels in which Discord would refuse the rest, too
    for action in (*reopens, *await _plan_confirmed(context, observation, settings)):
        if action.session.parent_channel_id in refused:
            continue
        deletes = isinstance(action, housekeeping.Delete | housekeeping.FinishDeletion)
        await pace(MAX_DELETION_REQUESTS if deletes else 1)
        result = await try_one(_apply(context, action, pace))
        log_action(action, result)
        if not isinstance(result, OnethreadError):
            counts[type(action).__name__ if result is ActionResult.DONE else f"housekeeping_{result}"] += 1
            continue
        counts["housekeeping_failed"] += 1
        telemetry.logger.warning("an action of housekeeping failed", extra={"detail": str(result)})
        # Let the others have their turn first.
        await try_one(context.store.deletions.postpone(action.session, now=context.clock.now()))
        if isinstance(result, CHANNEL_REFUSALS):
            refused.add(action.session.parent_channel_id)
    return counts


async def _plan_confirmed(
    context: Context, observation: Observation, settings: HousekeepingSettings
) -> tuple[HousekeepingAction, ...]:
    """Plan over the records as they are now, of the sessions that the observation has something to do about."""
    if settings.deletes and observation.sessions:
        observation = replace(observation, bot_user_id=await context.discord.current_user_id())
    pairs = {action.session.pair for action in housekeeping.plan_housekeeping(observation, settings)}
    fresh = await context.store.sessions.get_many(pairs)
    return housekeeping.plan_housekeeping(replace(observation, sessions=tuple(fresh.values())), settings)


async def _apply(context: Context, action: HousekeepingAction, pace: Pace) -> ActionResult:
    match action:
        case housekeeping.Archive(session=session, thread=thread):
            return _result_of(await archive_unless_used(context, session, thread, session.status, IDLE))
        case housekeeping.Close(session=session, thread=thread):
            return _result_of(await archive_unless_used(context, session, thread, Status.CLOSED, OVER))
        case housekeeping.FinishClose(session=session):
            await resume_close(context, session)
            return ActionResult.DONE
        case housekeeping.ShowCard(session=session):
            return ActionResult.LOST if is_stale(await show_card(context, session)) else ActionResult.DONE
        case Reopen():
            return await _reopen(context, action, pace)
        case _:
            return await _apply_deletion(context, action)


async def _apply_deletion(
    context: Context,
    action: housekeeping.Mark
    | housekeeping.Unmark
    | housekeeping.Delete
    | housekeeping.FinishDeletion
    | housekeeping.ReleaseLock,
) -> ActionResult:
    match action:
        case housekeeping.Mark(session=session, thread=thread):
            now = context.clock.now()
            return result_of(await context.store.deletions.mark(session, last_message(thread), now=now))
        case housekeeping.Unmark(session=session):
            return ActionResult.DONE if await deletion.unmark(context, session) else ActionResult.LOST
        case housekeeping.Delete(session=session):
            return _DELETION_RESULTS[await deletion.delete_marked(context, session)]
        case housekeeping.FinishDeletion(session=session):
            return _DELETION_RESULTS[await deletion.finish(context, session)]
        case housekeeping.ReleaseLock(session=session):
            await deletion.release_lock(context, session)
            return ActionResult.DONE
        case _:
            raise ValueError(f"unknown action {action!r}")


def _result_of(archived: bool) -> ActionResult:
    return ActionResult.DONE if archived else ActionResult.LOST


async def _reopen(context: Context, action: Reopen, pace: Pace) -> ActionResult:
    """Open the thread again. If a person archived it, or Discord refuses, write that it is archived."""
    session, thread = action.session, action.thread
    if not await _was_archived_by_a_person(context, session.guild_id, thread, pace):
        try:
            thread = await context.discord.change_thread(thread.id, archived=False, reason=KEPT)
        except DiscordRefused as refusal:
            telemetry.logger.warning("a kept session could not be opened again", extra={"detail": str(refusal)})
        else:
            changes = differences(session, thread, session.status, context.clock.now())
            return await update_session(context, session, changes)
    await context.store.sessions.update(session, action.changes, as_read=True)
    return ActionResult.LOST


async def _was_archived_by_a_person(context: Context, guild_id: str, thread: Channel, pace: Pace) -> bool:
    """Whether the audit log says who archived the thread. True also if the log cannot be read to its end."""
    if thread.archive_time is None:
        return True
    after = snowflakes.lowest_at(thread.archive_time - AUDIT_MARGIN)
    page = AuditPage(())
    await pace()
    try:
        async for page in read_audit_pages(context, guild_id, after=after, max_pages=MAX_AUDIT_PAGES, pace=pace):
            if archived_by_a_person(page.entries, thread):
                return True
            if page.last_id is not None and snowflakes.time_of(page.last_id) > thread.archive_time + AUDIT_MARGIN:
                return False
    except Forbidden:
        return True
    return page.size == PAGE_SIZE
