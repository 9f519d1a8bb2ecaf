"""The settings that hold in a channel: its own ones over the deployment's. Pure."""

from datetime import timedelta

import msgspec

from handler.config import SessionsConfig, UnlockPolicy
from handler.store.settings import ChannelSettings


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What holds in a channel, or in all channels of a deployment that have no settings of their own."""

    open: str  # for whom a thread is started or reopened: `permitted`, `everyone` or the id of a role
    unlock: UnlockPolicy
    archive_after: int  # minutes
    private: bool = False  # a new session is private, unless its request says otherwise
    tag: str | None = None  # of a new post, unless its request names one
    access_role: str | None = None  # the id of the role whose members are added to private sessions

    @classmethod
    def from_config(cls, config: SessionsConfig) -> "Settings":
        """The deployment's."""
        return cls(open=config.open_policy, unlock=config.unlock_policy, archive_after=config.auto_archive_minutes)


def effective(deployment: Settings, channel: ChannelSettings) -> Settings:
    """What holds in a channel."""
    own = {name: value for name, value in msgspec.structs.asdict(channel).items() if value is not None}
    return msgspec.structs.replace(deployment, **own)


def trace_after(config: SessionsConfig) -> timedelta | None:
    """How long a session is idle before an open leaves a trace; None: never.

    After an open without a trace, as much time is left before housekeeping acts.
    """
    return timedelta(days=config.delete_after_days) / 2 or None
