"""Claims and their leases: what each write needs, what it leaves, and how a lost one is told."""

from datetime import timedelta

import pytest

from handler.errors import StoreUnavailable
from handler.runtime.clock import iso
from handler.store.clauses import VACANT_KEPT
from handler.store.lease import LEASE_SECONDS
from tests.kit.shelf import CHANNEL, GUILD, KEY, LATER, MESSAGE, Shelf, shelved
from tests.kit.virtual_time import START


@shelved
async def test_an_absent_session_is_claimed(shelf: Shelf) -> None:
    write = await shelf.claim(created_by="3", topic="the bug", session_name="1A06A43")

    assert write.won
    assert shelf.item() == {
        "pk": "CHANNEL#10",
        "sk": "SESSION#1a06a43",
        "status": "creating",
        "parent_channel_id": CHANNEL,
        "session_key": KEY,
        "session_name": "1A06A43",
        "guild_id": GUILD,
        "watch_guild_id": GUILD,
        "generation": 1,
        "lease_owner": "one",
        "lease_expires_at": iso(START + timedelta(seconds=LEASE_SECONDS)),
        "created_by": "3",
        "topic": "the bug",
    }
    assert await shelf.store.sessions.get(CHANNEL, KEY) == write.mine


@shelved
async def test_a_second_claim_is_lost_and_carries_the_first_ones_item(shelf: Shelf) -> None:
    first = await shelf.claimed("one")
    second = await shelf.claim("two")

    assert (second.won, second.session) == (False, first)


@shelved
async def test_a_vacant_session_is_claimed_under_its_generation_and_loses_its_time_to_live(shelf: Shelf) -> None:
    vacant = await shelf.vacant()
    assert "expires_at" in shelf.item()
    session = await shelf.claimed("two", session_name="another spelling", topic="late")

    assert session.generation == vacant.generation
    assert session.session_name == KEY, "the first spelling stays"
    assert "expires_at" not in shelf.item()


@shelved
async def test_a_claim_whose_answer_was_lost_counts_as_won(shelf: Shelf) -> None:
    shelf.wire.fail("UpdateItem", "lost")

    assert (await shelf.claim()).won
    assert shelf.wire.sent["UpdateItem"] == 2


@shelved
async def test_a_lease_that_has_ended_is_taken_over_once(shelf: Shelf) -> None:
    read = await shelf.claimed("one")
    two = await shelf.store.claims.take_over(read, owner="two", now=LATER)
    three = await shelf.store.claims.take_over(read, owner="three", now=LATER)

    assert (two.won, two.mine.lease.owner, two.mine.generation) == (True, "two", 1)
    assert (three.won, three.session) == (False, two.session)


@shelved
async def test_a_renewed_lease_is_not_taken_over_on_an_older_reading(shelf: Shelf) -> None:
    read = await shelf.claimed("one")
    assert (await shelf.store.claims.renew(read, owner="one", now=LATER)).won

    assert not (await shelf.store.claims.take_over(read, owner="two", now=LATER)).won


@shelved
async def test_a_take_over_whose_answer_was_lost_counts_as_won(shelf: Shelf) -> None:
    read = await shelf.claimed("one")
    shelf.wire.fail("UpdateItem", "lost")

    assert (await shelf.store.claims.take_over(read, owner="two", now=LATER)).won


@shelved
async def test_a_lease_that_somebody_took_over_is_not_kept(shelf: Shelf) -> None:
    read = await shelf.claimed("one")
    await shelf.store.claims.take_over(read, owner="two", now=LATER)

    assert not (await shelf.store.claims.renew(read, owner="one", now=LATER)).won


@shelved
async def test_ending_a_lease_leaves_what_is_recorded_and_only_ones_own_is_ended(shelf: Shelf) -> None:
    session = await shelf.recorded()
    await shelf.store.claims.end_lease(session, owner="two", now=START)
    assert shelf.item()["lease_expires_at"] == session.lease.expires_at
    await shelf.store.claims.end_lease(session, owner="one", now=START)

    assert (shelf.item()["lease_expires_at"], shelf.item()["source_message_id"]) == (iso(START), MESSAGE)


@shelved
async def test_a_dropped_claim_is_vacant_with_the_same_generation_and_nothing_of_its_life(shelf: Shelf) -> None:
    await shelf.store.claims.drop(await shelf.claimed(topic="the bug"), owner="one", now=START)

    assert shelf.item() == {
        "pk": "CHANNEL#10",
        "sk": "SESSION#1a06a43",
        "status": "vacant",
        "parent_channel_id": CHANNEL,
        "session_key": KEY,
        "session_name": KEY,
        "guild_id": GUILD,
        "generation": 1,
        "topic": "the bug",
        "expires_at": int((START + VACANT_KEPT).timestamp()),
    }


@shelved
async def test_a_claim_is_not_dropped_by_another_owner_nor_with_a_source_message(shelf: Shelf) -> None:
    session = await shelf.claimed()
    assert not (await shelf.store.claims.drop(session, owner="two", now=START)).won
    await shelf.store.sessions.record(session, MESSAGE)

    assert not (await shelf.store.claims.drop(session, owner="one", now=START)).won
    assert shelf.item()["status"] == "creating"


@shelved
async def test_the_generation_is_raised_once_for_all_who_read_the_same(shelf: Shelf) -> None:
    read = await shelf.claimed()
    assert (await shelf.store.claims.raise_generation(read, owner="one", now=START)).mine.generation == 2

    again = await shelf.store.claims.raise_generation(read, owner="two", now=START)
    assert not again.won
    assert shelf.item()["generation"] == 2


@shelved
async def test_the_generation_is_not_raised_once_a_source_message_is_recorded(shelf: Shelf) -> None:
    read = await shelf.claimed()
    await shelf.store.sessions.record(read, MESSAGE)

    assert not (await shelf.store.claims.raise_generation(read, owner="one", now=START)).won


@shelved
async def test_a_table_out_of_reach_raises_and_says_which_call_it_was(shelf: Shelf) -> None:
    shelf.wire.fail("GetItem", "refused", "refused", "refused", "refused", "refused")

    with pytest.raises(StoreUnavailable, match="get_item"):
        await shelf.store.sessions.get(CHANNEL, KEY)
