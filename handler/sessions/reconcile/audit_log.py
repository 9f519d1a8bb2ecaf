"""The guild's audit log, page by page, at the reconciler's pace."""

from collections.abc import AsyncIterator

from handler.discord.models import AuditPage
from handler.discord.rest import PAGE_SIZE
from handler.sessions.context import Context
from handler.sessions.reconcile.pace import Pace


async def read_audit_pages(
    context: Context, guild_id: str, *, after: str | None, max_pages: int, pace: Pace
) -> AsyncIterator[AuditPage]:
    """Read the pages that follow the entry `after`; without it, the newest page alone. A page that is not full is the last.

    Each page but the first waits for the pace. Raises Forbidden if the bot may not read the log.
    """
    for number in range(1, max_pages + 1):
        page = await context.discord.audit_log(guild_id, after=after)
        yield page
        if after is None or page.size < PAGE_SIZE or number == max_pages or page.last_id is None:
            return
        await pace()
        after = page.last_id
