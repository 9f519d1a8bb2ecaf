"""What a run of the reconciler begins with: a guild's part of the table, and what Discord says of it, side by side.

Cheap where nothing changed: one query, one active list, one page of the audit log; the sweep where it is wanted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from handler.discord.models import AuditEntry, Channel
from handler.errors import Forbidden
from handler.runtime.clock import iso, parse_iso
from handler.runtime.concurrency import gather
from handler.sessions.context import Context
from handler.sessions.reconcile import plan
from handler.sessions.reconcile.actions import Observation
from handler.sessions.reconcile.audit_log import audit_pages
from handler.sessions.reconcile.pace import Pace
from handler.sessions.threads.match import is_public_thread
from handler.store.guilds import Watched
from handler.store.items import GuildItem, Session

SWEEP_PER_RUN: Final = 5  # archived sessions looked at without cause: a few requests, and 1 440 sessions a day
MAX_AUDIT_PAGES: Final = 20  # 2 000 entries: a raid's worth; the rest is read by the next run
SINCE_MARGIN: Final = timedelta(minutes=2)  # our clock and Discord's, and a list that lags


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What was seen. `late`: threads whose records were read after the list, so that the list may be the older one."""

    observation: Observation
    late: frozenset[str]


async def observe(context: Context, watched: Watched, now: datetime, *, sweeps: bool, pace: Pace) -> Sight:
    """The watched, the swept, and whom news and strangers belong to. `sweeps`: also where the audit log can be read.

    Raises Forbidden or NotFound where the guild cannot be read.
    """
    active, audit = await gather(_active(context, watched.guild.guild_id), _audit(context, watched.guild, now, pace))
    sweeps = sweeps or audit is None
    swept = await context.store.guilds.due_sessions(watched.guild.guild_id, SWEEP_PER_RUN) if sweeps else []
    observation = Observation(
        now=now,
        namesakes=watched.namesakes,
        active=active,
        audit=audit,
        swept=frozenset(s.discord_thread_id or "" for s in swept),
        sweeps=sweeps,
        application_id=context.application_id,
        let_through=(watched.guild.let_through_until or "") > iso(now),
    )
    noted = plan.still_noted(watched.namesakes, active, context.names)
    news = {t.id for t in active.values() if _is_news(context, t, watched.guild, noted=t.id in noted)}
    owners, merged = await _owners(context, (news | observation.heard_of) - {s.thread_id for s in watched.sessions})
    sessions = {session.pair: session for session in (*watched.sessions, *swept, *owners)}  # owners are the freshest
    bot = await context.discord.current_user_id() if observation.locked_by else None
    late = frozenset(s.thread_id for s in owners if s.thread_id)
    observation = replace(observation, sessions=tuple(sessions.values()), merged=merged, bot_user_id=bot)
    return Sight(observation=observation, late=late)


async def _active(context: Context, guild_id: str) -> dict[str, Channel]:
    listed = await context.discord.active_threads(guild_id)
    return {thread.id: thread for thread in listed.threads}


async def _audit(context: Context, guild: GuildItem, now: datetime, pace: Pace) -> tuple[AuditEntry, ...] | None:
    """The entries since the last run, oldest first; None where the bot may not read them, or was told so lately."""
    if (guild.audit_again_at or "") > iso(now):
        return None
    entries: list[AuditEntry] = []
    pages = 0
    try:
        async for page in audit_pages(context, guild.guild_id, after=guild.audit_watermark, pace=pace):
            entries += page
            pages += 1
            if pages == MAX_AUDIT_PAGES:
                break
    except Forbidden:
        return None
    return tuple(sorted(entries, key=lambda entry: int(entry.id)))


def _is_news(context: Context, thread: Channel, guild: GuildItem, *, noted: bool) -> bool:
    """Whether an active thread may be somebody's that is not watched: it came since the last run, or it bears a session's
    name and is not noted for that."""
    if not noted and is_public_thread(thread) and context.names.session_key_of(thread.name) is not None:
        return True
    since = parse_iso(guild.reconciled_at) - SINCE_MARGIN if guild.reconciled_at else None
    return since is None or thread.archive_time is None or thread.archive_time >= since


async def _owners(context: Context, thread_ids: Iterable[str]) -> tuple[list[Session], frozenset[str]]:
    """The sessions that have these threads, and those of the threads that were merged into others."""
    wanted = set(thread_ids)
    if not wanted:
        return [], frozenset()
    pointers = (await context.store.pointers.get_many(wanted)).values()
    merged = frozenset(p.thread_id for p in pointers if p.merged_into is not None)
    pairs = [(p.parent_channel_id, p.session_key) for p in pointers if p.parent_channel_id and p.session_key]
    sessions = await context.store.sessions.get_many(pairs)
    return [s for s in sessions.values() if s.thread_id in wanted], merged
