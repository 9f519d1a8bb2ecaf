"""Requests to Discord whose refusals become the errors that people read."""

from collections.abc import Awaitable, Sequence
from typing import TypeVar

from handler.discord import refusals
from handler.discord.models import Channel
from handler.discord.permissions import Permission
from handler.errors import ChannelGone, DiscordRefused, DiscordUnavailable, NotFound
from handler.sessions.context import Context

T = TypeVar("T")


async def translate_refusals(
    context: Context, parent_channel_id: str, question: Awaitable[T], needs: Sequence[Permission]
) -> T:
    """Await a request; a refusal becomes the error that people are told. A 404 stays, unless it is the list's channel."""
    try:
        return await question
    except DiscordRefused as refusal:
        if refusal.code == refusals.UNKNOWN_CHANNEL and needs:
            await confirm_channel_gone(context, parent_channel_id)
        refusals.raise_translation(refusal, needs)


async def confirm_channel_gone(context: Context, parent_channel_id: str) -> None:
    """Something said that the parent channel is unknown: raise ChannelGone if it really is, else DiscordUnavailable."""
    await get_parent(context, parent_channel_id)
    raise DiscordUnavailable(f"channel {parent_channel_id} was called unknown, and is there")


async def get_parent(context: Context, channel_id: str) -> Channel:
    try:
        return await context.discord.channel(channel_id)
    except NotFound as missing:
        raise ChannelGone(str(missing)) from missing
    except DiscordRefused as refusal:
        refusals.raise_translation(refusal, ())
