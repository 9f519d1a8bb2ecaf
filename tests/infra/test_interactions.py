"""The handlers accept and understand the interactions and events that are built here."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from nacl.signing import SigningKey

from handler.aws import http_api
from handler.discord.interactions import parse
from handler.discord.signature import RequestRefused, verify
from infra.interactions import (
    BOT_PERMISSIONS,
    MEMBER_PERMISSIONS,
    development_key,
    encode,
    interaction,
    ping,
    sign,
    snowflake,
)
from infra.lambda_events import api_gateway_event, schedule_event, sqs_event, sqs_record

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
KEY = development_key()
PUBLIC_KEY = KEY.verify_key.encode()
WHERE: dict[str, Any] = {
    "channel_id": "1100000000000000003",
    "guild_id": "1100000000000000002",
    "user_id": "1100000000000000004",
}


def signed_event(payload: Any, **options: Any) -> dict[str, Any]:
    body = encode(payload)
    return api_gateway_event(body, sign(body, KEY, NOW), now=NOW, **options)


def verify_event(event: dict[str, Any]) -> Any:
    return verify(http_api.read_request(event), PUBLIC_KEY, NOW)


def test_a_signed_interaction_passes_verification_and_is_read_completely() -> None:
    payload = interaction("1a06a43", topic="login bug", **WHERE, interaction_id="1574000000000000000", now=NOW)
    verified = verify_event(signed_event(payload))
    assert verified == payload
    found = parse(verified)
    assert found is not None
    assert (found.id, found.name, found.options) == (
        "1574000000000000000",
        "/session open",
        {"name": "1a06a43", "topic": "login bug"},
    )
    assert (found.channel_id, found.channel_type, found.parent_id) == (WHERE["channel_id"], 0, None)
    assert (found.guild_id, found.user_id) == (WHERE["guild_id"], WHERE["user_id"])
    assert (found.app_permissions, found.user_permissions) == (BOT_PERMISSIONS, MEMBER_PERMISSIONS)


def test_a_command_used_in_a_thread_names_the_threads_parent() -> None:
    payload = interaction("1a06a43", **WHERE, channel_type=11, parent_id="1100000000000000009", now=NOW)
    found = parse(payload)
    assert found is not None
    assert (found.channel_type, found.parent_id) == (11, "1100000000000000009")
    assert payload["channel"]["thread_metadata"]["archived"] is False


def test_a_ping_in_a_base64_body_passes_verification() -> None:
    payload = ping(now=NOW)
    event = signed_event(payload, base64=True)
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == encode(payload)
    assert verify_event(event)["type"] == 1


@pytest.mark.parametrize("fault", ["another key", "another body", "another time"])
def test_a_signature_is_valid_for_one_key_body_and_time(fault: str) -> None:
    body = encode(ping(now=NOW))
    headers = sign(body, SigningKey(bytes(32)) if fault == "another key" else KEY, NOW)
    if fault == "another time":
        headers["X-Signature-Timestamp"] = str(int(NOW.timestamp()) + 1)
    event = api_gateway_event(body + b" " if fault == "another body" else body, headers, now=NOW)
    with pytest.raises(RequestRefused, match="401"):
        verify_event(event)


def test_the_event_has_lower_case_headers_and_the_time_of_the_request() -> None:
    event = api_gateway_event(b"{}", {"X-Signature-Ed25519": "00"}, now=NOW)
    assert all(name == name.lower() for name in event["headers"])
    assert event["requestContext"]["timeEpoch"] == 1795435200123
    assert event["requestContext"]["time"] == "23/Nov/2026:12:00:00 +0000"
    assert (event["routeKey"], event["rawPath"]) == ("POST /interactions", "/interactions")
    assert "body" not in api_gateway_event(b"", {}, now=NOW, method="GET")


@pytest.mark.parametrize(("method", "path"), [("GET", "/interactions"), ("POST", "/")])
def test_other_paths_and_methods_use_the_default_route(method: str, path: str) -> None:
    assert api_gateway_event(b"", {}, now=NOW, method=method, path=path)["routeKey"] == "$default"


def test_an_event_of_a_named_stage_passes_verification() -> None:
    event = signed_event(ping(now=NOW), stage="prod")
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/prod/interactions"
    assert verify_event(event)["type"] == 1


def test_a_snowflake_contains_the_time_to_the_millisecond() -> None:
    milliseconds = (int(snowflake(NOW, low_bits=5)) >> 22) + 1_420_070_400_000
    assert milliseconds == 1795435200123
    assert int(snowflake(NOW, low_bits=5)) & (2**22 - 1) == 5
    assert snowflake(NOW) != snowflake(NOW)


def test_a_queue_message_has_its_receive_count_and_sending_time() -> None:
    record = sqs_record("{}", now=NOW, receive_count=3, sent_at=NOW - timedelta(seconds=180))
    assert record["attributes"]["ApproximateReceiveCount"] == "3"
    assert record["attributes"]["SentTimestamp"] == "1795435020123"
    assert record["eventSource"] == "aws:sqs"
    assert sqs_event(record, record)["Records"] == [record, record]


def test_the_schedules_event_has_no_records() -> None:
    event = schedule_event(NOW)
    assert "Records" not in event
    assert event["time"] == "2026-11-23T12:00:00Z"


def test_json_is_written_as_discord_writes_it() -> None:
    assert encode({"name": "Größe 🧵"}) == '{"name":"Größe 🧵"}'.encode()
    assert json.loads(encode({"a": [1, None]})) == {"a": [1, None]}
