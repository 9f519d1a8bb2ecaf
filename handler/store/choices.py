"""What people choose for a session that has its thread."""

from collections.abc import Iterable
from typing import Any

from handler.store import clauses
from handler.store.items import Session, session_attributes
from handler.store.table import Attributes, Table
from handler.store.writes import Write, update_session


class ChoiceStore:
    """The attributes of sessions that people set."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def choose(self, session: Session, choices: Attributes) -> Write:
        """Write what people chose (None removes an attribute), if these attributes are as they were read, and the thread is."""
        known = _chosen(session, choices)
        same = [f"#{name} = :read_{name}" if known[name] else f"attribute_not_exists(#{name})" for name in choices]
        write = await update_session(
            self._table,
            session.item_key,
            condition=" AND ".join((clauses.SAME_GENERATION, clauses.SAME_THREAD, *same)),
            sets=choices,
            removes=[name for name, value in choices.items() if value is None],
            values={
                "generation": session.generation,
                "thread": session.discord_thread_id,
                **{f"read_{name}": value for name, value in known.items()},
            },
        )
        return write.accept_own(lambda s: s.generation == session.generation and _chosen(s, choices) == choices)


def _chosen(session: Session, names: Iterable[str]) -> dict[str, Any]:
    """These attributes as the item has them; None where one is absent."""
    known = session_attributes(session)
    return {name: (list(v) if isinstance(v := known[name], tuple) else v) or None for name in names}
