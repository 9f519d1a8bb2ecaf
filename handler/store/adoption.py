"""What an adoption is: a thread that was found, and the session that is to have it. Pure."""

import msgspec

from handler.store.items import Pointer
from handler.store.parts import Settlement
from handler.store.private import Private, list_of, private_key
from handler.store.table import Attributes


class Adoption(msgspec.Struct, frozen=True, kw_only=True):
    """A thread that was found, and the session that is to have it."""

    parent_channel_id: str
    session_key: str
    session_name: str  # for a session that is not on record
    guild_id: str
    thread_id: str
    pointer: Pointer | None  # the thread's, as it was read
    seen: Attributes  # what Discord shows of the thread
    created_by: str | None = None  # who started the thread
    adopted_by: str | None = None  # the opener, by the owner of its lease; None: it is settled
    settlement: Settlement = Settlement()
    private: Private | None = None  # of a private session

    @property
    def pair(self) -> tuple[str, str]:
        """As `Session.pair`."""
        key = self.session_key
        return self.parent_channel_id, private_key(key, self.private.creator_id) if self.private else key

    @property
    def listed_in(self) -> str:
        """As `Session.listed_in`."""
        return list_of(self.parent_channel_id, private=self.private is not None)
