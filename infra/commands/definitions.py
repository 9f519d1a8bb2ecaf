"""The commands as Discord registers them (Discord docs, "Application Commands").

Who may use ``/session`` is left to Discord: a server's settings can restrict it. Such settings can change who sees
``/session-admin``, but only members with Manage Threads may use it.
"""

from typing import Any, Final

from handler.commands.here import MENU_NAME
from handler.commands.list_buttons import MAX_TEXT_UNITS
from handler.commands.questions import MENU_NAME as ANSWER_MENU
from handler.commands.report import MAX_DAYS, USUAL_DAYS
from handler.discord.permissions import Permission
from handler.sessions.names import MAX_REASON_LENGTH, MAX_THREAD_NAME_UNITS, MAX_TOPIC_LENGTH
from infra.commands.limits import CHAT_INPUT, MESSAGE
from infra.commands.option_types import BOOLEAN, INTEGER, STRING, SUBCOMMAND, USER
from infra.commands.settings_options import MAX_TAG_NAME_LENGTH, NEW_POSTS_TAG, SETTINGS

MAX_MEMBERS_LENGTH: Final = 500  # characters: twenty mentions, and some words between them
# The session that a command means. In a session's thread it may be left out.
NAME: Final[dict[str, Any]] = {
    "type": STRING,
    "name": "name",
    "description": "Which session; in its thread you can leave this out",
    "min_length": 1,
    "max_length": MAX_THREAD_NAME_UNITS,
    "autocomplete": True,
}
# Where both commands can be used and installed: in guilds.
_GUILD_ONLY: Final = {"contexts": [0], "integration_types": [0]}

_LIST: Final[dict[str, Any]] = {
    "type": SUBCOMMAND,
    "name": "list",
    "description": "Show this channel's sessions, those that were active last first",
    "options": [
        {
            "type": STRING,
            "name": "state",
            "description": "Only sessions in this state",
            "choices": [
                {"name": "open", "value": "open"},
                {"name": "archived", "value": "archived"},
                {"name": "closed", "value": "closed"},
                {"name": "waiting for an answer", "value": "waiting"},
            ],
        },
        {"type": BOOLEAN, "name": "mine", "description": "Only sessions that you started"},
    ],
}
_FIND: Final[dict[str, Any]] = {
    "type": SUBCOMMAND,
    "name": "find",
    "description": "Look for sessions by their names and topics in this channel",
    "options": [
        {
            "type": STRING,
            "name": "text",
            "description": "Words, or how they begin",
            "required": True,
            "min_length": 1,
            "max_length": MAX_TEXT_UNITS,
        }
    ],
}
_INFO: Final[dict[str, Any]] = {
    "type": SUBCOMMAND,
    "name": "info",
    "description": "Show all about a session: who, when, its state and why",
    "options": [NAME],
}

SESSION: Final[dict[str, Any]] = {
    "type": CHAT_INPUT,
    "name": "session",
    "description": "One session name, one thread",
    **_GUILD_ONLY,
    "options": [
        {
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
                    "autocomplete": True,
                },
                {
                    "type": STRING,
                    "name": "topic",
                    "description": "What the session is about; shown above its thread when it is created",
                    "min_length": 1,
                    "max_length": MAX_TOPIC_LENGTH,
                },
                {
                    "type": BOOLEAN,
                    "name": "private",
                    "description": "Only you, the members and moderators see the session",
                },
                {
                    "type": STRING,
                    "name": "members",
                    "description": "Of a private session: mention users and roles, such as @Ann @Support",
                    "min_length": 1,
                    "max_length": MAX_MEMBERS_LENGTH,
                },
                NEW_POSTS_TAG,
            ],
        },
        _LIST,
        _FIND,
        _INFO,
        {
            "type": SUBCOMMAND,
            "name": "close",
            "description": "Archive a session's thread; opening the session opens it again",
            "options": [
                NAME,
                {"type": BOOLEAN, "name": "lock", "description": "Lock the thread, too"},
                {
                    "type": STRING,
                    "name": "reason",
                    "description": "Why; shown in the thread",
                    "min_length": 1,
                    "max_length": MAX_REASON_LENGTH,
                },
            ],
        },
        {
            "type": SUBCOMMAND,
            "name": "topic",
            "description": "Change what a session is about",
            "options": [
                {
                    "type": STRING,
                    "name": "text",
                    "description": "The new topic; shown above the thread",
                    "required": True,
                    "min_length": 1,
                    "max_length": MAX_TOPIC_LENGTH,
                },
                NAME,
            ],
        },
        {
            "type": SUBCOMMAND,
            "name": "tag",
            "description": "Add a tag to a session's post, or take it away if the post has it",
            "options": [
                {
                    "type": STRING,
                    "name": "tag",
                    "description": "The tag's name, as the forum or media channel has it",
                    "required": True,
                    "min_length": 1,
                    "max_length": MAX_TAG_NAME_LENGTH,
                    "autocomplete": True,
                },
                NAME,
            ],
        },
        {
            "type": SUBCOMMAND,
            "name": "add",
            "description": "Add somebody to a session's thread",
            "options": [
                {"type": USER, "name": "user", "description": "Who", "required": True},
                NAME,
            ],
        },
        {
            "type": SUBCOMMAND,
            "name": "remove",
            "description": "Remove somebody from a session's thread",
            "options": [
                {"type": USER, "name": "user", "description": "Who", "required": True},
                NAME,
            ],
        },
        {
            "type": SUBCOMMAND,
            "name": "keep",
            "description": "Keep a session's thread open when nobody writes in it, or stop that",
            "options": [
                {"type": BOOLEAN, "name": "on", "description": "Whether to keep it open", "required": True},
                NAME,
            ],
        },
    ],
}

SESSION_ADMIN: Final[dict[str, Any]] = {
    "type": CHAT_INPUT,
    "name": "session-admin",
    "description": "Put a channel's sessions in order",
    "default_member_permissions": int(Permission.MANAGE_THREADS),
    **_GUILD_ONLY,
    "options": [
        {
            "type": SUBCOMMAND,
            "name": "import",
            "description": "Check all threads of this channel again, so that each session is found by its name",
        },
        {
            "type": SUBCOMMAND,
            "name": "duplicates",
            "description": "List sessions that have several threads in this channel, and close the duplicates",
        },
        {
            "type": SUBCOMMAND,
            "name": "settings",
            "description": "Show or change the settings of this channel",
            "options": SETTINGS,
        },
        {
            "type": SUBCOMMAND,
            "name": "status",
            "description": "Show what I'm missing in this server, and what the last check did",
        },
        {
            "type": SUBCOMMAND,
            "name": "report",
            "description": "Show how many sessions of this channel were started, used and closed",
            "options": [
                {
                    "type": INTEGER,
                    "name": "days",
                    "description": f"Of how many days; {USUAL_DAYS} if you leave it out",
                    "min_value": 1,
                    "max_value": MAX_DAYS,
                }
            ],
        },
        {
            "type": SUBCOMMAND,
            "name": "delete",
            "description": "End a session for good and delete its thread; asks first",
            "options": [NAME],
        },
    ],
}

# In the menu of a message; it has no description.
OPEN_SESSION_HERE: Final[dict[str, Any]] = {"type": MESSAGE, "name": MENU_NAME, **_GUILD_ONLY}

ANSWER_WITH_MESSAGE: Final[dict[str, Any]] = {"type": MESSAGE, "name": ANSWER_MENU, **_GUILD_ONLY}

COMMANDS: Final[tuple[dict[str, Any], ...]] = (SESSION, SESSION_ADMIN, OPEN_SESSION_HERE, ANSWER_WITH_MESSAGE)
