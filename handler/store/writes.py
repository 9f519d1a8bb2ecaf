"""Conditional writes of a session's item: how one went, and when a lost one was really ours."""

from collections.abc import Callable
from typing import Any

import msgspec

from handler.store.items import Key, Session, session_from_item, session_item_key
from handler.store.table import Attributes, Lost, Table


class Write(msgspec.Struct, frozen=True):
    """How a conditional write went.

    `won`: the condition held. `session` is the item as it is now: ours if `won`, else the winner's, or None if there is
    none. `pointer_taken`: the session's own condition held, and the thread's pointer names another session.
    """

    won: bool
    session: Session | None
    pointer_taken: bool = False

    @property
    def mine(self) -> Session:
        """The item of a write that was won."""
        assert self.session is not None  # noqa: S101 - a won write always carries its item
        return self.session


async def update_session(table: Table, key: Attributes, **parts: Any) -> Write:
    """Carry out a conditional update of a session's item; `parts` are those of `Table.update`."""
    try:
        return Write(True, session_of(await table.update(key, **parts)))
    except Lost as lost:
        return Write(False, session_of(lost.item))


def session_of(item: Attributes | None) -> Session | None:
    """The session in an item; None for no item."""
    return session_from_item(item) if item else None


def also_won(write: Write, ours: Callable[[Session], bool]) -> Write:
    """A lost write whose winner is what we wanted to write: our own write, repeated after its answer was lost."""
    if not write.won and write.session is not None and ours(write.session):
        return Write(True, write.session)
    return write


def key_of(session: Session) -> Key:
    """The key of the session's item."""
    return session_item_key(session.parent_channel_id, session.session_key)
