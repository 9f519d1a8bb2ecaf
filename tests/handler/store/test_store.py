"""The writes of a session and its thread: what each needs, what it leaves, and what a lost one returns."""

from datetime import timedelta

import pytest

from handler.store.items import Pointer, Status
from infra.virtual_time import START
from tests.kit.stored_sessions import (
    KEY,
    MESSAGE,
    OTHER_MESSAGE,
    SEEN,
    SEEN_ARCHIVED,
    THREAD,
    VACANT_ITEM,
    StoredSessions,
)
from tests.kit.table_view import CHANNEL, GUILD


async def test_recording_a_source_message_points_its_thread_to_the_session(stored: StoredSessions) -> None:
    write = await stored.store.sessions.record(await stored.claimed(), MESSAGE)

    assert (write.won, write.mine.source_message_id) == (True, MESSAGE)
    assert stored.table.item()["source_message_id"] == MESSAGE
    assert stored.table.pointer(MESSAGE) == {
        "pk": "THREAD#700",
        "sk": "THREAD",
        "parent_channel_id": CHANNEL,
        "session_key": KEY,
    }


async def test_the_first_source_message_stays_and_the_loser_gets_it(stored: StoredSessions) -> None:
    session = await stored.claimed()
    await stored.store.sessions.record(session, MESSAGE)
    late = await stored.store.sessions.record(session, OTHER_MESSAGE)

    assert (late.won, late.pointer_taken) == (False, False)
    assert late.session is not None
    assert late.session.has(MESSAGE)
    assert not stored.table.pointer(OTHER_MESSAGE)


async def test_recording_the_same_message_again_counts_as_won(stored: StoredSessions) -> None:
    session = await stored.claimed()
    await stored.store.sessions.record(session, MESSAGE)

    assert (await stored.store.sessions.record(session, MESSAGE)).won


async def test_a_record_whose_answer_was_lost_counts_as_won(stored: StoredSessions) -> None:
    session = await stored.claimed()
    stored.wire.fail("TransactWriteItems", "lost")

    assert (await stored.store.sessions.record(session, MESSAGE)).won


@pytest.mark.parametrize("then", ["vacant", "next generation", "open"])
async def test_a_late_record_is_lost(stored: StoredSessions, then: str) -> None:
    read = await stored.claimed()
    if then == "vacant":
        await stored.store.claims.drop(read, owner="one", now=START)
    elif then == "next generation":
        await stored.store.claims.raise_generation(read, owner="one", now=START)
    else:
        await stored.adopt(read)
    before = stored.table.items()

    assert not (await stored.store.sessions.record(read, MESSAGE)).won
    assert stored.table.items() == before


async def test_a_message_whose_thread_belongs_to_another_session_is_not_recorded(stored: StoredSessions) -> None:
    await stored.recorded(MESSAGE, key="another")
    write = await stored.store.sessions.record(await stored.claimed(), MESSAGE)

    assert (write.won, write.pointer_taken) == (False, True)
    assert "source_message_id" not in stored.table.item()


async def test_a_commit_opens_the_session_and_keeps_the_owner_of_the_lease(stored: StoredSessions) -> None:
    write = await stored.store.sessions.commit(await stored.recorded(), MESSAGE, SEEN)

    item = stored.table.item()
    assert (write.won, write.mine.status, write.mine.discord_thread_id) == (True, Status.OPEN, MESSAGE)
    assert (item["lease_owner"], "lease_expires_at" in item) == ("one", False)
    assert item["watch_guild_id"] == GUILD


async def test_two_openers_that_commit_the_same_message_both_win(stored: StoredSessions) -> None:
    session = await stored.recorded()
    assert (await stored.store.sessions.commit(session, MESSAGE, SEEN)).won

    assert (await stored.store.sessions.commit(session, MESSAGE, SEEN)).won


async def test_a_commit_for_an_ended_generation_is_lost(stored: StoredSessions) -> None:
    session = await stored.recorded()
    await stored.store.sessions.end_generation(session, now=START)
    write = await stored.store.sessions.commit(session, MESSAGE, SEEN)

    assert not write.won
    assert write.session is not None
    assert (write.session.status, write.session.generation) == (Status.VACANT, 2)


@pytest.mark.parametrize("recorded", [False, True], ids=["claimed anew", "recorded anew"])
async def test_a_commit_for_an_ended_generation_does_not_change_the_next_claim(
    stored: StoredSessions, recorded: bool
) -> None:
    old = await stored.recorded()
    await stored.store.sessions.end_generation(old, now=START)
    again = await stored.claimed("two")
    if recorded:
        await stored.store.sessions.record(again, OTHER_MESSAGE)
    before = stored.table.items()

    assert not (await stored.store.sessions.commit(old, MESSAGE, SEEN)).won
    assert stored.table.items() == before


async def test_a_commit_whose_answer_was_lost_counts_as_won(stored: StoredSessions) -> None:
    session = await stored.recorded()
    stored.wire.fail("UpdateItem", "lost")

    assert (await stored.store.sessions.commit(session, MESSAGE, SEEN)).won


async def test_a_thread_is_adopted_by_an_absent_session(stored: StoredSessions) -> None:
    write = await stored.adopt(None, session_name="1A06A43", created_by="2")

    item = stored.table.item()
    assert write.won
    assert await stored.store.sessions.get(CHANNEL, KEY) == write.mine
    assert (item["status"], item["generation"], item["discord_thread_id"]) == ("open", 1, THREAD)
    assert (item["session_name"], item["created_by"]) == ("1A06A43", "2")
    assert stored.table.pointer(THREAD)


@pytest.mark.parametrize("state", ["vacant", "claimed"])
async def test_a_thread_is_adopted_with_the_next_generation(stored: StoredSessions, state: str) -> None:
    session = await (stored.vacant() if state == "vacant" else stored.claimed())
    write = await stored.adopt(session)

    assert (write.won, write.mine.generation) == (True, 2)
    assert not {"expires_at", "lease_owner", "lease_expires_at"} & stored.table.item().keys()


async def test_a_session_with_a_source_message_adopts_nothing(stored: StoredSessions) -> None:
    read = await stored.claimed()
    await stored.store.sessions.record(read, MESSAGE)
    write = await stored.adopt(read)

    assert not write.won
    assert not stored.table.pointer(THREAD)


async def test_an_open_session_cannot_adopt_a_thread(stored: StoredSessions) -> None:
    with pytest.raises(ValueError, match="open"):
        await stored.adopt(await stored.open())


async def test_one_thread_is_adopted_by_one_of_two_sessions(stored: StoredSessions) -> None:
    assert (await stored.adopt(None, key="one")).won
    other = await stored.adopt(None, key="other")

    assert (other.won, other.pointer_taken) == (False, True)
    assert [item["sk"] for item in stored.table.items() if "discord_thread_id" in item] == ["SESSION#one"]


async def test_a_pointer_is_taken_over_only_if_its_session_no_longer_has_the_thread(stored: StoredSessions) -> None:
    former = (await stored.adopt(None, key="former")).mine
    pointer = Pointer(thread_id=THREAD, parent_channel_id=CHANNEL, session_key="former")
    assert not (await stored.adopt(None, pointer=pointer)).won
    stored.table.lose(stored.table.item(former.session_key))

    assert (await stored.adopt(None, pointer=pointer)).won
    found = stored.table.pointer(THREAD)
    assert found is not None
    assert found["session_key"] == KEY


async def test_an_adoption_whose_answer_was_lost_counts_as_won(stored: StoredSessions) -> None:
    stored.wire.fail("TransactWriteItems", "lost")

    assert (await stored.adopt(None)).won


async def test_the_end_of_a_generation_leaves_a_vacant_session_and_deletes_the_pointer(stored: StoredSessions) -> None:
    session = await stored.open()
    assert (await stored.store.sessions.end_generation(session, now=START)).won

    former = '[{"thread_id":"700","ended_at":"2026-11-23T12:00:00.000Z","why":"deleted"}]'
    assert stored.table.item() == {**VACANT_ITEM, "generation": 2, "former": former}
    assert not stored.table.pointer(MESSAGE)


async def test_a_generation_ends_once(stored: StoredSessions) -> None:
    session = await stored.open()
    await stored.store.sessions.end_generation(session, now=START)

    assert not (await stored.store.sessions.end_generation(session, now=START)).won
    assert stored.table.item()["generation"] == 2


async def test_an_older_read_does_not_end_a_session_that_changed_since(stored: StoredSessions) -> None:
    read = await stored.recorded()
    await stored.store.sessions.commit(read, MESSAGE, SEEN)

    assert not (await stored.store.sessions.end_generation(read, now=START)).won
    assert stored.table.item()["status"] == "open"


async def test_the_end_of_a_generation_leaves_a_pointer_that_names_another_session(stored: StoredSessions) -> None:
    session = await stored.open()
    stored.table.put({"pk": "THREAD#700", "sk": "THREAD", "merged_into": "123"})
    assert (await stored.store.sessions.end_generation(session, now=START)).won

    assert stored.table.pointer(MESSAGE) == {"pk": "THREAD#700", "sk": "THREAD", "merged_into": "123"}


async def test_an_archived_thread_is_not_watched_and_an_active_one_is(stored: StoredSessions) -> None:
    session = await stored.open()
    await stored.store.sessions.update(session, SEEN_ARCHIVED)
    assert "watch_guild_id" not in stored.table.item()
    await stored.store.sessions.update(session, {**SEEN, "archived_at": None})

    assert stored.table.item()["watch_guild_id"] == GUILD
    assert "archived_at" not in stored.table.item()


async def test_an_update_about_a_former_thread_is_lost(stored: StoredSessions) -> None:
    read = await stored.open()
    await stored.store.sessions.end_generation(read, now=START)
    before = stored.table.items()

    assert not (await stored.store.sessions.update(read, SEEN)).won
    assert stored.table.items() == before


async def test_the_first_topic_stays(stored: StoredSessions) -> None:
    session, cards = await stored.open(), stored.store.cards
    first = await cards.add_topic(session, "first")
    assert first.won
    assert not (await cards.add_topic(session, "second")).won

    edited = await cards.begin_edit(first.mine, now=START)
    assert not (await cards.begin_edit(first.mine, now=START + timedelta(seconds=1))).won
    assert (await cards.settle(edited.mine, state="open", shown=True)).won
    assert not (await cards.add_topic(session, "second")).won
    item = stored.table.item()
    assert (item["topic"], "topic_to_show" in item, item["card_state"]) == ("first", False, "open")


async def test_a_topic_that_cannot_be_shown_makes_room_for_another(stored: StoredSessions) -> None:
    session, cards = await stored.open(), stored.store.cards
    first = await cards.begin_edit((await cards.add_topic(session, "first")).mine, now=START)
    assert (await cards.settle(first.mine, state="open", shown=False)).won

    assert (await cards.add_topic(session, "second")).won
    late = await cards.settle(first.mine, state="open", shown=True)
    assert (late.won, stored.table.item().get("topic")) == (False, None)


async def test_only_vacant_items_expire_and_only_claims_and_active_threads_are_watched(
    stored: StoredSessions,
) -> None:
    await stored.claimed(key="claimed")
    await stored.recorded("1", key="recorded")
    await stored.open("2", key="open")
    await stored.vacant(key="vacant")
    await stored.store.sessions.end_generation(await stored.open("3", key="ended"), now=START)
    await stored.adopt(None, "4", key="adopted")
    await stored.adopt(None, "5", key="adopted archived", seen=SEEN_ARCHIVED)

    sessions = [item for item in stored.table.items() if item["sk"].startswith("SESSION#")]
    assert {i["session_key"] for i in sessions if "expires_at" in i} == {"vacant", "ended"}
    assert {i["session_key"] for i in sessions if "watch_guild_id" in i} == {"claimed", "recorded", "open", "adopted"}
