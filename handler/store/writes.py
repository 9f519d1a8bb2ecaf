"""How a conditional write of a session's item went."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from handler.store import clauses
from handler.store.items import Session, session_from_item
from handler.store.table import Attributes, Lost, Table


class Write(msgspec.Struct, frozen=True):
    """How a conditional write went."""

    won: bool  # the condition held
    session: Session | None  # the item as it is now: ours if won, else the winner's; None: there is none
    pointer_taken: bool = False  # the session's own condition held, but the thread's pointer names another session

    @property
    def mine(self) -> Session:
        """The item of a write that was won."""
        assert self.session is not None  # noqa: S101 - a won write always carries its item
        return self.session

    def accept_own(self, is_own: Callable[[Session], bool]) -> "Write":
        """The write, won too if the winner's item is ours: the answer was lost, and the write was repeated."""
        if not self.won and self.session is not None and is_own(self.session):
            return Write(True, self.session)
        return self


async def update_session(table: Table, key: Attributes, **parts: Any) -> Write:
    """Carry out a conditional update of a session's item; `parts` are those of `Table.build_update`."""
    try:
        return Write(True, session_or_none(await table.update(key, **parts)))
    except Lost as lost:
        return Write(False, session_or_none(lost.item))


async def update_thread(
    table: Table,
    session: Session,
    condition: str,
    sets: Attributes,
    removes: Sequence[str] = (),
    *,
    values: Attributes | None = None,
) -> Write:
    """The same, also on condition of the generation and the thread that were read."""
    return await update_session(
        table,
        session.item_key,
        condition=f"{clauses.SAME_GENERATION} AND {clauses.SAME_THREAD} AND {condition}",
        sets=sets,
        removes=removes,
        values={"generation": session.generation, "thread": session.discord_thread_id, **(values or {})},
    )


def session_or_none(item: Attributes | None) -> Session | None:
    """The session in an item; None for no item."""
    return session_from_item(item) if item else None


def split_seen(attributes: Attributes, guild_id: str) -> tuple[dict[str, Any], list[str]]:
    """What to set and what to remove (None). An active thread is watched; an archived one is due some time."""
    attributes = dict(attributes)
    if "archived" in attributes:
        archived = attributes["archived"]
        attributes.setdefault("watch_guild_id", None if archived else guild_id)
        attributes["due_in"] = guild_id if archived else None
        attributes["due_at"] = (
            (attributes.get("archived_at") or attributes.get("last_activity_at")) if archived else None
        )
    sets = {name: value for name, value in attributes.items() if value is not None}
    return sets, [name for name, value in attributes.items() if value is None]
