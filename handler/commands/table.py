"""Which words run which command."""

from typing import Final

from handler.commands.context import Command, Commands
from handler.commands.session import open_session
from handler.discord.interactions import Interaction

COMMANDS: Final[Commands] = {
    ("session", "open"): open_session,
}


def find(commands: Commands, interaction: Interaction) -> Command | None:
    """The command that an interaction asks for; None for one that is not known (any more)."""
    return commands.get(interaction.path)
