"""What a run writes to the guild's item: how far it came, or that the guild is parked."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from handler.discord import refusals
from handler.errors import DiscordRefused
from handler.runtime import telemetry
from handler.runtime.clock import iso, parse_iso
from handler.sessions.context import Context
from handler.sessions.reconcile.observation import Observation
from handler.sessions.reconcile.pace import growing_pause
from handler.store.guilds import GuildItem, Watched, write_counts
from handler.store.items import Status

MIN_PARK_PAUSE: Final = timedelta(minutes=30)  # a guild that cannot be read is left alone for so long,
MAX_PARK_PAUSE: Final = timedelta(days=1)  # doubling up to this
MAX_DOUBLINGS: Final = 10  # far beyond the longest pause, and no number too large for a time
# Discord docs, "Rate Limits", Invalid Request Limit: after 10 000 refusals in ten minutes, all of the bot's requests are
# refused.
MIN_AUDIT_PAUSE: Final = timedelta(minutes=30)
MAX_AUDIT_PAUSE: Final = timedelta(days=1)
FIRST_AUDIT_WATERMARK: Final = "1"  # of a log that is still empty: all entries come after it
QUIET_WRITE_INTERVAL: Final = timedelta(minutes=30)  # of `reconciled_at`, while nothing changes: it saves writes


async def park(context: Context, watched: Watched, refusal: DiscordRefused, now: datetime) -> None:
    """Leave a guild that cannot be read alone for growing pauses. Nothing is concluded; any use makes it due again.

    If the bot has lost its access, its active sessions get `unreachable_since`, so that even an open that has nothing
    else to write shows the use.
    """
    for session in watched.sessions if refusals.is_out_of_reach(refusal) else ():
        if session.status in (Status.OPEN, Status.CLOSED) and session.problem.unreachable_since is None:
            await context.store.sessions.update(session, {"unreachable_since": iso(now)}, as_read=True)
    guild = watched.guild
    pause = min(MIN_PARK_PAUSE * 2 ** min(guild.parked, MAX_DOUBLINGS), MAX_PARK_PAUSE)
    await context.store.guilds.update(guild, {"parked": guild.parked + 1, "due_at": iso(now + pause)})
    telemetry.logger.warning("a guild cannot be read, and is parked", extra={"detail": str(refusal)})


async def save_progress(
    context: Context,
    guild: GuildItem,
    observation: Observation,
    counts: Mapping[str, int],
    *,
    changed: bool,
    complete: bool,
) -> None:
    """Write how far the run came, and its counts, for people. Unless it is complete, the next run reads the same part of the audit log again."""
    now, denied = observation.now, observation.audit is None
    changes: dict[str, Any] = {"parked": 0, "due_at": iso(now)} if guild.parked else {}
    changes |= _changes_of_audit_access(guild, now, denied=denied)
    if complete:
        first = None if denied else FIRST_AUDIT_WATERMARK
        watermark = observation.audit_read_to or guild.audit_watermark or first
        if watermark != guild.audit_watermark:
            changes["audit_watermark"] = watermark
        stale = guild.reconciled_at is None or now - parse_iso(guild.reconciled_at) >= QUIET_WRITE_INTERVAL
        if changes or changed or stale:
            changes |= {"reconciled_at": iso(now), "run_counts": write_counts(counts)}
    if changes:
        await context.store.guilds.update(guild, changes)


def _changes_of_audit_access(guild: GuildItem, now: datetime, *, denied: bool) -> dict[str, Any]:
    """Ask for a log that the bot may not read less and less often, because Discord counts refusals."""
    if not denied:
        return dict.fromkeys(("audit_denied_since", "audit_again_at")) if guild.audit_denied_since else {}
    if (guild.audit_again_at or "") > iso(now):
        return {}
    since = parse_iso(guild.audit_denied_since) if guild.audit_denied_since else now
    pause = growing_pause(since, now, MIN_AUDIT_PAUSE, MAX_AUDIT_PAUSE)
    return {"audit_denied_since": iso(since), "audit_again_at": iso(now + pause)}
