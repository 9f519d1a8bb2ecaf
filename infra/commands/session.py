"""``/session``: what everybody uses. Who may use it is left to Discord: a server's own settings can narrow it."""

from typing import Any, Final

from handler.sessions.names import MAX_THREAD_NAME_UNITS, MAX_TOPIC_LENGTH

CHAT_INPUT: Final = 1
SUBCOMMAND: Final = 1
STRING: Final = 3
GUILD_CONTEXT: Final = 0
GUILD_INSTALL: Final = 0

OPEN: Final[dict[str, Any]] = {
    "type": SUBCOMMAND,
    "name": "open",
    "description": "Find, reopen or create the one thread of a session in this channel",
    "options": [
        {
            "type": STRING,
            "name": "name",
            "description": "The session's name, such as 1a06a43",
            "required": True,
            "min_length": 1,
            "max_length": MAX_THREAD_NAME_UNITS,
        },
        {
            "type": STRING,
            "name": "topic",
            "description": "What the session is about; shown above its thread when it is created",
            "min_length": 1,
            "max_length": MAX_TOPIC_LENGTH,
        },
    ],
}

SESSION: Final[dict[str, Any]] = {
    "type": CHAT_INPUT,
    "name": "session",
    "description": "One session name, one thread",
    "contexts": [GUILD_CONTEXT],
    "integration_types": [GUILD_INSTALL],
    "options": [OPEN],
}
