"""Nothing is lost to a fault: a Discord that refuses, denies or breaks for two whole runs, and deletions in bulk."""

import json
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from typing import Final

import pytest

from handler.errors import OnethreadError
from handler.runtime.clock import iso
from infra.simulator.exchange import Response
from infra.simulator.faults import DROP, Failure
from tests.reconciler.ground import CHANNEL, GUILD, Ground, grounded

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


async def _two_runs(ground: Ground) -> None:
    for _ in range(2):
        with suppress(OnethreadError):
            await ground.report()
        await ground.wait(minutes=31)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("fault", FAULTS)
@grounded
async def test_no_mapping_is_lost_to_a_discord_that_fails_for_two_runs(ground: Ground, fault: str, route: str) -> None:
    threads = [(await ground.open(name)).thread_id for name in "abcdefgh"]
    await ground.reconcile()
    for thread_id in threads[:3]:  # they leave the list, so that each is asked for
        ground.archive(thread_id)
    before, living = ground.mappings(), set(ground.discord.threads)
    ground.discord.faults.inject("GET", route, FAULTS[fault], times=ALWAYS)
    await _two_runs(ground)
    assert ground.mappings() == before
    assert set(ground.discord.threads) == living
    ground.discord.faults.clear()
    await ground.wait(minutes=60)
    await ground.reconcile()
    assert ground.differences() == []


@grounded
async def test_a_discord_that_denies_every_thread_by_its_id_loses_no_mapping(ground: Ground) -> None:
    """404 with code 10003 for each, as after a deletion, while the parent and the lists answer as ever."""
    threads = [(await ground.open(name)).thread_id for name in "abc"]
    await ground.reconcile()
    for thread_id in threads:
        ground.archive(thread_id)
        ground.discord.faults.inject("GET", f"/channels/{thread_id}", FAULTS["unknown channel"], times=ALWAYS)
    before = ground.mappings()
    for _ in range(2):
        await ground.reconcile()
        await ground.wait(minutes=31)
    assert ground.mappings() == before
    assert len(before) == 3
    ground.discord.faults.clear()
    assert ground.differences() == [], "the archived pages told how it is"


@grounded
async def test_an_empty_active_list_is_no_news(ground: Ground) -> None:
    for name in "abcdefgh":
        await ground.open(name)
    await ground.reconcile()
    empty = Response(200, _JSON, b'{"threads": [], "members": []}')
    ground.discord.faults.inject("GET", "/guilds/{guild_id}/threads/active", empty)
    assert await ground.reconcile() == {}
    assert ground.differences() == []


@grounded
async def test_three_deletions_are_believed_at_once(ground: Ground) -> None:
    threads = [(await ground.open(name)).thread_id for name in "abcd"]
    await ground.reconcile()
    for thread_id in threads[:3]:
        ground.delete(thread_id)
    assert await ground.reconcile() == {"EndGeneration": 3}


@grounded
async def test_a_fifth_of_many_is_believed_at_once(ground: Ground) -> None:
    threads = [(await ground.open(str(number))).thread_id for number in range(20)]
    await ground.reconcile()
    for thread_id in threads[:4]:
        ground.delete(thread_id)
    assert await ground.reconcile() == {"EndGeneration": 4}


@grounded
async def test_more_are_held_back_reported_and_carried_out_half_an_hour_later(ground: Ground) -> None:
    threads = [(await ground.open(str(number))).thread_id for number in range(19)]
    await ground.reconcile()
    for thread_id in threads[:4]:
        ground.delete(thread_id)
    for _ in range(6):
        assert (await ground.report())["held"] == 4
        assert all(ground.item(str(number))["status"] == "open" for number in range(4))
        await ground.wait(minutes=4.9)
    await ground.wait(minutes=0.6)
    assert await ground.reconcile() == {"EndGeneration": 4}
    assert await ground.reconcile() == {}
    assert ground.differences() == []


@grounded
async def test_deletions_of_archived_threads_are_held_back_and_not_forgotten(ground: Ground) -> None:
    """They are told once, by the audit log, and nothing else ever fetches for them."""
    threads = [(await ground.open(name)).thread_id for name in "abcd"]
    for thread_id in threads:
        ground.archive(thread_id)
    await ground.reconcile()
    for thread_id in threads:
        ground.delete(thread_id)
    assert (await ground.report())["held"] == 4
    await ground.wait(minutes=31)
    assert await ground.reconcile() == {"EndGeneration": 4}
    assert ground.differences() == []


@grounded
async def test_what_was_held_back_waits_its_time_however_few_are_left(ground: Ground) -> None:
    threads = [(await ground.open(name)).thread_id for name in "abcd"]
    await ground.reconcile()
    lies = FAULTS["unknown channel"]
    for thread_id in threads:
        ground.archive(thread_id)
        ground.discord.faults.inject("GET", f"/channels/{thread_id}", lies)
    assert (await ground.report())["held"] == 4
    ground.discord.faults.inject("GET", f"/channels/{threads[0]}", lies)
    report = await ground.report()
    assert report["held"] == 1
    assert not report["EndGeneration"]
    assert "missing_since" not in ground.item("b")


@grounded
async def test_a_person_lets_held_deletions_through(ground: Ground) -> None:
    threads = [(await ground.open(name)).thread_id for name in "abcd"]
    await ground.reconcile()
    for thread_id in threads:
        ground.delete(thread_id)
    assert (await ground.report())["held"] == 4
    ground.change(ground.guild, let_through_until=iso(ground.now + timedelta(hours=1)))
    assert await ground.reconcile() == {"EndGeneration": 4}


@grounded
async def test_a_channel_that_is_deleted_keeps_its_sessions_and_is_asked_for_ever_more_seldom(ground: Ground) -> None:
    threads = [(await ground.open(name)).thread_id for name in "ab"]
    await ground.reconcile()
    ground.discord.people.delete_channel(CHANNEL, now=ground.now)
    await ground.reconcile()
    assert ground.item("a")["discord_thread_id"] == threads[0]
    assert await ground.reconcile() == {}
    assert ground.asked("GET /channels/{channel_id}") == 0


@grounded
async def test_a_thread_out_of_reach_is_kept_and_asked_for_ever_more_seldom(ground: Ground) -> None:
    await ground.open("a")
    await ground.reconcile()
    ground.discord.people.set_permissions(CHANNEL, (), now=ground.now)
    asked = []
    for hour in range(24 * 40):
        await ground.reconcile()
        if ground.asked("GET /channels/{channel_id}"):
            asked.append(hour)
        await ground.wait(minutes=60)
    assert asked[:5] == [0, 1, 2, 4, 8]
    assert max(later - earlier for earlier, later in pairwise(asked)) == 24 * 7
    assert ground.item("a")["status"] == "open"


@grounded
async def test_a_thread_that_comes_back_into_reach_is_as_it_was(ground: Ground) -> None:
    before = (await ground.open("a")).thread_id
    await ground.reconcile()
    permissions = ground.discord.state.channels[CHANNEL].permissions
    ground.discord.people.set_permissions(CHANNEL, (), now=ground.now)
    await ground.reconcile()
    ground.discord.people.set_permissions(CHANNEL, permissions, now=ground.now)
    await ground.reconcile()
    assert ground.differences() == []
    assert ground.item("a")["discord_thread_id"] == before


@grounded
async def test_a_deletion_that_could_not_be_looked_at_is_looked_at_by_the_next_run(ground: Ground) -> None:
    """The audit log tells of it once: the watermark stays where it is until all that it told is done."""
    thread_id = (await ground.open("a")).thread_id
    ground.archive(thread_id)
    await ground.reconcile()
    ground.delete(thread_id)
    ground.discord.faults.inject("GET", f"/channels/{thread_id}", FAULTS["overloaded"], times=20)
    report = await ground.report()
    assert report["unclear"] == 1
    ground.discord.faults.clear()
    assert await ground.reconcile() == {"EndGeneration": 1}


@grounded
async def test_a_guild_that_the_bot_left_is_parked_with_growing_pauses_and_comes_back_by_itself(ground: Ground) -> None:
    await ground.open("a")
    await ground.reconcile()
    ground.discord.people.remove_bot_from_guild(GUILD, now=ground.now)
    runs = []
    for half_hour in range(2 * 24 * 5):
        if GUILD in await ground.store.guilds.due(ground.now):
            assert await ground.reconcile() == {"parked": 1}
            runs.append(half_hour)
        await ground.wait(minutes=30)
    assert runs[:6] == [0, 1, 3, 7, 15, 31]
    assert max(later - earlier for earlier, later in pairwise(runs)) == 2 * 24
    ground.discord.people.return_bot_to_guild(GUILD)
    await ground.wait(minutes=24 * 60)
    assert await ground.store.guilds.due(ground.now) == [GUILD]
    await ground.reconcile()
    assert ground.guild["parked"] == 0
    assert ground.differences() == []
    assert await ground.store.guilds.due(ground.now) == [GUILD]


@grounded
async def test_a_guild_that_is_parked_for_a_year_still_is(ground: Ground) -> None:
    ground.change(ground.guild, parked=400)
    ground.discord.people.remove_bot_from_guild(GUILD, now=ground.now)
    assert await ground.reconcile() == {"parked": 1}
    assert ground.guild["due_at"] == iso(ground.now + timedelta(days=1))


@pytest.mark.parametrize("how", ["created", "adopted", "reopened"])
@grounded
async def test_a_parked_guild_comes_back_at_once_when_it_is_used(ground: Ground, how: str) -> None:
    if how == "adopted":
        ground.person_makes("Session a")
    elif how == "reopened":
        ground.archive((await ground.open("a")).thread_id)
        await ground.reconcile()
    ground.change(ground.guild, parked=5, due_at=iso(ground.now + timedelta(days=1)))
    assert await ground.store.guilds.due(ground.now) == []
    assert (await ground.open("a")).outcome == how
    assert await ground.store.guilds.due(ground.now) == [GUILD]
    assert ground.guild["parked"] == 0


@pytest.mark.parametrize("archived", [False, True])
@grounded
async def test_a_guild_that_was_given_up_comes_back_even_by_a_reuse(ground: Ground, archived: bool) -> None:
    thread_id = (await ground.open("a")).thread_id
    ground.discord.people.remove_bot_from_guild(GUILD, now=ground.now)
    assert await ground.reconcile() == {"parked": 1}
    assert await ground.store.guilds.due(ground.now) == []
    ground.discord.people.return_bot_to_guild(GUILD)
    if archived:
        ground.discord.people.auto_archive(thread_id, now=ground.now)
    assert (await ground.open("a")).thread_id == thread_id
    assert await ground.store.guilds.due(ground.now) == [GUILD]
    assert await ground.reconcile() == {}
    assert ground.differences() == []


@grounded
async def test_a_plain_reuse_does_not_write_to_the_guild(ground: Ground) -> None:
    await ground.open("a")
    ground.calls.clear()
    await ground.open("a")
    assert ground.calls == ["get_item", "GET /channels/{channel_id}"]
