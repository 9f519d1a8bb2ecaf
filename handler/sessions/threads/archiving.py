"""Who archived a thread: a person, whose decision it is, or nobody, because Discord's own timer did."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from handler.discord import snowflakes
from handler.discord.models import AuditAction, AuditEntry, Channel
from handler.errors import Forbidden
from handler.sessions.context import Context

AUDIT_MARGIN: Final = timedelta(minutes=1)  # between a thread's archive time and its entry in the audit log


async def archived_by_somebody_else(context: Context, guild_id: str, thread: Channel) -> bool:
    """Whether the audit log says that somebody else than this bot archived the thread.

    False also if the bot may not read the log, or if more has happened since than one page holds: it is about to be used.
    """
    if thread.archive_time is None:
        return False
    try:
        page = await context.discord.audit_log(guild_id, after=snowflakes.lowest_at(thread.archive_time - AUDIT_MARGIN))
    except Forbidden:
        return False
    bot = await context.discord.current_user_id()
    return archived_by_a_person((entry for entry in page.entries if entry.user_id != bot), thread)


def archived_by_a_person(entries: Iterable[AuditEntry], thread: Channel) -> bool:
    """Whether the entries say who archived the thread. Discord's own timer leaves no entry."""
    since = None if thread.archive_time is None else thread.archive_time - AUDIT_MARGIN
    return any(
        entry.action_type == AuditAction.THREAD_UPDATE
        and entry.target_id == thread.id
        and entry.new_value("archived") is True
        and (since is None or snowflakes.time_of(entry.id) >= since)
        for entry in entries
    )
