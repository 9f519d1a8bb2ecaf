"""``/session-admin status``: how it goes in this server, and what is missing."""

from datetime import timedelta
from typing import Final

from handler.commands import status_texts, texts
from handler.commands.command import parent_channel
from handler.commands.moderation import check_permissions
from handler.discord.interactions import Interaction
from handler.discord.responses import Message
from handler.runtime import telemetry
from handler.runtime.concurrency import gather
from handler.sessions.overview.server import read_status
from handler.sessions.protocol import Sessions

LET_THROUGH_FOR: Final = timedelta(hours=1)  # several runs, and no longer: it is for what a person looks at now


async def status(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session-admin status``: nothing changes. It works also where the bot may do nothing yet."""
    if (refusal := check_permissions(interaction)) is not None:
        return refusal
    context, (channel_id, kind) = sessions.context, parent_channel(interaction)
    found, channel = await gather(
        read_status(context, interaction.guild_id or ""), context.store.channels.get(channel_id)
    )
    telemetry.set_fields(outcome="shown", held=len(found.held), active_threads=found.active_threads)
    here = status_texts.Here(
        channel_id=channel_id,
        kind=kind if channel is None else channel.kind,
        granted=interaction.app_permissions,
        application_id=context.application_id,
        now=context.clock.now(),
    )
    return status_texts.server_status(found, here)


async def let_through(sessions: Sessions, interaction: Interaction) -> Message:
    """The button beneath what is held back. An old one does nothing once nothing is held back any more."""
    if (refusal := check_permissions(interaction)) is not None:
        return refusal
    if interaction.guild_id is None:
        return texts.guild_required()
    guilds, now = sessions.context.store.guilds, sessions.context.clock.now()
    watched = await guilds.watched(interaction.guild_id)
    held = sum(session.problem.missing_since is not None for session in watched.sessions)
    if held:
        await guilds.let_through(interaction.guild_id, until=now + LET_THROUGH_FOR)
    telemetry.set_fields(outcome="let_through" if held else "nothing_held", held=held)
    return status_texts.let_through(held)
