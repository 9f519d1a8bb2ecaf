"""Room for one more active thread: a server can have about a thousand, and Discord refuses the next one.

Near the limit, and when Discord refuses, the idlest session whose thread this bot has started is archived, at most one for
an open. Never a person's thread, never one that is kept open, waits for an answer or was used in the last hour. Without such
a session the open goes on, and Discord's refusal says what to do.
"""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final

from handler.discord import refusals
from handler.discord.models import Channel
from handler.errors import DiscordRefused, OnethreadError
from handler.sessions.opening.opener import Opener
from handler.sessions.threads.archiving import archive_unless_used
from handler.sessions.threads.look_up import read_owners
from handler.store.items import Session, Status

NEAR_LIMIT: Final = 980  # of about 1000 threads (found by users): room for those that are opened at the same moment
MAX_CANDIDATES: Final = 25  # of the idlest threads, looked at for one that may be archived: two reads of the table
IN_USE_FOR: Final = timedelta(hours=1)  # after the last message: somebody may be about to answer
REASON: Final = "Onethread: the server has nearly as many active threads as Discord allows"


async def make_room_near_limit(opener: Opener, guild_id: str, active: Sequence[Channel]) -> None:
    """Make room if the server is near its limit. `active`: its active threads, as they were just read."""
    if len(active) >= NEAR_LIMIT:
        await _make_room(opener, guild_id, active)


async def with_room(opener: Opener, guild_id: str, request: Callable[[], Awaitable[Channel]]) -> Channel:
    """The thread that the request makes active. If Discord says that there are too many, make room and repeat it once."""
    try:
        return await request()
    except DiscordRefused as refusal:
        if refusal.code not in refusals.TOO_MANY_ACTIVE or not await _make_room(opener, guild_id, None):
            raise
    return await request()


async def _make_room(opener: Opener, guild_id: str, active: Sequence[Channel] | None) -> bool:
    """Whether a thread was archived. Best effort, and once for an open."""
    if opener.made_room:
        return False
    opener.made_room, context = True, opener.context
    with contextlib.suppress(OnethreadError):
        if active is None:
            active = (await context.discord.active_threads(guild_id)).threads
        bot_user_id = await context.discord.current_user_id()
        now = context.clock.now()
        idle = [
            thread
            for thread in sorted(active, key=lambda thread: thread.last_activity)
            if thread.owner_id == bot_user_id and not thread.locked and now - thread.last_activity >= IN_USE_FOR
        ][:MAX_CANDIDATES]
        owners = await read_owners(context, idle)
        for thread in idle:
            session = owners.sessions.get(thread.id)
            if session is not None and session.discord_thread_id == thread.id and _may_be_archived(session):
                return await archive_unless_used(context, session, thread, session.status, REASON)
    return False


def _may_be_archived(session: Session) -> bool:
    is_used = session.stays_open or session.deletion.begun_at is not None
    return session.status in (Status.OPEN, Status.CLOSED) and not is_used
