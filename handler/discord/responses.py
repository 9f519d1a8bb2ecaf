"""What Discord is answered: callbacks, messages, and edits of the deferred answer. Pure.

Discord docs, "Receiving and Responding" (interaction response), "Message" (flags, allowed mentions), "Components".
All answers are ephemeral and mention nobody, whatever text they carry.
"""

from collections.abc import Mapping
from typing import Any, Final

from discord_interactions import InteractionResponseFlags, InteractionResponseType

# Types of components (Discord docs, "Components").
ACTION_ROW: Final = 1
BUTTON: Final = 2
DANGER_STYLE: Final = 4  # red: what it does cannot be taken back with another button
LINK_STYLE: Final = 5  # a link button causes no interaction

Message = dict[str, Any]
Callback = dict[str, Any]


def message(content: str, *, link: str | None = None, label: str = "Open the thread") -> Message:
    """An ephemeral message; with `link`, a button beneath leads there."""
    components: list[dict[str, Any]] = []
    if link is not None:
        button = {"type": BUTTON, "style": LINK_STYLE, "label": label, "url": link}
        components = [{"type": ACTION_ROW, "components": [button]}]
    return {
        "content": content,
        "flags": InteractionResponseFlags.EPHEMERAL,
        "allowed_mentions": {"parse": []},
        "components": components,
        "embeds": [],  # like the components: what replaces another message leaves nothing of it
    }


def with_button(answer: Message, *, label: str, custom_id: str) -> Message:
    """The message with a button beneath that carries something out. `label` has at most 80 characters, `custom_id` 100."""
    button = {"type": BUTTON, "style": DANGER_STYLE, "label": label, "custom_id": custom_id}
    return {**answer, "components": [{"type": ACTION_ROW, "components": [button]}]}


def with_embed(answer: Message, text: str) -> Message:
    """The message with more text beneath than its content can hold: at most 4096 characters."""
    return {**answer, "embeds": [{"description": text}]}


def edit_body(answer: Message) -> Mapping[str, Any]:
    """The body that makes the original response this message: its flags are fixed since the deferral."""
    return {name: value for name, value in answer.items() if name != "flags"}


def pong() -> Callback:
    return {"type": InteractionResponseType.PONG}


def reply(answer: Message) -> Callback:
    """The answer at once."""
    return {"type": InteractionResponseType.CHANNEL_MESSAGE_WITH_SOURCE, "data": answer}


def defer() -> Callback:
    """The answer comes later. Ephemeral is the only flag allowed, and holds for that answer too."""
    return {
        "type": InteractionResponseType.DEFERRED_CHANNEL_MESSAGE_WITH_SOURCE,
        "data": {"flags": InteractionResponseFlags.EPHEMERAL},
    }


def update(answer: Message) -> Callback:
    """The answer to a button at once: it replaces the message under which the button stands, which stays ephemeral."""
    return {"type": InteractionResponseType.UPDATE_MESSAGE, "data": edit_body(answer)}


def defer_update() -> Callback:
    """That message is replaced later; until then it stays as it is."""
    return {"type": InteractionResponseType.DEFERRED_UPDATE_MESSAGE}


def no_choices() -> Callback:
    """An autocompletion with nothing to offer."""
    return {"type": InteractionResponseType.APPLICATION_COMMAND_AUTOCOMPLETE_RESULT, "data": {"choices": []}}
