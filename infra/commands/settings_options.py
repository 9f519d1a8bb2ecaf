"""The options of ``/session-admin settings``."""

from typing import Any, Final

from handler.commands.settings_texts import DURATIONS
from handler.sessions.names import MAX_THREAD_NAME_UNITS
from handler.store.settings import ChannelSettings
from infra.commands.option_types import BOOLEAN, INTEGER, ROLE, STRING

MAX_TAG_NAME_LENGTH: Final = 20  # characters (Discord docs, "Channel", Forum Tag Object)

NEW_POSTS_TAG: Final[dict[str, Any]] = {
    "type": STRING,
    "name": "tag",
    "description": "The tag of a new post, in a forum or media channel",
    "min_length": 1,
    "max_length": MAX_TAG_NAME_LENGTH,
    "autocomplete": True,
}

SETTINGS: Final[list[dict[str, Any]]] = [
    {
        "type": STRING,
        "name": "open",
        "description": "Who can start and reopen sessions: permitted, everyone, or a role (type @ and pick it)",
        "min_length": 1,
        "max_length": MAX_THREAD_NAME_UNITS,
        "autocomplete": True,
    },
    {
        "type": STRING,
        "name": "unlock",
        "description": "Who can have a locked session unlocked by opening it",
        "choices": [{"name": name, "value": name} for name in ("moderators", "everyone")],
    },
    {
        "type": INTEGER,
        "name": "archive_after",
        "description": "When a quiet thread of a new session leaves the channel list",
        "choices": [{"name": name, "value": minutes} for minutes, name in DURATIONS.items()],
    },
    {
        "type": BOOLEAN,
        "name": "private",
        "description": "Whether a new session is private, unless its open says otherwise",
    },
    NEW_POSTS_TAG,
    {"type": ROLE, "name": "access_role", "description": "Whose members are added to private sessions"},
    {
        "type": STRING,
        "name": "reset",
        "description": "Take a setting back to the default",
        "choices": [{"name": name, "value": name} for name in ("all", *ChannelSettings.ATTRIBUTES)],
    },
]
