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
    }


def edit(answer: Message) -> Mapping[str, Any]:
    """The body that makes the original response this message: its flags are fixed since the deferral."""
    return {name: value for name, value in answer.items() if name != "flags"}


def pong() -> Callback:
    return {"type": InteractionResponseType.PONG}


def reply(answer: Message) -> Callback:
    """The answer at once."""
    return {"type": InteractionResponseType.CHANNEL_MESSAGE_WITH_SOURCE, "data": answer}


def deferred() -> Callback:
    """The answer comes later. Ephemeral is the only flag allowed, and holds for that answer too."""
    return {
        "type": InteractionResponseType.DEFERRED_CHANNEL_MESSAGE_WITH_SOURCE,
        "data": {"flags": InteractionResponseFlags.EPHEMERAL},
    }


def no_choices() -> Callback:
    """An autocompletion with nothing to offer."""
    return {"type": InteractionResponseType.APPLICATION_COMMAND_AUTOCOMPLETE_RESULT, "data": {"choices": []}}
