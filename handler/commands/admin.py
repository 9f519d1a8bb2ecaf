"""``/session-admin``, for members with Manage Threads: reading a channel's past again, and merging duplicates."""

from typing import Final

from handler.commands import admin_texts, texts
from handler.commands.command import parent_channel
from handler.commands.session import IMPORT_STRETCH_SECONDS
from handler.discord import permissions
from handler.discord.interactions import Interaction
from handler.discord.permissions import Permission
from handler.discord.responses import Message
from handler.errors import InvalidRequest, MissingPermissions, NotAllowed
from handler.runtime import telemetry
from handler.sessions.duplicates.find import find_duplicates
from handler.sessions.duplicates.group import NEEDED_TO_MERGE
from handler.sessions.duplicates.merge import merge_duplicates
from handler.sessions.opening.channel import channel_of, register
from handler.sessions.opening.channel_import import import_afresh, import_whole
from handler.sessions.protocol import Sessions
from handler.store.items import ChannelItem

NEEDED_TO_IMPORT: Final = (Permission.VIEW_CHANNEL, Permission.READ_MESSAGE_HISTORY)


async def import_channel(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session-admin import``: read the channel's threads afresh and give each its place, whatever is on record.

    A repeat of the same interaction goes on with what it began, and a job that was put back with what there is.
    """
    if (refusal := _refusal(interaction)) is not None:
        return refusal
    _check_app(interaction, NEEDED_TO_IMPORT)
    channel = await _channel(sessions, interaction)
    if "pages" in interaction.done_before:
        done = await import_whole(sessions.context, channel, stretch=IMPORT_STRETCH_SECONDS)
    else:
        done = await import_afresh(sessions.context, channel, interaction.id, stretch=IMPORT_STRETCH_SECONDS)
    telemetry.set_fields(outcome="imported", **done.progress)
    return admin_texts.imported(done)


async def list_duplicates(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session-admin duplicates``: the names with several threads, which one would be kept, and a button to do it."""
    if (refusal := _refusal(interaction)) is not None:
        return refusal
    _check_app(interaction, NEEDED_TO_MERGE)
    channel = await _known_channel(sessions, interaction)
    found = await find_duplicates(sessions.context, channel)
    telemetry.set_fields(outcome="listed", names=len(found.groups), threads=found.threads)
    return admin_texts.duplicates(found, channel.channel_id)


async def merge(sessions: Sessions, interaction: Interaction) -> Message:
    """The button beneath that list. Who may is asked again: what is signed says who pressed it, and where."""
    if interaction.button_argument not in (interaction.channel_id, interaction.parent_id):
        raise InvalidRequest("a button of another channel", message=texts.UNKNOWN_BUTTON)
    if (refusal := _refusal(interaction)) is not None:
        return refusal
    _check_app(interaction, NEEDED_TO_MERGE)
    channel = await _known_channel(sessions, interaction)
    done = await merge_duplicates(sessions.context, channel, merged_before=interaction.done_before.get("merged", 0))
    telemetry.set_fields(outcome="merged", threads=done.merged, left=done.left)
    return admin_texts.merged(done.merged, done.left)


def _refusal(interaction: Interaction) -> Message | None:
    """Why it cannot be used here, if so. Discord hides the command from other users, but a server can change that.

    Raises NotAllowed.
    """
    if interaction.guild_id is None:
        return texts.outside_a_guild()
    if not permissions.has(interaction.user_permissions or 0, Permission.MANAGE_THREADS):
        raise NotAllowed
    return None


def _check_app(interaction: Interaction, needed: tuple[Permission, ...]) -> None:
    """Raises MissingPermissions with each one that the bot lacks there."""
    granted = interaction.app_permissions
    if granted is not None and (missing := permissions.missing(granted, needed)):
        raise MissingPermissions(missing)


async def _channel(sessions: Sessions, interaction: Interaction) -> ChannelItem:
    """The channel's record; a thread means its parent. At first contact it is registered."""
    channel_id, kind = parent_channel(interaction)
    channel, known = await channel_of(sessions.context, channel_id, guild_id=interaction.guild_id, kind=kind)
    if not known:
        await register(sessions.context, channel)
    telemetry.set_fields(channel_id=channel.channel_id)
    return channel


async def _known_channel(sessions: Sessions, interaction: Interaction) -> ChannelItem:
    """The same, once its past is known."""
    channel = await _channel(sessions, interaction)
    return await import_whole(sessions.context, channel, stretch=IMPORT_STRETCH_SECONDS)
