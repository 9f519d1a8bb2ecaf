"""What a command is: a function from an interaction to the message that answers it.

A completion is a function from an interaction, whose user types an option, to the choices that are offered.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

import msgspec

from handler.discord.components import Modal
from handler.discord.interactions import MODAL, Interaction
from handler.discord.responses import Message
from handler.errors import UnsupportedChannel
from handler.sessions.protocol import Sessions

IMPORT_STRETCH_SECONDS: Final = 5.0  # a few pages of an import: then the user is shown its progress

# The paths of the command and of the form whose answer is a link.
OPEN_SESSION: Final = ("session", "open")
OPEN_HERE: Final = (MODAL, "open-here")


class AnswerFirst(msgspec.Struct, frozen=True):
    """An answer that the user must have before the rest is done: that would make it impossible to answer."""

    answer: Message
    then: Callable[[], Coroutine[Any, Any, object]]  # the rest, which can be repeated as the command can


class InPlace(msgspec.Struct, frozen=True):
    """An answer to the button or form of a public message, which it replaces."""

    message: Message  # in its place
    confirmation: (
        Message  # to who pressed, where that comes too late for the response: then a message of their own waits
    )
    replace: Callable[[], Coroutine[Any, Any, None]]  # do it by a request instead, and the rest; best effort


Answer = Message | AnswerFirst | InPlace | Modal
# A command may be cancelled at any moment and run again by another process: it keeps its state in the table only.
# A modal can only be a first answer, so a command that shows one does it at once: before any remote
# call, or after one read.
Command = Callable[[Sessions, Interaction], Coroutine[Any, Any, Answer]]
Commands = Mapping[tuple[str, ...], Command]  # by `Interaction.path`
# (what is shown, what is sent) of each choice, best first. The values come back unchecked: people may type anything.
Completion = Callable[[Sessions, Interaction], Coroutine[Any, Any, Sequence[tuple[str, str]]]]
Completions = Mapping[str, Completion]  # by the option's name, which means the same in every command


def parent_channel(interaction: Interaction) -> tuple[str, int | None]:
    """The id of the channel whose sessions are meant, and its type if known. In a thread that is the thread's parent.

    Raises UnsupportedChannel.
    """
    channel_id = interaction.parent_id if interaction.in_thread else interaction.channel_id
    if channel_id is None:
        raise UnsupportedChannel(f"no channel id beside channel type {interaction.channel_type}")
    return channel_id, None if interaction.in_thread else interaction.channel_type
