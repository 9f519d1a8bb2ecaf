"""The tables of commands: the words, buttons, selects and modals that run each; and the options that are completed."""

from typing import Final

from handler.commands.admin import import_channel, keep_thread, list_duplicates, merge, turn_duplicates
from handler.commands.admin_texts import KEEP_SELECT, MERGE_BUTTON, PAGE_BUTTON
from handler.commands.change_texts import REOPEN_BUTTON
from handler.commands.changes import add, close, keep, remove, reopen, tag, topic
from handler.commands.command import OPEN_HERE, OPEN_SESSION, Commands, Completions
from handler.commands.completions import complete_name, complete_tag
from handler.commands.delete import delete, delete_for_good
from handler.commands.delete_texts import DELETE_BUTTON
from handler.commands.here import MENU_NAME, ask_for_name, open_here
from handler.commands.info import show_info
from handler.commands.list_buttons import FIND_BUTTON, LIST_BUTTON
from handler.commands.lists import find_further, find_sessions, list_sessions, turn_list
from handler.commands.questions import MENU_NAME as ANSWER_MENU
from handler.commands.questions import answer_with_message, press, submit
from handler.commands.report import report
from handler.commands.required_tag import TAG_SELECT, open_or_ask_for_tag, open_with_tag
from handler.commands.settings import complete_open, settings
from handler.commands.status import let_through, status
from handler.commands.status_texts import LET_THROUGH_BUTTON
from handler.discord.interactions import BUTTON, MENU, MODAL
from handler.questions.card import ANSWER

COMMANDS: Final[Commands] = {
    OPEN_SESSION: open_or_ask_for_tag,
    (BUTTON, TAG_SELECT): open_with_tag,
    (MENU, MENU_NAME): ask_for_name,
    OPEN_HERE: open_here,
    ("session", "close"): close,
    ("session", "topic"): topic,
    ("session", "tag"): tag,
    (BUTTON, ANSWER): press,
    (MODAL, ANSWER): submit,
    (MENU, ANSWER_MENU): answer_with_message,
    ("session", "add"): add,
    ("session", "remove"): remove,
    ("session", "keep"): keep,
    ("session-admin", "import"): import_channel,
    ("session-admin", "duplicates"): list_duplicates,
    ("session-admin", "settings"): settings,
    ("session-admin", "status"): status,
    ("session-admin", "report"): report,
    (BUTTON, LET_THROUGH_BUTTON): let_through,
    ("session-admin", "delete"): delete,
    (BUTTON, DELETE_BUTTON): delete_for_good,
    (BUTTON, MERGE_BUTTON): merge,
    (BUTTON, KEEP_SELECT): keep_thread,
    (BUTTON, PAGE_BUTTON): turn_duplicates,
    ("session", "list"): list_sessions,
    (BUTTON, LIST_BUTTON): turn_list,
    ("session", "info"): show_info,
    ("session", "find"): find_sessions,
    (BUTTON, FIND_BUTTON): find_further,
    (BUTTON, REOPEN_BUTTON): reopen,
}

COMPLETIONS: Final[Completions] = {"name": complete_name, "tag": complete_tag, "open": complete_open}
