"""One run of the reconciler over one guild: see, compare, ask, compare again, carry out.

The cost is that of what changed: one query, one active list and one page of the audit log where nothing did. Every write
has the condition that what it rests on is still so: a run may go beside opens and beside itself, and be killed
anywhere; the next one ends in the same place. It starts no thread.
"""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from handler.discord.models import AuditEntry
from handler.errors import (
    BotTokenRefused,
    DiscordRefused,
    Forbidden,
    NotFound,
    OnethreadError,
    RateLimited,
)
from handler.runtime import telemetry
from handler.runtime.clock import iso, parse_iso
from handler.sessions.context import Context
from handler.sessions.reconcile import housekeeping, plan
from handler.sessions.reconcile.actions import (
    Commit,
    DropClaim,
    EndGeneration,
    Fetch,
    Gone,
    HoldDeletion,
    MoveToEnd,
    Observation,
    OutOfReach,
    Plan,
    ThreadState,
    Unclear,
    UpdateSession,
)
from handler.sessions.reconcile.apply import apply_plan
from handler.sessions.reconcile.apply_housekeeping import apply_housekeeping
from handler.sessions.reconcile.housekeeping import HousekeepingSettings
from handler.sessions.reconcile.observe import observe
from handler.sessions.reconcile.pace import Pace, growing_pause
from handler.store.guilds import Watched
from handler.store.items import GuildItem, Status

ASKS_PER_RUN: Final = 200  # threads read one by one: at the pace below they fit well into the function's time-out
NOTE_AFTER: Final = timedelta(minutes=30)  # a run in which nothing changed is written down this seldom: it saves writes
PARK_FIRST: Final = timedelta(minutes=30)  # a guild that cannot be read is left alone for so long,
PARK_LATEST: Final = timedelta(days=1)  # doubling up to this
MAX_PARKED: Final = 10  # doublings that are counted: far beyond the latest pause, and no number too large for a time
# Discord docs, "Rate Limits", Invalid Request Limit: 10 000 refusals in ten minutes, and all of the bot's are refused.
AUDIT_AGAIN_FIRST: Final = timedelta(minutes=30)
AUDIT_AGAIN_LATEST: Final = timedelta(days=1)
AUDIT_BEGINNING: Final = "1"  # the watermark of a log that is empty still: all that will come is after it

Counts = Counter[str]


async def run_once(
    context: Context, guild_id: str, now: datetime, *, pace: Pace, settings: HousekeepingSettings = housekeeping.OFF
) -> Counts:
    """Bring the guild's part of the table to what Discord says; what was done, by name of the action.

    Besides the actions: `looked_at` sessions, `held` deletions, `failed` actions, actions whose record was `lost` to somebody
    quicker, threads that gave no clear answer (`unclear`), and `parked`, where the guild cannot be read. Housekeeping's actions
    are counted as `tidying` says; they come last, so that whatever becomes of them the run is whole.

    Raises what keeps the whole run from happening (StoreUnavailable, BotTokenRefused, RateLimited, DiscordUnavailable);
    then nothing has been concluded.
    """
    watched = await context.store.guilds.watched(guild_id)
    try:
        made, observation = await observe_and_plan(context, watched, now, pace=pace, settings=settings)
    except (Forbidden, NotFound) as refusal:
        return await _park(context, watched, refusal, now)
    others, kept = housekeeping.split_kept(observation, made.actions)
    counts = await apply_plan(context, Plan(actions=others), now, pace)
    unclear = sum(isinstance(answer, Unclear) for answer in observation.fetched.values())
    counts.update({"looked_at": len(observation.sessions), "held": made.held, "unclear": unclear})
    whole = not counts["lost"]  # what failed, or gave no clear answer, is kept on record: see `plan.again`
    changed = any(not isinstance(action, MoveToEnd) for action in made.actions)
    await _note(context, watched.guild, observation.audit, now, changed=changed, whole=whole)
    counts.update(await apply_housekeeping(context, observation, kept, settings, pace))
    return counts


async def observe_and_plan(
    context: Context, watched: Watched, now: datetime, *, pace: Pace, settings: HousekeepingSettings = housekeeping.OFF
) -> tuple[Plan, Observation]:
    """What is to be done about a guild, and what that rests on. Nothing is written.

    Raises Forbidden or NotFound where the guild cannot be read, and what `run_once` raises.
    """
    seen = await observe(context, watched, now, sweeps=settings.sweeps, pace=pace)
    made, observation = await _asked(context, seen.observation, pace, 0)
    return await _confirmed(context, observation, made, seen.late, pace)


async def _asked(context: Context, observation: Observation, pace: Pace, asked: int) -> tuple[Plan, Observation]:
    """The plan, once everything that it fetches is answered. `asked`: how many threads were read in this run so far."""
    made = plan.make_plan(observation, context.names)
    while made.fetches:
        fetched = dict(observation.fetched)
        for ask in made.fetches:
            fetched[ask.thread_id] = Unclear() if asked >= ASKS_PER_RUN else await _ask(context, ask, pace)
            asked += 1
        observation = replace(observation, fetched=fetched)
        made = plan.make_plan(observation, context.names)
    return made, observation


async def _ask(context: Context, ask: Fetch, pace: Pace) -> ThreadState:
    await pace()
    try:
        return await context.discord.channel_or_none(ask.thread_id) or Gone()
    except Forbidden:
        return OutOfReach()
    except (BotTokenRefused, RateLimited):
        raise
    except OnethreadError:
        return Unclear()


async def _confirmed(
    context: Context, observation: Observation, made: Plan, late: frozenset[str], pace: Pace
) -> tuple[Plan, Observation]:
    """The plan again, over the records as they are now, for the index lags and others work meanwhile.

    A record that is not as it was before the list was read, or that was read after it (`late`), may be newer than the
    list: its thread is asked for, so that what is seen is never older than what is on record.
    """
    concerned = {
        action.session.pair
        for action in made.actions
        if isinstance(action, UpdateSession | Commit | DropClaim | EndGeneration | HoldDeletion)
    }
    if not concerned:
        return made, observation
    fresh = await context.store.sessions.get_many(concerned)
    sessions = {session.pair: session for session in observation.sessions}
    doubted = {fresh[pair].thread_id for pair in fresh if fresh[pair] != sessions[pair]}
    doubted |= {s.thread_id for s in fresh.values() if s.thread_id in late - observation.fetched.keys()}
    for pair in concerned:
        sessions.pop(pair)
    again = replace(
        observation,
        sessions=(*sessions.values(), *fresh.values()),
        doubted=frozenset(thread_id for thread_id in doubted if thread_id),
        fetched={thread_id: answer for thread_id, answer in observation.fetched.items() if thread_id not in doubted},
    )
    return await _asked(context, again, pace, len(observation.fetched))


async def _park(context: Context, watched: Watched, refusal: DiscordRefused, now: datetime) -> Counts:
    """The guild cannot be read: left alone for growing pauses; nothing is concluded. It comes back when it is used.

    Its live sessions are marked, so that even an open that has nothing else to write down tells that it is used.
    """
    for session in watched.sessions:
        if session.status in (Status.OPEN, Status.CLOSED) and session.problem.unreachable_since is None:
            await context.store.sessions.update(session, {"unreachable_since": iso(now)}, as_read=True)
    guild = watched.guild
    pause = min(PARK_FIRST * 2 ** min(guild.parked, MAX_PARKED), PARK_LATEST)
    await context.store.guilds.update(guild, {"parked": guild.parked + 1, "due_at": iso(now + pause)})
    telemetry.logger.warning("a guild cannot be read, and is parked", extra={"detail": str(refusal)})
    return Counter({"parked": 1})


async def _note(
    context: Context,
    guild: GuildItem,
    audit: tuple[AuditEntry, ...] | None,
    now: datetime,
    *,
    changed: bool,
    whole: bool,
) -> None:
    """Write down how far the run came. Unless it is whole the watermark stays where it is: it is all read again."""
    changes: dict[str, object] = {"parked": 0, "due_at": iso(now)} if guild.parked else {}
    changes |= _denial(guild, audit, now)
    if whole:
        watermark = audit[-1].id if audit else guild.audit_watermark or (AUDIT_BEGINNING if audit is not None else None)
        if watermark != guild.audit_watermark:
            changes["audit_watermark"] = watermark
        stale = guild.reconciled_at is None or now - parse_iso(guild.reconciled_at) >= NOTE_AFTER
        if changes or changed or stale:
            changes["reconciled_at"] = iso(now)
    if changes:
        await context.store.guilds.update(guild, changes)


def _denial(guild: GuildItem, audit: tuple[AuditEntry, ...] | None, now: datetime) -> dict[str, object]:
    """What to write down of whether the log may be read: who may not fetches ever more seldom, for refusals are counted."""
    if audit is not None:
        return dict.fromkeys(("audit_denied_since", "audit_again_at")) if guild.audit_denied_since else {}
    if (guild.audit_again_at or "") > iso(now):
        return {}
    since = parse_iso(guild.audit_denied_since) if guild.audit_denied_since else now
    pause = growing_pause(since, now, AUDIT_AGAIN_FIRST, AUDIT_AGAIN_LATEST)
    return {"audit_denied_since": iso(since), "audit_again_at": iso(now + pause)}
