"""What the machine room says of invocations and calls."""

from datetime import UTC, datetime
from typing import Any

import pytest

from infra.interactions import autocompletion, encode, interaction, ping
from infra.lambda_events import api_gateway_event, schedule_event
from infra.page.feed import Feed
from infra.page.room import describe_event, without_token

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PLACE: dict[str, Any] = {"channel_id": "1", "guild_id": "2", "user_id": "3", "now": NOW}


def from_discord(payload: dict[str, Any]) -> dict[str, Any]:
    return api_gateway_event(encode(payload), {}, now=NOW)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (from_discord(ping(now=NOW)), "PING"),
        (from_discord(interaction("42", topic="x", **PLACE)), "/session open name:42 topic:x"),
        (from_discord(autocompletion("session open", {"name": "4"}, **PLACE)), "typing session open name:4"),
        ({"session_name": "42"}, "ensure 42"),
        ({"operation": "ask", "session_name": "42"}, "ask 42"),
        ({"Records": [{"eventSource": "aws:sqs"}]}, "1 message"),
        ({"Records": [{"eventSource": "aws:dynamodb"}] * 2}, "2 changes"),
        (schedule_event(NOW), "the schedule"),
        ([1], ""),
    ],
)
def test_an_invocation_is_described_in_a_few_words(event: Any, said: str) -> None:
    assert describe_event(event) == said


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        ("PATCH /webhooks/1/secret/messages/@original", "PATCH /webhooks/1/…/messages/@original"),
        ("POST /interactions/1/secret/callback", "POST /interactions/1/…/callback"),
        ("GET /channels/1", "GET /channels/1"),
    ],
)
def test_an_interaction_token_is_not_shown(call: str, shown: str) -> None:
    assert without_token(call) == shown


def test_a_page_that_was_away_reads_on_from_where_it_was() -> None:
    feed = Feed()
    for number in range(10_005):
        feed.add("call", place=number)
    assert [record["number"] for record in feed.since(10_003)] == [10_003, 10_004]
    assert feed.since(0)[0]["number"] == 5  # the oldest ones are forgotten
    assert feed.since(feed.count) == []
