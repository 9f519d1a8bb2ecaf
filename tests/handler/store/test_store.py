"""The writes of a session and its thread: what each needs, what it leaves, and what a lost one returns."""

import pytest

from handler.store.clauses import VACANT_KEPT
from handler.store.items import Pointer, Status
from tests.kit.shelf import CHANNEL, GUILD, KEY, MESSAGE, OTHER_MESSAGE, SEEN, SEEN_ARCHIVED, THREAD, Shelf, shelved
from tests.kit.virtual_time import START


@shelved
async def test_recording_a_source_message_points_its_thread_to_the_session(shelf: Shelf) -> None:
    write = await shelf.store.sessions.record(await shelf.claimed(), MESSAGE)

    assert (write.won, write.mine.source_message_id) == (True, MESSAGE)
    assert shelf.item()["source_message_id"] == MESSAGE
    assert shelf.pointer(MESSAGE) == {
        "pk": "THREAD#700",
        "sk": "THREAD",
        "parent_channel_id": CHANNEL,
        "session_key": KEY,
    }


@shelved
async def test_the_first_source_message_stays_and_the_loser_gets_it(shelf: Shelf) -> None:
    session = await shelf.claimed()
    await shelf.store.sessions.record(session, MESSAGE)
    late = await shelf.store.sessions.record(session, OTHER_MESSAGE)

    assert (late.won, late.pointer_taken) == (False, False)
    assert late.session is not None
    assert late.session.has(MESSAGE)
    assert shelf.pointer(OTHER_MESSAGE) is None


@shelved
async def test_recording_the_same_message_again_counts_as_won(shelf: Shelf) -> None:
    session = await shelf.claimed()
    await shelf.store.sessions.record(session, MESSAGE)

    assert (await shelf.store.sessions.record(session, MESSAGE)).won


@shelved
async def test_a_record_whose_answer_was_lost_counts_as_won(shelf: Shelf) -> None:
    session = await shelf.claimed()
    shelf.wire.fail("TransactWriteItems", "lost")

    assert (await shelf.store.sessions.record(session, MESSAGE)).won


@pytest.mark.parametrize("then", ["vacant", "next generation", "open"])
def test_a_late_record_is_lost(then: str) -> None:
    @shelved
    async def play(shelf: Shelf) -> None:
        read = await shelf.claimed()
        if then == "vacant":
            await shelf.store.claims.drop(read, owner="one", now=START)
        elif then == "next generation":
            await shelf.store.claims.raise_generation(read, owner="one", now=START)
        else:
            await shelf.adopt(read)
        before = shelf.wire.items()

        assert not (await shelf.store.sessions.record(read, MESSAGE)).won
        assert shelf.wire.items() == before

    play()


@shelved
async def test_a_message_whose_thread_belongs_to_another_session_is_not_recorded(shelf: Shelf) -> None:
    await shelf.recorded(MESSAGE, key="another")
    write = await shelf.store.sessions.record(await shelf.claimed(), MESSAGE)

    assert (write.won, write.pointer_taken) == (False, True)
    assert "source_message_id" not in shelf.item()


@shelved
async def test_a_commit_opens_the_session_and_keeps_the_owner_of_the_lease(shelf: Shelf) -> None:
    write = await shelf.store.sessions.commit(await shelf.recorded(), MESSAGE, SEEN)

    item = shelf.item()
    assert (write.won, write.mine.status, write.mine.discord_thread_id) == (True, Status.OPEN, MESSAGE)
    assert (item["lease_owner"], "lease_expires_at" in item) == ("one", False)
    assert item["watch_guild_id"] == GUILD


@shelved
async def test_two_openers_that_commit_the_same_message_both_win(shelf: Shelf) -> None:
    session = await shelf.recorded()
    assert (await shelf.store.sessions.commit(session, MESSAGE, SEEN)).won

    assert (await shelf.store.sessions.commit(session, MESSAGE, SEEN)).won


@shelved
async def test_a_commit_for_an_ended_generation_is_lost(shelf: Shelf) -> None:
    session = await shelf.recorded()
    await shelf.store.sessions.end_generation(session, now=START)
    write = await shelf.store.sessions.commit(session, MESSAGE, SEEN)

    assert not write.won
    assert write.session is not None
    assert (write.session.status, write.session.generation) == (Status.VACANT, 2)


@pytest.mark.parametrize("recorded", [False, True], ids=["claimed anew", "recorded anew"])
def test_a_commit_for_an_ended_generation_does_not_change_the_next_claim(recorded: bool) -> None:
    @shelved
    async def play(shelf: Shelf) -> None:
        old = await shelf.recorded()
        await shelf.store.sessions.end_generation(old, now=START)
        again = await shelf.claimed("two")
        if recorded:
            await shelf.store.sessions.record(again, OTHER_MESSAGE)
        before = shelf.wire.items()

        assert not (await shelf.store.sessions.commit(old, MESSAGE, SEEN)).won
        assert shelf.wire.items() == before

    play()


@shelved
async def test_a_commit_whose_answer_was_lost_counts_as_won(shelf: Shelf) -> None:
    session = await shelf.recorded()
    shelf.wire.fail("UpdateItem", "lost")

    assert (await shelf.store.sessions.commit(session, MESSAGE, SEEN)).won


@shelved
async def test_a_thread_is_adopted_by_an_absent_session(shelf: Shelf) -> None:
    write = await shelf.adopt(None, session_name="1A06A43", topic="the bug", created_by="2")

    item = shelf.item()
    assert write.won
    assert await shelf.store.sessions.get(CHANNEL, KEY) == write.mine
    assert (item["status"], item["generation"], item["discord_thread_id"]) == ("open", 1, THREAD)
    assert (item["session_name"], item["topic"], item["created_by"]) == ("1A06A43", "the bug", "2")
    assert shelf.pointer(THREAD) is not None


@pytest.mark.parametrize("state", ["vacant", "claimed"])
def test_a_thread_is_adopted_with_the_next_generation(state: str) -> None:
    @shelved
    async def play(shelf: Shelf) -> None:
        session = await (shelf.vacant() if state == "vacant" else shelf.claimed())
        write = await shelf.adopt(session)

        assert (write.won, write.mine.generation) == (True, 2)
        assert not {"expires_at", "lease_owner", "lease_expires_at"} & shelf.item().keys()

    play()


@shelved
async def test_a_session_with_a_source_message_adopts_nothing(shelf: Shelf) -> None:
    read = await shelf.claimed()
    await shelf.store.sessions.record(read, MESSAGE)
    write = await shelf.adopt(read)

    assert not write.won
    assert shelf.pointer(THREAD) is None


@shelved
async def test_an_open_session_cannot_adopt_a_thread(shelf: Shelf) -> None:
    with pytest.raises(ValueError, match="open"):
        await shelf.adopt(await shelf.open())


@shelved
async def test_one_thread_is_adopted_by_one_of_two_sessions(shelf: Shelf) -> None:
    assert (await shelf.adopt(None, key="one")).won
    other = await shelf.adopt(None, key="other")

    assert (other.won, other.pointer_taken) == (False, True)
    assert [item["sk"] for item in shelf.wire.items() if "discord_thread_id" in item] == ["SESSION#one"]


@shelved
async def test_a_pointer_is_taken_over_only_if_its_session_no_longer_has_the_thread(shelf: Shelf) -> None:
    former = (await shelf.adopt(None, key="former")).mine
    pointer = Pointer(thread_id=THREAD, parent_channel_id=CHANNEL, session_key="former")
    assert not (await shelf.adopt(None, pointer=pointer)).won
    shelf.lose_item("CHANNEL#10", f"SESSION#{former.session_key}")

    assert (await shelf.adopt(None, pointer=pointer)).won
    found = shelf.pointer(THREAD)
    assert found is not None
    assert found["session_key"] == KEY


@shelved
async def test_an_adoption_whose_answer_was_lost_counts_as_won(shelf: Shelf) -> None:
    shelf.wire.fail("TransactWriteItems", "lost")

    assert (await shelf.adopt(None)).won


@shelved
async def test_the_end_of_a_generation_leaves_a_vacant_session_and_deletes_the_pointer(shelf: Shelf) -> None:
    session = await shelf.open()
    assert (await shelf.store.sessions.end_generation(session, now=START)).won

    assert shelf.item() == {
        "pk": "CHANNEL#10",
        "sk": "SESSION#1a06a43",
        "status": "vacant",
        "parent_channel_id": CHANNEL,
        "session_key": KEY,
        "session_name": KEY,
        "guild_id": GUILD,
        "generation": 2,
        "expires_at": int((START + VACANT_KEPT).timestamp()),
    }
    assert shelf.pointer(MESSAGE) is None


@shelved
async def test_a_generation_ends_once(shelf: Shelf) -> None:
    session = await shelf.open()
    await shelf.store.sessions.end_generation(session, now=START)

    assert not (await shelf.store.sessions.end_generation(session, now=START)).won
    assert shelf.item()["generation"] == 2


@shelved
async def test_an_older_read_does_not_end_a_session_that_changed_since(shelf: Shelf) -> None:
    read = await shelf.recorded()
    await shelf.store.sessions.commit(read, MESSAGE, SEEN)

    assert not (await shelf.store.sessions.end_generation(read, now=START)).won
    assert shelf.item()["status"] == "open"


@shelved
async def test_the_end_of_a_generation_leaves_a_pointer_that_names_another_session(shelf: Shelf) -> None:
    session = await shelf.open()
    shelf.put_item({"pk": "THREAD#700", "sk": "THREAD", "merged_into": "123"})
    assert (await shelf.store.sessions.end_generation(session, now=START)).won

    assert shelf.pointer(MESSAGE) == {"pk": "THREAD#700", "sk": "THREAD", "merged_into": "123"}


@shelved
async def test_an_archived_thread_is_not_watched_and_an_active_one_is(shelf: Shelf) -> None:
    session = await shelf.open()
    await shelf.store.sessions.update(session, SEEN_ARCHIVED)
    assert "watch_guild_id" not in shelf.item()
    await shelf.store.sessions.update(session, {**SEEN, "archived_at": None})

    assert shelf.item()["watch_guild_id"] == GUILD
    assert "archived_at" not in shelf.item()


@shelved
async def test_an_update_about_a_former_thread_is_lost(shelf: Shelf) -> None:
    read = await shelf.open()
    await shelf.store.sessions.end_generation(read, now=START)
    before = shelf.wire.items()

    assert not (await shelf.store.sessions.update(read, SEEN)).won
    assert shelf.wire.items() == before


@shelved
async def test_the_first_topic_stays(shelf: Shelf) -> None:
    session = await shelf.open()
    assert (await shelf.store.sessions.add_topic(session, "first")).won

    assert not (await shelf.store.sessions.add_topic(session, "second")).won
    assert shelf.item()["topic"] == "first"


@shelved
async def test_only_vacant_items_expire_and_only_claims_and_active_threads_are_watched(
    shelf: Shelf,
) -> None:
    await shelf.claimed(key="claimed")
    await shelf.recorded("1", key="recorded")
    await shelf.open("2", key="open")
    await shelf.vacant(key="vacant")
    await shelf.store.sessions.end_generation(await shelf.open("3", key="ended"), now=START)
    await shelf.adopt(None, "4", key="adopted")
    await shelf.adopt(None, "5", key="adopted archived", seen=SEEN_ARCHIVED)

    sessions = [item for item in shelf.wire.items() if item["sk"].startswith("SESSION#")]
    assert {i["session_key"] for i in sessions if "expires_at" in i} == {"vacant", "ended"}
    assert {i["session_key"] for i in sessions if "watch_guild_id" in i} == {"claimed", "recorded", "open", "adopted"}
