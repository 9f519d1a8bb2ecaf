"""The guild's audit log, page by page, at the reconciler's pace."""

from collections.abc import AsyncIterator

from handler.discord.models import AuditEntry
from handler.discord.rest import PAGE
from handler.sessions.pace import Pace
from handler.sessions.ports import Ports


async def audit_pages(
    ports: Ports, guild_id: str, *, after: str | None, pace: Pace
) -> AsyncIterator[tuple[AuditEntry, ...]]:
    """The pages that follow the entry `after`; without it the newest page alone. A page that is not full is the last.

    Each page but the first takes its turn of the pace. Raises Forbidden where the bot may not read the log.
    """
    while True:
        page = await ports.discord.audit_log(guild_id, after=after)
        yield page
        if after is None or len(page) < PAGE:
            return
        await pace()
        after = max(page, key=lambda entry: int(entry.id)).id
