"""End a session for good, because a moderator asks for it.

    delete   the thread, if this bot has started it                  once it is gone, no link leads anywhere
    end      the generation, as for any deleted thread (`generation`): the source message goes, the session is vacant

A thread that somebody else has started stays: the session is vacant, and in the same transaction the thread's pointer says
that no session takes it. Any step may be repeated by anyone. After a crash the next open or the reconciler finds a
deleted thread, and ends the generation.
"""

from handler.discord import refusals
from handler.errors import DiscordRefused, DiscordUnavailable, NotFound
from handler.sessions.context import Context
from handler.sessions.model import Ending
from handler.sessions.threads.generation import StillThere, end_generation
from handler.sessions.threads.requests import fetch_thread
from handler.store.items import Session

STILL_SHOWN = "The thread is deleted, but Discord still shows it. Nothing is lost: try again in a minute."


async def foresee(context: Context, session: Session) -> Ending:
    """What `end_session` does with the thread, as it is now. Raises what a GET of it raises."""
    thread = await fetch_thread(context, session)
    if thread is None:
        return Ending.GONE
    return Ending.DELETED if thread.owner_id == await context.discord.current_user_id() else Ending.LET_GO


async def end_session(context: Context, session: Session, *, reason: str) -> Ending:
    """End the session, which has this thread on record. `reason` goes to the audit log.

    Raises MissingPermissions, what the evidence of `end_generation` raises, and DiscordUnavailable if the thread is
    listed although it is deleted: then a repeat ends it.
    """
    ending = await foresee(context, session)
    if ending is Ending.LET_GO:
        await context.store.sessions.end_generation(session, now=context.clock.now(), lets_go=True)
        return ending
    if ending is Ending.DELETED:
        try:
            await context.discord.delete_thread(session.discord_thread_id or "", reason=reason)
        except NotFound as missing:  # somebody else was quicker
            refusals.raise_unless_gone(missing)
        except DiscordRefused as refusal:
            refusals.raise_translation(refusal, refusals.NEEDED_TO_UNLOCK)
    if isinstance(await end_generation(context, session), StillThere):
        raise DiscordUnavailable("a deleted thread is still listed", message=STILL_SHOWN)
    return ending
