"""What the protocol works with: the store, Discord, and the settings of this deployment. Built by `handler.bootstrap`."""

from dataclasses import dataclass
from datetime import timedelta

from handler.config import UnlockPolicy
from handler.discord.rest import Discord
from handler.runtime.clock import Clock
from handler.sessions.names import Names
from handler.store.store import Store


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that has I/O, and what is fixed for a deployment. One for an execution environment."""

    store: Store
    discord: Discord
    names: Names
    clock: Clock
    application_id: str
    auto_archive_minutes: int
    unlock_policy: UnlockPolicy
    trace_after: timedelta | None = None  # see `decide.traced`


@dataclass(slots=True)
class OpenHistory:
    """What an opener has met on the way, over all its rounds: for the words of the answer, and to know when to give up."""

    anew: bool = False
    waited: bool = False
    first_generation: int | None = None  # of those that it tried to bring to their thread
