"""Claims and their leases: what each write needs, what it leaves, and what a lost one returns."""

from datetime import timedelta

import pytest

from handler.errors import StoreUnavailable
from handler.runtime.clock import iso
from infra.virtual_time import START
from tests.kit.stored_sessions import KEY, LATER, MESSAGE, VACANT_ITEM, StoredSessions
from tests.kit.table_view import CHANNEL, GUILD

LEASE_SECONDS = 10.0


async def test_an_absent_session_is_claimed(stored: StoredSessions) -> None:
    write = await stored.claim(created_by="3", topic="the bug", session_name="1A06A43")

    assert write.won
    assert stored.table.item() == {
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
    assert await stored.store.sessions.get(CHANNEL, KEY) == write.mine


async def test_a_second_claim_is_lost_and_returns_the_first_one(stored: StoredSessions) -> None:
    first = await stored.claimed("one")
    second = await stored.claim("two")

    assert (second.won, second.session) == (False, first)


async def test_a_claimed_vacant_session_keeps_its_generation_and_no_longer_expires(stored: StoredSessions) -> None:
    vacant = await stored.vacant()
    assert "expires_at" in stored.table.item()
    session = await stored.claimed("two", session_name="another spelling", topic="late")
    assert session.topic == "late"

    assert session.generation == vacant.generation
    assert session.session_name == KEY, "the first spelling stays"
    assert "expires_at" not in stored.table.item()


async def test_a_claim_whose_answer_was_lost_counts_as_won(stored: StoredSessions) -> None:
    stored.wire.fail("UpdateItem", "lost")

    assert (await stored.claim()).won
    assert stored.wire.sent["UpdateItem"] == 2


async def test_an_expired_lease_is_taken_over_once(stored: StoredSessions) -> None:
    read = await stored.claimed("one")
    two = await stored.store.claims.take_over(read, owner="two", now=LATER)
    three = await stored.store.claims.take_over(read, owner="three", now=LATER)

    assert (two.won, two.mine.lease.owner, two.mine.generation) == (True, "two", 1)
    assert (three.won, three.session) == (False, two.session)


async def test_a_lease_that_was_renewed_since_it_was_read_is_not_taken_over(stored: StoredSessions) -> None:
    read = await stored.claimed("one")
    assert (await stored.store.claims.renew(read, owner="one", now=LATER)).won

    assert not (await stored.store.claims.take_over(read, owner="two", now=LATER)).won


async def test_a_take_over_whose_answer_was_lost_counts_as_won(stored: StoredSessions) -> None:
    read = await stored.claimed("one")
    stored.wire.fail("UpdateItem", "lost")

    assert (await stored.store.claims.take_over(read, owner="two", now=LATER)).won


async def test_a_lease_that_was_taken_over_cannot_be_renewed(stored: StoredSessions) -> None:
    read = await stored.claimed("one")
    await stored.store.claims.take_over(read, owner="two", now=LATER)

    assert not (await stored.store.claims.renew(read, owner="one", now=LATER)).won


async def test_only_the_owner_ends_a_lease_and_what_is_recorded_stays(stored: StoredSessions) -> None:
    session = await stored.recorded()
    await stored.store.claims.end_lease(session, owner="two", now=START)
    assert stored.table.item()["lease_expires_at"] == session.lease.expires_at
    await stored.store.claims.end_lease(session, owner="one", now=START)

    assert (stored.table.item()["lease_expires_at"], stored.table.item()["source_message_id"]) == (iso(START), MESSAGE)


async def test_a_dropped_claim_leaves_a_vacant_session_of_the_same_generation(stored: StoredSessions) -> None:
    await stored.store.claims.drop(await stored.claimed(topic="the bug"), owner="one", now=START)

    assert stored.table.item() == {**VACANT_ITEM, "generation": 1}


async def test_a_claim_of_another_owner_or_with_a_source_message_is_not_dropped(stored: StoredSessions) -> None:
    session = await stored.claimed()
    assert not (await stored.store.claims.drop(session, owner="two", now=START)).won
    await stored.store.sessions.record(session, MESSAGE)

    assert not (await stored.store.claims.drop(session, owner="one", now=START)).won
    assert stored.table.item()["status"] == "creating"


async def test_only_one_of_two_openers_raises_the_generation(stored: StoredSessions) -> None:
    read = await stored.claimed()
    assert (await stored.store.claims.raise_generation(read, owner="one", now=START)).mine.generation == 2

    again = await stored.store.claims.raise_generation(read, owner="two", now=START)
    assert not again.won
    assert stored.table.item()["generation"] == 2


async def test_the_generation_is_not_raised_once_a_source_message_is_recorded(stored: StoredSessions) -> None:
    read = await stored.claimed()
    await stored.store.sessions.record(read, MESSAGE)

    assert not (await stored.store.claims.raise_generation(read, owner="one", now=START)).won


async def test_an_unreachable_table_raises_an_error_that_names_the_call(stored: StoredSessions) -> None:
    stored.wire.fail("GetItem", "refused", "refused", "refused", "refused", "refused")

    with pytest.raises(StoreUnavailable, match="get_item"):
        await stored.store.sessions.get(CHANNEL, KEY)
