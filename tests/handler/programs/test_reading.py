"""`get` and `replies`: what a program reads of a session, which changes nothing."""

from typing import Any

import jsonschema
import pytest

from infra.schemas import schema_of
from tests.kit.deployment import Deployment
from tests.kit.guild import BOT
from tests.kit.table_view import CHANNEL

PERSON = "3"


async def thread_of(deployment: Deployment) -> str:
    return str((await deployment.ensure())["thread"]["id"])


async def test_get_describes_the_session_and_changes_nothing(deployment: Deployment) -> None:
    opened = await deployment.ensure(topic="why")
    deployment.people.archive(opened["thread"]["id"])
    before = deployment.everything()
    answer = await deployment.program("get")
    assert answer == {"session": opened["session"], "thread": opened["thread"]}
    assert deployment.everything() == before
    jsonschema.validate(answer, schema_of("get.answer.json"))


async def test_get_takes_one_read_and_no_request(deployment: Deployment) -> None:
    await deployment.ensure()
    deployment.calls.forget()
    await deployment.program("get")
    assert deployment.calls.names == ["GetItem"]


async def test_a_thread_given_as_channel_means_its_parent(deployment: Deployment) -> None:
    opened = await deployment.ensure()
    other = deployment.people.create_thread(CHANNEL, "no session's")
    for thread in (opened["thread"]["id"], other):
        assert (await deployment.program("get", parent_channel_id=thread))["session"] == opened["session"]


@pytest.mark.parametrize("operation", ["get", "replies"])
async def test_a_session_without_a_thread_is_not_found(deployment: Deployment, operation: str) -> None:
    answer = await deployment.program(operation)
    assert (answer["error"]["kind"], answer["error"]["retryable"]) == ("not_found", False)
    assert not deployment.discord.threads


async def test_a_channel_that_is_gone_is_said_so(deployment: Deployment) -> None:
    assert (await deployment.program("get", parent_channel_id="999"))["error"]["kind"] == "channel_gone"


@pytest.mark.guild(message_content=True)
async def test_replies_have_what_people_and_other_bots_said_and_nothing_of_ours(deployment: Deployment) -> None:
    thread = await thread_of(deployment)
    await deployment.program("post", request_id="a", content="mine")
    said = [deployment.people.post_message(thread, text, by=by) for text, by in (("first", PERSON), ("second", "4"))]
    answer = await deployment.program("replies")
    assert [(m["id"], m["author_id"], m["content"]) for m in answer["messages"]] == [
        (said[0], PERSON, "first"),
        (said[1], "4", "second"),
    ]
    assert answer["messages"][0]["timestamp"] == "2026-11-23T12:00:00.000Z"
    assert (answer["after"], answer["content_hidden"]) == (said[1], False)
    jsonschema.validate(answer, schema_of("replies.answer.json"))


@pytest.mark.guild(message_content=True)
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_replies_miss_none_and_repeat_none_across_pages(deployment: Deployment, limit: int) -> None:
    thread = await thread_of(deployment)
    said, read, after = [], [], None
    for number in range(12):
        by = BOT if number % 3 == 0 else PERSON
        message = deployment.people.post_message(thread, f"word {number}", by=by)
        said += [] if by == BOT else [message]
        if number % 2:
            answer = await deployment.program("replies", after=after, limit=limit)
            read += [message["id"] for message in answer["messages"]]
            after = answer["after"]
    while (answer := await deployment.program("replies", after=after, limit=limit))["after"] != after:
        read += [message["id"] for message in answer["messages"]]
        after = answer["after"]
    assert read == said


async def test_hidden_content_is_said_so_and_a_mention_of_the_app_is_readable(deployment: Deployment) -> None:
    thread = await thread_of(deployment)
    deployment.people.post_message(thread, f"<@{BOT}> yes", by=PERSON)
    shown = await deployment.program("replies")
    deployment.people.post_message(thread, "no", by=PERSON)
    hidden = await deployment.program("replies", after=shown["after"])
    assert (shown["content_hidden"], shown["messages"][0]["content"]) == (False, f"<@{BOT}> yes")
    assert (hidden["content_hidden"], hidden["messages"][0]["content"]) == (True, "")


async def test_replies_of_a_deleted_thread_are_not_found(deployment: Deployment) -> None:
    deployment.people.delete_thread(await thread_of(deployment))
    assert (await deployment.program("replies"))["error"]["kind"] == "not_found"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"after": 5}, "'after' must be a message's id"),
        ({"limit": 0}, "'limit' must be a whole number from 1 to 100"),
        ({"limit": 101}, "'limit' must be"),
        ({"limit": "5"}, "'limit' must be"),
        ({"topic": "x"}, "unknown field 'topic'"),
    ],
)
async def test_malformed_requests_are_refused(deployment: Deployment, change: dict[str, Any], named: str) -> None:
    assert named in (await deployment.program("replies", **change))["error"]["message"]


@pytest.mark.guild(settings={"ALLOWED_GUILDS": "999999999999999999"})
async def test_a_guild_that_is_not_served_is_refused(deployment: Deployment) -> None:
    assert (await deployment.program("get"))["error"]["kind"] == "not_allowed"
