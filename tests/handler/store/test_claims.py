"""Claims and their leases: what each write needs, what it leaves, and what a lost one returns."""

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
async def test_a_second_claim_is_lost_and_returns_the_first_one(shelf: Shelf) -> None:
    first = await shelf.claimed("one")
    second = await shelf.claim("two")

    assert (second.won, second.session) == (False, first)


@shelved
async def test_a_claimed_vacant_session_keeps_its_generation_and_no_longer_expires(shelf: Shelf) -> None:
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
async def test_an_expired_lease_is_taken_over_once(shelf: Shelf) -> None:
    read = await shelf.claimed("one")
    two = await shelf.store.claims.take_over(read, owner="two", now=LATER)
    three = await shelf.store.claims.take_over(read, owner="three", now=LATER)

    assert (two.won, two.mine.lease.owner, two.mine.generation) == (True, "two", 1)
    assert (three.won, three.session) == (False, two.session)


@shelved
async def test_a_lease_that_was_renewed_since_it_was_read_is_not_taken_over(shelf: Shelf) -> None:
    read = await shelf.claimed("one")
    assert (await shelf.store.claims.renew(read, owner="one", now=LATER)).won

    assert not (await shelf.store.claims.take_over(read, owner="two", now=LATER)).won


@shelved
async def test_a_take_over_whose_answer_was_lost_counts_as_won(shelf: Shelf) -> None:
    read = await shelf.claimed("one")
    shelf.wire.fail("UpdateItem", "lost")

    assert (await shelf.store.claims.take_over(read, owner="two", now=LATER)).won


@shelved
async def test_a_lease_that_was_taken_over_cannot_be_renewed(shelf: Shelf) -> None:
    read = await shelf.claimed("one")
    await shelf.store.claims.take_over(read, owner="two", now=LATER)

    assert not (await shelf.store.claims.renew(read, owner="one", now=LATER)).won


@shelved
async def test_only_the_owner_ends_a_lease_and_what_is_recorded_stays(shelf: Shelf) -> None:
    session = await shelf.recorded()
    await shelf.store.claims.end_lease(session, owner="two", now=START)
    assert shelf.item()["lease_expires_at"] == session.lease.expires_at
    await shelf.store.claims.end_lease(session, owner="one", now=START)

    assert (shelf.item()["lease_expires_at"], shelf.item()["source_message_id"]) == (iso(START), MESSAGE)


@shelved
async def test_a_dropped_claim_leaves_a_vacant_session_of_the_same_generation(shelf: Shelf) -> None:
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
async def test_a_claim_of_another_owner_or_with_a_source_message_is_not_dropped(shelf: Shelf) -> None:
    session = await shelf.claimed()
    assert not (await shelf.store.claims.drop(session, owner="two", now=START)).won
    await shelf.store.sessions.record(session, MESSAGE)

    assert not (await shelf.store.claims.drop(session, owner="one", now=START)).won
    assert shelf.item()["status"] == "creating"


@shelved
async def test_only_one_of_two_openers_raises_the_generation(shelf: Shelf) -> None:
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
async def test_an_unreachable_table_raises_an_error_that_names_the_call(shelf: Shelf) -> None:
    shelf.wire.fail("GetItem", "refused", "refused", "refused", "refused", "refused")

    with pytest.raises(StoreUnavailable, match="get_item"):
        await shelf.store.sessions.get(CHANNEL, KEY)
