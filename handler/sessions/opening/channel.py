"""The parent channel of a request: which one it is, of what kind, and whether the bot may work there."""

from handler.discord import permissions, refusals
from handler.discord.models import ANCHORED_PARENTS
from handler.errors import ChannelGone, DiscordRefused, MissingPermissions, NotFound, UnsupportedChannel
from handler.sessions.context import Context
from handler.sessions.model import OpenRequest
from handler.store.items import ChannelItem


async def resolve(context: Context, request: OpenRequest) -> tuple[ChannelItem, bool]:
    """The record of the channel that is asked about; see `channel_of`."""
    return await channel_of(context, request.parent_channel_id, guild_id=request.guild_id, kind=request.kind)


async def channel_of(
    context: Context, channel_id: str, *, guild_id: str | None, kind: int | None
) -> tuple[ChannelItem, bool]:
    """The channel's record, and whether it is on record yet; a thread's id leads to its parent.

    One GET at first contact, unless guild and kind are given. Nothing is written. Raises ChannelGone, MissingAccess or
    UnsupportedChannel.
    """
    known = await context.store.channels.get(channel_id)
    if known is not None:
        return known, True
    if kind is not None and guild_id is not None:
        record = ChannelItem(channel_id=channel_id, guild_id=guild_id, kind=kind)
    else:
        found = await _ask(context, channel_id)
        if found.channel_id != channel_id:  # it was a thread: now its parent is meant
            return await channel_of(context, found.channel_id, guild_id=guild_id, kind=kind)
        record = found
    if record.kind not in ANCHORED_PARENTS:
        raise UnsupportedChannel(f"channel type {record.kind}")
    return record, False


async def _ask(context: Context, channel_id: str) -> ChannelItem:
    try:
        channel = await context.discord.channel(channel_id)
    except NotFound as missing:
        raise ChannelGone(str(missing)) from missing
    except DiscordRefused as refusal:
        refusals.raise_translation(refusal, ())
    if channel.guild_id is None:
        raise UnsupportedChannel("not a guild's channel")
    if channel.is_thread and channel.parent_id is not None:
        return ChannelItem(channel_id=channel.parent_id, guild_id=channel.guild_id, kind=-1)
    return ChannelItem(channel_id=channel.id, guild_id=channel.guild_id, kind=channel.type)


async def register(context: Context, channel: ChannelItem) -> None:
    """First contact with a channel. The guild comes first: a channel on record is not registered again."""
    await context.store.guilds.make_due(channel.guild_id, now=context.clock.now())
    await context.store.channels.register(channel)


def check_permissions(request: OpenRequest) -> None:
    """Before anything is written: raise MissingPermissions, naming each one that a creation needs and the app lacks."""
    granted = request.requester.app_permissions
    if granted is not None and (missing := permissions.missing(granted, refusals.NEEDED_TO_CREATE)):
        raise MissingPermissions(missing)
