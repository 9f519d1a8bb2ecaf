"""Claims whose lease is over: somebody died, or gave up."""

from datetime import timedelta
from typing import Any, Final

import pytest

from handler.runtime.clock import iso
from tests.kit.guild import Guild
from tests.kit.recorded_calls import Call, Died
from tests.kit.table_view import CHANNEL, GUILD
from tests.reconciler.differences import differences

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
async def test_a_dead_claim_with_nothing_recorded_is_dropped(guild: Guild, lease: dict[str, Any]) -> None:
    guild.table.put({**DEAD_CLAIM}, **lease)
    assert await guild.reconcile() == {"DropClaim": 1}
    assert guild.table.item("a")["status"] == "vacant"
    assert guild.table.item("a")["generation"] == 3
    assert await guild.reconcile() == {}


async def test_a_dead_claim_with_a_source_message_and_no_thread_ends_its_generation(guild: Guild) -> None:
    guild.calls.forget()
    guild.calls.dies_after = Call("dynamodb", "TransactWriteItems")
    with pytest.raises(Died):
        await guild.open("a")
    guild.restart()
    message = guild.table.item("a")["source_message_id"]
    assert message in guild.discord.messages
    assert message not in guild.discord.threads
    await guild.wait(minutes=1)
    assert await guild.reconcile() == {"EndGeneration": 1}
    assert (guild.table.item("a")["status"], guild.table.item("a")["generation"]) == ("vacant", 2)
    assert message not in guild.discord.messages


async def test_a_dead_claim_whose_thread_was_started_is_committed(guild: Guild) -> None:
    guild.calls.forget()
    guild.calls.dies_after = Call("discord", "POST /channels/{channel_id}/messages/{message_id}/threads")
    with pytest.raises(Died):
        await guild.open("a")
    guild.restart()
    (thread_id,) = guild.discord.threads
    assert guild.table.item("a")["status"] == "creating"
    await guild.wait(minutes=1)
    assert await guild.reconcile() == {"Commit": 1}
    assert guild.table.item("a")["discord_thread_id"] == thread_id
    assert differences(guild) == []


async def test_a_live_claim_is_left_alone(guild: Guild) -> None:
    guild.table.put({**DEAD_CLAIM, "lease_expires_at": iso(guild.now + timedelta(seconds=9))})
    assert await guild.reconcile() == {}


async def test_a_claim_that_is_renewed_meanwhile_is_not_dropped(guild: Guild) -> None:
    guild.table.put(DEAD_CLAIM)
    session = await guild.store.sessions.get(CHANNEL, "a")
    assert session is not None
    guild.table.put({**DEAD_CLAIM, "lease_expires_at": iso(guild.now + timedelta(seconds=9))})
    assert not (await guild.store.claims.drop(session, now=guild.now)).won
