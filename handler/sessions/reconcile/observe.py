"""Observe: read a guild's part of the table, and what Discord shows of it.

Cheap where nothing changed: one query, one active list and one page of the audit log, side by side.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from handler.discord import refusals
from handler.discord.models import AuditEntry, AuditPage, Channel
from handler.errors import Forbidden, OnethreadError
from handler.runtime import telemetry
from handler.runtime.clock import iso, parse_iso
from handler.runtime.concurrency import gather
from handler.sessions.context import Context
from handler.sessions.reconcile.actions import Fetch
from handler.sessions.reconcile.audit_log import read_audit_pages
from handler.sessions.reconcile.observation import Gone, Observation, OutOfReach, ThreadState, Unclear
from handler.sessions.reconcile.pace import Pace
from handler.sessions.reconcile.plan import find_settled
from handler.sessions.reconcile.result import try_one
from handler.sessions.threads.match import is_public_thread
from handler.store.guilds import GuildItem, Watched
from handler.store.items import Session
from handler.store.reading import Item

MAX_CHECKS: Final = 5  # of archived sessions without cause: a few requests a run, and 1 440 sessions a day
MAX_FETCHES: Final = 200  # threads read one by one: at the pace they fit well into the function's time-out
MAX_AUDIT_PAGES: Final = 20  # 2 000 entries: a raid's worth; the next run reads the rest
MAX_LOGGED: Final = 50  # keys in one log line: enough to see what they have in common
CLOCK_MARGIN: Final = timedelta(minutes=2)  # between our clock and Discord's, and for a list that lags


async def observe(
    context: Context, watched: Watched, now: datetime, *, checks_archived: bool, pace: Pace
) -> Observation:
    """Read the guild. Raises Forbidden or NotFound if it cannot be read.

    `checks_archived`: check archived sessions also where the audit log can be read.
    """
    guild = watched.guild
    listed, audit = await gather(
        context.discord.active_threads(guild.guild_id, needs_ids=False), _read_audit_log(context, guild, now, pace)
    )
    checks_archived = checks_archived or audit is None
    due: tuple[Session, ...] = ()
    skipped = watched.unreadable
    if checks_archived:
        due, rest = await context.store.guilds.due_sessions(guild.guild_id, MAX_CHECKS)
        skipped += rest
    observation = Observation(
        now=now,
        guild_id=guild.guild_id,
        parked={channel.channel_id: channel for channel in watched.parked},
        namesakes=watched.namesakes,
        active={thread.id: thread for thread in listed.threads if thread.is_readable},
        audit=None if audit is None else tuple(sorted(audit.entries, key=lambda entry: int(entry.id))),
        audit_read_to=None if audit is None else audit.last_id,
        due_for_check=frozenset(s.discord_thread_id or "" for s in due),
        checks_archived=checks_archived,
        application_id=context.application_id,
        let_through=(guild.let_through_until or "") > iso(now),
    )
    news = _find_news(context, observation, guild) | observation.in_audit_log
    owners, left_alone = await _read_owners(context, news - {s.thread_id for s in watched.sessions})
    unread = (*(t.id for t in listed.threads if not t.is_readable), *(audit.unreadable if audit else ()))
    sessions = {session.pair: session for session in (*watched.sessions, *due, *owners)}  # owners are the freshest
    return replace(
        observation,
        sessions=tuple(sessions.values()),
        read_after_list=frozenset(s.thread_id for s in owners if s.thread_id),
        left_alone=left_alone,
        unreadable=_report_unreadable(unread, skipped),
        bot_user_id=await context.discord.current_user_id() if observation.locked_by else None,
    )


def _report_unreadable(entries: Iterable[str], items: Iterable[Item]) -> tuple[str, ...]:
    """What is skipped because its shape is not known: entries of Discord's lists by id, items of the table by key."""
    skipped = (*entries, *(f"{item['pk']} {item['sk']}" for item in items))
    if skipped:
        telemetry.logger.warning("skipped what cannot be read", extra={"unreadable": skipped[:MAX_LOGGED]})
    return skipped


async def _read_audit_log(context: Context, guild: GuildItem, now: datetime, pace: Pace) -> AuditPage | None:
    """All since the last run, as one page; None if the bot may not read it, or could not a short time ago."""
    if (guild.audit_again_at or "") > iso(now):
        return None
    pages = read_audit_pages(context, guild.guild_id, after=guild.audit_watermark, max_pages=MAX_AUDIT_PAGES, pace=pace)
    entries: list[AuditEntry] = []
    unreadable: list[str] = []
    last_id = None
    try:
        async for page in pages:
            entries += page.entries
            unreadable += page.unreadable
            last_id = page.last_id or last_id
    except Forbidden:
        return None
    return AuditPage(tuple(entries), tuple(unreadable), last_id)


def _find_news(context: Context, observation: Observation, guild: GuildItem) -> set[str]:
    """Active threads that may belong to a session that is not watched.

    They became active since the last run, or are named like a session and are not a namesake.
    """
    namesakes = find_settled(observation.namesakes, observation.active, context.names)
    since = parse_iso(guild.reconciled_at) - CLOCK_MARGIN if guild.reconciled_at else None

    def is_news(thread: Channel) -> bool:
        named = context.names.session_key_of(thread.name) is not None
        if named and is_public_thread(thread) and thread.id not in namesakes:
            return True
        return since is None or thread.archive_time is None or thread.archive_time >= since

    return {thread.id for thread in observation.active.values() if is_news(thread)}


async def _read_owners(context: Context, thread_ids: Iterable[str]) -> tuple[list[Session], frozenset[str]]:
    """The sessions that have these threads; and the threads that are left alone, as in the observation."""
    ids = set(thread_ids)
    if not ids:
        return [], frozenset()
    pointers = await context.store.pointers.get_many(ids)
    merged = {p.thread_id for p in pointers.values() if p.merged_into is not None}
    pairs = {
        p.thread_id: (p.parent_channel_id, p.session_key)
        for p in pointers.values()
        if p.parent_channel_id and p.session_key
    }
    sessions = await context.store.sessions.get_many(pairs.values())
    unreadable = {thread_id for thread_id, pair in pairs.items() if pair in sessions.unreadable}
    return [s for s in sessions.values() if s.thread_id in ids], frozenset(merged | unreadable | pointers.unreadable)


async def fetch_threads(
    context: Context, observation: Observation, fetches: Iterable[Fetch], pace: Pace
) -> Observation:
    """Read these threads one by one. Those beyond MAX_FETCHES of this run are Unclear."""
    fetched, count = dict(observation.fetched), observation.fetch_count
    for fetch in fetches:
        skip = count >= MAX_FETCHES
        fetched[fetch.thread_id] = Unclear() if skip else await _fetch_thread(context, fetch.thread_id, pace)
        count += 1
    return replace(observation, fetched=fetched, fetch_count=count)


async def _fetch_thread(context: Context, thread_id: str, pace: Pace) -> ThreadState:
    await pace()
    found = await try_one(context.discord.channel_or_none(thread_id))
    match found:
        case None:
            return Gone()
        case Forbidden() if refusals.is_out_of_reach(found):
            return OutOfReach()
        case OnethreadError():
            return Unclear()
        case _:
            return found
