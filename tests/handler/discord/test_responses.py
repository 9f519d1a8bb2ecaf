"""Callbacks and messages, checked against Discord's OpenAPI description if it is present."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from handler.discord import responses

OPENAPI = Path(__file__).resolve().parents[4] / "shared/discord/openapi.json"
LINKED = responses.message("text", link="https://discord.com/channels/1/2")


def test_a_pong_has_only_a_type() -> None:
    assert responses.pong() == {"type": 1}


def test_a_deferral_is_ephemeral_and_has_no_other_flag() -> None:
    assert responses.defer() == {"type": 5, "data": {"flags": 64}}


def test_an_answer_is_ephemeral_and_mentions_nobody() -> None:
    answer = responses.reply(responses.message("text"))
    assert answer == {
        "type": 4,
        "data": {"content": "text", "flags": 64, "allowed_mentions": {"parse": []}, "components": [], "embeds": []},
    }


def test_a_link_is_a_button_with_a_url() -> None:
    button = LINKED["components"][0]["components"][0]
    assert button == {"type": 2, "style": 5, "label": "Open the thread", "url": "https://discord.com/channels/1/2"}


def test_an_edit_removes_earlier_buttons() -> None:
    edited = responses.edit_body(responses.message("text"))
    assert (edited["components"], edited["embeds"]) == ([], [])


def test_an_autocompletion_has_no_choices() -> None:
    assert responses.no_choices() == {"type": 8, "data": {"choices": []}}


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    if not OPENAPI.exists():
        pytest.skip("Discord's OpenAPI description is not beside the project")
    document: dict[str, Any] = json.loads(OPENAPI.read_text())
    return document


@pytest.mark.parametrize(
    "callback", [responses.pong(), responses.defer(), responses.reply(LINKED), responses.no_choices()]
)
def test_callbacks_match_discords_schema(schemas: dict[str, Any], callback: dict[str, Any]) -> None:
    path = schemas["paths"]["/interactions/{interaction_id}/{interaction_token}/callback"]["post"]
    validate(schemas, path["requestBody"]["content"]["application/json"]["schema"], callback)


def test_an_edit_matches_discords_schema(schemas: dict[str, Any]) -> None:
    path = schemas["paths"]["/webhooks/{webhook_id}/{webhook_token}/messages/@original"]["patch"]
    validate(schemas, path["requestBody"]["content"]["application/json"]["schema"], responses.edit_body(LINKED))


def validate(document: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    resolvable = {**schema, "components": document["components"]}
    jsonschema.Draft202012Validator(resolvable).validate(value)
