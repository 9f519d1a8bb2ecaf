"""A parent channel that is gone or out of reach costs next to nothing, holds nobody up, and loses no session."""

from typing import Any, Final

import pytest

from handler.config import ReconcilerConfig
from handler.reconciler import encode, handle
from handler.runtime.clock import iso
from handler.sessions.reconcile import channels, observe, plan
from infra.lambda_events import sqs_event, sqs_record
from infra.simulator.faults import error, server_error
from infra.simulator.permissions import DEFAULT_PERMISSIONS, default_permissions_without, permission_bits
from tests.kit.deployment import Deployment
from tests.kit.guild import Guild
from tests.kit.table_view import CHANNEL, GUILD
from tests.reconciler.differences import WITHOUT_AUDIT_LOG, differences
from tests.reconciler.housekeeping import BETWEEN_RUNS, DELETES, housekeep, idle

THREAD: Final = "GET /channels/{channel_id}"
HIDDEN: Final = default_permissions_without("VIEW_CHANNEL")
OTHER: Final = "11"
ALWAYS: Final = 1_000_000
PARKED: Final = {"unreachable_since", "ask_again_at", "watch_guild_id"}


async def _sessions(guild: Guild, *names: str) -> list[str]:
    """Active sessions in a channel of their own, on record."""
    guild.discord.add_channel(GUILD, OTHER)
    threads = [(await guild.open(name, OTHER)).thread_id for name in names]
    await guild.reconcile()
    return threads


def _show(guild: Guild) -> None:
    guild.people.set_permissions(OTHER, permission_bits(DEFAULT_PERMISSIONS))


def _watched(guild: Guild) -> int:
    return sum("watch_guild_id" in item for item in guild.table.of_kind("SESSION#"))


@pytest.mark.parametrize("lost", ["deleted", "hidden"])
async def test_the_sessions_of_a_lost_channel_stay_as_they_are_and_those_of_others_are_followed(
    guild: Guild, lost: str
) -> None:
    await _sessions(guild, "a", "b", "c")
    followed = (await guild.open("followed")).thread_id
    await guild.reconcile()
    before = guild.table.of_kind("SESSION#")
    if lost == "deleted":
        guild.people.delete_channel(OTHER)
    else:
        guild.people.set_permissions(OTHER, HIDDEN)
    assert await guild.reconcile() == {"ParkChannel": 1}
    assert guild.table.of_kind("SESSION#") == before
    assert guild.table.channel(OTHER).keys() >= PARKED
    assert ("gone_since" in guild.table.channel(OTHER)) is (lost == "deleted")
    guild.people.rename(followed, "followed: bug")
    assert await guild.reconcile() == {"UpdateSession": 1}
    assert guild.calls.count(THREAD) == 0


async def test_a_channel_that_a_list_shows_again_is_taken_up_at_once(guild: Guild) -> None:
    archived, deleted, active = await _sessions(guild, "archived", "deleted", "active")
    guild.people.set_permissions(OTHER, HIDDEN)
    assert await guild.reconcile() == {"ParkChannel": 1}
    guild.people.archive(archived)
    guild.people.delete_thread(deleted)
    guild.people.rename(active, "Session active: bug")
    await guild.wait(minutes=BETWEEN_RUNS)
    await guild.reconcile()
    _show(guild)
    await guild.wait(minutes=BETWEEN_RUNS)
    counts = await guild.reconcile()
    assert (counts["UnparkChannel"], counts["EndGeneration"]) == (1, 1)
    assert not PARKED & guild.table.channel(OTHER).keys()
    await guild.reconcile()
    assert differences(guild) == []
    assert guild.table.item("archived", OTHER)["archived"]


async def test_a_channel_without_active_threads_is_asked_for_and_taken_up_when_it_answers(guild: Guild) -> None:
    threads = await _sessions(guild, "a", "b", "c")
    guild.people.set_permissions(OTHER, HIDDEN)
    await guild.reconcile()
    for thread_id in threads:
        guild.people.auto_archive(thread_id)
    _show(guild)
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await guild.reconcile() == {}  # it is not asked so soon
    await guild.wait(minutes=60)
    counts = await guild.reconcile()
    assert (counts["UnparkChannel"], counts["UpdateSession"]) == (1, 3)
    assert differences(guild) == []


async def test_what_the_audit_log_tells_of_a_parked_channel_is_not_forgotten(guild: Guild) -> None:
    threads = await _sessions(guild, "a", "b", "c")
    guild.people.archive(threads[0])
    await guild.reconcile()
    guild.people.set_permissions(OTHER, HIDDEN)
    await guild.reconcile()
    guild.people.delete_thread(threads[0])
    await guild.reconcile()
    assert guild.table.item("a", OTHER)["discord_thread_id"] == threads[0]
    _show(guild)
    assert (await guild.reconcile())["EndGeneration"] == 1
    assert guild.table.item("a", OTHER)["status"] == "vacant"


@pytest.mark.parametrize(
    "answer", [error(404, 0, "404: Not Found"), server_error(), error(404, 10004, "Unknown Guild")]
)
async def test_a_channel_whose_answer_is_not_clear_is_asked_once_a_run_and_not_parked(
    guild: Guild, answer: Any
) -> None:
    await _sessions(guild, "a", "b", "c")
    guild.people.delete_channel(OTHER)
    guild.discord.faults.inject("GET", f"/channels/{OTHER}", answer, times=ALWAYS)
    for _ in range(3):
        counts = await guild.report()
        assert (counts["ParkChannel"], counts["HoldDeletion"], counts["unclear"]) == (0, 0, 1)
        assert guild.calls.names.count(THREAD) <= 4  # a thread, and the channel with its repeats
        await guild.wait(minutes=30)
    assert all(guild.table.item(name, OTHER)["status"] == "open" for name in ("a", "b", "c"))


async def test_threads_that_are_gone_from_a_channel_that_answers_are_ended_as_ever(guild: Guild) -> None:
    for thread_id in await _sessions(guild, "a", "b", "c"):
        guild.people.delete_thread(thread_id)
    assert await guild.reconcile() == {"EndGeneration": 3}
    assert not PARKED & guild.table.channel(OTHER).keys()


async def test_a_claim_in_a_lost_channel_is_kept_and_an_empty_one_is_dropped(guild: Guild) -> None:
    await _sessions(guild, "a", "b")
    for name, source in (("claimed", "5000"), ("empty", None)):
        item = {**guild.table.item("a", OTHER), "sk": f"SESSION#{name}", "session_key": name, "status": "creating"}
        guild.table.put(
            item, discord_thread_id=None, source_message_id=source, lease_owner="x", lease_expires_at=iso(guild.now)
        )
    guild.people.delete_channel(OTHER)
    await guild.wait(minutes=BETWEEN_RUNS)
    assert await guild.reconcile() == {"ParkChannel": 1, "DropClaim": 1}
    assert guild.table.item("claimed", OTHER)["source_message_id"] == "5000"


async def test_a_channel_that_stays_deleted_is_no_longer_read_with_each_run(
    guild: Guild, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "MAX_FORGOTTEN", 2)
    await _sessions(guild, "a", "b", "c")
    guild.people.delete_channel(OTHER)
    await guild.reconcile()
    await guild.wait(days=6.9)
    await guild.reconcile()
    assert _watched(guild) == 3
    await guild.wait(days=0.2)
    assert (await guild.reconcile())["UpdateSession"] == 2
    assert (await guild.reconcile())["UpdateSession"] == 1
    assert await guild.reconcile() == {}
    assert _watched(guild) == 0
    assert {item["status"] for item in guild.table.of_kind("SESSION#")} == {"open"}


async def test_a_hidden_channel_is_never_given_up(guild: Guild) -> None:
    await _sessions(guild, "a", "b", "c")
    guild.people.set_permissions(OTHER, HIDDEN)
    for _ in range(12):
        await guild.reconcile()
        await guild.wait(days=3)
    assert _watched(guild) == 3
    _show(guild)
    assert (await guild.reconcile())["UnparkChannel"] == 1


@pytest.mark.guild(settings=DELETES)
async def test_housekeeping_asks_nothing_of_a_lost_channel(guild: Guild) -> None:
    guild.people.set_permissions(GUILD, WITHOUT_AUDIT_LOG)
    guild.discord.add_channel(GUILD, OTHER)
    for name in ("a", "b"):
        guild.people.auto_archive((await guild.open(name, OTHER)).thread_id)
    old = await idle(guild, "old")
    guild.people.delete_channel(OTHER)
    for _ in range(3):
        await guild.wait(minutes=BETWEEN_RUNS)
        counts = await housekeep(guild)
        assert not counts.keys() & {"housekeeping_failed", "failed"}
    assert old not in guild.discord.threads


# Others have their turn


async def test_threads_that_never_answer_do_not_keep_the_others_from_being_read(
    guild: Guild, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observe, "MAX_FETCHES", 4)
    threads = await _sessions(guild, *(f"silent {number}" for number in range(6)), "then")  # in this order
    for thread_id in threads[:-1]:
        guild.discord.faults.inject("GET", f"/channels/{thread_id}", server_error(), times=ALWAYS)
        guild.people.auto_archive(thread_id)
    guild.people.auto_archive(threads[-1])
    for _ in range(12):
        await guild.wait(minutes=BETWEEN_RUNS)
        await guild.reconcile()
    assert guild.table.item("then", OTHER)["archived"]


async def test_no_run_ends_more_generations_than_fit_in_it(guild: Guild, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MAX_ENDS", 2)
    threads = await _sessions(guild, "a", "b", "c", "d", "e", "f")
    guild.people.archive(threads[-1])
    await guild.reconcile()
    guild.table.put(guild.table.guild(), let_through_until=iso(guild.now.replace(year=guild.now.year + 1)))
    for thread_id in threads[1:]:
        guild.people.delete_thread(thread_id)
    guild.people.rename(threads[0], "Session a: bug")
    ended = []
    for _ in range(4):
        ended.append((await guild.reconcile())["EndGeneration"])
        await guild.wait(minutes=BETWEEN_RUNS)
        assert guild.table.item("a", OTHER)["thread_name"] == "Session a: bug"
    assert ended == [2, 2, 1, 0]
    assert differences(guild) == []


@pytest.mark.guild(latency=0.1)
async def test_a_server_with_a_deleted_channel_is_done_within_seconds(deployment: Deployment) -> None:
    for number in range(30):
        await deployment.ensure(session_name=str(number), request_id=str(number))
    deployment.discord.people.delete_channel(CHANNEL, now=deployment.clock.now())
    deployment.table.put(deployment.table.guild())
    event = sqs_event(sqs_record(encode(GUILD), now=deployment.clock.now(), message_id="m"))
    began = deployment.clock.now()
    answer = await handle(deployment.environment(ReconcilerConfig), event, "r", 120.0)
    assert answer["batchItemFailures"] == []
    assert answer["runs"][0]["counts"]["ParkChannel"] == 1
    assert (deployment.clock.now() - began).total_seconds() < 5
