"""What an opener is asked for, what it finds, and how an open ends. Values only."""

from collections.abc import Mapping
from enum import Enum, StrEnum, auto

import msgspec

from handler.discord.markdown import bold
from handler.discord.models import Channel
from handler.errors import InvalidRequest
from handler.sessions.names import SessionName
from handler.store.items import Pointer, Session


class Requester(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for the session."""

    owner: str  # of the lease: the interaction's id, or the caller's request id
    user_id: str | None = None  # None for a program
    label: str | None = None  # what a program calls itself
    user_name: str | None = None  # for the audit log
    user_permissions: int | None = None  # bits, where the command was used; None: not known, so nothing is refused
    user_roles: frozenset[str] = frozenset()  # ids
    in_thread: bool = False  # the command was used in a thread
    moderates: bool = False  # has Manage Threads in the channel
    may_unlock: bool = False  # has Manage Threads in the channel, or is an IAM caller that asked for it
    app_permissions: int | None = None  # the bot's, as the interaction states them; None for a program

    def __str__(self) -> str:
        """For the audit log of the server."""
        if self.user_id is None:
            return f"a program (request {self.owner})"
        return f"user {self.user_id}" + (f" ({self.user_name})" if self.user_name else "")


class OpenRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The request for the one thread of this name in this channel."""

    name: SessionName
    parent_channel_id: str
    requester: Requester
    topic: str | None = None
    private: bool = False  # only the requester, these members and whoever has these roles are to see the session
    by_default: bool = False  # the request does not say whether a new session is private: the channel's settings do
    members: tuple[str, ...] = ()  # ids of users
    roles: tuple[str, ...] = ()  # ids
    tags: tuple[str, ...] = ()  # by name, for the post of a forum or media channel
    guild_id: str | None = None  # given where the interaction states it
    kind: int | None = None  # of the parent channel, given where the interaction states it
    message_id: str | None = None  # of the channel: the thread is to be the one of this message, if the name has none
    respects_archiving: bool = False  # a thread that a person archived stays archived
    import_stretch: float | None = None  # seconds of importing before Importing is raised; None: until the deadline


class TagRequired(InvalidRequest):
    """Each post of the channel needs a tag, and the request names none; ``tags`` are the names of those to choose from, by id."""

    def __init__(self, tags: Mapping[str, str]) -> None:
        names = ", ".join(map(bold, tags.values()))
        super().__init__("a tag is required", message=f"Each session here needs a tag. Choose one of these: {names}.")
        self.tags = dict(tags)


class Outcome(StrEnum):
    """How an opener got the thread."""

    CREATED = "created"
    ADOPTED = "adopted"
    REOPENED = "reopened"
    REUSED = "reused"


def channel_url(guild_id: str, channel_id: str) -> str:
    """Where Discord shows a channel or thread."""
    return f"https://discord.com/channels/{guild_id}/{channel_id}"


def message_url(guild_id: str, channel_id: str, message_id: str) -> str:
    """What opens a message in Discord."""
    return f"{channel_url(guild_id, channel_id)}/{message_id}"


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """The session has a usable thread."""

    outcome: Outcome
    session: Session  # as it is on record now
    requested_key: str  # differs from the session's key where the name led to a renamed thread
    unlocked: bool = False  # a lock was lifted
    after_deletion: bool = False  # the former thread was deleted on Discord
    waited: bool = False  # another opener was making the thread

    @property
    def by_new_name(self) -> bool:
        return self.requested_key != self.session.session_key

    @property
    def thread_id(self) -> str:
        assert self.session.discord_thread_id is not None  # noqa: S101 - only sessions with a thread are opened
        return self.session.discord_thread_id

    @property
    def url(self) -> str:
        return thread_url(self.session)


def thread_url(session: Session) -> str:
    """Where Discord shows the session's thread."""
    return channel_url(session.guild_id, session.discord_thread_id or "")


class StartOver(Enum):
    """Why an opener starts over: it reads the session again."""

    LEASE_LOST = auto()  # another opener has taken the claim over
    WRITE_LOST = auto()  # another actor has changed the session first
    GENERATION_ENDED = auto()  # the session is vacant, or has the next generation
    DELETION_FINISHED = auto()  # housekeeping's deletion of the thread was completed or cancelled
    OUTCOME_UNKNOWN = auto()  # a thread without an anchor was asked for, and perhaps created
    CHANNEL_CORRECTED = auto()  # the channel is not what the request or the record said
    LED_ELSEWHERE = auto()  # another session has the chosen message
    PRIVATE_BY_DEFAULT = auto()  # there is no session of the name, and a new one is private in this channel
    PAST_CHANGED = auto()  # more of the channel's past is known, or is about to be


class Ending(Enum):
    """What becomes of the thread of a session that is ended for good."""

    DELETED = auto()
    LET_GO = auto()  # it stays: somebody else has started it
    GONE = auto()  # somebody has deleted it already


class Match(msgspec.Struct, frozen=True):
    """A thread that bears the session's name and can be adopted; its pointer as read."""

    thread: Channel
    pointer: Pointer | None


class Renamed(msgspec.Struct, frozen=True):
    """A thread that bears the session's name and is another session's."""

    thread: Channel
    session: Session


class Matches(msgspec.Struct, frozen=True, kw_only=True):
    """The public threads of a channel that bear a session's name."""

    adoptable: tuple[Match, ...] = ()  # best first
    renamed: Renamed | None = None


class LookUp(Matches, frozen=True, kw_only=True):
    """What a look-up found, and how far it reached."""

    active: tuple[Channel, ...] = ()  # all active threads of the guild that the bot may see
    newly_archived: tuple[Channel, ...] = ()  # all threads archived since the channel's watermark
    complete: bool = True  # whether they are all: else there are too many for one look-up
    started_at: str = ""  # less a margin: the watermark once those are settled
