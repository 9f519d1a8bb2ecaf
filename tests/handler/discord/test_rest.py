"""The requests and results of the client's methods."""

import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from handler.discord.rest import Discord
from handler.discord.rest import Request as WireRequest
from handler.discord.wire import build_client
from handler.errors import DiscordRefused, DiscordUnavailable, NotFound
from handler.runtime.secrets import Secret
from infra.virtual_time import START
from tests.kit.scripted_discord import API_URL, failure, ok, refusal, scripted
from tests.kit.secrets import INTERACTION_TOKEN

KEEP_ALIVE_SECONDS = 300.0

Ask = Callable[[Discord], Coroutine[Any, Any, Any]]
THREAD = {
    "id": "42",
    "type": 11,
    "name": "Session 1a06a43",
    "parent_id": "1",
    "thread_metadata": {"archived": True, "archive_timestamp": "2026-11-01T10:00:00+00:00", "locked": True},
}
MESSAGE = {"id": "5", "channel_id": "1", "author": {"id": "900", "bot": True}, "content": ""}
BEFORE = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ask", "reply", "sent", "body"),
    [
        (lambda d: d.channel("42"), THREAD, "GET /channels/42", None),
        (lambda d: d.change_thread("42", archived=False), THREAD, "PATCH /channels/42", {"archived": False}),
        (
            lambda d: d.change_thread(
                "42", archived=True, locked=False, name="x", auto_archive_duration=60, reason="r"
            ),
            THREAD,
            "PATCH /channels/42",
            {"archived": True, "locked": False, "name": "x", "auto_archive_duration": 60},
        ),
        (lambda d: d.active_threads("9"), {"threads": [THREAD]}, "GET /guilds/9/threads/active", None),
        (
            lambda d: d.archived_threads("1", before=None),
            {"threads": [], "has_more": False},
            "GET /channels/1/threads/archived/public?limit=100",
            None,
        ),
        (
            lambda d: d.archived_threads("1", before=BEFORE, limit=2),
            {"threads": [THREAD], "has_more": True},
            "GET /channels/1/threads/archived/public?before=2026-11-01T10%3A00%3A00.000000Z&limit=2",
            None,
        ),
        (
            lambda d: d.search_threads("1", "Session a&b"),
            {"threads": [THREAD], "has_more": False, "total_results": 1},
            "GET /channels/1/threads/search?name=Session+a%26b&limit=25",
            None,
        ),
        (
            lambda d: d.post_message("1", {"content": "hi"}, nonce="abc"),
            MESSAGE,
            "POST /channels/1/messages",
            {"content": "hi", "nonce": "abc", "enforce_nonce": True},
        ),
        (lambda d: d.message("1", "5"), MESSAGE, "GET /channels/1/messages/5", None),
        (lambda d: d.delete_message("1", "5"), None, "DELETE /channels/1/messages/5", None),
        (
            lambda d: d.start_thread("1", "42", name="Session 1a06a43", auto_archive_duration=4320),
            THREAD,
            "POST /channels/1/messages/42/threads",
            {"name": "Session 1a06a43", "auto_archive_duration": 4320},
        ),
        (lambda d: d.add_thread_member("42", "7"), None, "PUT /channels/42/thread-members/7", None),
        (lambda d: d.current_user_id(), {"id": "900", "bot": True}, "GET /users/@me", None),
        (
            lambda d: d.edit_original(INTERACTION_TOKEN, {"content": "done"}),
            {},
            f"PATCH /webhooks/900/{INTERACTION_TOKEN}/messages/@original",
            {"content": "done"},
        ),
    ],
)
async def test_each_method_sends_the_documented_request(ask: Ask, reply: Any, sent: str, body: Any) -> None:
    script, discord = scripted(httpx.Response(204) if reply is None else ok(reply))
    await ask(discord)
    (request,) = script.requests
    assert f"{request.method} {request.url.raw_path.decode().removeprefix('/api/v10')}" == sent
    assert (json.loads(request.content) if request.content else None) == body


async def test_a_thread_has_its_state() -> None:
    _, discord = scripted(ok(THREAD))
    thread = await discord.channel("42")
    assert (thread.id, thread.parent_id, thread.archived, thread.locked) == ("42", "1", True, True)


async def test_a_channel_that_discord_calls_unknown_is_none() -> None:
    _, discord = scripted(refusal(404, 10003, "Unknown Channel"))
    assert await discord.channel_or_none("42") is None


@pytest.mark.parametrize("code", [0, 10004, 10008])
async def test_any_other_404_for_a_channel_is_an_outage(code: int) -> None:
    _, discord = scripted(refusal(404, code))
    await failure(DiscordUnavailable, discord.channel_or_none("42"))


@pytest.mark.parametrize(
    ("headers", "date"),
    [({"date": "Mon, 23 Nov 2026 11:58:00 GMT"}, datetime(2026, 11, 23, 11, 58, tzinfo=UTC)), ({}, START)],
)
async def test_a_list_has_discords_time_or_ours_without_a_date_header(headers: dict[str, str], date: datetime) -> None:
    _, discord = scripted(ok({"threads": [THREAD], "has_more": True}, **headers))
    found = await discord.archived_threads("1", before=None)
    assert (found.date, found.has_more, found.threads[0].id) == (date, True, "42")


@pytest.mark.parametrize("lost", [[], [httpx.ReadError("lost")]], ids=["second start", "response of the first lost"])
async def test_a_start_from_a_message_that_has_a_thread_is_refused_with_160004(lost: list[Exception]) -> None:
    _, discord = scripted(*lost, refusal(400, 160004, "A thread has already been created for this message"))
    start = discord.start_thread("1", "42", name="x", auto_archive_duration=60)
    assert (await failure(DiscordRefused, start)).code == 160004


async def test_the_bots_user_id_is_fetched_once() -> None:
    script, discord = scripted(ok({"id": "900"}))
    assert {await discord.current_user_id(), await discord.current_user_id()} == {"900"}
    assert len(script.sent) == 1


async def test_an_edit_is_repeated_while_discord_may_not_know_the_deferral_yet() -> None:
    script, discord = scripted(*[refusal(404, 10015)] * 6, ok({}))
    await discord.edit_original(INTERACTION_TOKEN, {"content": "done"}, unknown_until=START + timedelta(seconds=30))
    assert script.moments == pytest.approx([0, 0.2, 0.6, 1.4, 3.0, 5.0, 7.0], abs=1e-3)


async def test_an_edit_of_an_unknown_deferral_is_given_up() -> None:
    script, discord = scripted(*[refusal(404, 10015, "Unknown Webhook")] * 5)
    edit = discord.edit_original(INTERACTION_TOKEN, {"content": "done"}, unknown_until=START + timedelta(seconds=2))
    assert (await failure(NotFound, edit)).code == 10015
    assert len(script.sent) == 5


async def test_an_edit_of_an_old_deferral_is_not_repeated() -> None:
    script, discord = scripted(refusal(404, 10015))
    await failure(NotFound, discord.edit_original(INTERACTION_TOKEN, {"content": "done"}))
    assert len(script.sent) == 1


async def test_an_edit_with_an_expired_token_is_not_repeated() -> None:
    script, discord = scripted(refusal(401, 50027, "Invalid Webhook Token"))
    edit = discord.edit_original(Secret(INTERACTION_TOKEN), {"content": "done"})
    assert (await failure(DiscordRefused, edit)).code == 50027
    assert len(script.sent) == 1


async def test_any_request_can_be_sent_and_its_response_is_returned() -> None:
    script, discord = scripted(ok({"anything": 1}, x_something="else"))
    request = WireRequest("GET", "/guilds/9/audit-logs", "GET /guilds/{guild}/audit-logs", query=(("limit", "100"),))
    answer = await discord.request(request)
    assert (answer.status, answer.headers["x-something"], json.loads(answer.body)) == (200, "else", {"anything": 1})
    assert script.requests[0].url.query == b"limit=100"


async def test_a_reason_is_sent_as_the_audit_log_header() -> None:
    script, discord = scripted(httpx.Response(204))
    await discord.delete_message("1", "5", reason="its thread is gone")
    assert script.requests[0].headers["x-audit-log-reason"] == "its%20thread%20is%20gone"


async def test_the_client_reads_no_proxy_variables_and_follows_no_redirect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://elsewhere.test:1")
    client = build_client(API_URL)
    assert client.follow_redirects is False
    assert client.trust_env is False
    assert not client._mounts
    await client.aclose()


async def test_idle_connections_are_kept() -> None:
    client = build_client(API_URL)
    transport: Any = client._transport
    assert transport._pool._keepalive_expiry == KEEP_ALIVE_SECONDS
    await client.aclose()
