"""What a command is given, and what it is: a function from an interaction to the message that answers it."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from handler.clock import Clock
from handler.discord.interactions import Interaction
from handler.discord.responses import Message
from handler.sessions.model import Opened, OpenRequest
from handler.sessions.names import Names
from handler.sessions.ports import Ports


class Opener(Protocol):
    """The part of the protocol that commands use."""

    async def open(self, request: OpenRequest) -> Opened:
        """The one thread of that session; raises the errors of `handler.errors`."""
        ...


@dataclass(frozen=True, slots=True)
class CommandContext:
    """The product, and what a command needs to ask it. `ports` is for what moderators do to a whole channel."""

    sessions: Opener
    names: Names
    clock: Clock
    ports: Ports


# A command may be cut off at any moment and run again by somebody else: it keeps nothing but what the table keeps.
Command = Callable[[CommandContext, Interaction], Coroutine[Any, Any, Message]]
Commands = Mapping[tuple[str, ...], Command]
