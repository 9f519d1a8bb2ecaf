"""Responses to interactions: callbacks, messages, and edits of a deferred answer. Pure.

Discord docs, "Receiving and Responding" (interaction response), "Message" (flags, allowed mentions), "Components".
All messages are ephemeral, mention nobody and fit Discord's limits, whatever their text: a text that is too long is cut. Lists
are made to fit before (`handler.discord.fitting`).
"""

from collections.abc import Mapping
from typing import Any, Final

from discord_interactions import InteractionResponseFlags, InteractionResponseType

from handler.discord import markdown
from handler.discord.fitting import MAX_CONTENT, MAX_DESCRIPTION, MAX_LABEL

# Types of components (Discord docs, "Components").
ACTION_ROW: Final = 1
BUTTON: Final = 2
DANGER_STYLE: Final = 4  # red, for an action that cannot be undone
LINK_STYLE: Final = 5  # opens a URL and sends no interaction

MAX_TEXT_UNITS: Final = 1900  # of 2000 characters (Discord docs, "Message"), however it counts them

Message = dict[str, Any]
Callback = dict[str, Any]


def message(content: str, *, link: str | None = None, label: str = "Open the thread") -> Message:
    """An ephemeral message; with `link`, it has a button that opens it."""
    components = [] if link is None else _button_row(style=LINK_STYLE, label=label, url=link)
    return {
        "content": markdown.shorten(content, MAX_CONTENT),
        "flags": InteractionResponseFlags.EPHEMERAL,
        "allowed_mentions": {"parse": []},
        "components": components,
        "embeds": [],  # empty lists remove those of the message that it replaces
    }


def with_button(answer: Message, *, label: str, custom_id: str) -> Message:
    """The message with a button that does something. `custom_id` has at most 100 characters."""
    return {**answer, "components": _button_row(style=DANGER_STYLE, label=label, custom_id=custom_id)}


def _button_row(*, label: str, **button: Any) -> list[dict[str, Any]]:
    label = markdown.shorten(label, MAX_LABEL)
    return [{"type": ACTION_ROW, "components": [{"type": BUTTON, "label": label, **button}]}]


def with_embed(answer: Message, text: str) -> Message:
    """The message with an embed for text that does not fit into its content."""
    return {**answer, "embeds": [{"description": markdown.shorten(text, MAX_DESCRIPTION)}]}


def only_text(answer: Message) -> Message:
    """The message without buttons and embeds, short enough for certain: for when Discord refuses the whole."""
    return {**answer, "content": markdown.shorten(answer["content"], MAX_TEXT_UNITS), "components": [], "embeds": []}


def edit_body(answer: Message) -> Mapping[str, Any]:
    """The body of an edit that turns the original response into this message. Flags cannot be edited."""
    return {name: value for name, value in answer.items() if name != "flags"}


def pong() -> Callback:
    return {"type": InteractionResponseType.PONG}


def reply(answer: Message) -> Callback:
    """Answer now."""
    return {"type": InteractionResponseType.CHANNEL_MESSAGE_WITH_SOURCE, "data": answer}


def defer() -> Callback:
    """Answer later. Ephemeral is the only flag allowed, and it applies to that answer."""
    return {
        "type": InteractionResponseType.DEFERRED_CHANNEL_MESSAGE_WITH_SOURCE,
        "data": {"flags": InteractionResponseFlags.EPHEMERAL},
    }


def update(answer: Message) -> Callback:
    """Answer a button now, by replacing its message, which stays ephemeral."""
    return {"type": InteractionResponseType.UPDATE_MESSAGE, "data": edit_body(answer)}


def defer_update() -> Callback:
    """Answer a button later; until then its message stays as it is."""
    return {"type": InteractionResponseType.DEFERRED_UPDATE_MESSAGE}


def no_choices() -> Callback:
    """Answer an autocompletion without any choices."""
    return {"type": InteractionResponseType.APPLICATION_COMMAND_AUTOCOMPLETE_RESULT, "data": {"choices": []}}
