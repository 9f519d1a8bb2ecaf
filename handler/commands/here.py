"""*Open session here*, in a message's menu: a form asks for the session's name, then the message gets its thread."""

import re
from typing import Final

from handler.commands import texts
from handler.commands.command import OPEN_HERE, Answer
from handler.commands.outcomes import open_and_log
from handler.commands.session import read_open_request
from handler.discord.components import PARAGRAPH, Modal, text_field
from handler.discord.interactions import Interaction, Target
from handler.discord.responses import Message
from handler.discord.snowflakes import is_snowflake
from handler.errors import InvalidName
from handler.sessions.model import OpenRequest
from handler.sessions.names import MAX_THREAD_NAME_UNITS, MAX_TOPIC_LENGTH, Names
from handler.sessions.protocol import Sessions
from handler.sessions.threads.source_message import read_thread_name

MENU_NAME: Final = "Open session here"  # as people see it
MAX_SUGGESTION: Final = 50  # characters of a suggested name: people are to type it again

_MARKUP: Final = re.compile(r"<[^<>\s]+>|https?://\S+|[*_~`|#>\\]+")  # mentions, emoji, links, markdown


async def ask_for_name(sessions: Sessions, interaction: Interaction) -> Answer:
    """*Open session here*: the form, with a name taken from the message."""
    if (refusal := _check_place(interaction)) is not None:
        return refusal
    if interaction.target is None:
        return texts.unreadable_command()
    name = text_field(
        "name",
        "Session name",
        value=suggest_name(sessions.context.names, interaction.target),
        most=MAX_THREAD_NAME_UNITS,
        description="A ticket number, a run's ID or a few words. A name that has a thread already opens that one.",
    )
    topic = text_field("topic", "Topic", style=PARAGRAPH, required=False, most=MAX_TOPIC_LENGTH)
    return Modal(MENU_NAME, f"{OPEN_HERE[1]}:{interaction.target.id}", [name, topic])


async def open_here(sessions: Sessions, interaction: Interaction) -> Message:
    """The form: open the session, with a thread of that message if it has none yet."""
    if (refusal := _check_place(interaction)) is not None:
        return refusal
    if not is_snowflake(interaction.argument):
        return texts.unreadable_command()
    request = read_open_request(sessions, interaction, message_id=interaction.argument)
    if not isinstance(request, OpenRequest):
        return request
    return texts.session_here(await open_and_log(sessions, request), request)


def _check_place(interaction: Interaction) -> Message | None:
    """The refusal of a message that can have no thread, as far as the interaction tells."""
    if interaction.guild_id is None:
        return texts.guild_required()
    return texts.no_thread_in_thread() if interaction.in_thread else None


def suggest_name(names: Names, target: Target) -> str:
    """A name for the session of a message: that of its thread, or the first line with words; empty if it has none."""
    named = target.thread_name or read_thread_name(target.content)
    lines = [named] if named else (_MARKUP.sub(" ", line) for line in target.content.splitlines())
    for line in lines:
        try:
            return names.parse(_cut(line)).spelling
        except InvalidName:
            continue
    return ""


def _cut(line: str) -> str:
    """The beginning of a line, as far as whole words fit."""
    words = " ".join(line.split())
    if len(words) <= MAX_SUGGESTION:
        return words
    return words[: MAX_SUGGESTION + 1].rpartition(" ")[0] or words[:MAX_SUGGESTION]
