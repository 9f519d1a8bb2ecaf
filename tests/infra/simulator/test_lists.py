"""Active, archived, joined and searched threads."""

from datetime import timedelta
from typing import Any, get_args

import pytest

from infra.simulator.permissions import default_permissions_without
from infra.simulator.state import HalfPages
from tests.infra.simulator.client import ALICE, BOT, GUILD, NOON, TEXT, Bot, refused

PUBLIC = f"/channels/{TEXT}/threads/archived/public"
PRIVATE = f"/channels/{TEXT}/threads/archived/private"
JOINED = f"/channels/{TEXT}/users/@me/threads/archived/private"
SEARCH = f"/channels/{TEXT}/threads/search"


def names(page: Any) -> list[str]:
    return [thread["name"] for thread in page["threads"]]


def archive_time(page: Any, index: int = -1) -> str:
    return str(page["threads"][index]["thread_metadata"]["archive_timestamp"])


def test_the_active_list_has_all_active_threads_of_the_guild_newest_first_without_has_more(bot: Bot) -> None:
    bot.start("one")
    bot.start("two", channel="11")
    archived = bot.start("three")
    bot.discord.people.auto_archive(archived, now=bot.now)

    listed = bot.get(f"/guilds/{GUILD}/threads/active")
    assert names(listed) == ["two", "one"]
    assert set(listed) == {"threads", "members"}
    assert {member["user_id"] for member in listed["members"]} == {BOT}


def test_the_active_list_leaves_out_what_the_bot_cannot_see(bot: Bot) -> None:
    bot.start("one")
    bot.discord.people.create_thread(TEXT, "private", now=bot.now, by=ALICE, type=12)
    assert bot.active() == ["private", "one"]

    bot.discord.people.set_permissions(TEXT, 0, now=bot.now)
    assert bot.active() == []


def test_archived_threads_are_ordered_by_archive_time_newest_first(bot: Bot) -> None:
    threads = [bot.start(name) for name in ("one", "two", "three")]
    for thread in (threads[1], threads[0], threads[2]):
        bot.wait(1)
        bot.discord.people.archive(thread, now=bot.now)

    page = bot.get(PUBLIC)
    assert names(page) == ["three", "one", "two"]
    assert page["has_more"] is False


def test_a_page_ends_strictly_before_the_given_time(bot: Bot) -> None:
    bot.discord.people.add_archived_threads(TEXT, 5, newest=NOON, name_of=str)

    first = bot.get(PUBLIC, limit=2)
    second = bot.get(PUBLIC, limit=2, before=archive_time(first))
    third = bot.get(PUBLIC, limit=2, before=archive_time(second))
    assert [names(page) for page in (first, second, third)] == [["0", "1"], ["2", "3"], ["4"]]
    assert [page["has_more"] for page in (first, second, third)] == [True, True, False]


def test_paging_by_time_skips_threads_with_the_same_time_as_the_last_of_a_page(bot: Bot) -> None:
    bot.discord.people.add_archived_threads(TEXT, 5, newest=NOON, name_of=str, step=timedelta(0))

    first = bot.get(PUBLIC, limit=2)
    assert first["has_more"] is True
    assert names(bot.get(PUBLIC, limit=2, before=archive_time(first))) == []
    later = "2026-11-23T12:00:00.001000+00:00"
    assert len(names(bot.get(PUBLIC, limit=100, before=later))) == 5


def test_before_accepts_any_iso_8601_time(bot: Bot) -> None:
    bot.discord.people.add_archived_threads(TEXT, 2, newest=NOON, name_of=str)

    for text in ("2026-11-23T12:00:00Z", "2026-11-23T13:00:00+01:00", "2026-11-23T12:00:00.000"):
        assert names(bot.get(PUBLIC, before=text)) == ["1"]


def test_a_thread_is_listed_as_archived_or_active_as_it_changes(bot: Bot) -> None:
    thread = bot.start("one")
    for _ in range(2):
        bot.wait(1)
        bot.discord.people.archive(thread, now=bot.now)
        assert (names(bot.get(PUBLIC)), bot.active()) == (["one"], [])
        bot.discord.people.unarchive(thread, now=bot.now)
        assert (names(bot.get(PUBLIC)), bot.active()) == ([], ["one"])


def test_a_deleted_thread_is_in_no_list(bot: Bot) -> None:
    active, archived = bot.start(), bot.start()
    bot.discord.people.archive(archived, now=bot.now)
    for thread in (active, archived):
        bot.discord.people.delete_thread(thread, now=bot.now)

    assert (names(bot.get(PUBLIC)), bot.active()) == ([], [])


def test_private_threads_have_their_own_pages_and_joined_ones_are_paged_by_id(bot: Bot) -> None:
    own = bot.send("POST", f"/channels/{TEXT}/threads", {"name": "own"}).json()["id"]
    other = bot.discord.people.create_thread(TEXT, "other", now=bot.now, by=ALICE, type=12)
    for thread in (own, other):
        bot.discord.people.archive(thread, now=bot.now)

    assert sorted(names(bot.get(PRIVATE))) == ["other", "own"]
    assert names(bot.get(PUBLIC)) == []
    assert names(bot.get(JOINED)) == ["own"]
    assert names(bot.get(JOINED, before=own)) == []


def test_paging_through_fifty_thousand_threads_visits_each_once(bot: Bot) -> None:
    bot.discord.people.add_archived_threads(TEXT, 50_000, newest=NOON, name_of=str)

    seen: list[str] = []
    query: dict[str, object] = {}
    while True:
        page = bot.get(PUBLIC, limit=100, **query)
        seen += names(page)
        query["before"] = archive_time(page)
        if not page["has_more"]:
            break
    assert seen == [str(number) for number in range(50_000)]


def test_a_category_has_no_threads(bot: Bot) -> None:
    bot.discord.add_channel(GUILD, "14", 4, "category")

    assert refused(bot.send("GET", "/channels/14/threads/archived/public")) == (400, 50024)


def test_the_search_finds_words_half_a_minute_late(bot: Bot) -> None:
    bot.start("Session one")
    bot.start("Session two")
    assert names(bot.get(SEARCH, name="session")) == []

    bot.wait(30)
    assert sorted(names(bot.get(SEARCH, name="session"))) == ["Session one", "Session two"]
    found = bot.get(SEARCH, name="ONE session")
    assert (names(found), found["total_results"], found["has_more"]) == (["Session one"], 1, False)


def test_the_search_answers_202_while_its_index_is_not_ready(bot: Bot) -> None:
    bot.discord.switch(search_ready=False)

    assert bot.send("GET", SEARCH, name="x").status == 202


def test_without_manage_threads_the_search_leaves_out_private_threads_of_others(bot: Bot) -> None:
    bot.discord.people.create_thread(TEXT, "secret", now=bot.now, by=ALICE, type=12)
    bot.wait(30)
    assert names(bot.get(SEARCH, name="secret")) == ["secret"]

    bot.discord.people.set_permissions(TEXT, default_permissions_without("MANAGE_THREADS"), now=bot.now)
    assert names(bot.get(SEARCH, name="secret")) == []


def test_in_a_converted_channel_the_older_archived_threads_are_in_no_list_until_it_is_converted_back(bot: Bot) -> None:
    bot.discord.people.archive(bot.start("older"), now=bot.now)
    bot.discord.people.convert_channel(TEXT, now=bot.now)
    active = bot.start("active")
    bot.discord.people.archive(bot.start("newer"), now=bot.now)
    assert names(bot.get(PUBLIC)) == ["newer"]
    assert bot.get(f"/channels/{active}")["type"] == 10

    bot.discord.people.convert_channel(TEXT, now=bot.now)
    assert names(bot.get(PUBLIC)) == ["older"]
    assert bot.active() == ["active"]
    bot.wait(30)
    assert sorted(names(bot.get(SEARCH))) == ["active", "newer", "older"]


def test_a_search_whose_index_has_stopped_shows_what_there_was_then(bot: Bot) -> None:
    renamed, deleted = bot.start("Session one"), bot.start("Session two")
    bot.wait(30)
    bot.discord.stop_search_index()
    bot.discord.people.rename(renamed, "talk", now=bot.now)
    bot.discord.people.delete_thread(deleted, now=bot.now)
    assert sorted(names(bot.get(SEARCH, name="session"))) == ["Session one", "Session two"]

    bot.discord.resume_search_index()
    assert names(bot.get(SEARCH, name="session")) == []


@pytest.mark.parametrize("half", get_args(HalfPages))
def test_half_pages_of_archived_threads_each_lack_something(bot: Bot, half: HalfPages) -> None:
    bot.discord.people.add_archived_threads(TEXT, 3, newest=NOON, name_of=str)
    first = bot.get(PUBLIC, limit=2)
    whole = bot.get(PUBLIC, limit=2, before=archive_time(first, 0))
    bot.discord.switch(archived_pages=half)

    assert bot.get(PUBLIC, limit=2, before=archive_time(first, 0)) != whole
