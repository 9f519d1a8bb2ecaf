"""The question for the tag that a forum or media channel demands of each post: a select, and what comes of it.

No process remembers the open. The select's message says the name and the topic, and Discord sends it back with the choice.
"""

import re
from typing import Final

import msgspec

from handler.commands.session import open_session
from handler.commands.texts import UNKNOWN_BUTTON
from handler.discord import components
from handler.discord.interactions import Interaction
from handler.discord.markdown import bold, escape, unescape
from handler.discord.responses import Message, message, with_rows
from handler.errors import InvalidRequest
from handler.sessions.model import TagRequired
from handler.sessions.protocol import Sessions

TAG_SELECT: Final = "open-tag"
_ASKED: Final = re.compile(r"Each session here needs a tag\. Choose one for \*\*(.+)\*\*:(?:\n> (.+))?")


async def open_or_ask_for_tag(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session open``: as `open_session`; where a tag is missing, the answer has a select of the channel's tags."""
    try:
        return await open_session(sessions, interaction)
    except TagRequired as error:
        return ask_for_tag(error, interaction.text("name") or "", interaction.text("topic"))


def ask_for_tag(error: TagRequired, name: str, topic: str | None) -> Message:
    """The question; the error alone where there is nothing to choose."""
    if not error.tags:
        return message(error.message)
    quoted = f"\n> {escape(topic, links=True)}" if topic and topic.strip() else ""
    options = [components.option(tag, tag) for tag in list(error.tags.values())[: components.MAX_OPTIONS]]
    select = components.select(TAG_SELECT, options, placeholder="Choose a tag")
    text = f"Each session here needs a tag. Choose one for {bold(name)}:{quoted}"
    return with_rows(message(text), components.row(select))


async def open_with_tag(sessions: Sessions, interaction: Interaction) -> Message:
    """The choice of a tag: opens the session that the message names. Raises InvalidRequest for another message."""
    asked = _ASKED.fullmatch(interaction.message_content)
    if asked is None or not interaction.values:
        raise InvalidRequest("no question for a tag", message=UNKNOWN_BUTTON)
    options = {"name": unescape(asked[1]), "tag": interaction.values[0]}
    if asked[2] is not None:
        options["topic"] = unescape(asked[2])
    return await open_session(sessions, msgspec.structs.replace(interaction, options=options))
