"""The table of commands: the words and buttons that run each."""

from typing import Final

from handler.commands.admin import import_channel, list_duplicates, merge
from handler.commands.admin_texts import MERGE_BUTTON
from handler.commands.command import OPEN_SESSION, Commands
from handler.commands.session import open_session
from handler.discord.interactions import BUTTON

COMMANDS: Final[Commands] = {
    OPEN_SESSION: open_session,
    ("session-admin", "import"): import_channel,
    ("session-admin", "duplicates"): list_duplicates,
    (BUTTON, MERGE_BUTTON): merge,
}
