"""The protocol with one safeguard taken out: the explorer must find what each of them is there for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from handler.discord.models import Channel
from handler.sessions.context import Context
from handler.sessions.model import LookUp
from handler.sessions.names import SessionName
from handler.sessions.opening import create, reuse
from handler.sessions.threads import generation, look_up
from handler.sessions.threads.generation import Ended, StillThere, find_thread
from handler.store import clauses
from handler.store.items import ChannelItem, Session, Status, pointer_item_key
from handler.store.sessions import SessionStore
from handler.store.writes import Write, update_session


@contextmanager
def without_the_deletion() -> Iterator[None]:
    """A generation ends, and its source message stays: a paused process can still start a thread from it."""

    async def nothing(context: Context, session: Session) -> None:
        return None

    with patch.object(generation, "_delete_source_message", nothing):
        yield


@contextmanager
def without_the_second_look() -> Iterator[None]:
    """After the deletion nobody looks whether a thread was started just before."""

    async def no_second_look(context: Context, session: Session, *, refused: bool = False) -> Ended | StillThere:
        if not refused and (found := await find_thread(context, session)) is not None:
            return StillThere(found)
        await generation._delete_source_message(context, session)
        await context.store.sessions.end_generation(session, now=context.clock.now())
        return Ended()

    with (
        patch.object(generation, "end_generation", no_second_look),
        patch.object(create, "end_generation", no_second_look),
        patch.object(reuse, "end_generation", no_second_look),
    ):
        yield


@contextmanager
def without_the_look_up() -> Iterator[None]:
    """The anchor is posted without looking for a thread of that name first."""

    async def look(context: Context, channel: ChannelItem, name: SessionName) -> LookUp:
        return LookUp()

    with patch.object(create, "look_up", look):
        yield


@contextmanager
def without_the_search() -> Iterator[None]:
    """Nobody asks Discord's search: what is in no list is not found."""

    async def find_nothing(context: Context, channel_id: str, name: SessionName) -> list[Channel]:
        return []

    with patch.object(look_up, "search", find_nothing):
        yield


@contextmanager
def without_the_status() -> Iterator[None]:
    """A source message may be recorded for a session that was dropped to vacant meanwhile."""
    with patch.object(clauses, "RECORDABLE", f"{clauses.SAME_GENERATION} AND {clauses.NOTHING_RECORDED}"):
        yield


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
