"""Private sessions: whose one is, who sees it, and what tells it from others. Pure.

Its key holds its creator's id, because each creator has names of their own.
"""

from typing import Any, Final

import msgspec

PRIVATE: Final = "PRIVATE#"  # begins the sort key of a private session; no session key does, which has no capitals
PROGRAM: Final = "0"  # in the place of the user who opened a private session


class Private(msgspec.Struct, frozen=True, kw_only=True):
    """Whose a private session is, and who else sees it."""

    creator_id: str | None  # None: a program
    member_ids: tuple[str, ...] = ()
    role_ids: tuple[str, ...] = ()

    @property
    def attributes(self) -> dict[str, Any]:
        known = {"creator_id": self.creator_id, "member_ids": [*self.member_ids], "role_ids": [*self.role_ids]}
        return {"private": True, **{name: value for name, value in known.items() if value}}


def private_key(session_key: str, creator_id: str | None) -> str:
    """What identifies a private session in its channel. Each creator has names of their own."""
    return f"{PRIVATE}{session_key}#{creator_id or PROGRAM}"


def name_of(key: str) -> str:
    """The session key in what identifies a session in its channel, private or not."""
    return key.removeprefix(PRIVATE).rpartition("#")[0] if key.startswith(PRIVATE) else key


def list_of(parent_channel_id: str, *, private: bool) -> str:
    """The partition of ActivityIndex with the channel's public sessions, or with its private ones."""
    return f"{parent_channel_id}#private" if private else parent_channel_id
