"""The choice of another thread for a session: what it needs, and what it leaves."""

from typing import Any

import pytest

from handler.store.items import Pointer, Session
from infra.virtual_time import START
from tests.kit.stored_sessions import KEY, MESSAGE, SEEN_ARCHIVED, StoredSessions
from tests.kit.table_view import CHANNEL

CHOSEN = "900"


async def choose(stored: StoredSessions, session: Session, *, pointer: Pointer | None = None) -> dict[str, Any]:
    await stored.store.choices.choose_thread(
        session, CHOSEN, pointer=pointer, seen=SEEN_ARCHIVED, created_by="5", now=START
    )
    return stored.table.item()


async def test_the_session_gets_the_thread_and_the_former_one_becomes_a_namesake(stored: StoredSessions) -> None:
    read = await stored.open()
    item = await choose(stored, read)
    assert (item["discord_thread_id"], item["generation"], item["created_by"]) == (CHOSEN, read.generation + 1, "5")
    assert item["archived"]
    assert "source_message_id" not in item
    assert stored.table.pointer(CHOSEN)["session_key"] == KEY
    assert not stored.table.pointer(MESSAGE)
    assert stored.table.namesakes() == [MESSAGE]
    assert MESSAGE in item["former"]
    assert await choose(stored, read) == item  # a repeat changes nothing


async def test_a_thread_is_chosen_only_in_place_of_the_one_that_was_read(stored: StoredSessions) -> None:
    read = await stored.open()
    await stored.store.sessions.end_generation(read, now=START)
    before = stored.table.items()
    await choose(stored, read)
    assert stored.table.items() == before


async def test_no_thread_is_chosen_in_place_of_one_that_is_being_deleted(stored: StoredSessions) -> None:
    read = await stored.open()
    stored.table.put(stored.table.item(), deleting_at="2026-11-23T12:00:00.000Z")
    before = stored.table.items()
    await choose(stored, read)
    assert stored.table.items() == before


@pytest.mark.parametrize("holds", [True, False])
async def test_another_sessions_thread_is_chosen_only_once_it_has_lost_it(stored: StoredSessions, holds: bool) -> None:
    read = await stored.open()
    theirs = Pointer(thread_id=CHOSEN, parent_channel_id=CHANNEL, session_key="other")
    stored.table.put({"pk": f"THREAD#{CHOSEN}", "sk": "THREAD", "parent_channel_id": CHANNEL, "session_key": "other"})
    if holds:
        stored.table.put({"pk": f"CHANNEL#{CHANNEL}", "sk": "SESSION#other", "discord_thread_id": CHOSEN})
    item = await choose(stored, read, pointer=theirs)
    assert (item["discord_thread_id"] == MESSAGE) == holds


async def test_the_thread_of_a_pointer_that_says_merged_is_not_chosen(stored: StoredSessions) -> None:
    read = await stored.open()
    stored.table.put({"pk": f"THREAD#{CHOSEN}", "sk": "THREAD", "merged_into": MESSAGE})
    assert (await choose(stored, read))["discord_thread_id"] == MESSAGE
