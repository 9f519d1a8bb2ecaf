"""What a command is given, and what it is: a function from an interaction to the message that answers it."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from handler.discord.interactions import Interaction
from handler.discord.models import THREAD_TYPES
from handler.discord.responses import Message
from handler.errors import UnsupportedChannel
from handler.runtime.clock import Clock
from handler.sessions.context import Context
from handler.sessions.model import Opened, OpenRequest
from handler.sessions.names import Names


class Opener(Protocol):
    """The part of the protocol that commands use."""

    async def open(self, request: OpenRequest) -> Opened:
        """The one thread of that session; raises the errors of `handler.errors`."""
        ...


@dataclass(frozen=True, slots=True)
class CommandContext:
    """The product, and what a command needs to ask it. `context` is for what moderators do to a whole channel."""

    sessions: Opener
    names: Names
    clock: Clock
    context: Context


def parent_channel(interaction: Interaction) -> tuple[str, int | None]:
    """The id of the channel that is meant, and its kind as far as it is told: in a thread that is the parent.

    Raises UnsupportedChannel.
    """
    in_thread = interaction.channel_type in THREAD_TYPES
    channel_id = interaction.parent_id if in_thread else interaction.channel_id
    if channel_id is None:
        raise UnsupportedChannel(f"no channel id beside channel type {interaction.channel_type}")
    return channel_id, None if in_thread else interaction.channel_type


# A command may be cut off at any moment and run again by somebody else: it keeps nothing but what the table keeps.
Command = Callable[[CommandContext, Interaction], Coroutine[Any, Any, Message]]
Commands = Mapping[tuple[str, ...], Command]
