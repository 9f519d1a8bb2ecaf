"""The protocol with one safeguard taken out: the explorer must find what each of them is there for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

from handler.store import clauses
from handler.store.items import Session, Status, pointer_item_key
from handler.store.sessions import SessionStore
from handler.store.writes import Write, update_session
from tests.kit.mutation import Mutation

_DELETION: Final = "    await _delete_source_message(context, session)\n"
_SECOND_LOOK: Final = """\
    if (found := await find_thread(context, session)) is not None:
        return StillThere(found)
"""

# A generation ends, and its source message stays: a paused process can still start a thread from it.
WITHOUT_THE_DELETION: Final = Mutation("sessions/threads/generation", _DELETION, "")
# After the deletion nobody looks whether a thread was started just before.
WITHOUT_THE_SECOND_LOOK: Final = Mutation("sessions/threads/generation", _DELETION + _SECOND_LOOK, _DELETION)
# The anchor is posted without looking for a thread of that name first.
WITHOUT_THE_LOOK_UP: Final = Mutation(
    "sessions/opening/create",
    """\
found, again_at = await gather(
            look_up(opener.context, channel, opener.request.name), count_creation(opener, session)
        )""",
    "found, again_at = LookUp(), None",
)
# Nobody believes Discord's search: what is in no list is not found.
WITHOUT_THE_SEARCH: Final = Mutation(
    "sessions/threads/search", "return [thread for thread in hits if", "return [] and [thread for thread in hits if"
)
# A source message may be recorded for a session that was dropped to vacant meanwhile.
WITHOUT_THE_STATUS: Final = Mutation(
    "store/clauses", 'RECORDABLE: Final = f"{STILL_CREATING} AND {SAME', 'RECORDABLE: Final = f"{SAME'
)


@contextmanager
def without_the_early_pointer() -> Iterator[None]:
    """The thread's pointer is written with the commit, not before the thread exists."""
    commit = SessionStore.commit

    async def record(self: SessionStore, session: Session, message_id: str) -> Write:
        write = await update_session(
            self._table,
            session.item_key,
            condition=clauses.RECORDABLE,
            sets={"source_message_id": message_id},
            values={"creating": Status.CREATING, "generation": session.generation},
        )
        return write.accept_own(lambda s: s.source_message_id == message_id)

    async def commit_and_point(self: SessionStore, session: Session, thread_id: str, seen: Any) -> Write:
        write = await commit(self, session, thread_id, seen)
        whose = {"parent_channel_id": session.parent_channel_id, "session_key": session.session_key}
        await self._table.put({**pointer_item_key(thread_id), **whose})
        return write

    with patch.object(SessionStore, "record", record), patch.object(SessionStore, "commit", commit_and_point):
        yield
