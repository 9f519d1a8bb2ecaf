"""What an opener asks, what a look-up sees, and what the opener is told. Values only."""

from enum import StrEnum

import msgspec

from handler.discord.models import Channel
from handler.sessions.names import SessionName
from handler.store.items import Pointer, Session


class Requester(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. `user_id` is absent for programs; `permissions` of the app are absent where nothing signed tells them."""

    owner: str  # of the lease: the interaction's id, or the caller's request id
    user_id: str | None = None
    may_unlock: bool = False  # Manage Threads in that channel, or an IAM caller who asked for it
    app_permissions: int | None = None


class OpenRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The question: the one thread of this name in this channel, please.

    `guild_id` and `kind` of the parent channel are given where the interaction tells them. `import_stretch`: after so
    many seconds of importing the channel's past Importing is raised, to show the progress; None: at the deadline.
    """

    name: SessionName
    parent_channel_id: str
    requester: Requester
    topic: str | None = None
    guild_id: str | None = None
    kind: int | None = None
    import_stretch: float | None = None


class Outcome(StrEnum):
    """How an opener got the thread."""

    CREATED = "created"
    ADOPTED = "adopted"
    REOPENED = "reopened"
    REUSED = "reused"


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: the session as it is on record now, and what happened on the way.

    `unlocked`: a lock was lifted. `anew`: the former thread was deleted on Discord. `asked`: the key that was asked for,
    which differs from the session's where a renamed thread led there. `waited`: somebody else was making it.
    """

    outcome: Outcome
    session: Session
    asked: str
    unlocked: bool = False
    anew: bool = False
    waited: bool = False

    @property
    def by_new_name(self) -> bool:
        return self.asked != self.session.session_key

    @property
    def thread_id(self) -> str:
        assert self.session.discord_thread_id is not None  # noqa: S101 - only sessions with a thread are opened
        return self.session.discord_thread_id

    @property
    def url(self) -> str:
        return f"https://discord.com/channels/{self.session.guild_id}/{self.thread_id}"


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What a look-up saw: matches that can be adopted, best first, and one that is another session's."""

    adoptable: tuple[tuple[Channel, Pointer | None], ...] = ()
    foreign: tuple[Channel, Session] | None = None
    archived_seen: tuple[Channel, ...] = ()
    started_at: str = ""
