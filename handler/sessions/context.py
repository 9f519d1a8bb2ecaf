"""What the protocol works with: the store, Discord, and the settings of this deployment."""

from dataclasses import dataclass
from datetime import timedelta

from handler.discord.rest import Discord
from handler.runtime.clock import Clock
from handler.sessions.names import Names
from handler.sessions.settings import Settings, effective
from handler.store.items import ChannelItem
from handler.store.store import Store


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that does I/O, and the settings of this deployment. Built once by `handler.bootstrap`."""

    store: Store
    discord: Discord
    names: Names
    clock: Clock
    application_id: str
    defaults: Settings  # of channels that have no settings of their own
    allowed_guilds: frozenset[str]  # ids; empty: any
    member_creations_per_hour: int  # 0: no bound
    answers_tasks: bool = False  # whether the publisher may answer tasks of Step Functions
    trace_after: timedelta | None = None  # see `handler.sessions.threads.record.changes_with_trace`

    def serves(self, guild_id: str | None) -> bool:
        """Whether this deployment works for that guild; None is a direct message, which is of none."""
        return guild_id is None or not self.allowed_guilds or guild_id in self.allowed_guilds

    def settings_of(self, channel: ChannelItem | None) -> Settings:
        """What holds in a channel; None: it is not on record."""
        return self.defaults if channel is None else effective(self.defaults, channel.settings)
