"""Responses to interactions: callbacks, messages, and edits of a deferred answer. Pure.

Discord docs, "Receiving and Responding" (interaction response), "Message" (flags, allowed mentions), "Components".
All messages are ephemeral, mention nobody and fit Discord's limits, whatever their text: a text that is too long is cut. Lists
are made to fit before.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from discord_interactions import InteractionResponseFlags, InteractionResponseType

from handler.discord import components, markdown
from handler.discord.components import Component, Modal
from handler.discord.fitting import MAX_CONTENT
from handler.discord.interactions import LAYOUT

MAX_TEXT_UNITS: Final = 1900  # of 2000 characters (Discord docs, "Message"), however it counts them
MAX_CHOICES: Final = 25  # of an autocompletion (Discord docs, "Application Commands")

Message = dict[str, Any]
Callback = dict[str, Any]


def message(content: str, *, link: str | None = None, label: str = "Open the thread") -> Message:
    """An ephemeral message; with `link`, it has a button that opens it."""
    rows = [] if link is None else [components.row(components.link_button(label, link))]
    return {
        "content": markdown.shorten(content, MAX_CONTENT),
        "flags": InteractionResponseFlags.EPHEMERAL,
        "allowed_mentions": {"parse": []},
        "components": rows,
        "embeds": [],  # empty lists remove those of the message that it replaces
    }


def layout(*parts: Component) -> Message:
    """An ephemeral message made of components alone: up to 40 of them, with 4000 characters in all.

    A message that has become a layout stays one (Discord docs, "Message", IS_COMPONENTS_V2).
    """
    flags = InteractionResponseFlags.EPHEMERAL | LAYOUT
    return {"flags": flags, "allowed_mentions": {"parse": []}, "components": list(parts)}


def with_rows(answer: Message, *rows: Component) -> Message:
    """The message with these action rows beneath those that it has: five at most."""
    return {**answer, "components": [*answer["components"], *rows]}


def with_button(answer: Message, *, label: str, custom_id: str) -> Message:
    """The message with one red button and no other. `custom_id` has at most 100 characters."""
    return {
        **answer,
        "components": [components.row(components.button(label, custom_id, style=components.DANGER))],
    }


def is_layout(answer: Message) -> bool:
    return bool(answer["flags"] & LAYOUT)


def only_text(answer: Message) -> Message:
    """The message without buttons, short enough for certain: for when Discord refuses the whole."""
    content = "\n".join(_texts(answer["components"])) if is_layout(answer) else answer["content"]
    return message(markdown.shorten(content, MAX_TEXT_UNITS))


def edit_body(answer: Message, *, of_layout: bool = False) -> Mapping[str, Any]:
    """The body of an edit that turns a message into this one. `of_layout`: what is edited is a layout already.

    Of the flags only the one for a layout can be edited, and it cannot be taken away again.
    """
    body = {name: value for name, value in answer.items() if name != "flags"}
    if is_layout(answer):
        return {**body, "content": None, "embeds": [], "flags": LAYOUT} if not of_layout else {**body, "flags": LAYOUT}
    if not of_layout:
        return body
    return {
        "allowed_mentions": answer["allowed_mentions"],
        "components": [components.text(answer["content"]), *answer["components"]],
        "flags": LAYOUT,
    }


def _texts(parts: Sequence[Component]) -> list[str]:
    found: list[str] = []
    for part in parts:
        found += [part["content"]] if part["type"] == components.TEXT else _texts(part.get("components", ()))
    return found


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


def update(answer: Message, *, of_layout: bool = False) -> Callback:
    """Answer a button now, by replacing its message, which stays ephemeral."""
    return {"type": InteractionResponseType.UPDATE_MESSAGE, "data": edit_body(answer, of_layout=of_layout)}


def defer_update() -> Callback:
    """Answer a button later; until then its message stays as it is."""
    return {"type": InteractionResponseType.DEFERRED_UPDATE_MESSAGE}


def choices(values: Sequence[tuple[str, str]]) -> Callback:
    """Answer an autocompletion: (what is shown, what is sent) of each choice, 25 at most. None can be deferred."""
    fitting = [
        {"name": markdown.shorten(name, components.MAX_OPTION_TEXT), "value": value}
        for name, value in values[:MAX_CHOICES]
    ]
    return {"type": InteractionResponseType.APPLICATION_COMMAND_AUTOCOMPLETE_RESULT, "data": {"choices": fitting}}


def show_modal(modal: Modal) -> Callback:
    """Answer with a form."""
    data = {
        "title": markdown.shorten(modal.title, components.MAX_TITLE),
        "custom_id": modal.custom_id,
        "components": list(modal.fields),
    }
    return {"type": InteractionResponseType.MODAL, "data": data}
