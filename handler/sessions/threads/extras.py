"""Extra threads: what a creation without an anchor, or on a person's message, may leave beside the session's own thread.

Nobody knows what became of a request whose answer was lost, so a session's second attempt can end with two threads. The
one that is committed first is the session's. Every other one is discarded, unless somebody has written in it:

    guard   its pointer says `discarded_at`, while the session has its own thread: from here on no session takes it
    lock    so that only moderators can write in it
    look    whether anybody wrote in it
    delete  it; or, if somebody did, unlock it and take the guard away: it is a namesake

Any step may be repeated by anyone. After a crash the reconciler finds the thread in the active list, and begins again.
"""

from typing import Final

from handler.discord import refusals
from handler.discord.models import Channel
from handler.errors import DiscordRefused, NotFound
from handler.sessions.context import Context
from handler.sessions.threads.match import is_unused, may_be_extra
from handler.sessions.threads.namesakes import add_namesake
from handler.store.items import ChannelItem, Pointer, Session

REASON: Final = "Onethread: an extra thread of a session that has one"


async def discard_or_note(
    context: Context,
    parent: ChannelItem | Session,
    session: Session | None,
    key: str,
    thread: Channel,
    pointer: Pointer | None = None,
    *,
    came_late: bool = False,
) -> None:
    """A thread that bears the name of the session `key` and is not its thread: discard an extra one, note any other.

    `came_late`: it was started from a person's message just now, which a generation that had ended was to have.
    """
    if (
        session is None
        or not await is_extra(context, session, thread, pointer, came_late=came_late)
        or not await discard(context, session, thread)
    ):
        await add_namesake(context, parent, key, thread)


async def is_extra(
    context: Context, session: Session, thread: Channel, pointer: Pointer | None, *, came_late: bool = False
) -> bool:
    """Whether the thread comes from an attempt of this session's generation, and nobody has written in it."""
    if not may_be_extra(session, thread, pointer, came_late=came_late):
        return False
    return thread.owner_id == await context.discord.current_user_id()


async def discard(context: Context, session: Session, thread: Channel) -> bool:
    """Delete an extra thread of the session, which has its own; return whether it is gone. False: it stays, usable."""
    if not await context.store.pointers.discard(session, thread.id, now=context.clock.now()):
        return False
    try:
        archived = False if thread.archived else None  # an archived thread cannot be locked before it is opened
        await context.discord.change_thread(thread.id, archived=archived, locked=True, reason=REASON)
        if is_unused(await context.discord.channel(thread.id)):
            await context.discord.delete_thread(thread.id, reason=REASON)
            return True
        await context.discord.change_thread(thread.id, locked=False, reason=REASON)
    except NotFound as missing:  # another actor has deleted it
        refusals.raise_unless_gone(missing)
        return True
    except DiscordRefused:  # the bot may not lock or delete threads: it stays
        pass
    await context.store.pointers.keep(thread.id)
    return False
