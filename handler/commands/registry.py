"""Which words, and which buttons, run which command."""

from typing import Final

from handler.commands.admin import import_channel, list_duplicates, merge
from handler.commands.admin_texts import MERGE_BUTTON
from handler.commands.command import Command, Commands
from handler.commands.session import open_session
from handler.discord.interactions import BUTTON, Interaction

COMMANDS: Final[Commands] = {
    ("session", "open"): open_session,
    ("session-admin", "import"): import_channel,
    ("session-admin", "duplicates"): list_duplicates,
    (BUTTON, MERGE_BUTTON): merge,
}


def find_command(commands: Commands, interaction: Interaction) -> Command | None:
    """The command that an interaction asks for; None for one that is not known (any more)."""
    return commands.get(interaction.path)
