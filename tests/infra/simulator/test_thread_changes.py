"""Archiving, locking, renaming, and the members of a thread."""

from typing import Any

import pytest

from infra.simulator.permissions import default_permissions_without
from tests.infra.simulator.client import ALICE, BOT, GUILD, OWNER, TEXT, Bot, refused


def patch(bot: Bot, thread: str, **changes: object) -> Any:
    return bot.send("PATCH", f"/channels/{thread}", changes)


@pytest.mark.parametrize(
    "changes", [{"name": "y"}, {"locked": True}, {"archived": True}, {"auto_archive_duration": 60}]
)
def test_an_archived_thread_changes_only_by_being_opened(bot: Bot, changes: dict[str, object]) -> None:
    thread = bot.start()
    bot.discord.people.archive(thread, now=bot.now)
    assert refused(patch(bot, thread, **changes)) == (400, 50083)

    opened = patch(bot, thread, **{"archived": False, **{k: v for k, v in changes.items() if k != "archived"}})
    assert opened.status == 200
    assert opened.json()["thread_metadata"]["archived"] is False


def test_an_open_thread_is_locked_and_archived_in_one_request(bot: Bot) -> None:
    metadata = patch(bot, bot.start(), archived=True, locked=True).json()["thread_metadata"]

    assert (metadata["archived"], metadata["locked"]) == (True, True)


def test_the_archive_time_is_that_of_the_last_change_of_archived(bot: Bot) -> None:
    thread = bot.start()
    born = bot.get(f"/channels/{thread}")["thread_metadata"]["archive_timestamp"]
    bot.wait(60)
    assert patch(bot, thread, name="y").json()["thread_metadata"]["archive_timestamp"] == born

    archived = patch(bot, thread, archived=True).json()["thread_metadata"]["archive_timestamp"]
    assert archived == "2026-11-23T12:01:00.000000+00:00"
    bot.wait(60)
    opened = patch(bot, thread, archived=False).json()["thread_metadata"]["archive_timestamp"]
    assert opened == "2026-11-23T12:02:00.000000+00:00"


def test_only_opening_a_locked_thread_needs_manage_threads(bot: Bot) -> None:
    free, locked = bot.start(), bot.start()
    bot.discord.people.archive(free, now=bot.now)
    bot.discord.people.edit_thread(locked, now=bot.now, archived=True, locked=True)
    bot.discord.people.set_permissions(TEXT, ["VIEW_CHANNEL", "SEND_MESSAGES_IN_THREADS"], now=bot.now)

    assert patch(bot, free, archived=False).status == 200
    assert refused(patch(bot, locked, archived=False)) == (403, 50013)
    assert refused(patch(bot, free, locked=False)) == (403, 50013)
    assert refused(patch(bot, free, archived=False, name="y")) == (403, 50013)


def test_posting_opens_an_archived_thread_that_is_not_locked(bot: Bot) -> None:
    thread = bot.start()
    bot.discord.people.archive(thread, now=bot.now)
    bot.wait(60)
    message = bot.post(channel=thread)

    shown = bot.get(f"/channels/{thread}")
    assert shown["thread_metadata"]["archived"] is False
    assert shown["thread_metadata"]["archive_timestamp"] == "2026-11-23T12:01:00.000000+00:00"
    assert (shown["last_message_id"], shown["message_count"]) == (message, 1)


def test_only_moderators_post_in_a_locked_thread_and_posting_never_opens_it(bot: Bot) -> None:
    thread = bot.start()
    bot.discord.people.lock(thread, now=bot.now)
    bot.post(channel=thread)

    bot.discord.people.set_permissions(TEXT, default_permissions_without("MANAGE_THREADS"), now=bot.now)
    assert refused(bot.send("POST", f"/channels/{thread}/messages", {"content": "x"})) == (403, 160005)
    bot.discord.people.archive(thread, now=bot.now)
    assert refused(bot.send("POST", f"/channels/{thread}/messages", {"content": "x"})) == (400, 50083)


def test_a_deleted_message_lowers_the_count_but_not_the_total(bot: Bot) -> None:
    thread = bot.start()
    bot.post(channel=thread)
    second = bot.post(channel=thread)
    bot.send("DELETE", f"/channels/{thread}/messages/{second}")

    shown = bot.get(f"/channels/{thread}")
    assert (shown["message_count"], shown["total_message_sent"], shown["last_message_id"]) == (1, 2, second)


def test_a_third_rename_within_ten_minutes_is_limited_without_a_warning_in_headers(bot: Bot) -> None:
    thread = bot.start()
    assert patch(bot, thread, name="one").status == patch(bot, thread, name="two").status == 200
    bot.wait(60)

    limited = patch(bot, thread, name="three")
    assert limited.status == 429
    assert limited.json()["retry_after"] == 540
    assert limited.headers["x-ratelimit-remaining"] != "0"
    assert patch(bot, thread, archived=True).status == 200
    bot.wait(540)
    assert patch(bot, thread, archived=False, name="three").status == 200


def test_a_patch_without_a_change_has_no_effect(bot: Bot) -> None:
    thread = bot.start()
    before = bot.discord.fingerprint()

    assert patch(bot, thread, archived=False).status == 200
    assert bot.discord.fingerprint() == before


def test_people_are_added_once_and_removed(bot: Bot) -> None:
    thread = bot.start()
    for _ in range(2):
        assert bot.send("PUT", f"/channels/{thread}/thread-members/{ALICE}").status == 204
    assert bot.get(f"/channels/{thread}")["member_count"] == 2
    assert [member["user_id"] for member in bot.get(f"/channels/{thread}/thread-members")] == [BOT, ALICE]

    assert bot.send("DELETE", f"/channels/{thread}/thread-members/{ALICE}").status == 204
    assert refused(bot.send("GET", f"/channels/{thread}/thread-members/{ALICE}")) == (404, 10007)


def test_nobody_can_be_added_to_a_full_thread_or_after_leaving_the_guild(bot: Bot) -> None:
    thread = bot.start()
    bot.discord.people.remove_member(GUILD, "9")
    assert refused(bot.send("PUT", f"/channels/{thread}/thread-members/9")) == (404, 10007)

    bot.discord.switch(thread_member_limit=1)
    assert refused(bot.send("PUT", f"/channels/{thread}/thread-members/{ALICE}")) == (400, 30033)


def test_the_bot_leaves_and_joins(bot: Bot) -> None:
    thread = bot.discord.people.create_thread(TEXT, "x", now=bot.now, by=OWNER)
    assert "member" not in bot.get(f"/channels/{thread}")

    bot.send("PUT", f"/channels/{thread}/thread-members/@me")
    assert bot.get(f"/channels/{thread}")["member"]["user_id"] == BOT
    assert bot.get(f"/channels/{thread}/thread-members/@me")["id"] == thread
    bot.send("DELETE", f"/channels/{thread}/thread-members/@me")
    assert "member" not in bot.get(f"/channels/{thread}")
