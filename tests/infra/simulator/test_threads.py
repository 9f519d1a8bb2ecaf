"""Starting, reading and deleting threads, and the permissions for that."""

from typing import Any

import pytest

from infra.simulator.permissions import default_permissions_without
from tests.infra.simulator.client import ALICE, BOT, FORUM, GUILD, NEWS, TEXT, Bot, refused


def start(bot: Bot, message: str, name: str = "Session x", channel: str = TEXT, **fields: object) -> Any:
    return bot.send("POST", f"/channels/{channel}/messages/{message}/threads", {"name": name, **fields})


def test_a_thread_started_from_a_message_has_the_messages_id(bot: Bot) -> None:
    message = bot.post()
    thread = start(bot, message, auto_archive_duration=4320).json()

    assert thread["id"] == message
    assert (thread["type"], thread["parent_id"], thread["owner_id"]) == (11, TEXT, BOT)
    assert thread["thread_metadata"]["auto_archive_duration"] == 4320
    assert thread["member"]["user_id"] == BOT
    assert bot.get(f"/channels/{message}")["name"] == "Session x"


def test_a_thread_in_an_announcement_channel_is_an_announcement_thread(bot: Bot) -> None:
    assert bot.get(f"/channels/{bot.start(channel=NEWS)}")["type"] == 10


def test_a_start_from_a_message_whose_thread_was_deleted_is_refused_with_160004(bot: Bot) -> None:
    thread = bot.start()
    bot.discord.people.delete_thread(thread, now=bot.now)

    assert refused(start(bot, thread)) == (400, 160004)


def test_the_switch_allows_a_second_thread_from_a_message(bot: Bot) -> None:
    bot.discord.switch(second_thread_from_message=True)
    thread = bot.start()
    assert refused(start(bot, thread)) == (400, 160004)

    bot.discord.people.delete_thread(thread, now=bot.now)
    assert start(bot, thread).json()["id"] == thread


def test_a_start_from_a_deleted_message_is_unknown_message(bot: Bot) -> None:
    message = bot.post()
    bot.send("DELETE", f"/channels/{TEXT}/messages/{message}")

    assert refused(start(bot, message)) == (404, 10008)


def test_a_thread_outlives_its_source_message(bot: Bot) -> None:
    thread = bot.start()
    bot.send("DELETE", f"/channels/{TEXT}/messages/{thread}")

    assert bot.get(f"/channels/{thread}")["name"] == "Session x"
    assert refused(start(bot, thread)) == (404, 10008)


def test_a_name_of_100_utf16_units_is_accepted(bot: Bot) -> None:
    assert start(bot, bot.post(), "😀" * 50).status == 201


@pytest.mark.parametrize(("channel", "code"), [(TEXT, 160006), (NEWS, 160007)])
def test_one_active_thread_too_many_is_refused(bot: Bot, channel: str, code: int) -> None:
    bot.discord.switch(active_thread_limit=1)
    first = bot.start(channel=channel)
    message = bot.post(channel=channel)
    assert refused(start(bot, message, channel=channel)) == (400, code)

    bot.discord.people.archive(first, now=bot.now)
    assert start(bot, message, channel=channel).status == 201
    assert refused(bot.send("PATCH", f"/channels/{first}", {"archived": False})) == (400, code)


def test_a_thread_without_message_is_private_by_default(bot: Bot) -> None:
    private = bot.send("POST", f"/channels/{TEXT}/threads", {"name": "x"}).json()
    public = bot.send("POST", f"/channels/{TEXT}/threads", {"name": "x", "type": 11}).json()

    assert (private["type"], public["type"]) == (12, 11)
    assert private["thread_metadata"]["invitable"] is True


def test_a_public_thread_without_message_is_announced_by_a_system_message_with_another_id(bot: Bot) -> None:
    thread = bot.send("POST", f"/channels/{TEXT}/threads", {"name": "x", "type": 11}).json()

    (message,) = bot.get(f"/channels/{TEXT}/messages")
    assert message["type"] == 18
    assert message["id"] != thread["id"]
    assert message["message_reference"]["channel_id"] == thread["id"]


def test_a_forum_posts_first_message_has_the_posts_id(bot: Bot) -> None:
    body = {"name": "x", "message": {"content": "first"}, "applied_tags": ["70"]}
    post = bot.send("POST", f"/channels/{FORUM}/threads", body).json()

    assert post["message"]["id"] == post["id"]
    assert post["message"]["channel_id"] == post["id"]
    assert (post["message_count"], post["applied_tags"]) == (0, ["70"])


def test_a_forum_post_needs_a_tag_if_the_forum_requires_one(bot: Bot) -> None:
    bot.discord.add_channel(GUILD, "13", 15, "strict", flags=1 << 4)
    body = {"name": "x", "message": {"content": "first"}}
    assert refused(bot.send("POST", "/channels/13/threads", body)) == (400, 40067)


def test_a_forum_post_needs_only_send_messages(bot: Bot) -> None:
    bot.discord.people.set_permissions(FORUM, ["VIEW_CHANNEL", "SEND_MESSAGES"], now=bot.now)

    body = {"name": "x", "message": {"content": "first"}}
    assert bot.send("POST", f"/channels/{FORUM}/threads", body).status == 201


@pytest.mark.parametrize(
    ("method", "path", "missing"),
    [
        ("POST", f"/channels/{TEXT}/messages", "SEND_MESSAGES"),
        ("POST", f"/channels/{TEXT}/messages/MESSAGE/threads", "CREATE_PUBLIC_THREADS"),
        ("POST", f"/channels/{TEXT}/threads", "CREATE_PRIVATE_THREADS"),
        ("POST", "/channels/THREAD/messages", "SEND_MESSAGES_IN_THREADS"),
        ("PUT", f"/channels/THREAD/thread-members/{ALICE}", "SEND_MESSAGES_IN_THREADS"),
        ("DELETE", f"/channels/THREAD/thread-members/{ALICE}", "MANAGE_THREADS"),
        ("PATCH", "/channels/THREAD", "MANAGE_THREADS"),
        ("DELETE", "/channels/THREAD", "MANAGE_THREADS"),
        ("GET", f"/channels/{TEXT}/threads/archived/public", "READ_MESSAGE_HISTORY"),
        ("GET", f"/channels/{TEXT}/threads/archived/private", "MANAGE_THREADS"),
    ],
)
def test_a_missing_permission_is_50013_and_a_hidden_channel_50001(
    bot: Bot, method: str, path: str, missing: str
) -> None:
    thread, message = bot.start(), bot.post()
    path = path.replace("THREAD", thread).replace("MESSAGE", message)
    body = {"content": "x", "name": "x", "archived": True} if method in ("POST", "PATCH") else None

    bot.discord.people.set_permissions(TEXT, default_permissions_without(missing), now=bot.now)
    assert refused(bot.send(method, path, body)) == (403, 50013)
    bot.discord.people.set_permissions(TEXT, default_permissions_without("VIEW_CHANNEL"), now=bot.now)
    assert refused(bot.send(method, path, body)) == (403, 50001)


def test_a_deleted_thread_is_unknown_channel_and_its_messages_are_deleted(bot: Bot) -> None:
    thread = bot.start()
    inside = bot.post(channel=thread)
    assert bot.send("DELETE", f"/channels/{thread}").json()["id"] == thread

    assert refused(bot.send("GET", f"/channels/{thread}")) == (404, 10003)
    assert refused(bot.send("GET", f"/channels/{thread}/messages/{inside}")) == (404, 10003)
    assert inside not in bot.discord.messages
    assert thread in bot.discord.messages


def test_deleting_a_channel_deletes_its_threads(bot: Bot) -> None:
    thread = bot.start()
    bot.discord.people.delete_channel(TEXT, now=bot.now)

    assert refused(bot.send("GET", f"/channels/{thread}")) == (404, 10003)
    assert refused(bot.send("GET", f"/channels/{TEXT}")) == (404, 10003)
    assert bot.active() == []


def test_a_thread_is_reported_missing_once(bot: Bot) -> None:
    thread = bot.start()
    bot.discord.report_missing_once(thread)

    assert refused(bot.send("GET", f"/channels/{thread}")) == (404, 10003)
    assert bot.get(f"/channels/{thread}")["id"] == thread


def test_only_moderators_see_private_threads_of_others(bot: Bot) -> None:
    thread = bot.discord.people.create_thread(TEXT, "x", now=bot.now, by=ALICE, type=12)
    assert bot.get(f"/channels/{thread}")["type"] == 12

    bot.discord.people.set_permissions(TEXT, default_permissions_without("MANAGE_THREADS"), now=bot.now)
    assert refused(bot.send("GET", f"/channels/{thread}")) == (403, 50001)
    assert bot.active() == []


def test_a_bot_removed_from_the_guild_has_no_access(bot: Bot) -> None:
    thread = bot.start()
    bot.discord.people.remove_bot_from_guild(GUILD, now=bot.now)

    assert refused(bot.send("GET", f"/channels/{thread}")) == (403, 50001)
    assert refused(bot.send("GET", f"/guilds/{GUILD}/threads/active")) == (403, 50001)
    assert refused(bot.send("GET", f"/guilds/{GUILD}")) == (404, 10004)
