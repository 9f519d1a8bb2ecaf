"""What the protocol works with, and what one open has met so far."""

from dataclasses import dataclass
from datetime import timedelta

from handler.config import UnlockPolicy
from handler.discord.rest import Discord
from handler.runtime.clock import Clock
from handler.sessions.names import Names
from handler.store.store import Store


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that does I/O, and the settings of this deployment. Built once by `handler.bootstrap`."""

    store: Store
    discord: Discord
    names: Names
    clock: Clock
    application_id: str
    auto_archive_minutes: int
    unlock_policy: UnlockPolicy
    trace_after: timedelta | None = None  # see `handler.sessions.threads.record.changes_with_trace`


@dataclass(slots=True)
class OpenHistory:
    """What one open has met over all its rounds: for the answer, and to know when to give up."""

    after_deletion: bool = False
    waited: bool = False
    first_generation: int | None = None  # the first one that this opener tried to create a thread for
