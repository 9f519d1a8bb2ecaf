"""Callbacks and messages, checked against Discord's OpenAPI description if it is present."""

from typing import Any

import pytest

from handler.discord import responses
from tests.kit.openapi import description, validate

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
    assert responses.choices([]) == {"type": 8, "data": {"choices": []}}


@pytest.mark.parametrize(
    "callback", [responses.pong(), responses.defer(), responses.reply(LINKED), responses.choices([])]
)
def test_callbacks_match_discords_schema(callback: dict[str, Any]) -> None:
    path = description()["paths"]["/interactions/{interaction_id}/{interaction_token}/callback"]["post"]
    validate(path["requestBody"]["content"]["application/json"]["schema"], callback)


def test_an_edit_matches_discords_schema() -> None:
    path = description()["paths"]["/webhooks/{webhook_id}/{webhook_token}/messages/@original"]["patch"]
    validate(path["requestBody"]["content"]["application/json"]["schema"], responses.edit_body(LINKED))
