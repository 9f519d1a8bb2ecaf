"""The part of the reconciler that does what a plan says, each step on condition that what it rests on is still so."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from handler import telemetry
from handler.clock import iso
from handler.errors import (
    BotTokenRefused,
    ChannelGone,
    MissingAccess,
    MissingPermissions,
    OnethreadError,
    RateLimited,
    StoreUnavailable,
)
from handler.sessions import plan, steps
from handler.sessions.adoption import settle
from handler.sessions.channel_mark import move_mark
from handler.sessions.ending import commit, end_generation
from handler.sessions.pace import Pace
from handler.sessions.ports import Ports
from handler.sessions.steps import Plan, Step
from handler.table.items import Session

ENDING_REQUESTS: Final = 10  # of an end, at most, where the archived threads are one page: two looks and a message


async def carry_out(ports: Ports, made: Plan, now: datetime, pace: Pace) -> Counter[str]:
    """Do it all; counts by name of the step. What fails is counted as `failed`, a write whose condition did not hold any
    more as `lost`; both are left to the next run.

    An `End` without the evidence is counted as what it came to: `OutOfReach`, or `Found`, where the thread lives.
    """
    counts: Counter[str] = Counter()
    for step in made.steps:
        try:
            done = await _do(ports, step, now, pace)
        except (BotTokenRefused, RateLimited, StoreUnavailable):
            raise  # the rest would fare no better
        except OnethreadError as error:
            counts["failed"] += 1
            telemetry.logger.warning("a step of the reconciler failed", extra={"detail": str(error)})
            await _left(ports, step, now)
        else:
            counts[done or "lost"] += 1
    return counts


async def _left(ports: Ports, step: Step, now: datetime) -> None:
    """See to it that the next run comes back to what failed, for the audit log tells of it only once."""
    if isinstance(step, steps.Observe | steps.End | steps.Hold):
        await ports.store.observe(step.session, plan.again(step.session, now))


async def _do(ports: Ports, step: Step, now: datetime, pace: Pace) -> str | None:
    """What was done; None, if somebody else was quicker."""
    if isinstance(step, steps.End):
        return await _end(ports, step, now, pace)
    return type(step).__name__ if await _done(ports, step, now, pace) else None


async def _done(ports: Ports, step: Step, now: datetime, pace: Pace) -> bool:
    match step:
        case steps.Observe(session=session, changes=changes):
            return await _write(ports, session, changes)
        case steps.Turn(session=session):
            await ports.store.observe(session, {"due_at": iso(now)})
        case steps.Commit(session=session, thread=thread):
            return await commit(ports, session, thread) is not None
        case steps.DropClaim(session=session):
            return (await ports.store.drop_claim(session, now=now)).won
        case steps.Hold(session=session):
            return session.missing_since is not None or await _write(ports, session, plan.missing(session, now))
        case steps.Settle():
            await _settle(ports, step)
        case steps.NoteNamesake() | steps.DropNamesake() | steps.RestNamesake():
            await _namesake(ports, step)
        case steps.MoveMark(parent_channel_id=channel_id):
            await move_mark(ports, channel_id, pace)
        case _:
            raise ValueError(f"unknown step {step!r}")
    return True


async def _end(ports: Ports, step: steps.End, now: datetime, pace: Pace) -> str | None:
    """With the evidence. What cannot be read is none, a parent that is gone included: asked for ever more seldom."""
    session = step.session
    await pace(ENDING_REQUESTS)
    try:
        found = await end_generation(ports, session)
    except (ChannelGone, MissingAccess, MissingPermissions) as error:
        telemetry.logger.warning("a thread is gone, but its channel cannot be read", extra={"detail": str(error)})
        return (
            "OutOfReach" if await _write(ports, session, plan.out_of_reach(session, now, sweeps=step.sweeps)) else None
        )
    if found is None:
        return "End"
    if session.discord_thread_id is None:
        return "Found" if await commit(ports, session, found) is not None else None
    seen = plan.changes(session, found, now)
    return "Found" if not seen or await _write(ports, session, seen) else None


async def _write(ports: Ports, session: Session, changes: Mapping[str, Any]) -> bool:
    return (await ports.store.observe(session, changes, as_read=True)).won


async def _settle(ports: Ports, step: steps.Settle) -> None:
    channel = await ports.store.channel(step.parent_channel_id)
    if channel is not None:
        await settle(ports, channel, step.threads)
        return
    # Nobody opens sessions there. Noted, so that the next run does not ask again and a first opener finds them.
    for thread in step.threads:
        key = ports.names.session_key_of(thread.name or "")
        if key is not None and thread.guild_id is not None:
            await ports.store.note_namesake(
                step.parent_channel_id, key, thread.id, guild_id=thread.guild_id, active=True
            )


async def _namesake(ports: Ports, step: steps.NoteNamesake | steps.DropNamesake | steps.RestNamesake) -> None:
    if isinstance(step, steps.NoteNamesake):
        thread = step.thread
        await ports.store.note_namesake(
            step.parent_channel_id,
            step.session_key,
            thread.id,
            guild_id=thread.guild_id or "",
            active=not thread.archived,
        )
        return
    noted = step.namesake.parent_channel_id, step.namesake.session_key, step.namesake.thread_id
    if isinstance(step, steps.DropNamesake):
        await ports.store.drop_namesake(*noted)
    else:
        await ports.store.note_namesake(*noted, guild_id="", active=False)
