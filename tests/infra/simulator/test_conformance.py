"""The simulator's answers fit Discord's OpenAPI description, where that is at hand."""

from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from infra.simulator.exchange import Response
from infra.simulator.router import ROUTES
from tests.infra.simulator.client import ALICE, APPLICATION, FORUM, GUILD, NEWS, NOON, TEXT, Bot, refused, small_world
from tests.kit.sam_template import ROOT

DESCRIPTION = ROOT.parent / "shared" / "discord" / "openapi.json"

pytestmark = pytest.mark.skipif(not DESCRIPTION.exists(), reason="Discord's OpenAPI description is not at hand")

# What the description calls the values in these paths.
PARAMETERS = {"/webhooks/{application_id}/{token}": "/webhooks/{webhook_id}/{webhook_token}"}


@pytest.fixture(scope="module")
def description() -> Any:
    return msgspec.json.decode(DESCRIPTION.read_bytes())


def schema_of(description: Any, method: str, template: str, status: int) -> Any:
    """The schema of a response's body; None if it has none."""
    for ours, theirs in PARAMETERS.items():
        template = template.replace(ours, theirs)
    responses = description["paths"][template][method.lower()]["responses"]
    content = responses[str(status)].get("content", {})
    return content.get("application/json", {}).get("schema")


def faults(description: Any, schema: Any, document: Any) -> list[str]:
    """What is wrong with a document, by place."""
    validator = Draft202012Validator({**schema, "components": description["components"]})
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(document)]


BUTTON = {"type": 1, "components": [{"type": 2, "style": 5, "label": "Open", "url": "https://example.org"}]}


def scene() -> tuple[Bot, dict[str, str]]:
    """A world with something of everything, and the ids in it."""
    bot = Bot(small_world(rename_limit=None))
    people = bot.discord.people
    ids = {
        "message": bot.post(embeds=[{"title": "t"}], components=[BUTTON], nonce="n"),
        "thread": bot.start("one"),
        "news": bot.post(channel=NEWS),
    }
    ids["inside"] = bot.post(channel=ids["thread"])
    ids["plain"] = bot.post()
    bot.send("PUT", f"/channels/{ids['thread']}/thread-members/{ALICE}")
    people.rename(ids["thread"], "two", now=bot.now)
    people.add_archived_threads(TEXT, 3, newest=NOON)
    private = bot.send("POST", f"/channels/{TEXT}/threads", {"name": "private"}).json()["id"]
    people.archive(private, now=bot.now)
    bot.discord.begin_interaction("secret", "500", APPLICATION, bot.now, channel_id=TEXT)
    bot.discord.answer_interaction("secret", {"type": 5, "data": {"flags": 64}}, bot.now)
    bot.send("PUT", f"/applications/{APPLICATION}/commands", [{"name": "x", "description": "x"}])
    return bot, ids


POST_BODY = {"name": "x", "message": {"content": "x"}}
COMMANDS = [
    {"name": "session", "description": "Sessions", "options": [{"type": 3, "name": "name", "description": "n"}]}
]
THREAD = "/channels/{thread}"
# One request of each route, and several where the answer differs in kind.
REQUESTS: tuple[tuple[str, str, str, Any, int], ...] = (
    ("GET", "/channels/{channel_id}", f"/channels/{TEXT}", None, 200),
    ("GET", "/channels/{channel_id}", f"/channels/{FORUM}", None, 200),
    ("GET", "/channels/{channel_id}", THREAD, None, 200),
    ("PATCH", "/channels/{channel_id}", THREAD, {"name": "y", "archived": True}, 200),
    ("DELETE", "/channels/{channel_id}", THREAD, None, 200),
    ("GET", "/channels/{channel_id}/messages", f"/channels/{TEXT}/messages", None, 200),
    ("POST", "/channels/{channel_id}/messages", f"/channels/{TEXT}/messages", {"content": "<@3>", "nonce": "m"}, 200),
    ("GET", "/channels/{channel_id}/messages/{message_id}", f"/channels/{TEXT}/messages/{{thread}}", None, 200),
    (
        "PATCH",
        "/channels/{channel_id}/messages/{message_id}",
        f"/channels/{TEXT}/messages/{{plain}}",
        {"content": "y"},
        200,
    ),
    ("DELETE", "/channels/{channel_id}/messages/{message_id}", f"/channels/{TEXT}/messages/{{plain}}", None, 204),
    (
        "POST",
        "/channels/{channel_id}/messages/{message_id}/threads",
        f"/channels/{TEXT}/messages/{{plain}}/threads",
        {"name": "x"},
        201,
    ),
    (
        "POST",
        "/channels/{channel_id}/messages/{message_id}/threads",
        f"/channels/{NEWS}/messages/{{news}}/threads",
        {"name": "x"},
        201,
    ),
    ("POST", "/channels/{channel_id}/threads", f"/channels/{TEXT}/threads", {"name": "x", "type": 11}, 201),
    ("POST", "/channels/{channel_id}/threads", f"/channels/{TEXT}/threads", {"name": "x"}, 201),
    ("POST", "/channels/{channel_id}/threads", f"/channels/{FORUM}/threads", POST_BODY, 201),
    ("GET", "/channels/{channel_id}/threads/archived/public", f"/channels/{TEXT}/threads/archived/public", None, 200),
    ("GET", "/channels/{channel_id}/threads/archived/private", f"/channels/{TEXT}/threads/archived/private", None, 200),
    (
        "GET",
        "/channels/{channel_id}/users/@me/threads/archived/private",
        f"/channels/{TEXT}/users/@me/threads/archived/private",
        None,
        200,
    ),
    ("GET", "/channels/{channel_id}/threads/search", f"/channels/{TEXT}/threads/search", None, 200),
    ("GET", "/channels/{channel_id}/thread-members", THREAD + "/thread-members", None, 200),
    ("GET", "/channels/{channel_id}/thread-members/{user_id}", THREAD + f"/thread-members/{ALICE}", None, 200),
    ("PUT", "/channels/{channel_id}/thread-members/{user_id}", THREAD + "/thread-members/9", None, 204),
    ("DELETE", "/channels/{channel_id}/thread-members/{user_id}", THREAD + f"/thread-members/{ALICE}", None, 204),
    ("PUT", "/channels/{channel_id}/thread-members/@me", THREAD + "/thread-members/@me", None, 204),
    ("DELETE", "/channels/{channel_id}/thread-members/@me", THREAD + "/thread-members/@me", None, 204),
    ("GET", "/guilds/{guild_id}", f"/guilds/{GUILD}", None, 200),
    ("GET", "/guilds/{guild_id}/threads/active", f"/guilds/{GUILD}/threads/active", None, 200),
    ("GET", "/guilds/{guild_id}/audit-logs", f"/guilds/{GUILD}/audit-logs", None, 200),
    ("GET", "/users/@me", "/users/@me", None, 200),
    ("GET", "/applications/@me", "/applications/@me", None, 200),
    ("PATCH", "/applications/@me", "/applications/@me", {"interactions_endpoint_url": "https://example.org"}, 200),
    ("GET", "/applications/{application_id}/commands", f"/applications/{APPLICATION}/commands", None, 200),
    ("PUT", "/applications/{application_id}/commands", f"/applications/{APPLICATION}/commands", COMMANDS, 200),
    (
        "GET",
        "/applications/{application_id}/guilds/{guild_id}/commands",
        f"/applications/{APPLICATION}/guilds/{GUILD}/commands",
        None,
        200,
    ),
    (
        "PUT",
        "/applications/{application_id}/guilds/{guild_id}/commands",
        f"/applications/{APPLICATION}/guilds/{GUILD}/commands",
        COMMANDS,
        200,
    ),
    (
        "GET",
        "/webhooks/{application_id}/{token}/messages/@original",
        f"/webhooks/{APPLICATION}/secret/messages/@original",
        None,
        200,
    ),
    (
        "PATCH",
        "/webhooks/{application_id}/{token}/messages/@original",
        f"/webhooks/{APPLICATION}/secret/messages/@original",
        {"content": "x"},
        200,
    ),
    (
        "DELETE",
        "/webhooks/{application_id}/{token}/messages/@original",
        f"/webhooks/{APPLICATION}/secret/messages/@original",
        None,
        204,
    ),
)


def send(method: str, path: str, body: Any) -> Response:
    bot, ids = scene()
    bot.wait(60)
    return bot.send(method, path.format(**ids), body)


@pytest.mark.parametrize(("method", "template", "path", "body", "status"), REQUESTS, ids=lambda value: str(value)[:60])
def test_an_answer_fits_its_schema(
    description: Any, method: str, template: str, path: str, body: Any, status: int
) -> None:
    response = send(method, path, body)
    assert response.status == status, response.body
    schema = schema_of(description, method, template, status)
    document = response.json()

    if schema is None:
        assert document is None
        return
    if template.endswith("/threads/active"):
        # The description asks for a field that Discord does not send.
        assert "has_more" not in document
        document["has_more"] = False
    assert faults(description, schema, document) == []


def test_every_route_is_checked_but_the_one_that_is_not_described(description: Any) -> None:
    checked = {(method, template) for method, template, *_ in REQUESTS}

    assert {(route.method, route.template) for route in ROUTES} - checked == {
        ("GET", "/channels/{channel_id}/thread-members/@me")
    }
    assert "get" not in description["paths"]["/channels/{channel_id}/thread-members/@me"]


def test_a_search_that_is_not_ready_fits_its_schema(description: Any) -> None:
    bot, _ = scene()
    bot.discord.switch(search_ready=False)
    response = bot.send("GET", f"/channels/{TEXT}/threads/search")

    schema = schema_of(description, "GET", "/channels/{channel_id}/threads/search", 202)
    assert faults(description, schema, response.json()) == []


def test_a_refusal_is_an_error_with_code_and_message(description: Any) -> None:
    bot, ids = scene()
    gone = bot.send("GET", "/channels/99")
    twice = bot.send("POST", f"/channels/{TEXT}/messages/{ids['thread']}/threads", {"name": "x"})

    error = {"$ref": "#/components/schemas/Error"}
    assert refused(gone) == (404, 10003)
    assert refused(twice) == (400, 160004)
    for response in (gone, twice):
        assert faults(description, error, response.json()) == []
