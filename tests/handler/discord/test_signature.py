"""Signatures, through the whole webhook: what Discord did not sign is refused."""

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from handler import webhook
from handler.config import WebhookConfig
from infra.interactions import encode, interaction, ping, sign
from infra.lambda_events import api_gateway_event
from infra.virtual_time import START
from tests.kit.deployment import USER, Deployment
from tests.kit.guild import KEY
from tests.kit.table_view import CHANNEL, GUILD

MAX_BODY_BYTES = 1_048_576
PING = encode({"type": 1, "id": "1", "application_id": "2", "token": "t", "version": 1})


@pytest.fixture(scope="module")
def deployment() -> Any:
    with Deployment() as deployment:
        yield deployment


def post(deployment: Deployment, event: Any) -> tuple[int, dict[str, Any], Mapping[str, str]]:
    """Send an event; the status, decoded body and headers of the webhook's response."""

    async def scenario() -> dict[str, Any]:
        return await webhook.handle(deployment.environment(WebhookConfig), event, "request-1", 10.0)

    response = deployment.run(scenario())
    assert response["headers"]["content-type"] == "application/json"
    assert response["isBase64Encoded"] is False
    return response["statusCode"], json.loads(response["body"]), response["headers"]


def event(body: bytes = PING, *, at: timedelta = timedelta(0), key: SigningKey = KEY, **more: Any) -> dict[str, Any]:
    """An event, signed at START + `at` and received at START."""
    return api_gateway_event(body, sign(body, key, START + at), now=START, **more)


def with_header(name: str, value: str | None) -> dict[str, Any]:
    made = event()
    made["headers"] = {k: v for k, v in made["headers"].items() if k != name} | ({} if value is None else {name: value})
    return made


def test_a_signed_ping_is_answered_pong(deployment: Deployment) -> None:
    assert post(deployment, event(encode(ping(now=START))))[:2] == (200, {"type": 1})


def test_a_ping_and_a_forged_request_cause_no_remote_call_and_build_no_client() -> None:
    with Deployment(parameter=True) as deployment:
        for made in (event(), event(key=SigningKey.generate())):
            post(deployment, made)

            async def built() -> set[str]:
                return set(deployment.environment(WebhookConfig).__dict__)

            assert not deployment.run(built()) & {"http", "dynamodb", "jobs", "token_parameter", "aws_session"}
        assert (deployment.ssm.reads, deployment.queue.requests, sum(deployment.wire.sent.values())) == (0, [], 0)
        assert not deployment.discord.calls


@pytest.mark.parametrize("name", ["X-Signature-Ed25519", "X-SIGNATURE-ED25519", "x-signature-ed25519"])
def test_header_names_are_case_insensitive(deployment: Deployment, name: str) -> None:
    made = event()
    made["headers"][name] = made["headers"].pop("x-signature-ed25519")
    assert post(deployment, made)[0] == 200


def test_a_base64_body_is_decoded_before_it_is_verified(deployment: Deployment) -> None:
    assert post(deployment, event(base64=True))[:2] == (200, {"type": 1})


def test_a_path_may_begin_with_the_stage(deployment: Deployment) -> None:
    assert post(deployment, event(stage="prod"))[:2] == (200, {"type": 1})


@pytest.mark.parametrize(
    "path", ["/", "/interactions/", "/interaction", "/Interactions", "/prod/interactions", "//interactions"]
)
def test_another_path_is_404(deployment: Deployment, path: str) -> None:
    assert post(deployment, event(path=path))[:2] == (404, {"error": "not found"})


def test_another_path_is_404_whatever_else_is_wrong(deployment: Deployment) -> None:
    made = api_gateway_event(b"x" * (MAX_BODY_BYTES + 1), {}, now=START, path="/x", method="GET")
    assert post(deployment, made)[0] == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "post"])
def test_another_method_is_405_and_allow_names_post(deployment: Deployment, method: str) -> None:
    status, body, headers = post(deployment, event(method=method))
    assert (status, body, headers["allow"]) == (405, {"error": "method not allowed"}, "POST")


@pytest.mark.parametrize("encoded", [False, True])
def test_more_than_a_mebibyte_is_413_before_verification(deployment: Deployment, encoded: bool) -> None:
    body = b"x" * (MAX_BODY_BYTES + 1)
    unsigned = api_gateway_event(body, {}, now=START, base64=encoded)
    assert post(deployment, unsigned)[:2] == (413, {"error": "too large"})


def test_the_size_limit_counts_bytes(deployment: Deployment) -> None:
    body = ("é" * (MAX_BODY_BYTES // 2 + 1)).encode()
    assert post(deployment, api_gateway_event(body, {}, now=START))[0] == 413


@pytest.mark.parametrize("encoded", [False, True])
def test_exactly_a_mebibyte_is_accepted(deployment: Deployment, encoded: bool) -> None:
    body = PING + b" " * (MAX_BODY_BYTES - len(PING))
    assert post(deployment, event(body, base64=encoded))[:2] == (200, {"type": 1})


SIGNATURE = sign(PING, KEY, START)["X-Signature-Ed25519"]


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "00",
        "zz" * 64,
        SIGNATURE[:-2],
        SIGNATURE + "00",
        SIGNATURE[:-2] + " " + SIGNATURE[-2:],
        ("00" if SIGNATURE[:2] != "00" else "01") + SIGNATURE[2:],
        "0" * 128,
        SIGNATURE[:-1] + "é",
    ],
)
def test_a_missing_malformed_or_wrong_signature_is_401(deployment: Deployment, signature: str | None) -> None:
    made = with_header("x-signature-ed25519", signature)
    assert post(deployment, made)[:2] == (401, {"error": "invalid request signature"})


@pytest.mark.parametrize("timestamp", [None, "", "now", "1.5e9", "-1", " 1", "٣" * 10, "9" * 400, "1732363200.0"])
def test_a_missing_or_malformed_timestamp_is_401(deployment: Deployment, timestamp: str | None) -> None:
    assert post(deployment, with_header("x-signature-timestamp", timestamp))[0] == 401


@pytest.mark.parametrize(("seconds", "status"), [(-301, 401), (-300, 200), (0, 200), (300, 200), (301, 401)])
def test_a_timestamp_more_than_five_minutes_off_is_401(deployment: Deployment, seconds: int, status: int) -> None:
    assert post(deployment, event(at=timedelta(seconds=seconds)))[0] == status


def test_another_key_is_401(deployment: Deployment) -> None:
    assert post(deployment, event(key=SigningKey.generate()))[0] == 401


@pytest.mark.parametrize("changed", [PING[:-1], PING + b" ", PING.replace(b'"1"', b'"2"'), b""])
def test_a_body_other_than_the_signed_one_is_401(deployment: Deployment, changed: bytes) -> None:
    made = event()
    made["body"] = changed.decode()
    assert post(deployment, made)[0] == 401


@pytest.mark.parametrize("body", ["not base64!", "AAAA\n", base64.b64encode(PING).decode()[:-1], "é"])
def test_a_body_that_is_not_valid_base64_is_401(deployment: Deployment, body: str) -> None:
    made = event(base64=True)
    made["body"] = body
    assert post(deployment, made)[0] == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nonsense", b"\xff\xfe", b'{"type":1}x', b'{"a":NaN}', b'{"type":1,"a":"\\ud800"}', b"[" * 100_000],
)
def test_a_signed_body_that_is_not_json_is_400(deployment: Deployment, body: bytes) -> None:
    assert post(deployment, event(body, base64=True))[:2] == (400, {"error": "not JSON"})


@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b'"type"', b"true"])
def test_a_signed_body_that_is_not_an_object_is_400(deployment: Deployment, body: bytes) -> None:
    assert post(deployment, event(body))[:2] == (400, {"error": "not an object"})


@pytest.mark.parametrize(
    "kind", ["", '"type":0', '"type":6', '"type":true', '"type":1.0', '"type":"1"', '"type":null', '"type":[1]']
)
def test_a_signed_body_of_an_unknown_type_is_400(deployment: Deployment, kind: str) -> None:
    assert post(deployment, event(f"{{{kind}}}".encode()))[:2] == (400, {"error": "unknown type"})


@pytest.mark.parametrize(
    "made",
    [
        None,
        [],
        "event",
        {},
        {"rawPath": 5},
        {"requestContext": []},
        {"headers": [], "requestContext": {"http": "x"}},
        {"Records": []},
    ],
)
def test_a_malformed_event_is_refused_without_a_fault(deployment: Deployment, made: Any) -> None:
    assert post(deployment, made)[0] == 404


@pytest.mark.parametrize("headers", [None, [], {"x-signature-ed25519": 5, 7: "x"}])
def test_malformed_headers_are_401(deployment: Deployment, headers: Any) -> None:
    made = event()
    made["headers"] = headers
    assert post(deployment, made)[0] == 401


def test_unknown_components_modals_and_autocompletions_are_answered(deployment: Deployment) -> None:
    for kind in (3, 5):
        status, body, _ = post(deployment, event(encode({"type": kind, "id": "1", "token": "t"})))
        assert (status, body["type"], body["data"]["flags"]) == (200, 4, 64)
        assert body["data"]["content"]
    assert post(deployment, event(b'{"type":4}'))[:2] == (200, {"type": 8, "data": {"choices": []}})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    *("id", "token", "data", "guild_id", "channel", "channel_id", "member", "app_permissions"),
    *("name", "options", "type", "value", "parent_id", "user", "permissions"),
]


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """A real interaction in which some fields, at any depth, are gone or hold any JSON."""
    payload: Any = interaction("1a06a43", topic="x", channel_id=CHANNEL, guild_id=GUILD, user_id=USER, now=START)
    for _ in range(draw(st.integers(1, 4))):
        level = payload
        for _ in range(draw(st.integers(0, 3))):
            inner = [
                v for v in (level.values() if isinstance(level, dict) else level) if isinstance(v, dict | list) and v
            ]
            level = draw(st.sampled_from(inner)) if inner else level
        if isinstance(level, list):
            level[draw(st.integers(0, len(level) - 1))] = draw(JSON)
        elif draw(st.booleans()):
            level.pop(draw(st.sampled_from(sorted(level))))
        else:
            level[draw(st.sampled_from(FIELDS))] = draw(JSON)
    return {**payload, "type": 2}


@settings(max_examples=150)
@given(payload=damaged())
def test_any_signed_payload_is_answered_without_a_fault(deployment: Deployment, payload: dict[str, Any]) -> None:
    status, body, _ = post(deployment, event(encode(payload)))
    assert status == 200
    assert body["type"] in (4, 5)
    assert "our side" not in json.dumps(body)
