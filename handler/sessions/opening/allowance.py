"""How many sessions a member may have created, so that one member does not starve the others (`MemberCreationsPerHour`)."""

from datetime import datetime, timedelta
from typing import NoReturn

from handler.discord.markdown import timestamp
from handler.errors import TooManyCreations
from handler.sessions.opening.opener import Opener
from handler.store.items import Session
from handler.store.members import FULL


async def count_creation(opener: Opener, session: Session) -> datetime | None:
    """Count the creation that the opener has claimed. If it is one too many: when the member may have the next one.

    A request is counted once, by the opener that made its claim. Programs are not counted. Raises StoreUnavailable.
    """
    context, user_id, most = opener.context, opener.request.requester.user_id, opener.context.member_creations_per_hour
    if not opener.claimed or opener.counted or user_id is None or not most:
        return None
    opener.counted, now = True, context.clock.now()
    return await context.store.members.count_creation(session.guild_id, user_id, each=FULL / most, now=now)


def refuse_creation(again_at: datetime) -> NoReturn:
    """Raise TooManyCreations; `again_at` is when the member may have the next one."""
    when = timestamp(again_at + timedelta(seconds=1), "R")  # Discord shows whole seconds: nobody comes too early
    text = f"You've started a lot of sessions here. You can start the next one {when}. "
    raise TooManyCreations(str(again_at), message=f"{text}Sessions that exist already can be opened all the time.")
