"""Requests to Discord whose refusals become the errors that people read."""

from collections.abc import Awaitable, Sequence
from typing import NoReturn, TypeVar

from handler.discord import refusals
from handler.discord.markdown import bold, channel_mention
from handler.discord.models import Channel
from handler.discord.permissions import Permission
from handler.errors import ChannelGone, DiscordRefused, DiscordUnavailable, InvalidName, InvalidRequest, NotFound
from handler.sessions.context import Context
from handler.store.items import Session

T = TypeVar("T")


async def translate_refusals(
    context: Context, parent_channel_id: str, request: Awaitable[T], needs: Sequence[Permission] = ()
) -> T:
    """Await a request; raise a refusal as the error that people read.

    NotFound stays, except for a request that needs a permission in the parent channel: if that channel is gone, raises
    ChannelGone.
    """
    try:
        return await request
    except DiscordRefused as refusal:
        if refusal.code == refusals.UNKNOWN_CHANNEL and needs:
            await confirm_channel_gone(context, parent_channel_id)
        refusals.raise_translation(refusal, needs)


async def fetch_thread(context: Context, session: Session) -> Channel | None:
    """The session's thread, on record or of the recorded source message; None on a 404 with code 10003."""
    return await translate_refusals(
        context, session.parent_channel_id, context.discord.channel_or_none(session.thread_id or "")
    )


def raise_archived(session: Session) -> NoReturn:
    """Raise InvalidRequest: the thread is archived, and cannot be changed before it is opened."""
    name, link = bold(session.session_name), channel_mention(session.discord_thread_id or "")
    text = f"{name} is archived: {link}. Open it with `/session open`, then try again."
    raise InvalidRequest("the thread is archived", message=text)


async def confirm_channel_gone(context: Context, parent_channel_id: str) -> None:
    """An answer said that the parent channel is unknown: raise ChannelGone if it is gone, else DiscordUnavailable."""
    await fetch_parent(context, parent_channel_id)
    raise DiscordUnavailable(f"channel {parent_channel_id} was called unknown, and is there")


async def fetch_parent(context: Context, channel_id: str) -> Channel:
    """The parent channel. Raises ChannelGone or MissingAccess."""
    try:
        return await context.discord.channel(channel_id)
    except NotFound as missing:
        raise ChannelGone(str(missing)) from missing
    except DiscordRefused as refusal:
        refusals.raise_translation(refusal, ())


def raise_refused_words(session: Session, refusal: DiscordRefused, needs: Sequence[Permission]) -> NoReturn:
    """Raise the refusal of a session's description or thread; without a topic, only the name can be at fault."""
    if session.topic is None and isinstance(refusals.translate(refusal, needs), InvalidRequest):
        raise InvalidName(str(refusal), message=refusals.NAME_REFUSED) from refusal
    refusals.raise_translation(refusal, needs)
