"""``/session-admin report``: figures of a channel."""

from datetime import timedelta
from typing import Final

from handler.commands import report_texts
from handler.commands.command import parent_channel
from handler.commands.moderation import check_permissions
from handler.discord.interactions import Interaction
from handler.discord.responses import Message
from handler.errors import InvalidRequest
from handler.runtime import telemetry
from handler.sessions.overview.report import read_figures
from handler.sessions.protocol import Sessions

USUAL_DAYS: Final = 30  # about a month: what people compare
MAX_DAYS: Final = 365  # a year: what is older says little of a channel today


async def report(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session-admin report [days:]``: how many sessions were started, used, closed. Nothing changes."""
    if (refusal := check_permissions(interaction)) is not None:
        return refusal
    days = interaction.options.get("days", USUAL_DAYS)
    if type(days) is not int or not 1 <= days <= MAX_DAYS:
        raise InvalidRequest("days out of range", message=report_texts.WRONG_DAYS)
    channel_id, _ = parent_channel(interaction)
    since = sessions.context.clock.now() - timedelta(days=days)
    figures = await read_figures(sessions.context.store.activity, channel_id, since)
    telemetry.set_fields(outcome="reported", channel_id=channel_id)
    return report_texts.figures(figures, channel_id, days)
