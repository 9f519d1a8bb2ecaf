"""Each request, checked against Discord's OpenAPI description if it is present."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from handler.discord import routes
from handler.discord.http import Request, encode_body
from tests.kit.openapi import description, validate
from tests.kit.secrets import INTERACTION_TOKEN

MOMENT = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
CHANNEL, MESSAGE, GUILD, USER = (
    "1000000000000000001",
    "1000000000000000002",
    "1000000000000000003",
    "1000000000000000004",
)
BODY = {
    "content": "**Session** 1a06a43",
    "allowed_mentions": {"parse": []},
    "flags": 4,
    "embeds": [{"description": "opened"}],
}
REQUESTS = {
    "get channel": routes.get_channel(CHANNEL),
    "unarchive": routes.change_thread(CHANNEL, {"archived": False}, "opened again"),
    "change all": routes.change_thread(
        CHANNEL, {"archived": True, "locked": True, "name": "x" * 100, "auto_archive_duration": 10080}, None
    ),
    "delete thread": routes.delete_thread(CHANNEL, "no activity"),
    "audit log": routes.audit_log(GUILD, None, 100),
    "audit log after": routes.audit_log(GUILD, MESSAGE, 1),
    "active threads": routes.active_threads(GUILD),
    "archived threads": routes.archived_threads(CHANNEL, None, 100),
    "search threads": routes.search_threads(CHANNEL, "Session 1a06a43", 25),
    "archived threads before": routes.archived_threads(CHANNEL, MOMENT, 2),
    "post message": routes.post_message(CHANNEL, BODY, "n" * 25),
    "get message": routes.get_message(CHANNEL, MESSAGE),
    "list messages": routes.list_messages(CHANNEL, MESSAGE, 100),
    "edit message": routes.edit_message(CHANNEL, MESSAGE, BODY),
    "delete message": routes.delete_message(CHANNEL, MESSAGE, "its thread is gone"),
    "start thread": routes.start_thread(CHANNEL, MESSAGE, "Session 1a06a43", 4320),
    "create post": routes.create_thread(
        CHANNEL,
        {"name": "Session 1a06a43", "auto_archive_duration": 4320, "message": BODY, "applied_tags": [MESSAGE]},
        "asked for",
    ),
    "create private thread": routes.create_thread(
        CHANNEL, {"name": "Session 1a06a43", "auto_archive_duration": 4320, "type": 12, "invitable": False}, None
    ),
    "private threads": routes.private_threads(CHANNEL, 100),
    "joined private threads": routes.joined_private_threads(CHANNEL, MESSAGE, 100),
    "thread member": routes.get_thread_member(CHANNEL, USER),
    "add member": routes.add_thread_member(CHANNEL, USER),
    "remove member": routes.remove_thread_member(CHANNEL, USER),
    "member": routes.get_member(GUILD, USER),
    "current user": routes.get_current_user(),
    "edit original": routes.edit_original(USER, INTERACTION_TOKEN, BODY),
}
# The union of PATCH /channels accepts nonsense; a thread's change is one branch of it.
THREAD_CHANGE = {"$ref": "#/components/schemas/UpdateThreadRequestPartial", "unevaluatedProperties": False}


def test_every_route_is_checked_here() -> None:
    functions = {name for name, value in vars(routes).items() if callable(value) and not name.startswith("_")}
    used = functions - {"Any", "Mapping", "Request", "quote", "datetime"}
    assert len({request.route for request in REQUESTS.values()}) == len(used)


def described(request: Request) -> dict[str, Any]:
    """The operation of the most literal path that fits."""
    fitting = [
        path
        for path in description()["paths"]
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path.replace(".", r"\.")), request.path)
        and request.method.lower() in description()["paths"][path]
    ]
    assert fitting, f"{request.route} is not described"
    best = min(fitting, key=lambda path: path.count("{"))
    operation: dict[str, Any] = description()["paths"][best][request.method.lower()]
    return operation


@pytest.mark.parametrize("name", REQUESTS)
def test_each_request_matches_discords_description(name: str) -> None:
    request = REQUESTS[name]
    operation = described(request)
    known = {p["name"]: p for p in operation.get("parameters", []) if p.get("in") == "query"}
    for key, text in request.query:
        value = int(text) if known[key]["schema"].get("type") == "integer" else text
        validate(known[key]["schema"], value)
    if (body := encode_body(request)) is not None:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        validate(THREAD_CHANGE if request.route == "PATCH /channels/{channel}" else schema, json.loads(body))
    else:
        assert not operation.get("requestBody", {}).get("required", False)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_route_is_the_template_of_its_path_without_ids(name: str) -> None:
    request = REQUESTS[name]
    method, _, template = request.route.partition(" ")
    assert method == request.method
    assert re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), request.path)
    assert not re.search(r"\d", template)


def test_archive_times_are_sent_with_microseconds_in_utc() -> None:
    eastern = MOMENT.astimezone(timezone(timedelta(hours=-5)))
    assert ("before", "2026-11-23T12:00:00.123456Z") in routes.archived_threads(CHANNEL, eastern, 100).query


def test_all_known_routes_are_repeatable_but_those_that_create_a_thread_without_an_anchor() -> None:
    once = {name for name, request in REQUESTS.items() if not request.repeatable}
    assert once == {"create post", "create private thread"}
    assert not Request("POST", "/channels/1/threads", "POST /channels/{channel}/threads").repeatable
