"""Archive a thread that nobody uses, and find out who archived one: a person, whose decision it is, or Discord's own timer."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from handler.discord import snowflakes
from handler.discord.models import AuditAction, AuditEntry, Channel
from handler.errors import Forbidden
from handler.runtime.clock import iso
from handler.sessions.context import Context
from handler.sessions.threads.card import show_card
from handler.sessions.threads.record import differences, last_message
from handler.store.items import Session, Status

IN_USE: Final = "Onethread: it was used meanwhile"
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


async def archive_unless_used(context: Context, session: Session, thread: Channel, status: Status, reason: str) -> bool:
    """Archive the thread, unless a message has just come, and update the session; return whether both were done."""
    if not thread.archived:
        before = last_message(thread)
        thread = await context.discord.change_thread(thread.id, archived=True, reason=reason)
        if last_message(thread) != before:
            await context.discord.change_thread(thread.id, archived=False, reason=IN_USE)
            return False
    now = context.clock.now()
    changes = differences(session, thread, status, now)
    if not changes:
        return True
    if status is Status.CLOSED:
        changes["closed_at"] = iso(now)
    write = await context.store.sessions.update(session, changes, as_read=True)
    if not write.won and write.session is not None and write.session.opened_at != session.opened_at:
        # Meanwhile an open has led somebody there.
        await context.discord.change_thread(thread.id, archived=False, reason=IN_USE)
    if write.won:
        await show_card(context, write.mine)
    return write.won
