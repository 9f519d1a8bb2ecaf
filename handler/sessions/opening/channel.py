"""The parent channel of a request: which one it is, of what kind, and whether the bot may work there."""

from handler.discord import permissions, refusals
from handler.discord.models import PARENTS, POST_PARENTS, Channel
from handler.errors import GuildNotAllowed, MissingAccess, MissingPermissions, UnsupportedChannel
from handler.sessions.context import Context
from handler.sessions.model import OpenRequest
from handler.sessions.threads.requests import fetch_parent
from handler.store.items import ChannelItem


async def find_channel(
    context: Context, channel_id: str, *, guild_id: str | None, kind: int | None
) -> tuple[ChannelItem, bool]:
    """The channel's item, and whether it is in the table yet; a thread's id leads to its parent.

    One GET at first contact, unless guild and kind are given. No kind that was only stated or recorded is refused: Discord
    is asked first. Nothing is written. Raises ChannelGone, GuildNotAllowed, MissingAccess or UnsupportedChannel.
    """
    on_record = await context.store.channels.get(channel_id)
    if on_record is not None:
        check_guild(context, on_record.guild_id)
        if on_record.kind in PARENTS:
            return on_record, True
        if await correct(context, on_record):
            return await find_channel(context, channel_id, guild_id=None, kind=None)
    if guild_id is not None:
        check_guild(context, guild_id)
    if kind not in PARENTS or guild_id is None:
        found = await _ask(context, channel_id, stated=kind)
        if found.guild_id is None:
            raise UnsupportedChannel("not a guild's channel")
        if found.is_thread and found.parent_id is not None:
            return await find_channel(context, found.parent_id, guild_id=guild_id, kind=None)
        channel_id, guild_id, kind = found.id, found.guild_id, found.type
    check_guild(context, guild_id)
    if kind not in PARENTS:
        raise UnsupportedChannel(f"channel type {kind}")
    return ChannelItem(channel_id=channel_id, guild_id=guild_id, kind=kind), False


async def _ask(context: Context, channel_id: str, *, stated: int | None) -> Channel:
    """The channel as Discord has it. One that the bot may not see is refused for the kind that was stated of it, if any."""
    try:
        return await fetch_parent(context, channel_id)
    except MissingAccess:
        if stated is None or stated in PARENTS:
            raise
        raise UnsupportedChannel(f"channel type {stated}") from None


async def correct(context: Context, channel: ChannelItem) -> bool:
    """Ask Discord of what kind the channel is, and correct the record; return whether it was wrong.

    A thread, or a channel that can have no sessions, is no longer on record.
    """
    found = await fetch_parent(context, channel.channel_id)
    if found.type in PARENTS:
        await context.store.channels.correct_kind(channel, found.type)
    else:
        await context.store.channels.forget(channel)
    return found.type != channel.kind


async def register(context: Context, channel: ChannelItem) -> None:
    """Write down a channel at first contact. The guild comes first: a channel in the table is not registered again."""
    await context.store.guilds.make_due(channel.guild_id, now=context.clock.now())
    await context.store.channels.register(channel)


def check_guild(context: Context, guild_id: str) -> None:
    """Raise GuildNotAllowed if this deployment does not work for the guild."""
    if not context.serves(guild_id):
        raise GuildNotAllowed(f"guild {guild_id}")


def check_permissions(request: OpenRequest, channel: ChannelItem) -> None:
    """Raise MissingPermissions, naming each permission that a creation needs there and the app lacks."""
    granted = request.requester.app_permissions
    needed = refusals.NEEDED_TO_POST if channel.kind in POST_PARENTS else refusals.NEEDED_TO_CREATE
    if request.private:
        needed = refusals.NEEDED_TO_CREATE_PRIVATE
    if granted is not None and (missing := permissions.missing(granted, needed)):
        raise MissingPermissions(missing)
