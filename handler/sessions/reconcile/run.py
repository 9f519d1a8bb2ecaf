"""One run of the reconciler over one guild: observe, plan, apply, then housekeeping.

    observe   read the table, the active threads and the audit log
    plan      compare them; fetch the threads that the plan asks for, and plan again
    confirm   read the sessions that would change once more, consistently, and plan again
    apply     do what the plan says

The cost is that of what changed. Every write has the condition that what it rests on has not changed. So a run may go
on beside opens and other runs, and it may be killed anywhere: the next one ends in the same place. It starts no thread.
"""

from collections import Counter
from datetime import datetime

from handler.errors import Forbidden, NotFound
from handler.sessions.context import Context
from handler.sessions.reconcile import actions
from handler.sessions.reconcile.actions import Plan
from handler.sessions.reconcile.apply import apply_plan
from handler.sessions.reconcile.apply_housekeeping import apply_housekeeping
from handler.sessions.reconcile.guild import park, save_progress
from handler.sessions.reconcile.housekeeping import OFF, HousekeepingSettings, separate_reopens
from handler.sessions.reconcile.observation import Observation, Unclear
from handler.sessions.reconcile.observe import fetch_threads, observe
from handler.sessions.reconcile.pace import Pace
from handler.sessions.reconcile.plan import make_plan
from handler.store.guilds import Watched

Counts = Counter[str]


async def run_once(
    context: Context, guild_id: str, now: datetime, *, pace: Pace, settings: HousekeepingSettings = OFF
) -> Counts:
    """Bring the guild's part of the table to what Discord says. Return the counts that `docs/reconciler.md` lists.

    Housekeeping comes last, so that the run is complete whatever becomes of it. Raises what prevents the whole run
    (StoreUnavailable, BotTokenRefused, RateLimited, DiscordUnavailable): then nothing has been concluded.
    """
    watched = await context.store.guilds.watched(guild_id)
    try:
        observation, plan = await observe_and_plan(context, watched, now, pace=pace, settings=settings)
    except (Forbidden, NotFound) as refusal:
        await park(context, watched, refusal, now)
        return Counter({"parked": 1})
    others, reopens = separate_reopens(observation, plan.actions)
    counts = await apply_plan(context, others, now, pace)
    unclear = sum(isinstance(state, Unclear) for state in observation.fetched.values())
    counts.update({"looked_at": len(observation.sessions), "held": plan.held, "unclear": unclear})
    counts["unreadable"] = len(observation.unreadable)
    complete = not counts["lost"]  # the table knows what failed or was unclear: see `changes_to_ask_again`
    changed = any(not isinstance(action, actions.MoveToEnd) for action in plan.actions)
    await save_progress(context, watched.guild, observation, counts, changed=changed, complete=complete)
    counts.update(await apply_housekeeping(context, observation, reopens, settings, pace))
    return counts


async def observe_and_plan(
    context: Context, watched: Watched, now: datetime, *, pace: Pace, settings: HousekeepingSettings = OFF
) -> tuple[Observation, Plan]:
    """Find out what to do about a guild, and why. Writes nothing.

    Raises Forbidden or NotFound if the guild cannot be read, and what `run_once` raises.
    """
    observation = await observe(context, watched, now, checks_archived=settings.checks_archived, pace=pace)
    observation, plan = await _fetch_and_plan(context, observation, pace)
    return await _confirm(context, observation, plan, pace)


async def _fetch_and_plan(context: Context, observation: Observation, pace: Pace) -> tuple[Observation, Plan]:
    """Plan again and again until nothing that the plan asks for is missing."""
    plan = make_plan(observation, context.names)
    while plan.fetches:
        observation = await fetch_threads(context, observation, plan.fetches, pace)
        plan = make_plan(observation, context.names)
    return observation, plan


async def _confirm(context: Context, observation: Observation, plan: Plan, pace: Pace) -> tuple[Observation, Plan]:
    """Plan again over the records as they are now: the index lags, and others are at work."""
    of_a_session = (
        actions.UpdateSession | actions.Commit | actions.DropClaim | actions.EndGeneration | actions.HoldDeletion
    )
    pairs = {action.session.pair for action in plan.actions if isinstance(action, of_a_session)}
    if not pairs:  # a quiet guild: the plan stands, and need not be made again
        return observation, plan
    fresh = await context.store.sessions.get_many(pairs)
    return await _fetch_and_plan(context, observation.replace_sessions(pairs, fresh), pace)
