"""The application, its commands, its interactions, the bot's user."""

from typing import Any

import pytest

from tests.infra.simulator.client import ALICE, APPLICATION, BOT, GUILD, TEXT, Bot, refused

COMMANDS = f"/applications/{APPLICATION}/commands"
ORIGINAL = f"/webhooks/{APPLICATION}/secret/messages/@original"
COMMAND = {"name": "session", "description": "Sessions", "options": []}


def begin(bot: Bot) -> None:
    bot.discord.begin_interaction("secret", "500", APPLICATION, bot.now, channel_id=TEXT)


def defer(bot: Bot, flags: int = 64) -> None:
    begin(bot)
    assert bot.discord.answer_interaction("secret", {"type": 5, "data": {"flags": flags}}, bot.now)


def original(bot: Bot) -> Any:
    return bot.discord.original_response("secret")


def test_the_bots_user_may_have_another_id_than_the_application(bot: Bot) -> None:
    assert bot.get("/users/@me")["id"] == BOT
    assert bot.get("/applications/@me")["id"] == APPLICATION


def test_the_applications_flags_show_the_message_content_intent(bot: Bot) -> None:
    assert not bot.get("/applications/@me")["flags"] & (1 << 18 | 1 << 19)

    bot.discord.switch(message_content=True)
    assert bot.get("/applications/@me")["flags"] & (1 << 18 | 1 << 19)


def test_the_endpoint_is_set_if_discords_check_succeeds(bot: Bot) -> None:
    url = {"interactions_endpoint_url": "https://example.org/interactions"}
    bot.discord.switch(endpoint_accepted=False)
    assert refused(bot.send("PATCH", "/applications/@me", url)) == (400, 50035)

    bot.discord.switch(endpoint_accepted=True)
    bot.send("PATCH", "/applications/@me", url)
    assert bot.get("/applications/@me")["interactions_endpoint_url"] == url["interactions_endpoint_url"]


def test_commands_are_replaced_as_a_whole_and_keep_their_ids(bot: Bot) -> None:
    (first,) = bot.send("PUT", COMMANDS, [COMMAND]).json()
    second = bot.send("PUT", COMMANDS, [{**COMMAND, "description": "new"}, {**COMMAND, "name": "other"}]).json()

    assert [command["name"] for command in bot.get(COMMANDS)] == ["session", "other"]
    assert second[0]["id"] == first["id"]
    assert second[0]["version"] != first["version"]


def test_a_guilds_commands_are_separate_from_the_global_ones(bot: Bot) -> None:
    bot.send("PUT", f"/applications/{APPLICATION}/guilds/{GUILD}/commands", [COMMAND])

    (command,) = bot.get(f"/applications/{APPLICATION}/guilds/{GUILD}/commands")
    assert command["guild_id"] == GUILD
    assert bot.get(COMMANDS) == []
    assert refused(bot.send("GET", f"/applications/{APPLICATION}/guilds/99/commands")) == (403, 50001)
    assert refused(bot.send("GET", "/applications/99/commands")) == (403, 20012)


def test_the_user_reads_a_message_that_comes_in_time(bot: Bot) -> None:
    begin(bot)
    bot.wait(3)

    assert bot.discord.answer_interaction("secret", {"type": 4, "data": {"content": "done", "flags": 64}}, bot.now)
    assert (original(bot)["content"], original(bot)["flags"]) == ("done", 64)
    assert bot.discord.first_answer("secret")["type"] == 4


def test_an_answer_after_three_seconds_is_lost_and_the_token_invalid(bot: Bot) -> None:
    begin(bot)
    bot.wait(3.1)

    assert not bot.discord.answer_interaction("secret", {"type": 5}, bot.now)
    assert original(bot) is None
    assert refused(bot.send("PATCH", ORIGINAL, {"content": "x"})) == (401, 50027)


def test_an_invalid_answer_is_lost(bot: Bot) -> None:
    begin(bot)

    assert not bot.discord.answer_interaction("secret", {"error": "internal"}, bot.now)
    assert original(bot) is None


TOO_LONG: dict[str, dict[str, Any]] = {
    "content": {"content": "🧵" * 1001},
    "description": {"embeds": [{"description": "x" * 4097}]},
    "label": {
        "components": [{"type": 1, "components": [{"type": 2, "style": 4, "label": "x" * 81, "custom_id": "x"}]}]
    },
    "custom_id": {
        "components": [{"type": 1, "components": [{"type": 2, "style": 4, "label": "x", "custom_id": "x" * 101}]}]
    },
}


@pytest.mark.parametrize("body", TOO_LONG.values(), ids=TOO_LONG)
def test_an_answer_that_is_too_long_is_refused_as_an_edit_and_lost_as_the_first_one(
    bot: Bot, body: dict[str, Any]
) -> None:
    defer(bot)
    assert refused(bot.send("PATCH", ORIGINAL, {"content": "x", **body})) == (400, 50035)
    begin(bot)
    assert not bot.discord.answer_interaction("secret", {"type": 4, "data": {"content": "x", **body}}, bot.now)
    assert original(bot) is None


def test_a_second_first_answer_is_ignored(bot: Bot) -> None:
    defer(bot)

    assert not bot.discord.answer_interaction("secret", {"type": 4, "data": {"content": "x"}}, bot.now)
    assert original(bot)["flags"] == 128 | 64


def test_a_deferred_answer_reads_thinking_until_it_is_edited(bot: Bot) -> None:
    defer(bot)
    assert original(bot)["flags"] == 128 | 64

    bot.wait(60)
    edited = bot.send("PATCH", ORIGINAL, {"content": "done", "flags": 0})
    assert edited.status == 200
    assert bot.send("PATCH", ORIGINAL, {"content": "done twice"}).status == 200
    assert (original(bot)["content"], original(bot)["flags"] & 128) == ("done twice", 0)


def test_the_deferral_decides_whether_the_response_is_ephemeral(bot: Bot) -> None:
    defer(bot)
    bot.send("PATCH", ORIGINAL, {"content": "done", "flags": 0})
    assert original(bot)["flags"] & 64


def test_there_is_no_original_response_before_discord_has_taken_the_first_answer(bot: Bot) -> None:
    bot.discord.switch(callback_lag_seconds=1)
    begin(bot)
    assert refused(bot.send("PATCH", ORIGINAL, {"content": "x"})) == (404, 10015)

    assert bot.discord.answer_interaction("secret", {"type": 5}, bot.now)
    assert refused(bot.send("PATCH", ORIGINAL, {"content": "x"})) == (404, 10015)
    bot.discord.switch(callback_lag_code=10008)
    assert refused(bot.send("GET", ORIGINAL)) == (404, 10008)
    bot.wait(1)
    assert bot.send("PATCH", ORIGINAL, {"content": "x"}).status == 200


def test_the_token_is_valid_for_fifteen_minutes_after_the_command(bot: Bot) -> None:
    begin(bot)
    bot.wait(2)
    bot.discord.answer_interaction("secret", {"type": 5}, bot.now)
    bot.wait(15 * 60 - 3)
    assert bot.send("PATCH", ORIGINAL, {"content": "x"}).status == 200

    bot.wait(1)
    assert refused(bot.send("PATCH", ORIGINAL, {"content": "y"})) == (401, 50027)
    assert original(bot)["content"] == "x"


def test_an_unknown_interaction_token_is_an_unknown_webhook_even_without_the_bots_token(bot: Bot) -> None:
    assert refused(bot.send("GET", ORIGINAL, headers={"authorization": ""})) == (404, 10015)


def test_a_deleted_original_response_is_an_unknown_message(bot: Bot) -> None:
    defer(bot)

    assert bot.send("DELETE", ORIGINAL).status == 204
    assert refused(bot.send("GET", ORIGINAL)) == (404, 10008)
    assert original(bot) is None


def test_an_edit_is_checked_like_any_message_and_obeys_allowed_mentions(bot: Bot) -> None:
    defer(bot)
    assert refused(bot.send("PATCH", ORIGINAL, {"content": "x" * 2001})) == (400, 50035)

    quiet = {"content": f"<@{ALICE}>", "allowed_mentions": {"parse": []}}
    assert bot.send("PATCH", ORIGINAL, quiet).json()["mentions"] == []


def test_an_autocomplete_result_leaves_no_message(bot: Bot) -> None:
    begin(bot)
    document = {"type": 8, "data": {"choices": []}}

    assert bot.discord.answer_interaction("secret", document, bot.now)
    assert bot.discord.first_answer("secret") == document
    assert original(bot) is None
