"""The simulated Discord behind a socket, and its control path."""

import concurrent.futures
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from infra.simulator.exchange import Request
from infra.simulator.server import DiscordServer
from tests.infra.simulator.client import APPLICATION, GUILD, HEADERS, OWNER, TEXT, small_world

MESSAGES = "/channels/{channel_id}/messages"


@pytest.fixture
def server() -> Iterator[DiscordServer]:
    with DiscordServer(small_world()) as running:
        yield running


@pytest.fixture
def http(server: DiscordServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers=HEADERS, timeout=60) as client:
        yield client


def post(http: httpx.Client, **fields: Any) -> httpx.Response:
    return http.post(f"/api/v10/channels/{TEXT}/messages", json={"content": "x", **fields})


def act(http: httpx.Client, act_name: str, /, **arguments: Any) -> httpx.Response:
    return http.post(f"/_/people/{act_name}", json=arguments)


def test_the_api_keeps_a_connection_alive(http: httpx.Client) -> None:
    message = post(http).json()["id"]
    deleted = http.delete(f"/api/v10/channels/{TEXT}/messages/{message}")

    assert deleted.status_code == 204
    assert http.get(f"/api/v10/channels/{TEXT}/messages", params={"limit": "5"}).json() == []
    assert deleted.http_version == "HTTP/1.1"
    assert "connection" not in deleted.headers


def test_other_paths_are_not_served(http: httpx.Client) -> None:
    assert http.get("/channels/10").status_code == 404
    assert http.get("/_/nothing").status_code == 404


def test_simultaneous_requests_follow_one_another(server: DiscordServer) -> None:
    def one(_: int) -> str:
        with httpx.Client(base_url=server.url, headers=HEADERS) as client:
            return str(post(client, nonce="n", enforce_nonce=True).json()["id"])

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(one, range(24)))) == 1
    assert len(server.discord.messages) == 1


@pytest.mark.parametrize(("when", "messages"), [("before", 0), ("after", 1)])
def test_a_dropped_connection_has_no_answer(
    server: DiscordServer, http: httpx.Client, when: str, messages: int
) -> None:
    http.post("/_/faults", json={"method": "POST", "route": MESSAGES, "what": "drop", "when": when})

    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        post(http)
    assert len(server.discord.messages) == messages


class LateEffects(DiscordServer):
    """Holds a late effect back until it may happen, and tells when it has happened."""

    allowed, happened = threading.Event(), threading.Event()

    def take_effect(self, request: Request) -> None:
        self.allowed.wait(5)
        super().take_effect(request)
        self.happened.set()


def test_a_hang_takes_effect_late_although_the_caller_timed_out() -> None:
    server = LateEffects(small_world())
    with server, httpx.Client(base_url=server.url, headers=HEADERS, timeout=60) as http:
        fault = {"method": "POST", "route": MESSAGES, "what": "hang", "when": "late", "seconds": 0.1}
        http.post("/_/faults", json=fault)
        with pytest.raises(httpx.ReadTimeout):
            http.post(f"/api/v10/channels/{TEXT}/messages", json={"content": "x"}, timeout=0.05)
        assert not server.discord.messages

        server.allowed.set()
        assert server.happened.wait(5)
        assert len(server.discord.messages) == 1


def test_a_faults_response_is_given_as_described(http: httpx.Client) -> None:
    html = {"status": 502, "text": "<html></html>"}
    http.post("/_/faults", json={"method": "*", "route": "*", "what": html})
    http.post("/_/faults", json={"method": "*", "route": "*", "what": {"status": 500, "json": {"code": 0}}})

    first, second = post(http), post(http)
    assert (first.status_code, first.headers["content-type"], first.text) == (502, "text/html", "<html></html>")
    assert (second.status_code, second.json()) == (500, {"code": 0})
    assert post(http).status_code == 200


def test_people_act_by_http(http: httpx.Client) -> None:
    thread = act(http, "create_thread", channel_id=TEXT, name="one", by=OWNER).json()["result"]
    assert act(http, "rename", thread_id=thread, name="two").status_code == 200
    assert http.get(f"/api/v10/channels/{thread}").json()["name"] == "two"

    act(http, "delete_thread", thread_id=thread)
    assert http.get(f"/api/v10/channels/{thread}").json()["code"] == 10003


def test_many_archived_threads_are_added_by_http(http: httpx.Client) -> None:
    made = act(http, "add_archived_threads", channel_id=TEXT, count=3, name="Session {}").json()["result"]

    page = http.get(f"/api/v10/channels/{TEXT}/threads/archived/public").json()
    assert [thread["name"] for thread in page["threads"]] == ["Session 0", "Session 1", "Session 2"]
    assert len(made) == 3


def test_an_impossible_action_is_409_and_an_invalid_request_400(http: httpx.Client) -> None:
    assert act(http, "rename", thread_id="9", name="x").status_code == 409
    assert act(http, "rename", nonsense=1).status_code == 400
    assert act(http, "_change", thread_id="9").status_code == 400
    assert http.post("/_/world/fork", json={}).status_code == 400
    assert "error" in act(http, "rename", nonsense=1).json()


def test_the_simulated_discord_is_built_set_and_read_by_http(http: httpx.Client) -> None:
    http.post("/_/world/add_channel", json={"guild_id": GUILD, "channel_id": "19", "name": "new"})
    http.post("/_/world/switch", json={"nonce_seconds": 0})
    assert (
        post(http, nonce="n", enforce_nonce=True).json()["id"] != post(http, nonce="n", enforce_nonce=True).json()["id"]
    )

    act(http, "post_message", channel_id=TEXT, content="hello")
    world = http.get("/_/world").json()
    assert "19" in [channel["id"] for channel in world["channels"]]
    assert [message["content"] for message in world["messages"]] == ["x", "x", "hello"]


def test_an_interaction_is_played_by_http(http: httpx.Client) -> None:
    begun = {"token": "secret", "interaction_id": "500", "application_id": APPLICATION, "channel_id": TEXT}
    http.post("/_/interactions", json=begun)
    assert http.post("/_/interactions/secret", json={"type": 5, "data": {"flags": 64}}).json() == {"result": True}
    http.patch(f"/api/v10/webhooks/{APPLICATION}/secret/messages/@original", json={"content": "done"})

    seen = http.get("/_/interactions/secret").json()
    assert (seen["state"], seen["first_answer"]["type"], seen["original"]["content"]) == ("answered", 5, "done")


def test_calls_are_counted_and_the_counts_reset(http: httpx.Client) -> None:
    post(http)
    assert http.get("/_/calls").json() == [{"method": "POST", "route": MESSAGES, "status": 200, "count": 1}]

    http.delete("/_/calls")
    assert http.get("/_/calls").json() == []
