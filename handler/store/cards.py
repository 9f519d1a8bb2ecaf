"""What the message above a session's thread shows: a topic that is to be shown, and edits of the message.

add_topic   the first topic; another one replaces it with `choices`
begin_edit  somebody is about to edit the message: nobody else does for some seconds
settle      what came of it
unwatch     the reconciler need not look after the message of an archived session
"""

from datetime import datetime
from typing import Any, Final

from handler.runtime.clock import iso
from handler.store import clauses
from handler.store.items import Session
from handler.store.table import Table
from handler.store.writes import Write, update_session

EDITING: Final = "editing"  # what the message shows is not known
_UNCLAIMED: Final = "#card_edited_at = :read_edited_at"
_NEVER_EDITED: Final = "attribute_not_exists(#card_edited_at)"
_TO_BE_UNWATCHED: Final = (
    "#archived = :archived AND attribute_not_exists(#missing_since) AND attribute_not_exists(#ask_again_at)"
    " AND attribute_not_exists(#closing_at)"
)


class CardStore:
    """Each write is also on condition of the generation that was read."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def add_topic(self, session: Session, topic: str) -> Write:
        """Record the first topic given to a session whose message shows none yet."""
        write = await self._update(session, clauses.NO_TOPIC, {"topic_to_show": topic})
        return write.accept_own(lambda s: s.topic_to_show == topic)

    async def begin_edit(self, session: Session, *, now: datetime) -> Write:
        """Record that the message is edited, unless somebody else has begun to since the session was read."""
        condition = _UNCLAIMED if session.card.edited_at else _NEVER_EDITED
        write = await self._update(session, condition, {"card_edited_at": iso(now), "card_state": EDITING})
        return write.accept_own(lambda s: (s.card.edited_at, s.card.state) == (iso(now), EDITING))

    async def settle(self, session: Session, *, state: str, shown: bool) -> Write:
        """The message shows this state, and the topic that was to be shown. Not `shown`: Discord refused for good.

        Then the topic is dropped, and another edit may follow at once. `session` is as `begin_edit` left it.
        """
        sets: dict[str, Any] = {"card_state": state}
        removes = [] if shown else ["card_edited_at"]
        conditions = [_UNCLAIMED]
        if session.topic_to_show is not None:
            conditions.append(clauses.SAME_TOPIC_TO_SHOW)
            removes.append("topic_to_show")
            sets |= {"topic": session.topic_to_show} if shown else {}
        write = await self._update(session, " AND ".join(conditions), sets, removes)
        write = write.accept_own(lambda s: s.card.state == state and s.topic_to_show is None)
        return await self.unwatch(write.mine) if write.won and write.mine.thread.archived else write

    async def unwatch(self, session: Session) -> Write:
        """The message shows what is on record: an archived session need not be watched for it. Won in any case."""
        write = await self._update(session, _TO_BE_UNWATCHED, {}, ["watch_guild_id"])
        return write if write.won else Write(True, session)

    async def _update(
        self, session: Session, condition: str, sets: dict[str, Any], removes: list[str] | None = None
    ) -> Write:
        return await update_session(
            self._table,
            session.item_key,
            condition=f"{clauses.SAME_GENERATION} AND {condition}",
            sets=sets,
            removes=removes or [],
            values={
                "generation": session.generation,
                "topic_to_show": session.topic_to_show,
                "read_edited_at": session.card.edited_at,
                "archived": True,
            },
        )
