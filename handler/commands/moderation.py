"""What the commands for moderators begin with: who may use them, and which channel they mean."""

from collections.abc import Sequence

from handler.commands import texts
from handler.commands.command import parent_channel
from handler.discord import permissions
from handler.discord.interactions import Interaction
from handler.discord.permissions import Permission
from handler.discord.responses import Message
from handler.errors import MissingPermissions, NotAllowed
from handler.runtime import telemetry
from handler.sessions.model import Requester
from handler.sessions.opening.channel import find_channel, register
from handler.sessions.protocol import Sessions
from handler.store.items import ChannelItem


def check_permissions(interaction: Interaction, needed: Sequence[Permission] = ()) -> Message | None:
    """The refusal of a command that was used outside a guild. `needed`: the bot's permissions.

    Raises NotAllowed (Discord hides the command from other users, but a guild can change that) and MissingPermissions.
    """
    if interaction.guild_id is None:
        return texts.guild_required()
    if not interaction.by_moderator:
        raise NotAllowed
    granted = interaction.app_permissions
    if granted is not None and (missing := permissions.missing(granted, needed)):
        raise MissingPermissions(missing)
    return None


def moderator(interaction: Interaction) -> Requester:
    """Who asks, for the server's audit log."""
    return Requester(owner=interaction.id, user_id=interaction.user_id, user_name=interaction.user_name)


async def registered_channel(sessions: Sessions, interaction: Interaction) -> ChannelItem:
    """The channel's item, written if it is new; a thread means its parent channel."""
    channel_id, kind = parent_channel(interaction)
    channel, known = await find_channel(sessions.context, channel_id, guild_id=interaction.guild_id, kind=kind)
    if not known:
        await register(sessions.context, channel)
    telemetry.set_fields(channel_id=channel.channel_id)
    return channel
