"""The part of the reconciler that does what a plan says, each action on condition that what it rests on is still so."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from handler.errors import (
    BotTokenRefused,
    ChannelGone,
    MissingAccess,
    MissingPermissions,
    OnethreadError,
    RateLimited,
    StoreUnavailable,
)
from handler.runtime import telemetry
from handler.runtime.clock import iso
from handler.sessions.context import Context
from handler.sessions.reconcile import actions, plan
from handler.sessions.reconcile.actions import Action, Plan
from handler.sessions.reconcile.pace import Pace
from handler.sessions.reconcile.watermark import advance_watermark
from handler.sessions.threads.generation import Ended, commit, end_generation
from handler.sessions.threads.settle import settle
from handler.store.items import Session

ENDING_REQUESTS: Final = 10  # of an end, at most, where the archived threads are one page: two looks and a message


async def apply_plan(context: Context, made: Plan, now: datetime, pace: Pace) -> Counter[str]:
    """Do it all; counts by name of the action. What fails is counted as `failed`, a write whose condition did not hold any
    more as `lost`; both are left to the next run.

    An `EndGeneration` without the evidence is counted as what it came to: `OutOfReach`, or `Found`, where the thread lives.
    """
    counts: Counter[str] = Counter()
    for action in made.actions:
        try:
            done = await _do(context, action, now, pace)
        except (BotTokenRefused, RateLimited, StoreUnavailable):
            raise  # the rest would fare no better
        except OnethreadError as error:
            counts["failed"] += 1
            telemetry.logger.warning("a action of the reconciler failed", extra={"detail": str(error)})
            await _left(context, action, now)
        else:
            counts[done or "lost"] += 1
    return counts


async def _left(context: Context, action: Action, now: datetime) -> None:
    """See to it that the next run comes back to what failed, for the audit log tells of it only once."""
    if isinstance(action, actions.UpdateSession | actions.EndGeneration | actions.HoldDeletion):
        await context.store.sessions.update(action.session, plan.again(action.session, now))


async def _do(context: Context, action: Action, now: datetime, pace: Pace) -> str | None:
    """What was done; None, if somebody else was quicker."""
    if isinstance(action, actions.EndGeneration):
        return await _end(context, action, now, pace)
    return type(action).__name__ if await _done(context, action, now, pace) else None


async def _done(context: Context, action: Action, now: datetime, pace: Pace) -> bool:
    match action:
        case actions.UpdateSession(session=session, changes=changes):
            return await _write(context, session, changes)
        case actions.MoveToEnd(session=session):
            await context.store.sessions.update(session, {"due_at": iso(now)})
        case actions.Commit(session=session, thread=thread):
            return (await commit(context, session, thread)).won
        case actions.DropClaim(session=session):
            return (await context.store.claims.drop(session, now=now)).won
        case actions.HoldDeletion(session=session):
            return session.problem.missing_since is not None or await _write(
                context, session, plan.missing(session, now)
            )
        case actions.Settle():
            await _settle(context, action)
        case actions.AddNamesake() | actions.RemoveNamesake() | actions.UnwatchNamesake():
            await _namesake(context, action)
        case actions.AdvanceWatermark(parent_channel_id=channel_id):
            await advance_watermark(context, channel_id, pace)
        case _:
            raise ValueError(f"unknown action {action!r}")
    return True


async def _end(context: Context, action: actions.EndGeneration, now: datetime, pace: Pace) -> str | None:
    """With the evidence. What cannot be read is none, a parent that is gone included: asked for ever more seldom."""
    session = action.session
    await pace(ENDING_REQUESTS)
    try:
        end = await end_generation(context, session)
    except (ChannelGone, MissingAccess, MissingPermissions) as error:
        telemetry.logger.warning("a thread is gone, but its channel cannot be read", extra={"detail": str(error)})
        return (
            "OutOfReach"
            if await _write(context, session, plan.out_of_reach(session, now, sweeps=action.sweeps))
            else None
        )
    if isinstance(end, Ended):
        return "EndGeneration"
    if session.discord_thread_id is None:
        return "Found" if (await commit(context, session, end.thread)).won else None
    seen = plan.changes(session, end.thread, now)
    return "Found" if not seen or await _write(context, session, seen) else None


async def _write(context: Context, session: Session, changes: Mapping[str, Any]) -> bool:
    return (await context.store.sessions.update(session, changes, as_read=True)).won


async def _settle(context: Context, action: actions.Settle) -> None:
    channel = await context.store.channels.get(action.parent_channel_id)
    if channel is not None:
        await settle(context, channel, action.threads)
        return
    # Nobody opens sessions there. Noted, so that the next run does not ask again and a first opener finds them.
    for thread in action.threads:
        key = context.names.session_key_of(thread.name)
        if key is not None and thread.guild_id is not None:
            await context.store.namesakes.add(
                action.parent_channel_id, key, thread.id, guild_id=thread.guild_id, active=True
            )


async def _namesake(
    context: Context, action: actions.AddNamesake | actions.RemoveNamesake | actions.UnwatchNamesake
) -> None:
    if isinstance(action, actions.AddNamesake):
        thread = action.thread
        await context.store.namesakes.add(
            action.parent_channel_id,
            action.session_key,
            thread.id,
            guild_id=thread.guild_id or "",
            active=not thread.archived,
        )
        return
    noted = action.namesake.parent_channel_id, action.namesake.session_key, action.namesake.thread_id
    if isinstance(action, actions.RemoveNamesake):
        await context.store.namesakes.remove(*noted)
    else:
        await context.store.namesakes.add(*noted, guild_id="", active=False)
