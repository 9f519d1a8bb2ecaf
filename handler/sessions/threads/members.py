"""Members of a session's thread whom a command or a program adds, and who are on record: `member_ids`.

Discord comes first, then the record: after a crash in between, a repeat does both again.
"""

from typing import Any, Final

from handler.discord import refusals
from handler.errors import DiscordRefused, Forbidden, InvalidRequest, MissingAccess, NotFound, SessionNotFound
from handler.sessions.context import Context
from handler.sessions.threads.choices import choose
from handler.sessions.threads.requests import raise_archived
from handler.store.items import Session

MAX_MEMBERS: Final = 100  # on record of a session: a thousand bytes or two of its item, which is read at each open

FULL: Final = f"This session has {MAX_MEMBERS} added members already. Remove somebody first: `/session remove`."
NOT_HERE: Final = "I can't find that user in this server."
THREAD_FULL: Final = "This thread has as many members as Discord allows."
CANNOT_ADD: Final = "Discord doesn't let me add that user. Can they see this channel? Ask a moderator."


async def add_member(context: Context, session: Session, user_id: str) -> Session:
    """Add the user to the thread. Adding a member again does nothing.

    Raises InvalidRequest and MissingPermissions, which say what to do.
    """
    if user_id not in session.member_ids and len(session.member_ids) >= MAX_MEMBERS:
        raise InvalidRequest("too many members", message=FULL)
    try:
        await context.discord.add_thread_member(session.discord_thread_id or "", user_id)
    except DiscordRefused as refusal:
        _raise_refusal(session, refusal, adds=True)
    return await choose(context, session, lambda read: _with(read, user_id))


async def remove_member(context: Context, session: Session, user_id: str) -> Session:
    """Remove the user from the thread. One who is no member stays none."""
    try:
        await context.discord.remove_thread_member(session.discord_thread_id or "", user_id)
    except DiscordRefused as refusal:
        if refusal.code != refusals.UNKNOWN_MEMBER:
            _raise_refusal(session, refusal, adds=False)
    return await choose(context, session, lambda read: _without(read, user_id))


async def remove_without_role(context: Context, session: Session, user_id: str) -> None:
    """Remove a member of the thread who has none of the session's roles any more."""
    try:
        if not (await context.discord.member_roles(session.guild_id, user_id)).isdisjoint(session.role_ids):
            return
        await context.discord.remove_thread_member(session.discord_thread_id or "", user_id)
    except NotFound:
        return  # who left the server left its threads, too


def _with(session: Session, user_id: str) -> dict[str, Any]:
    known = session.member_ids
    return {} if user_id in known else {"member_ids": [*known, user_id][:MAX_MEMBERS]}


def _without(session: Session, user_id: str) -> dict[str, Any]:
    known = session.member_ids
    return {"member_ids": [other for other in known if other != user_id] or None} if user_id in known else {}


def _raise_refusal(session: Session, refusal: DiscordRefused, *, adds: bool) -> None:
    """Raise what the refusal means for whoever asked."""
    if isinstance(refusal, NotFound) and refusal.code == refusals.UNKNOWN_CHANNEL:
        raise SessionNotFound("its thread is unknown", message=refusals.THREAD_GONE) from refusal
    if refusal.code == refusals.THREAD_ARCHIVED:
        raise_archived(session)
    if refusal.code in (refusals.UNKNOWN_MEMBER, refusals.UNKNOWN_USER):
        raise InvalidRequest("no member of the guild", message=NOT_HERE) from refusal
    if refusal.code == refusals.TOO_MANY_MEMBERS:
        raise InvalidRequest("the thread is full", message=THREAD_FULL) from refusal
    needs = refusals.NEEDED_TO_ADD if adds else refusals.NEEDED_TO_REMOVE
    error = refusals.translate(refusal, needs)
    if adds and isinstance(error, MissingAccess | Forbidden):
        raise InvalidRequest(str(refusal), message=CANNOT_ADD) from refusal
    refusals.raise_translation(refusal, needs)
