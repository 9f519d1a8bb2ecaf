"""The protocol with one safeguard taken out: the explorer must find what each of them is there for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from handler.discord.models import Channel
from handler.sessions import creation, ending, lookup, reuse
from handler.sessions.model import Look
from handler.sessions.ports import Ports
from handler.store import Store
from handler.table import clauses
from handler.table.claims import Write, also_won, key_of
from handler.table.items import ChannelRecord, Session, Status, pointer_item_key


@contextmanager
def without_the_deletion() -> Iterator[None]:
    """A generation ends, and its source message stays: a paused process can still start a thread from it."""

    async def nothing(ports: Ports, session: Session) -> None:
        return None

    with patch.object(ending, "_delete_source_message", nothing):
        yield


@contextmanager
def without_the_second_look() -> Iterator[None]:
    """After the deletion nobody looks whether a thread was started just before."""

    async def end(ports: Ports, session: Session, *, refused: bool = False) -> Channel | None:
        if not refused and (found := await lookup.find(ports, session)) is not None:
            return found
        await ending._delete_source_message(ports, session)
        await ports.store.end_generation(session, now=ports.clock.now())
        return None

    with (
        patch.object(ending, "end_generation", end),
        patch.object(creation, "end_generation", end),
        patch.object(reuse, "end_generation", end),
    ):
        yield


@contextmanager
def without_the_look_up() -> Iterator[None]:
    """The anchor is posted without looking for a thread of that name first."""

    async def look(ports: Ports, channel: ChannelRecord, session_key: str) -> Look:
        return Look()

    with patch.object(creation, "look_up", look):
        yield


@contextmanager
def without_the_status() -> Iterator[None]:
    """A source message may be recorded for a session that was dropped to vacant meanwhile."""
    with patch.object(clauses, "RECORDABLE", f"{clauses.SAME_GENERATION} AND {clauses.NOTHING_RECORDED}"):
        yield


@contextmanager
def without_the_early_pointer() -> Iterator[None]:
    """The thread's pointer is written with the commit, not before the thread exists."""
    commit = Store.commit

    async def record(self: Store, session: Session, message_id: str) -> Write:
        write = await self._update(
            key_of(session),
            condition=clauses.RECORDABLE,
            sets={"source_message_id": message_id},
            values={"creating": Status.CREATING, "generation": session.generation},
        )
        return also_won(write, lambda s: s.source_message_id == message_id)

    async def commit_and_point(self: Store, session: Session, thread_id: str, seen: Any) -> Write:
        write = await commit(self, session, thread_id, seen)
        whose = {"parent_channel_id": session.parent_channel_id, "session_key": session.session_key}
        await self._table.put({**pointer_item_key(thread_id), **whose})
        return write

    with patch.object(Store, "record", record), patch.object(Store, "commit", commit_and_point):
        yield
