"""Authentication, rate limits, and faults on purpose."""

from typing import Any

import pytest

from infra.simulator.exchange import Drop, Hang, Response
from infra.simulator.faults import DROP, HANG, Fault, bad_gateway, error, server_error
from tests.infra.simulator.client import NEWS, TEXT, Bot, refused

MESSAGES = "/channels/{channel_id}/messages"
POST = ("POST", f"/channels/{TEXT}/messages", {"content": "x"})


@pytest.mark.parametrize("authorization", ["", "Bot wrong", "Bearer made-up", "made-up"])
def test_a_wrong_token_is_401_with_code_0(bot: Bot, authorization: str) -> None:
    response = bot.send("GET", f"/channels/{TEXT}", headers={"authorization": authorization})

    assert response.status == 401
    assert response.json() == {"message": "401: Unauthorized", "code": 0}


@pytest.mark.parametrize("agent", ["", "python-httpx/0.28", "DiscordBot", "DiscordBot (https://example.org)"])
def test_a_client_without_a_discord_user_agent_is_refused(bot: Bot, agent: str) -> None:
    assert bot.send("GET", f"/channels/{TEXT}", headers={"user-agent": agent}).status == 403


def test_a_body_that_is_not_sent_as_json_is_refused(bot: Bot) -> None:
    response = bot.send(*POST, headers={"content-type": "text/plain"})
    assert refused(response) == (400, 50035)


def test_answers_have_headers_for_the_time_the_type_and_the_bucket(bot: Bot) -> None:
    headers = bot.send("GET", f"/channels/{TEXT}").headers

    assert headers["date"] == "Mon, 23 Nov 2026 12:00:00 GMT"
    assert headers["content-type"] == "application/json"
    assert {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset-after", "x-ratelimit-bucket"} <= set(
        headers
    )


def test_each_channels_bucket_counts_down_refuses_and_resets(bot: Bot) -> None:
    bot.discord.limit_route("POST", MESSAGES, 2, 5)
    assert bot.send(*POST).headers["x-ratelimit-remaining"] == "1"
    bot.wait(1)
    assert bot.send(*POST).headers["x-ratelimit-remaining"] == "0"

    limited = bot.send(*POST)
    assert limited.status == 429
    assert limited.json() == {"message": "You are being rate limited.", "retry_after": 4.0, "global": False}
    assert (limited.headers["retry-after"], limited.headers["x-ratelimit-scope"]) == ("4", "user")
    assert limited.headers["x-ratelimit-remaining"] == "0"
    assert bot.send("POST", f"/channels/{NEWS}/messages", {"content": "x"}).status == 200
    bot.wait(4)
    assert bot.send(*POST).status == 200
    assert len(bot.discord.messages) == 4


def test_a_hidden_limit_applies_without_a_warning_in_headers(bot: Bot) -> None:
    bot.discord.limit_route("POST", MESSAGES, 1, 5, hidden=True)
    assert int(bot.send(*POST).headers["x-ratelimit-remaining"]) > 1

    limited = bot.send(*POST)
    assert (limited.status, limited.json()["retry_after"]) == (429, 5.0)


def test_the_global_limit_applies_to_all_routes_but_those_of_interactions(bot: Bot) -> None:
    bot.discord.limit_globally(1)
    assert bot.send("GET", f"/channels/{TEXT}").status == 200

    limited = bot.send("GET", "/users/@me")
    assert limited.status == 429
    assert limited.json()["global"] is True
    assert (limited.headers["x-ratelimit-global"], limited.headers["x-ratelimit-scope"]) == ("true", "global")
    assert bot.send("GET", "/webhooks/1000/t/messages/@original").status == 404


@pytest.mark.parametrize(("scope", "retry_after", "header"), [("shared", 0.25, "1"), ("user", 240.0, "240")])
def test_one_429_of_any_length(bot: Bot, scope: str, retry_after: float, header: str) -> None:
    bot.discord.limit_once("POST", MESSAGES, retry_after, scope=scope)

    limited = bot.exchange(*POST)
    assert isinstance(limited, Response)
    assert (limited.status, limited.headers["retry-after"]) == (429, header)
    assert limited.headers["x-ratelimit-scope"] == scope
    assert limited.json()["retry_after"] == retry_after
    assert not bot.discord.messages
    assert bot.exchange(*POST).status == 200  # type: ignore[union-attr]  # a fault would fail the comparison


@pytest.mark.parametrize(
    ("what", "when", "outcome", "messages"),
    [
        (DROP, "before", Drop(had_effect=False), 0),
        (DROP, "after", Drop(had_effect=True), 1),
        (HANG, "before", Hang(takes_effect_late=False), 0),
        (HANG, "after", Hang(takes_effect_late=False), 1),
        (HANG, "late", Hang(takes_effect_late=True), 0),
    ],
)
def test_a_failing_connection_says_whether_the_request_had_its_effect(
    bot: Bot, what: Any, when: Any, outcome: Any, messages: int
) -> None:
    bot.discord.faults.inject("POST", MESSAGES, what, when=when)

    assert bot.exchange(*POST) == outcome
    assert len(bot.discord.messages) == messages
    assert bot.discord.calls == {("POST", MESSAGES, 0): 1}


@pytest.mark.parametrize(("when", "messages"), [("before", 0), ("after", 1)])
@pytest.mark.parametrize("what", [server_error(), bad_gateway(), error(403, 50013, "Missing Permissions")])
def test_a_faults_response_comes_before_or_after_the_effect(bot: Bot, what: Response, when: Any, messages: int) -> None:
    bot.discord.faults.inject("POST", MESSAGES, what, when=when)

    outcome = bot.exchange(*POST)
    assert isinstance(outcome, Response)
    assert (outcome.status, outcome.body) == (what.status, what.body)
    assert len(bot.discord.messages) == messages


def test_a_fault_happens_to_the_nth_matching_request_and_repeats(bot: Bot) -> None:
    bot.discord.faults.inject("POST", MESSAGES, DROP, nth=2, times=2)

    outcomes = [isinstance(bot.exchange(*POST), Drop) for _ in range(4)]
    assert outcomes == [False, True, True, False]


@pytest.mark.parametrize(
    ("method", "route", "hit"),
    [
        ("*", "*", True),
        ("POST", f"/channels/{TEXT}/messages", True),
        ("POST", "/channels/*/messages", True),
        ("GET", MESSAGES, False),
        ("POST", f"/channels/{NEWS}/messages", False),
        ("POST", "/channels/*", False),
    ],
)
def test_a_fault_matches_a_route_a_path_or_a_pattern(bot: Bot, method: str, route: str, hit: bool) -> None:
    bot.discord.faults.inject(method, route, DROP)

    assert isinstance(bot.exchange(*POST), Drop) is hit


def test_handle_ignores_faults(bot: Bot) -> None:
    bot.discord.faults.inject("*", "*", DROP)

    assert bot.send("GET", "/users/@me").status == 200


def test_only_a_hang_has_a_late_effect() -> None:
    with pytest.raises(ValueError, match="late"):
        Fault("*", "*", DROP, "late")


def test_calls_are_counted_by_route_and_status(bot: Bot) -> None:
    bot.post()
    bot.post()
    bot.send("GET", "/channels/99")

    assert bot.discord.calls == {("POST", MESSAGES, 200): 2, ("GET", "/channels/{channel_id}", 404): 1}
