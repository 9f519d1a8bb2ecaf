"""The texts of ``/session-admin report``; see `handler.commands.texts`."""

from typing import Final

from handler.commands.session_words import state_word
from handler.discord import markdown
from handler.discord.responses import Message, message
from handler.sessions.overview.choose import State
from handler.sessions.overview.report import MAX_COUNTED, Figures

WRONG_DAYS: Final = "A report covers 1 to 365 days. Choose a number between them."


def figures(found: Figures, channel_id: str, days: int) -> Message:
    """The figures of so many days."""
    channel, period = markdown.channel_mention(channel_id), "day" if days == 1 else f"{days} days"
    if not found.started and not found.went_on:
        return message(f"No session of {channel} was used in the last {period}.")
    now = [f"{found.states[state]:,} {state_word(state)}" for state in State if found.states.get(state)]
    lines = [
        f"**Sessions in {channel}, last {period}**",
        f"- {found.started:,} started, {found.went_on:,} from before used again",
        f"- {found.closed:,} closed, {found.replaced:,} begun again after their thread was deleted",
        f"- Now: {', '.join(now)}",
        "-# From what is on record. How often a session was reopened or linked isn't counted.",
    ]
    if found.is_cut:
        lines.append(f"-# There are more sessions: I counted the {MAX_COUNTED:,} that were active last.")
    return message("\n".join(lines))
