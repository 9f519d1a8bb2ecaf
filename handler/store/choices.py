"""What people choose for a session that has its thread."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from handler.runtime.clock import iso
from handler.store import clauses
from handler.store.former import Why, with_former
from handler.store.items import GENERATION_ATTRIBUTES, Pointer, Session, session_attributes
from handler.store.listing import listing
from handler.store.pointers import hand_over
from handler.store.table import Attributes, Table
from handler.store.writes import Write, split_seen, update_thread


class ChoiceStore:
    """What people set of sessions."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def choose(self, session: Session, choices: Attributes) -> Write:
        """Write what people chose (None removes an attribute), if these attributes are as they were read, and the thread is."""
        known = _chosen(session, choices)
        same = [f"#{name} = :read_{name}" if known[name] else f"attribute_not_exists(#{name})" for name in choices]
        removes = [name for name, value in choices.items() if value is None]
        values = {f"read_{name}": value for name, value in known.items()}
        write = await update_thread(self._table, session, " AND ".join(same), choices, removes, values=values)
        return write.accept_own(lambda s: s.generation == session.generation and _chosen(s, choices) == choices)

    async def choose_thread(
        self,
        session: Session,
        thread_id: str,
        *,
        pointer: Pointer | None,
        seen: Attributes,
        created_by: str | None,
        now: datetime,
    ) -> None:
        """Give the session another thread in place of its own, with the next generation.

        `pointer`: the thread's, as it was read; `seen`: what Discord shows of it. The former thread becomes a namesake. On
        condition that it is still the session's, and that nobody is deleting it; else nothing happens. It counts as an open.
        """
        changes = {**seen, "created_by": created_by, "opened_at": iso(now)}
        changes |= listing(session.listed_in, thread_id, changes)
        sets, _ = split_seen({**changes, **with_former(session, Why.REPLACED, now)}, session.guild_id)
        sets |= {"discord_thread_id": thread_id, "generation": session.generation + 1}
        await self._table.transact(
            self._table.build_update(
                session.item_key,
                condition=f"{clauses.READ_GENERATION} AND {clauses.SAME_THREAD} AND {clauses.NOT_BEING_DELETED}",
                sets=sets,
                removes=[name for name in GENERATION_ATTRIBUTES if name not in sets],
                values={"read_generation": session.generation, "thread": session.discord_thread_id},
            ),
            *hand_over(self._table, session, thread_id, pointer),
        )


def _chosen(session: Session, names: Iterable[str]) -> dict[str, Any]:
    """These attributes as the item has them; None where one is absent."""
    known = session_attributes(session)
    return {name: (list(v) if isinstance(v := known[name], tuple) else v) or None for name in names}
