"""Requests that Discord refuses, each with its HTTP status and Discord's code."""

from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.infra.simulator.client import Bot, refused
from tests.infra.simulator.scene import Scene

START = "POST /channels/{text}/messages/{plain}/threads"
SECOND = "POST /channels/{text}/messages/{thread}/threads"
SEND = "POST /channels/{text}/messages"
PUBLIC = "GET /channels/{text}/threads/archived/public"
JOINED = "GET /channels/{text}/users/@me/threads/archived/private"
COMMANDS = "PUT /applications/{app}/commands"
NAME = {"name": "x"}
CONTENT = {"content": "x"}
OPTION = {"name": "a", "description": "a", "type": 3}


def command(**changes: Any) -> list[dict[str, Any]]:
    return [{"name": "session", "description": "Sessions", "options": [], **changes}]


# Request, body, answer; and the field with which the answer finds fault.
CASES: dict[str, tuple[Any, ...]] = {
    "an unknown path": ("GET /nothing", None, (404, 0)),
    "an id that is no number": ("GET /channels/abc", None, (404, 0)),
    "an unknown method": ("PUT /channels/{text}", None, (405, 0)),
    "a body that is not an object": (SEND, [1], (400, 50035)),
    "a thread without a name": (START, {"name": ""}, (400, 50035)),
    "a name of 101 characters": (START, {"name": "x" * 101}, (400, 50035)),
    "a name of 102 UTF-16 units": (START, {"name": "😀" * 51}, (400, 50035)),
    "a name that is no text": (START, {"name": None}, (400, 50035)),
    "a blocked word in a name": (START, {"name": "a Bad one"}, (400, 200001)),
    "a word in a name that Server Discovery refuses": (START, {"name": "a Worse one"}, (400, 50035), "name"),
    "the same in a new name": ("PATCH /channels/{thread}", {"name": "worse"}, (400, 50035), "name"),
    "an unknown duration": (START, {**NAME, "auto_archive_duration": 5}, (400, 50035), "auto_archive_duration"),
    "a second thread from a message": (SECOND, NAME, (400, 160004)),
    "a thread in a thread": ("POST /channels/{thread}/messages/{inside}/threads", NAME, (400, 50024)),
    "a thread from a message in a forum": ("POST /channels/{forum}/messages/{inside}/threads", NAME, (400, 50024)),
    "a forum post without a message": ("POST /channels/{forum}/threads", NAME, (400, 50035)),
    "a change of a channel": ("PATCH /channels/{text}", NAME, (403, 50013)),
    "the deletion of a channel": ("DELETE /channels/{text}", None, (403, 50013)),
    "a member of an archived thread": ("PUT /channels/{archived}/thread-members/{alice}", None, (400, 50083)),
    "a page of 1 thread": (f"{PUBLIC}?limit=1", None, (400, 50035)),
    "a page of 101 threads": (f"{PUBLIC}?limit=101", None, (400, 50035)),
    "a page of many threads": (f"{PUBLIC}?limit=many", None, (400, 50035)),
    "a page before what is no time": (f"{PUBLIC}?before=41771983423143937x", None, (400, 50035)),
    "a page of joined threads before a time": (f"{JOINED}?before=2026-11-23T12:00:00Z", None, (400, 50035)),
    "a page of no entries": ("GET /guilds/{guild}/audit-logs?limit=0", None, (400, 50035)),
    "a page of 101 entries": ("GET /guilds/{guild}/audit-logs?limit=101", None, (400, 50035)),
    "a message of no characters": (SEND, {"content": ""}, (400, 50006)),
    "a message without content": (SEND, {}, (400, 50006)),
    "a message of 2001 characters": (SEND, {"content": "x" * 2001}, (400, 50035)),
    "a blocked word in a message": (SEND, {"content": "a bad word"}, (400, 200000)),
    "a nonce of 26 characters": (SEND, {**CONTENT, "nonce": "n" * 26}, (400, 50035), "nonce"),
    "a message in a forum": ("POST /channels/{forum}/messages", CONTENT, (400, 40058)),
    "a command with a capital letter": (COMMANDS, command(name="Session"), (400, 50035), "0.name"),
    "a command's name of 33 characters": (COMMANDS, command(name="x" * 33), (400, 50035), "0.name"),
    "a command without a description": (COMMANDS, command(description=""), (400, 50035), "0.description"),
    "a description of 101 characters": (COMMANDS, command(description="x" * 101), (400, 50035), "0.description"),
    "a command of 26 options": (COMMANDS, command(options=[OPTION] * 26), (400, 50035), "0.options"),
    "a required option after another": (
        COMMANDS,
        command(options=[OPTION, {**OPTION, "name": "b", "required": True}]),
        (400, 50035),
        "0.options.1",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_refused_request_is_explained_and_changes_nothing(name: str) -> None:
    request, body, answer, *fields = CASES[name]
    scene = Scene()
    scene.discord.switch(blocked_title_words=("bad",), blocked_message_words=("BAD",), refused_title_words=("worse",))
    before = scene.discord.fingerprint()
    method, _, target = scene.fill(request).partition(" ")
    path, _, query = target.partition("?")
    given: dict[str, Any] = dict(parse_qsl(query))
    response = Bot(scene.discord).send(method, path, body, **given)

    assert refused(response) == answer
    assert scene.discord.fingerprint() == before
    for field in fields:
        errors = response.json()["errors"]
        for part in field.split("."):
            errors = errors[part]
        assert errors["_errors"][0]["code"]
