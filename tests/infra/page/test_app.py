"""The page's HTTP interface, without a stack: who may use it, and what it says to a wrong request."""

from typing import Any, cast

import pytest
from starlette.testclient import TestClient

from infra.local.discord import LocalDiscord
from infra.local.discord_client import DiscordClient
from infra.local.scenarios import SCENARIOS
from infra.local.stack import Stack
from infra.page.app import Page, build_app
from infra.page.breaks import Breaks
from infra.page.feed import Feed
from infra.page.people import PageUsers
from infra.page.room import Room
from infra.page.tour import PageTour
from infra.page.world import World
from tests.infra.page.conftest import CHANNEL, NOW

TOKEN = "made-up-page-token"
ALLOWED = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def feed() -> Feed:
    return Feed()


@pytest.fixture
def client(discord: LocalDiscord, world: World, feed: Feed) -> TestClient:
    stack = Stack()
    stack.discord, stack.pools = discord, {}
    endpoint = DiscordClient(control_url=discord.url, gateway_url="http://127.0.0.1:9")
    users = PageUsers(discord, endpoint, world, feed)
    breaks = Breaks(stack, endpoint, world, feed)
    page = Page(TOKEN, feed, world, users, breaks, cast("Room", None), PageTour(stack, feed))
    return TestClient(build_app(page), base_url="http://127.0.0.1")


def post(client: TestClient, path: str, /, **fields: Any) -> Any:
    return client.post(f"/api/{path}", headers=ALLOWED, json=fields)


def test_the_interface_needs_the_token_of_this_run(client: TestClient) -> None:
    for headers in ({}, {"authorization": "Bearer other"}, {"authorization": TOKEN}):
        for path in ("/api/start", "/api/view", "/api/feed"):
            assert client.get(path, headers=headers).status_code == 401
        assert client.post("/api/message", headers=headers, json={}).status_code == 401
    assert client.get("/api/start", headers=ALLOWED).status_code == 200


def test_another_name_for_this_machine_is_refused(client: TestClient) -> None:
    assert client.get("/", headers={"host": "example.com"}).status_code == 400


def test_the_files_need_no_token_and_allow_nothing_from_elsewhere(client: TestClient) -> None:
    answered = client.get("/")
    assert answered.status_code == 200
    policy = answered.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "frame-ancestors 'none'" in policy
    assert "http" not in answered.text


@pytest.mark.parametrize(
    ("action", "fields", "status", "error"),
    [
        ("nothing", {}, 404, ""),
        ("message", {"user": "nobody", "place_id": CHANNEL, "content": "x"}, 404, "nobody is called nobody"),
        ("message", {"user": "you", "place_id": "1", "content": "x"}, 404, "no such channel"),
        ("message", {"user": "guest", "place_id": CHANNEL, "content": "x"}, 403, "guest may not write here"),
        ("message", {"user": "you", "place_id": CHANNEL, "content": "  "}, 403, "needs some text"),
        ("message", {"user": "you"}, 400, "missing"),
        ("moderate", {"user": "you", "action": "archive", "fields": {"thread_id": "1"}}, 403, "Switch to vera"),
        ("moderate", {"user": "vera", "action": "archive", "fields": {"thread_id": "1"}}, 409, "no thread 1"),
        ("moderate", {"user": "vera", "action": "remove_member", "fields": {}}, 404, "no such action"),
        ("break", {"name": "everything", "channel_id": CHANNEL}, 404, "no such button"),
        ("tour", {"do": "dance"}, 400, "cannot dance"),
    ],
)
def test_a_wrong_request_gets_a_clear_error(
    client: TestClient, action: str, fields: dict[str, Any], status: int, error: str
) -> None:
    answered = client.post(f"/api/{action}", headers=ALLOWED, json=fields)
    assert answered.status_code == status
    assert error in answered.text


def test_rubbish_is_refused(client: TestClient) -> None:
    assert client.post("/api/message", headers=ALLOWED, content=b"[1]").status_code == 400
    assert client.post("/api/message", headers=ALLOWED, content=b"x" * 100_001).status_code == 413


def test_a_member_writes_and_another_bot_threads_the_message(client: TestClient, world: World) -> None:
    written = post(client, "message", user="mona", place_id=CHANNEL, content="hello").json()["result"]
    assert post(client, "bot", does="thread", channel_id=CHANNEL, message_id=written).status_code == 200
    (shown,) = world.view(CHANNEL, world.user("you"))["messages"]
    assert (shown["id"], shown["thread"]["id"]) == (written, written)
    assert post(client, "moderate", user="vera", action="lock", fields={"thread_id": written}).status_code == 200
    assert world.view(written, world.user("you"))["thread"]["thread_metadata"]["locked"]


def test_an_endpoint_that_is_out_shows_did_not_respond(client: TestClient, feed: Feed) -> None:
    post(client, "command", user="mona", channel_id=CHANNEL, path="session list", options={})
    for _ in range(200):
        if states := [record["state"] for record in feed.since(0) if record["kind"] == "answer"][1:]:
            break
        client.get("/api/start", headers=ALLOWED)
    assert states == ["failed"]


def test_faults_that_are_injected_are_healed(client: TestClient, discord: LocalDiscord) -> None:
    for name in ("slow", "discord-429", "discord-500", "proxy", "block", "nonces", "kill-start"):
        said = post(client, "break", name=name, channel_id=CHANNEL).json()["result"]
        assert said.endswith(".")
    assert len(discord.discord.faults.pending) == 4
    assert discord.delays[CHANNEL] == 0.9
    discord.discord.people.set_permissions(CHANNEL, [], now=NOW)
    post(client, "break", name="heal", channel_id=CHANNEL)
    assert not discord.discord.faults.pending
    assert not discord.delays
    assert not discord.after(1, "POST", "/channels/1/messages/2/threads")
    assert discord.discord.state.channels[CHANNEL].permissions != 0


def test_the_page_s_tour_is_the_terminal_s(client: TestClient) -> None:
    tour = client.get("/api/start", headers=ALLOWED).json()["tour"]
    assert tour["titles"] == [scenario.title for scenario in SCENARIOS]
