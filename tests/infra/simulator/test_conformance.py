"""The simulator's answers fit Discord's OpenAPI description, if that is available."""

from typing import Any

import pytest

from infra.simulator.router import ROUTES
from tests.infra.simulator.client import NOON, SECOND, TEXT, Bot, refused, small_world
from tests.infra.simulator.scene import REQUESTS, Scene, route_of
from tests.kit import openapi

# The description names the values in these paths differently.
PARAMETERS = {"/webhooks/{application_id}/{token}": "/webhooks/{webhook_id}/{webhook_token}"}


def schema_of(method: str, template: str, status: int) -> Any:
    """The schema of a response's body; None for an empty body."""
    for ours, theirs in PARAMETERS.items():
        template = template.replace(ours, theirs)
    responses = openapi.description()["paths"][template][method.lower()]["responses"]
    content = responses[str(status)].get("content", {})
    return content.get("application/json", {}).get("schema")


@pytest.mark.parametrize(("method", "path", "body", "status"), REQUESTS, ids=lambda value: str(value)[:60])
def test_an_answer_fits_its_schema(method: str, path: str, body: Any, status: int) -> None:
    scene = Scene()
    response = Bot(scene.discord, NOON + 60 * SECOND).send(method, scene.fill(path), body)
    assert response.status == status, response.body
    template = route_of(method, path).template
    schema = schema_of(method, template, status)
    document = response.json()

    if schema is None:
        assert document is None
        return
    if template.endswith("/threads/active"):
        # The description requires a field that Discord does not send.
        assert "has_more" not in document
        document["has_more"] = False
    openapi.validate(schema, document)


def test_every_route_in_the_description_is_checked() -> None:
    assert set(ROUTES) - {route_of(method, path) for method, path, *_ in REQUESTS} == {
        route_of("GET", "/channels/{thread}/thread-members/@me")
    }
    assert "get" not in openapi.description()["paths"]["/channels/{channel_id}/thread-members/@me"]


def test_the_answer_of_a_search_without_its_index_fits_its_schema() -> None:
    bot = Bot(small_world(search_ready=False))
    response = bot.send("GET", f"/channels/{TEXT}/threads/search")

    schema = schema_of("GET", "/channels/{channel_id}/threads/search", 202)
    openapi.validate(schema, response.json())


def test_a_refusal_fits_the_schema_of_errors() -> None:
    bot = Bot(small_world())
    unknown = bot.send("GET", "/channels/99")
    twice = bot.send("POST", f"/channels/{TEXT}/messages/{bot.start()}/threads", {"name": "x"})

    error = {"$ref": "#/components/schemas/Error"}
    assert refused(unknown) == (404, 10003)
    assert refused(twice) == (400, 160004)
    for response in (unknown, twice):
        openapi.validate(error, response.json())
