"""Claims whose lease is over: somebody died, or gave up."""

from datetime import timedelta
from typing import Any, Final

import pytest

from handler.runtime.clock import iso
from tests.kit.recorded_calls import Died
from tests.reconciler.ground import CHANNEL, GUILD, Ground, grounded

DEAD_CLAIM: Final = {
    "pk": f"CHANNEL#{CHANNEL}",
    "sk": "SESSION#a",
    "session_name": "a",
    "session_key": "a",
    "parent_channel_id": CHANNEL,
    "guild_id": GUILD,
    "watch_guild_id": GUILD,
    "status": "creating",
    "generation": 3,
    "lease_owner": "somebody",
    "lease_expires_at": "2026-11-23T11:00:00.000Z",
}


@pytest.mark.parametrize(
    "lease",
    [
        {},
        {"lease_owner": None},
        {"lease_owner": None, "lease_expires_at": None},
        {"lease_expires_at": "2030-01-01T00:00:00.000Z"},  # later than any lease: written by a wrong clock
    ],
    ids=["over", "nobody's", "none", "of a wrong clock"],
)
@grounded
async def test_a_dead_claim_with_nothing_recorded_is_dropped(ground: Ground, lease: dict[str, Any]) -> None:
    ground.change({**DEAD_CLAIM}, **lease)
    assert await ground.reconcile() == {"DropClaim": 1}
    assert ground.item("a")["status"] == "vacant"
    assert ground.item("a")["generation"] == 3
    assert await ground.reconcile() == {}


@grounded
async def test_a_dead_claim_with_a_source_message_and_no_thread_ends_its_generation(ground: Ground) -> None:
    ground.dies_after = len(ground.calls) + 8
    with pytest.raises(Died):
        await ground.open("a")
    ground.restart()
    message = ground.item("a")["source_message_id"]
    assert message in ground.discord.messages
    assert message not in ground.discord.threads
    await ground.wait(minutes=1)
    assert await ground.reconcile() == {"EndGeneration": 1}
    assert (ground.item("a")["status"], ground.item("a")["generation"]) == ("vacant", 2)
    assert message not in ground.discord.messages


@grounded
async def test_a_dead_claim_whose_thread_was_started_is_committed(ground: Ground) -> None:
    ground.dies_after = len(ground.calls) + 9
    with pytest.raises(Died):
        await ground.open("a")
    ground.restart()
    (thread_id,) = ground.discord.threads
    assert ground.item("a")["status"] == "creating"
    await ground.wait(minutes=1)
    assert await ground.reconcile() == {"Commit": 1}
    assert ground.item("a")["discord_thread_id"] == thread_id
    assert ground.differences() == []


@grounded
async def test_a_live_claim_is_left_alone(ground: Ground) -> None:
    ground.put(**{**DEAD_CLAIM, "lease_expires_at": iso(ground.now + timedelta(seconds=9))})
    assert await ground.reconcile() == {}


@grounded
async def test_a_claim_that_is_renewed_meanwhile_is_not_dropped(ground: Ground) -> None:
    ground.put(**DEAD_CLAIM)
    session = await ground.store.sessions.get(CHANNEL, "a")
    assert session is not None
    ground.put(**{**DEAD_CLAIM, "lease_expires_at": iso(ground.now + timedelta(seconds=9))})
    assert not (await ground.store.claims.drop(session, now=ground.now)).won
