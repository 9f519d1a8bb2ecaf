"""Apply: do what a plan says, each action on condition that what it rests on has not changed."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from handler.errors import ChannelGone, MissingAccess, MissingPermissions, OnethreadError, TryAgain
from handler.runtime import telemetry
from handler.sessions.context import Context
from handler.sessions.reconcile import actions
from handler.sessions.reconcile.actions import Action
from handler.sessions.reconcile.changes import (
    changes_from_thread,
    changes_of_held,
    changes_out_of_reach,
    changes_to_ask_again,
)
from handler.sessions.reconcile.pace import Pace
from handler.sessions.reconcile.result import ActionResult, log_action, result_of, try_one, update_session
from handler.sessions.reconcile.watermark import advance_watermark
from handler.sessions.threads.generation import Ended, commit, end_generation
from handler.sessions.threads.match import is_public_thread
from handler.sessions.threads.members import remove_without_role
from handler.sessions.threads.namesakes import add_namesake
from handler.sessions.threads.settle import settle

REMOVAL_REQUESTS: Final = 2  # the member's roles, and the removal
MAX_END_REQUESTS: Final = 10  # of an end whose archived threads are one page: two looks and a message


async def apply_plan(context: Context, planned: Iterable[Action], now: datetime, pace: Pace) -> Counter[str]:
    """Apply these actions; return their counts. What is `failed` or `lost` is left to the next run."""
    counts: Counter[str] = Counter()
    for action in planned:
        result = await try_one(_apply(context, action, now, pace))
        log_action(action, result)
        if isinstance(result, OnethreadError):
            counts["failed"] += 1
            telemetry.logger.warning("an action of the reconciler failed", extra={"detail": str(result)})
            if isinstance(action, actions.RemoveMember) and isinstance(result, TryAgain):
                counts["lost"] += 1  # the audit log is read again from where it was
            if isinstance(action, actions.UpdateSession | actions.EndGeneration | actions.HoldDeletion):
                # The audit log has it only once: have the next run come back to it.
                await try_one(context.store.sessions.update(action.session, changes_to_ask_again(action.session, now)))
        else:
            counts[type(action).__name__ if result is ActionResult.DONE else result.value] += 1
    return counts


async def _apply(context: Context, action: Action, now: datetime, pace: Pace) -> ActionResult:
    match action:
        case actions.EndGeneration():
            return await _end(context, action, now, pace)
        case actions.UpdateSession(session=session, changes=changes):
            return await update_session(context, session, changes)
        case actions.HoldDeletion(session=session):
            return await update_session(context, session, changes_of_held(session, now))
        case actions.Commit(session=session, thread=thread):
            return result_of(await commit(context, session, thread))
        case actions.DropClaim(session=session):
            return result_of(await context.store.claims.drop(session, now=now))
        case actions.MoveToEnd(session=session):
            await context.store.deletions.postpone(session, now=now)
        case actions.AdvanceWatermark(parent_channel_id=channel_id):
            await advance_watermark(context, channel_id, pace)
        case (
            actions.ParkChannel(channel_id=channel_id, changes=changes)
            | actions.UnparkChannel(channel_id=channel_id, changes=changes)
        ):
            await context.store.channels.update(channel_id, changes)
        case actions.Settle() | actions.RemoveMember():
            await _change_thread(context, action, pace)
        case _:
            await _change_namesake(context, action)
    return ActionResult.DONE


async def _end(context: Context, action: actions.EndGeneration, now: datetime, pace: Pace) -> ActionResult:
    """End the generation, with the evidence. A parent that cannot be read or is gone is no evidence: keep the session."""
    session = action.session
    await pace(MAX_END_REQUESTS)
    try:
        end = await end_generation(context, session)
    except (ChannelGone, MissingAccess, MissingPermissions) as error:
        telemetry.logger.warning("a thread is gone, but its channel cannot be read", extra={"detail": str(error)})
        changes = changes_out_of_reach(session, now, checks_archived=action.checks_archived)
        return await update_session(context, session, changes, ActionResult.OUT_OF_REACH)
    if isinstance(end, Ended):
        return ActionResult.DONE
    if session.discord_thread_id is None:
        return result_of(await commit(context, session, end.thread), ActionResult.FOUND)
    changes = changes_from_thread(session, end.thread, now)
    return await update_session(context, session, changes, ActionResult.FOUND)


async def _change_thread(context: Context, action: actions.Settle | actions.RemoveMember, pace: Pace) -> None:
    if isinstance(action, actions.Settle):
        await _settle(context, action)
        return
    await pace(REMOVAL_REQUESTS)
    await remove_without_role(context, action.session, action.user_id)


async def _settle(context: Context, action: actions.Settle) -> None:
    channel = await context.store.channels.get(action.parent_channel_id)
    if channel is not None:
        await settle(context, channel, action.threads)
        return
    # No session was ever opened there. As namesakes, the threads are known to the next run and to the first opener.
    for thread in action.threads:
        key, guild_id = context.names.session_key_of(thread.name), thread.guild_id
        if key is not None and guild_id is not None and is_public_thread(thread):
            ids = action.parent_channel_id, key, thread.id
            await context.store.namesakes.add(*ids, guild_id=guild_id, active=True)


async def _change_namesake(
    context: Context, action: actions.AddNamesake | actions.RemoveNamesake | actions.UnwatchNamesake
) -> None:
    if isinstance(action, actions.AddNamesake):
        await add_namesake(context, action.session, action.session_key, action.thread)
        return
    ids = action.namesake.parent_channel_id, action.namesake.session_key, action.namesake.thread_id
    if isinstance(action, actions.RemoveNamesake):
        await context.store.namesakes.remove(*ids)
    else:
        await context.store.namesakes.add(*ids, guild_id="", active=False)
