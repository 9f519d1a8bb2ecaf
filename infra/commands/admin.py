"""``/session-admin``: for members with Manage Threads. A server's own settings can change who sees it, not who may."""

from typing import Any, Final

from handler.discord.permissions import Permission
from infra.commands.session import CHAT_INPUT, GUILD_CONTEXT, GUILD_INSTALL, SUBCOMMAND

IMPORT: Final[dict[str, Any]] = {
    "type": SUBCOMMAND,
    "name": "import",
    "description": "Read this channel's threads afresh, so that each session is found by its name",
}

DUPLICATES: Final[dict[str, Any]] = {
    "type": SUBCOMMAND,
    "name": "duplicates",
    "description": "List the session names that have several threads here, and merge those threads",
}

SESSION_ADMIN: Final[dict[str, Any]] = {
    "type": CHAT_INPUT,
    "name": "session-admin",
    "description": "Put a channel's sessions in order",
    "default_member_permissions": int(Permission.MANAGE_THREADS),
    "contexts": [GUILD_CONTEXT],
    "integration_types": [GUILD_INSTALL],
    "options": [IMPORT, DUPLICATES],
}
