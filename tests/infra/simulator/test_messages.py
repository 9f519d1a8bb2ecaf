"""Messages and their nonces."""

from typing import Any

import pytest

from infra.simulator.permissions import default_permissions_without
from tests.infra.simulator.client import ALICE, BOT, OWNER, TEXT, Bot, refused, small_world

NONCE: dict[str, Any] = {"nonce": "n", "enforce_nonce": True}


def test_a_message_has_its_content_author_and_time(bot: Bot) -> None:
    message = bot.get(f"/channels/{TEXT}/messages/{bot.post('hello')}")

    assert message["content"] == "hello"
    assert message["author"]["id"] == BOT
    assert message["author"]["bot"] is True
    assert message["timestamp"] == "2026-11-23T12:00:00.000000+00:00"


def test_ids_contain_the_time_and_rise_within_a_millisecond(bot: Bot) -> None:
    first, second = int(bot.post()), int(bot.post())

    assert second > first
    assert first >> 22 == second >> 22 == (bot.now.timestamp() - 1420070400) * 1000


def test_repeating_an_enforced_nonce_in_time_returns_the_first_message(bot: Bot) -> None:
    first = bot.post("one", **NONCE)
    bot.wait(179)

    assert bot.post("two", **NONCE) == first
    assert bot.get(f"/channels/{TEXT}/messages/{first}")["content"] == "one"


def test_an_enforced_nonce_applies_to_the_author_in_all_channels(bot: Bot) -> None:
    first = bot.post(**NONCE)

    assert bot.post(channel="11", **NONCE) == first


def test_a_nonce_that_is_not_enforced_makes_a_second_message(bot: Bot) -> None:
    first = bot.post(**NONCE)

    assert bot.post(nonce="n") != first


@pytest.mark.parametrize("closing", ["time", "switch"])
def test_a_nonce_is_forgotten_when_its_window_closes(bot: Bot, closing: str) -> None:
    first = bot.post(**NONCE)
    if closing == "time":
        bot.wait(180)
    else:
        bot.discord.close_nonce_window()

    assert bot.post(**NONCE) != first


def test_an_enforced_nonce_of_a_deleted_message_is_unknown_message(bot: Bot) -> None:
    first = bot.post(**NONCE)
    bot.discord.people.delete_message(TEXT, first, now=bot.now)

    again = bot.send("POST", f"/channels/{TEXT}/messages", {"content": "x", **NONCE})
    assert refused(again) == (404, 10008)


def test_other_peoples_words_are_empty_without_the_privileged_intent(bot: Bot) -> None:
    message = bot.discord.people.post_message(TEXT, "secret", now=bot.now, by=ALICE)
    assert bot.get(f"/channels/{TEXT}/messages/{message}")["content"] == ""
    assert bot.get(f"/channels/{TEXT}/messages/{message}")["author"]["username"] == "alice"

    bot.discord.switch(message_content=True)
    assert bot.get(f"/channels/{TEXT}/messages/{message}")["content"] == "secret"


def test_messages_that_mention_the_bot_are_readable_without_the_intent(bot: Bot) -> None:
    message = bot.discord.people.post_message(TEXT, f"<@{BOT}> hello", now=bot.now, by=ALICE)

    assert bot.get(f"/channels/{TEXT}/messages/{message}")["content"] == f"<@{BOT}> hello"


def test_a_message_obeys_allowed_mentions(bot: Bot) -> None:
    loud = bot.post("<@3> @everyone")
    quiet = bot.post("<@3> @everyone", allowed_mentions={"parse": []})

    message = bot.get(f"/channels/{TEXT}/messages/{loud}")
    assert [user["id"] for user in message["mentions"]] == [ALICE]
    assert message["mention_everyone"] is True
    message = bot.get(f"/channels/{TEXT}/messages/{quiet}")
    assert (message["mentions"], message["mention_everyone"]) == ([], False)


def test_a_deleted_message_is_unknown_and_cannot_be_deleted_again(bot: Bot) -> None:
    message = bot.post()

    assert bot.send("DELETE", f"/channels/{TEXT}/messages/{message}").status == 204
    assert refused(bot.send("GET", f"/channels/{TEXT}/messages/{message}")) == (404, 10008)
    assert refused(bot.send("DELETE", f"/channels/{TEXT}/messages/{message}")) == (404, 10008)


def test_deleting_a_message_in_a_deleted_channel_is_unknown_channel(bot: Bot) -> None:
    message = bot.post()
    bot.discord.people.delete_channel(TEXT, now=bot.now)

    assert refused(bot.send("DELETE", f"/channels/{TEXT}/messages/{message}")) == (404, 10003)


def test_deleting_other_peoples_messages_needs_manage_messages(bot: Bot) -> None:
    message = bot.discord.people.post_message(TEXT, "x", now=bot.now, by=ALICE)
    own = bot.post()
    bot.discord.people.set_permissions(TEXT, default_permissions_without("MANAGE_MESSAGES"), now=bot.now)

    assert refused(bot.send("DELETE", f"/channels/{TEXT}/messages/{message}")) == (403, 50013)
    assert bot.send("DELETE", f"/channels/{TEXT}/messages/{own}").status == 204


def test_the_bot_edits_only_its_own_messages(bot: Bot) -> None:
    own, other = bot.post(), bot.discord.people.post_message(TEXT, "x", now=bot.now, by=ALICE)

    edited = bot.send("PATCH", f"/channels/{TEXT}/messages/{own}", {"content": "new"}).json()
    assert edited["content"] == "new"
    assert edited["edited_timestamp"] is not None
    assert refused(bot.send("PATCH", f"/channels/{TEXT}/messages/{other}", {"content": "new"})) == (403, 50005)


def test_embeds_need_embed_links(bot: Bot) -> None:
    bot.discord.people.set_permissions(TEXT, default_permissions_without("EMBED_LINKS"), now=bot.now)

    body = {"content": "x", "embeds": [{"title": "t"}]}
    assert refused(bot.send("POST", f"/channels/{TEXT}/messages", body)) == (403, 50013)


def test_messages_are_listed_newest_first_within_bounds(bot: Bot) -> None:
    ids = [bot.post(str(number)) for number in range(4)]

    listed = [message["id"] for message in bot.get(f"/channels/{TEXT}/messages", limit=2)]
    assert listed == ids[:1:-1]
    assert [message["id"] for message in bot.get(f"/channels/{TEXT}/messages", before=ids[2])] == [ids[1], ids[0]]
    assert [message["id"] for message in bot.get(f"/channels/{TEXT}/messages", after=ids[0], limit=1)] == [ids[1]]


def test_without_read_message_history_the_list_is_empty_and_reading_one_message_is_refused(bot: Bot) -> None:
    message = bot.post()
    bot.discord.people.set_permissions(TEXT, ["VIEW_CHANNEL", "SEND_MESSAGES"], now=bot.now)

    assert bot.get(f"/channels/{TEXT}/messages") == []
    assert refused(bot.send("GET", f"/channels/{TEXT}/messages/{message}")) == (403, 50013)


def test_a_message_shows_its_thread_until_that_is_deleted(bot: Bot) -> None:
    thread = bot.start("Session x")
    message = bot.get(f"/channels/{TEXT}/messages/{thread}")
    assert (message["thread"]["id"], message["flags"] & 32) == (thread, 32)

    bot.discord.people.delete_thread(thread, now=bot.now, by=OWNER)
    message = bot.get(f"/channels/{TEXT}/messages/{thread}")
    assert "thread" not in message
    assert not message["flags"] & 32


def test_embeds_and_components_are_returned_with_discords_additions() -> None:
    bot = Bot(small_world())
    button = {"type": 1, "components": [{"type": 2, "style": 5, "label": "Open", "url": "https://example.org"}]}
    message = bot.post(embeds=[{"title": "t"}], components=[button])

    shown = bot.get(f"/channels/{TEXT}/messages/{message}")
    assert shown["embeds"] == [{"type": "rich", "title": "t"}]
    assert shown["components"][0]["components"][0]["url"] == "https://example.org"
    assert (shown["components"][0]["id"], shown["components"][0]["components"][0]["id"]) == (1, 2)
