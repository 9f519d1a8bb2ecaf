"""The index by last activity, and the former threads: written beside everything else, and read for lists."""

from collections import Counter
from typing import Any

import msgspec
import pytest

from handler.runtime.clock import iso
from handler.store.former import Why, former_threads, with_former
from handler.store.listing import is_place, listing
from infra.virtual_time import START
from tests.kit import samples
from tests.kit.guild import Guild
from tests.kit.listed_sessions import put, put_many
from tests.kit.table_view import CHANNEL

SEEN = {"thread_name": "x", "archived": False, "last_activity_at": iso(START)}


async def test_a_session_is_listed_while_it_has_a_thread(guild: Guild) -> None:
    opened = await guild.open()
    item = guild.table.item()
    assert (item["listed_in"], item["activity"]) == (CHANNEL, f"{item['last_activity_at']}#{opened.thread_id}")
    guild.people.delete_thread(opened.thread_id)
    await guild.reconcile()
    assert (guild.table.item()["status"], {"listed_in", "activity"} & guild.table.item().keys()) == ("vacant", set())


async def test_an_adopted_thread_and_a_replaced_one_are_listed_under_their_own_ids(guild: Guild) -> None:
    found = guild.people.create_thread(CHANNEL, "Session found")
    await guild.open("found")
    assert guild.table.item("found")["activity"].endswith(f"#{found}")
    session = await guild.store.sessions.get(CHANNEL, "found")
    assert session is not None
    settled = msgspec.structs.replace(session, settlement=msgspec.structs.replace(session.settlement))
    guild.table.put(guild.table.item("found"), settled_in="x")
    settlement = msgspec.structs.replace(settled.settlement, import_started_at="x")
    settled = msgspec.structs.replace(settled, settlement=settlement)
    assert await guild.store.sessions.replace_thread(settled, "77", seen=SEEN, now=guild.now)
    assert guild.table.item("found")["activity"] == f"{iso(START)}#77"
    replaced = await guild.store.sessions.get(CHANNEL, "found")
    assert replaced is not None
    assert [(former.thread_id, former.why) for former in former_threads(replaced)] == [(found, "replaced")]


async def test_talk_and_a_recorded_open_move_a_session_to_the_top_and_a_warm_reuse_writes_nothing(guild: Guild) -> None:
    first = (await guild.open("first")).thread_id
    await guild.wait(60)
    await guild.open("second")
    assert await names(guild) == ["second", "first"]
    await guild.wait(minutes=90)
    guild.people.post_message(first, "a word")
    await guild.reconcile()
    assert await names(guild) == ["first", "second"]
    guild.people.archive((await guild.open("second")).thread_id)
    await guild.reconcile()
    await guild.open("second")
    assert await names(guild) == ["second", "first"]
    guild.calls.forget()
    await guild.open("first")
    assert Counter(guild.calls.of("dynamodb")) == {"GetItem": 1}


async def names(guild: Guild) -> list[str]:
    stretch = await guild.store.activity.newest(CHANNEL, 10)
    return [listed.session.session_name for listed in stretch.sessions]


async def test_a_list_is_read_in_stretches_without_gaps_and_repeats_in_both_directions(guild: Guild) -> None:
    put_many(guild, 25)
    put(guild, "s012", 13, generation="broken")
    there, before, ends = [], None, []
    while True:
        stretch = await guild.store.activity.newest(CHANNEL, 10, before=before)
        there += [int(listed.session.session_name[1:]) for listed in stretch.sessions]
        before = stretch.last
        ends.append(stretch.more)
        if not stretch.more:
            break
    assert there == [number for number in range(25) if number != 12]
    assert ends == [True, True, False]
    assert before is not None
    newer = await guild.store.activity.newer(CHANNEL, 3, than=before)
    assert [listed.session.session_name for listed in newer.sessions] == ["s021", "s022", "s023"]
    assert newer.last == newer.sessions[0].place


async def test_a_beginning_of_names_finds_sessions_with_a_thread(guild: Guild) -> None:
    put_many(guild, 12)
    put(guild, "s011", 0, status="vacant", discord_thread_id=None)
    found = await guild.store.activity.with_beginning(CHANNEL, "s01", 10)
    assert [session.session_key for session in found] == ["s010"]


@pytest.mark.parametrize(
    ("changes", "known", "expected"),
    [
        ({"archived": True}, {"opened_at": "2"}, {}),
        ({"opened_at": None}, {}, {}),
        ({"last_activity_at": "3"}, {"opened_at": "2"}, "3"),
        ({"last_activity_at": "1"}, {"opened_at": "2"}, "2"),
        ({"last_activity_at": "1", "opened_at": "4"}, {"opened_at": "2"}, "4"),
        ({"opened_at": "4"}, {"last_activity_at": "3"}, "4"),
    ],
)
def test_the_latest_of_messages_and_opens_counts(changes: Any, known: Any, expected: Any) -> None:
    assert listing("10", "7", changes, known) == (expected and {"listed_in": "10", "activity": f"{expected}#7"})


@pytest.mark.parametrize("text", ["", "x", "2026-11-23T12:00:00.000Z", "2026-11-23T12:00:00Z#1", f"{iso(START)}#1\n"])
def test_only_a_place_is_one(text: str) -> None:
    assert is_place(f"{iso(START)}#77")
    assert not is_place(text)


def test_the_last_five_threads_are_kept_the_newest_first() -> None:
    session = samples.session()
    for number in range(7):
        session = samples.session(discord_thread_id=str(number + 1), former=session.former)
        session = samples.session(**with_former(session, Why.DELETED, START))
    assert [former.thread_id for former in former_threads(session)] == ["7", "6", "5", "4", "3"]
    assert with_former(samples.session(status="vacant", discord_thread_id=None), Why.DELETED, START) == {}


FORMER = '[{"thread_id":"%s","ended_at":"%s","why":"deleted"}]'


@pytest.mark.parametrize(
    "text", ["", "x", "{}", "[1]", '[{"thread_id":"1"}]', FORMER % ("x", iso(START)), FORMER % ("1", "x")]
)
def test_former_threads_that_were_edited_by_hand_are_none(text: str) -> None:
    session = samples.session(former=text)
    assert former_threads(session) == ()
    assert [former.thread_id for former in former_threads(samples.session(**with_former(session, Why.UNUSED, START)))]
