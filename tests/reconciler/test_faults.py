"""Nothing is lost to a fault: a Discord that refuses, denies or breaks for two whole runs, and deletions in bulk."""

import json
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from typing import Final

import pytest

from handler.errors import OnethreadError, RateLimited
from handler.runtime.clock import iso
from infra.simulator.exchange import Response
from infra.simulator.faults import DROP, Failure
from infra.simulator.refusals import too_many_requests
from tests.kit.guild import Guild
from tests.kit.table_view import CHANNEL, GUILD
from tests.reconciler.differences import differences, mapped_threads

ALWAYS: Final = 1_000_000
_JSON: Final = {"content-type": "application/json"}


def _refusal(status: int, code: int) -> Response:
    return Response(status, _JSON, json.dumps({"code": code, "message": "made up"}).encode())


FAULTS: Final[dict[str, Response | Failure]] = {
    "no access": _refusal(403, 50001),
    "no permission": _refusal(403, 50013),
    "unknown channel": _refusal(404, 10003),
    "unknown guild": _refusal(404, 10004),
    "a bare 404": Response(404, {"content-type": "text/html"}, b"<html>not found</html>"),
    "overloaded": _refusal(503, 130000),
    "a broken proxy": Response(502, {"content-type": "text/html"}, b"<html>bad gateway</html>"),
    "no connection": DROP,
}
ROUTES: Final = (
    "*",
    "/channels/{channel_id}",
    "/guilds/{guild_id}/threads/active",
    "/guilds/{guild_id}/audit-logs",
    "/channels/{channel_id}/threads/archived/public",
)


async def _two_runs(guild: Guild) -> None:
    for _ in range(2):
        with suppress(OnethreadError):
            await guild.report()
        await guild.wait(minutes=31)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("fault", FAULTS)
async def test_no_mapping_is_lost_to_a_discord_that_fails_for_two_runs(guild: Guild, fault: str, route: str) -> None:
    threads = [(await guild.open(name)).thread_id for name in "abcdefgh"]
    await guild.reconcile()
    for thread_id in threads[:3]:  # they leave the list, so that each is asked for
        guild.people.archive(thread_id)
    before, living = mapped_threads(guild), set(guild.discord.threads)
    guild.discord.faults.inject("GET", route, FAULTS[fault], times=ALWAYS)
    await _two_runs(guild)
    assert mapped_threads(guild) == before
    assert set(guild.discord.threads) == living
    guild.discord.faults.clear()
    await guild.wait(minutes=60)
    await guild.reconcile()
    assert differences(guild) == []


async def test_a_discord_that_denies_every_thread_by_its_id_loses_no_mapping(guild: Guild) -> None:
    """404 with code 10003 for each, as after a deletion, while the parent and the lists answer as ever."""
    threads = [(await guild.open(name)).thread_id for name in "abc"]
    await guild.reconcile()
    for thread_id in threads:
        guild.people.archive(thread_id)
        guild.discord.faults.inject("GET", f"/channels/{thread_id}", FAULTS["unknown channel"], times=ALWAYS)
    before = mapped_threads(guild)
    for _ in range(2):
        await guild.reconcile()
        await guild.wait(minutes=31)
    assert mapped_threads(guild) == before
    assert len(before) == 3
    guild.discord.faults.clear()
    assert differences(guild) == [], "the archived pages told how it is"


async def test_an_empty_active_list_is_no_news(guild: Guild) -> None:
    for name in "abcdefgh":
        await guild.open(name)
    await guild.reconcile()
    empty = Response(200, _JSON, b'{"threads": [], "members": []}')
    guild.discord.faults.inject("GET", "/guilds/{guild_id}/threads/active", empty)
    assert await guild.reconcile() == {}
    assert differences(guild) == []


async def test_three_deletions_are_believed_at_once(guild: Guild) -> None:
    threads = [(await guild.open(name)).thread_id for name in "abcd"]
    await guild.reconcile()
    for thread_id in threads[:3]:
        guild.people.delete_thread(thread_id)
    assert await guild.reconcile() == {"EndGeneration": 3}


async def test_a_fifth_of_many_is_believed_at_once(guild: Guild) -> None:
    threads = [(await guild.open(str(number))).thread_id for number in range(20)]
    await guild.reconcile()
    for thread_id in threads[:4]:
        guild.people.delete_thread(thread_id)
    assert await guild.reconcile() == {"EndGeneration": 4}


async def test_more_are_held_back_reported_and_carried_out_half_an_hour_later(guild: Guild) -> None:
    threads = [(await guild.open(str(number))).thread_id for number in range(19)]
    await guild.reconcile()
    for thread_id in threads[:4]:
        guild.people.delete_thread(thread_id)
    for _ in range(6):
        assert (await guild.report())["held"] == 4
        assert all(guild.table.item(str(number))["status"] == "open" for number in range(4))
        await guild.wait(minutes=4.9)
    await guild.wait(minutes=0.6)
    assert await guild.reconcile() == {"EndGeneration": 4}
    assert await guild.reconcile() == {}
    assert differences(guild) == []


async def test_deletions_of_archived_threads_are_held_back_and_not_forgotten(guild: Guild) -> None:
    """They are told once, by the audit log, and nothing else ever fetches for them."""
    threads = [(await guild.open(name)).thread_id for name in "abcd"]
    for thread_id in threads:
        guild.people.archive(thread_id)
    await guild.reconcile()
    for thread_id in threads:
        guild.people.delete_thread(thread_id)
    assert (await guild.report())["held"] == 4
    await guild.wait(minutes=31)
    assert await guild.reconcile() == {"EndGeneration": 4}
    assert differences(guild) == []


async def test_what_was_held_back_waits_its_time_however_few_are_left(guild: Guild) -> None:
    threads = [(await guild.open(name)).thread_id for name in "abcd"]
    await guild.reconcile()
    lies = FAULTS["unknown channel"]
    for thread_id in threads:
        guild.people.archive(thread_id)
        guild.discord.faults.inject("GET", f"/channels/{thread_id}", lies)
    assert (await guild.report())["held"] == 4
    guild.discord.faults.inject("GET", f"/channels/{threads[0]}", lies)
    report = await guild.report()
    assert report["held"] == 1
    assert not report["EndGeneration"]
    assert "missing_since" not in guild.table.item("b")


async def test_a_person_lets_held_deletions_through(guild: Guild) -> None:
    threads = [(await guild.open(name)).thread_id for name in "abcd"]
    await guild.reconcile()
    for thread_id in threads:
        guild.people.delete_thread(thread_id)
    assert (await guild.report())["held"] == 4
    guild.table.put(guild.table.guild(), let_through_until=iso(guild.now - timedelta(seconds=1)))
    assert (await guild.report())["held"] == 4, "the time for that is over"
    guild.table.put(guild.table.guild(), let_through_until=iso(guild.now + timedelta(hours=1)))
    assert await guild.reconcile() == {"EndGeneration": 4}


async def test_a_channel_that_is_deleted_keeps_its_sessions_and_is_asked_for_ever_more_seldom(guild: Guild) -> None:
    threads = [(await guild.open(name)).thread_id for name in "ab"]
    await guild.reconcile()
    guild.people.delete_channel(CHANNEL)
    await guild.reconcile()
    assert guild.table.item("a")["discord_thread_id"] == threads[0]
    assert await guild.reconcile() == {}
    assert guild.calls.count("GET /channels/{channel_id}") == 0


@pytest.mark.parametrize("what", ["the thread", "its channel"])
async def test_what_is_out_of_reach_is_kept_and_asked_for_ever_more_seldom(guild: Guild, what: str) -> None:
    thread_id = (await guild.open("a")).thread_id
    if what == "the thread":
        await guild.open("b")  # so that the channel answers
    await guild.reconcile()
    if what == "the thread":
        guild.people.auto_archive(thread_id)
        guild.discord.faults.inject("GET", f"/channels/{thread_id}", FAULTS["no access"], times=ALWAYS)
    else:
        guild.people.set_permissions(CHANNEL, ())
    asked = []
    for hour in range(24 * 18):
        await guild.reconcile()
        if guild.calls.count("GET /channels/{channel_id}"):
            asked.append(hour)
        await guild.wait(minutes=60)
    assert asked == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 256 + 24 * 7]
    assert guild.table.item("a")["status"] == "open"


async def test_a_429_in_the_middle_ends_the_run(guild: Guild) -> None:
    threads = [(await guild.open(name)).thread_id for name in "ab"]
    await guild.reconcile()
    for thread_id in threads:
        guild.people.archive(thread_id)
    guild.discord.faults.inject("GET", "/channels/{channel_id}", too_many_requests(1.0))
    with pytest.raises(RateLimited):
        await guild.reconcile()
    assert guild.calls.count("GET /channels/{channel_id}") == 1
    assert await guild.reconcile() == {"AdvanceWatermark": 1, "UpdateSession": 2}


async def test_a_thread_that_comes_back_into_reach_is_as_it_was(guild: Guild) -> None:
    before = (await guild.open("a")).thread_id
    await guild.reconcile()
    permissions = guild.discord.state.channels[CHANNEL].permissions
    guild.people.set_permissions(CHANNEL, ())
    await guild.reconcile()
    guild.people.set_permissions(CHANNEL, permissions)
    await guild.reconcile()
    assert differences(guild) == []
    assert guild.table.item("a")["discord_thread_id"] == before


async def test_a_deletion_that_could_not_be_looked_at_is_looked_at_by_the_next_run(guild: Guild) -> None:
    """The audit log tells of it once: the watermark stays where it is until all that it told is done."""
    thread_id = (await guild.open("a")).thread_id
    guild.people.archive(thread_id)
    await guild.reconcile()
    guild.people.delete_thread(thread_id)
    guild.discord.faults.inject("GET", f"/channels/{thread_id}", FAULTS["overloaded"], times=20)
    report = await guild.report()
    assert report["unclear"] == 1
    guild.discord.faults.clear()
    assert await guild.reconcile() == {"EndGeneration": 1}


async def test_a_guild_that_the_bot_left_is_parked_with_growing_pauses_and_comes_back_by_itself(guild: Guild) -> None:
    await guild.open("a")
    await guild.reconcile()
    guild.people.remove_bot_from_guild(GUILD)
    runs = []
    for half_hour in range(2 * 24 * 5):
        if GUILD in await guild.store.guilds.due(guild.now):
            assert await guild.reconcile() == {"parked": 1}
            runs.append(half_hour)
        await guild.wait(minutes=30)
    assert runs[:6] == [0, 1, 3, 7, 15, 31]
    assert max(later - earlier for earlier, later in pairwise(runs)) == 2 * 24
    guild.discord.people.return_bot_to_guild(GUILD)
    await guild.wait(minutes=24 * 60)
    assert await guild.store.guilds.due(guild.now) == [GUILD]
    await guild.reconcile()
    assert guild.table.guild()["parked"] == 0
    assert differences(guild) == []
    assert await guild.store.guilds.due(guild.now) == [GUILD]


async def test_a_guild_that_is_parked_for_a_year_still_is(guild: Guild) -> None:
    guild.table.put(guild.table.guild(), parked=400)
    guild.people.remove_bot_from_guild(GUILD)
    assert await guild.reconcile() == {"parked": 1}
    assert guild.table.guild()["due_at"] == iso(guild.now + timedelta(days=1))


@pytest.mark.parametrize("how", ["created", "adopted", "reopened"])
async def test_a_parked_guild_comes_back_at_once_when_it_is_used(guild: Guild, how: str) -> None:
    if how == "adopted":
        guild.people.create_thread(CHANNEL, "Session a")
    elif how == "reopened":
        guild.people.archive((await guild.open("a")).thread_id)
        await guild.reconcile()
    guild.table.put(guild.table.guild(), parked=5, due_at=iso(guild.now + timedelta(days=1)))
    assert await guild.store.guilds.due(guild.now) == []
    assert (await guild.open("a")).outcome == how
    assert await guild.store.guilds.due(guild.now) == [GUILD]
    assert guild.table.guild()["parked"] == 0


@pytest.mark.parametrize("archived", [False, True])
async def test_a_guild_that_was_given_up_comes_back_even_by_a_reuse(guild: Guild, archived: bool) -> None:
    thread_id = (await guild.open("a")).thread_id
    guild.people.remove_bot_from_guild(GUILD)
    assert await guild.reconcile() == {"parked": 1}
    assert await guild.store.guilds.due(guild.now) == []
    guild.discord.people.return_bot_to_guild(GUILD)
    if archived:
        guild.people.auto_archive(thread_id)
    assert (await guild.open("a")).thread_id == thread_id
    assert await guild.store.guilds.due(guild.now) == [GUILD]
    assert await guild.reconcile() == {}
    assert differences(guild) == []
