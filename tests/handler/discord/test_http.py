"""Headers and bodies of requests."""

import tomllib
from urllib.parse import unquote

import pytest

from handler import __version__
from handler.discord import routes
from handler.discord.http import Request, Response, encode_body, encode_headers
from tests.kit.sam_template import ROOT
from tests.kit.scripted_discord import TOKEN
from tests.kit.secrets import BOT_TOKEN, INTERACTION_TOKEN

MAX_REASON_LENGTH = 512


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "handler.__version__"}


def test_the_user_agent_has_discords_format() -> None:
    agent = encode_headers(routes.get_channel("1"), TOKEN)["user-agent"]
    assert agent == f"DiscordBot (https://github.com/onethread/onethread, {__version__})"


def test_the_token_is_sent_only_with_authorized_requests() -> None:
    assert encode_headers(routes.get_channel("1"), TOKEN)["authorization"] == f"Bot {BOT_TOKEN}"
    assert "authorization" not in encode_headers(routes.edit_original("9", INTERACTION_TOKEN, {}), TOKEN)
    assert "authorization" not in encode_headers(routes.get_channel("1"), None)


def test_a_reason_is_shortened_and_percent_encoded() -> None:
    request = routes.delete_message("1", "2", "ü" * 600 + "\n")
    reason = encode_headers(request, TOKEN)["x-audit-log-reason"]
    assert reason.isascii()
    assert unquote(reason) == "ü" * MAX_REASON_LENGTH
    assert "x-audit-log-reason" not in encode_headers(routes.delete_message("1", "2", None), TOKEN)


def test_a_lone_surrogate_in_a_reason_is_replaced() -> None:
    assert encode_headers(routes.delete_message("1", "2", "\ud83d"), TOKEN)["x-audit-log-reason"] == "%3F"


def test_a_json_body_has_its_content_type_and_no_body_has_none() -> None:
    start = routes.start_thread("1", "2", "Session ü", 4320)
    assert encode_body(start) == '{"name":"Session ü","auto_archive_duration":4320}'.encode()
    assert encode_headers(start, TOKEN)["content-type"] == "application/json"
    assert encode_body(routes.get_channel("1")) is None
    assert "content-type" not in encode_headers(routes.get_channel("1"), TOKEN)


@pytest.mark.parametrize(
    ("request_", "major"),
    [
        (routes.get_channel("1"), "1"),
        (routes.start_thread("1", "2", "x", 60), "1"),
        (routes.active_threads("9"), "9"),
        (routes.get_current_user(), ""),
    ],
)
def test_rate_limits_are_kept_by_channel_and_guild(request_: Request, major: str) -> None:
    assert request_.major == major


def test_reprs_show_no_token_and_no_users_text() -> None:
    request = routes.edit_original("9", INTERACTION_TOKEN, {"content": "private words"})
    printed = repr(request) + request.major + request.route + repr(Response(200, {}, b"private words"))
    assert INTERACTION_TOKEN not in printed
    assert "private" not in printed


@pytest.mark.parametrize("identifier", ["", "..", "1/../2", "@me", "1?x", "１", "-1"])
def test_a_malformed_id_raises_value_error(identifier: str) -> None:
    with pytest.raises(ValueError, match="snowflake"):
        routes.get_channel(identifier)


def test_a_token_in_a_path_is_percent_encoded() -> None:
    assert routes.edit_original("9", "a/../b?c", {}).path == "/webhooks/9/a%2F..%2Fb%3Fc/messages/@original"
