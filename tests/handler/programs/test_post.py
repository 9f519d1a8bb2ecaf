"""`post`: one message for a request, whatever dies, is lost or is asked for at once; and messages that are edited in place."""

import asyncio
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from infra.schemas import schema_of
from infra.simulator.faults import DROP, server_error
from infra.simulator.models import Message
from tests.kit.deployment import Deployment
from tests.kit.guild import BOT
from tests.kit.table_view import CHANNEL

DONE: dict[str, Any] = {"request_id": "done", "content": "tests passed"}
NONCE_TRUSTED_SECONDS = 61.0


def posted(deployment: Deployment, thread: str) -> list[Message]:
    """What the bot has said in the thread, oldest first."""
    messages = [m for m in deployment.discord.messages.values() if m.channel_id == thread and m.author_id == BOT]
    return sorted((m for m in messages if m.kind == 0), key=lambda message: int(message.id))


def contents(deployment: Deployment) -> list[str]:
    (thread,) = deployment.discord.threads
    return [message.content for message in posted(deployment, thread)]


async def test_a_message_is_posted_and_linked(deployment: Deployment) -> None:
    answer = await deployment.program("post", **DONE)
    (message,) = posted(deployment, answer["thread"]["id"])
    assert message.content == "tests passed"
    assert answer["outcome"] == "posted"
    assert answer["message"] == {"id": message.id, "url": f"{answer['thread']['url']}/{message.id}"}
    assert answer["session"]["session_name"] == "1a06a43"
    jsonschema.validate(answer, schema_of("post.answer.json"))


async def test_a_warm_post_takes_two_requests_and_three_calls_to_the_table(deployment: Deployment) -> None:
    await deployment.ensure()
    deployment.calls.forget()
    await deployment.program("post", **DONE)
    assert len(deployment.calls.of("discord")) == 2
    assert deployment.calls.of("dynamodb") == ["GetItem", "TransactWriteItems", "UpdateItem"]


async def test_a_repeat_is_told_the_message_and_posts_nothing(deployment: Deployment) -> None:
    first = await deployment.program("post", **DONE)
    again = await deployment.program("post", **DONE)
    assert (again["outcome"], again["message"]) == ("repeated", first["message"])
    assert contents(deployment) == ["tests passed"]


@pytest.mark.parametrize("change", [{"content": "tests failed"}, {"message_key": "k"}, {"embeds": [{"title": "x"}]}])
async def test_the_same_request_id_with_other_content_is_a_conflict(
    deployment: Deployment, change: dict[str, Any]
) -> None:
    await deployment.program("post", **DONE)
    error = (await deployment.program("post", **{**DONE, **change}))["error"]
    assert (error["kind"], error["retryable"]) == ("conflict", False)
    assert contents(deployment) == ["tests passed"]


async def test_the_same_words_under_another_id_are_another_message(deployment: Deployment) -> None:
    await deployment.program("post", **DONE)
    await deployment.program("post", **{**DONE, "request_id": "again"})
    assert contents(deployment) == ["tests passed"] * 2


async def test_other_sessions_have_request_ids_of_their_own(deployment: Deployment) -> None:
    for name in ("a", "b"):
        assert (await deployment.program("post", session_name=name, **DONE))["outcome"] == "posted"


async def test_a_message_mentions_nobody(deployment: Deployment) -> None:
    await deployment.program("post", request_id="m", content="@everyone <@3>")
    (thread,) = deployment.discord.threads
    (message,) = posted(deployment, thread)
    assert (message.mentions, message.mention_everyone) == ((), False)


async def test_embeds_are_shown(deployment: Deployment) -> None:
    answer = await deployment.program("post", **DONE, embeds=[{"title": "Build 7"}])
    (message,) = posted(deployment, answer["thread"]["id"])
    assert (message.embeds, message.flags) == (b'[{"title":"Build 7"}]', 0)


@pytest.mark.parametrize("key", [None, "progress"])
@pytest.mark.parametrize("nonce", ["window open", "window closed"])
async def test_twenty_at_once_make_one_message(deployment: Deployment, nonce: str, key: str | None) -> None:
    await deployment.ensure()
    deployment.latency = 0.05
    request = {**DONE, **({"message_key": key} if key else {})}
    answers = await asyncio.gather(*(deployment.program("post", **request) for _ in range(20)))
    if nonce == "window closed":
        await deployment.wait(NONCE_TRUSTED_SECONDS)
        deployment.discord.close_nonce_window()
        answers += await asyncio.gather(*(deployment.program("post", **request) for _ in range(20)))
    assert len({answer["message"]["id"] for answer in answers}) == 1
    assert contents(deployment) == ["tests passed"]


def deaths(request: dict[str, Any], *, window_closed: bool) -> None:
    """A process dies after each call in turn of the request, which is then sent again: one message."""
    for calls in range(1, 20):
        with Deployment(imported=True) as deployment:
            if not deployment.run(death(deployment, request, calls, window_closed=window_closed)):
                assert calls > 5
                return
    raise AssertionError("the request does not end")


async def death(deployment: Deployment, request: dict[str, Any], calls: int, *, window_closed: bool) -> bool:
    await deployment.ensure()
    deployment.restart()
    deployment.calls.forget()
    deployment.calls.dies_after = calls
    try:
        await deployment.death(deployment.program("post", **request))
    except AssertionError:
        return False
    if window_closed:
        await deployment.wait(NONCE_TRUSTED_SECONDS)
        deployment.discord.close_nonce_window()
    answer = await deployment.program("post", **request)
    assert contents(deployment) == ["tests passed"], f"after {calls} calls"
    (message,) = posted(deployment, answer["thread"]["id"])
    assert answer["message"]["id"] == message.id
    assert (await deployment.program("post", **request))["outcome"] == "repeated"
    return True


@pytest.mark.parametrize("window_closed", [False, True])
@pytest.mark.parametrize("request_", [DONE, {**DONE, "message_key": "progress"}], ids=["plain", "of a key"])
def test_after_a_death_at_any_call_a_repeat_leaves_one_message(request_: dict[str, Any], window_closed: bool) -> None:
    deaths(request_, window_closed=window_closed)


async def test_a_lost_answer_of_discord_leaves_one_message(deployment: Deployment) -> None:
    await deployment.ensure()
    deployment.discord.faults.inject("POST", "/channels/*/messages", DROP, when="after")
    assert (await deployment.program("post", **DONE))["outcome"] == "posted"
    assert contents(deployment) == ["tests passed"]


@pytest.mark.parametrize("what", ["lost", "500_after"])
@pytest.mark.parametrize("operation", ["TransactWriteItems", "UpdateItem"])
async def test_a_lost_answer_of_the_table_leaves_one_message(deployment: Deployment, operation: str, what: Any) -> None:
    await deployment.ensure()
    deployment.wire.fail(operation, what)
    assert (await deployment.program("post", **DONE))["outcome"] == "posted"
    assert contents(deployment) == ["tests passed"]


async def test_an_outage_is_retryable_and_the_repeat_posts_once(deployment: Deployment) -> None:
    await deployment.ensure()
    deployment.discord.faults.inject("POST", "*", server_error(), times=3)
    error = (await deployment.program("post", **DONE))["error"]
    assert (error["kind"], error["retryable"]) == ("discord_unavailable", True)
    assert (await deployment.program("post", **DONE))["outcome"] == "posted"
    assert contents(deployment) == ["tests passed"]


async def test_the_message_of_a_key_is_edited_in_place(deployment: Deployment) -> None:
    first = await deployment.program("post", request_id="1", message_key="build", content="1 of 3")
    second = await deployment.program("post", request_id="2", message_key="build", content="2 of 3")
    other = await deployment.program("post", request_id="3", message_key="deploy", content="waiting")
    assert [answer["outcome"] for answer in (first, second, other)] == ["posted", "edited", "posted"]
    assert second["message"] == first["message"]
    assert contents(deployment) == ["2 of 3", "waiting"]


def test_after_a_death_at_any_call_of_a_keys_first_request_the_next_one_leaves_one_message() -> None:
    async def next_after(deployment: Deployment, calls: int) -> bool:
        await deployment.ensure()
        deployment.restart()
        deployment.calls.forget()
        deployment.calls.dies_after = calls
        try:
            await deployment.death(deployment.program("post", request_id="1", message_key="build", content="1 of 3"))
        except AssertionError:
            return False
        await deployment.wait(NONCE_TRUSTED_SECONDS)
        deployment.discord.close_nonce_window()
        answer = await deployment.program("post", request_id="2", message_key="build", content="2 of 3")
        assert contents(deployment) == ["2 of 3"], f"after {calls} calls"
        (message,) = posted(deployment, answer["thread"]["id"])
        assert answer["message"]["id"] == message.id
        return True

    for calls in range(1, 20):
        with Deployment(imported=True) as deployment:
            if not deployment.run(next_after(deployment, calls)):
                assert calls > 5
                return
    raise AssertionError("the request does not end")


@pytest.mark.guild(blocked_message_words=("1 of 3",))
async def test_a_first_text_that_discord_refuses_does_not_block_its_key(deployment: Deployment) -> None:
    refused = await deployment.program("post", request_id="1", message_key="build", content="1 of 3")
    assert refused["error"]["kind"] == "refused_by_automod"
    await deployment.program("post", request_id="2", message_key="build", content="2 of 3")
    assert contents(deployment) == ["2 of 3"]


async def test_a_late_repeat_does_not_bring_an_older_text_back(deployment: Deployment) -> None:
    first = {"request_id": "1", "message_key": "build", "content": "1 of 3"}
    await deployment.program("post", **first)
    await deployment.program("post", request_id="2", message_key="build", content="2 of 3")
    assert (await deployment.program("post", **first))["outcome"] == "repeated"
    assert contents(deployment) == ["2 of 3"]


async def test_requests_for_one_key_at_once_end_with_one_message_that_shows_one_of_them(deployment: Deployment) -> None:
    await deployment.ensure()
    deployment.latency = 0.1
    requests = [{"request_id": str(n), "message_key": "k", "content": f"text {n}"} for n in range(5)]
    answers = await asyncio.gather(*(deployment.program("post", **request) for request in requests))
    shown = contents(deployment)
    wanted = deployment.table.items()
    (key,) = [item for item in wanted if item["sk"].startswith("POST#") and "body" in item]
    assert len(shown) == 1
    assert f'"{shown[0]}"' in key["body"]
    assert len({answer["message"]["id"] for answer in answers if "message" in answer}) == 1


async def test_an_edit_that_was_overtaken_does_not_stay(deployment: Deployment) -> None:
    key = {"message_key": "build"}
    await deployment.program("post", request_id="1", content="1 of 3", **key)
    other: list[Any] = []

    async def overtake() -> None:
        if deployment.calls.names[-2:] == ["TransactWriteItems", "GetItem"] and not other:
            other.append(None)
            other.append(await deployment.program("post", request_id="3", content="3 of 3", **key))

    deployment.after_every_call, deployment.after_call = True, overtake
    stale = await deployment.program("post", request_id="2", content="2 of 3", **key)
    assert stale["outcome"] == other[1]["outcome"] == "edited"
    assert contents(deployment) == ["3 of 3"]


async def test_a_message_of_a_key_that_was_deleted_is_posted_again(deployment: Deployment) -> None:
    first = await deployment.program("post", request_id="1", message_key="build", content="1 of 3")
    deployment.people.delete_message(first["thread"]["id"], first["message"]["id"])
    second = await deployment.program("post", request_id="2", message_key="build", content="2 of 3")
    assert second["outcome"] == "posted"
    assert contents(deployment) == ["2 of 3"]


async def test_after_the_thread_was_deleted_a_key_begins_anew_in_the_next_one(deployment: Deployment) -> None:
    first = await deployment.program("post", request_id="1", message_key="build", content="1 of 3")
    deployment.people.delete_thread(first["thread"]["id"])
    second = await deployment.program("post", request_id="2", message_key="build", content="2 of 3")
    assert second["thread"]["id"] != first["thread"]["id"]
    assert contents(deployment) == ["2 of 3"]


def _archived_by_the_timer(deployment: Deployment, thread: str) -> None:
    deployment.people.auto_archive(thread)


def _archived_by_a_person(deployment: Deployment, thread: str) -> None:
    deployment.people.archive(thread)


@pytest.mark.parametrize(
    ("archive", "kind"), [(_archived_by_the_timer, None), (_archived_by_a_person, "thread_archived_by_moderator")]
)
async def test_only_a_thread_that_discord_archived_is_opened_again(
    deployment: Deployment, archive: Callable[[Deployment, str], None], kind: str | None
) -> None:
    thread = (await deployment.ensure())["thread"]["id"]
    archive(deployment, thread)
    answer = await deployment.program("post", **DONE)
    assert answer.get("error", {}).get("kind") == kind
    assert deployment.discord.threads[thread].archived is (kind is not None)
    assert contents(deployment) == ([] if kind else ["tests passed"])
    if kind:
        assert (answer["thread"]["id"], answer["session"]["archived"]) == (thread, True)
        jsonschema.validate(answer, schema_of("error.json"))


async def test_a_locked_thread_is_an_error(deployment: Deployment) -> None:
    deployment.people.lock((await deployment.ensure())["thread"]["id"])
    assert (await deployment.program("post", **DONE))["error"]["kind"] == "locked"


async def test_a_thread_that_is_archived_and_locked_in_between_is_looked_at_again(deployment: Deployment) -> None:
    thread = (await deployment.ensure())["thread"]["id"]

    async def archive() -> None:
        if deployment.calls.names[-1] == "TransactWriteItems" and not deployment.discord.threads[thread].archived:
            deployment.people.edit_thread(thread, archived=True, locked=True)

    deployment.after_every_call, deployment.after_call = True, archive
    assert (await deployment.program("post", **DONE))["error"]["kind"] == "locked"


async def test_a_message_that_was_deleted_before_it_was_on_record_is_not_posted_again(deployment: Deployment) -> None:
    await deployment.ensure()
    deployment.calls.forget()
    deployment.calls.dies_after = 4
    await deployment.death(deployment.program("post", **DONE))
    (thread,) = deployment.discord.threads
    (message,) = posted(deployment, thread)
    deployment.people.delete_message(thread, message.id)
    assert (await deployment.program("post", **DONE))["error"]["kind"] == "not_found"
    assert contents(deployment) == []


async def test_missing_permissions_are_named(deployment: Deployment) -> None:
    await deployment.ensure()
    deployment.people.set_permissions(CHANNEL, ["VIEW_CHANNEL", "SEND_MESSAGES"])
    error = (await deployment.program("post", **DONE))["error"]
    assert (error["kind"], error["permissions"]) == ("missing_permissions", ["SEND_MESSAGES_IN_THREADS"])


@pytest.mark.guild(blocked_message_words=("passed",))
async def test_words_that_automod_refuses_are_said_so(deployment: Deployment) -> None:
    error = (await deployment.program("post", **DONE))["error"]
    assert error["kind"] == "refused_by_automod"
    assert "Change its content or its embeds, and its request_id" in error["message"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"content": ""}, "'content' must be a string of 1 to 2000 characters"),
        ({"content": " \u200b"}, "'content' must show something"),
        ({"content": "x" * 2001}, "'content' must be"),
        ({"request_id": None}, "'request_id' must be a string of 1 to 128 characters"),
        ({"embeds": {}}, "'embeds' must be a list of at most 10 objects"),
        ({"embeds": [{}] * 11}, "'embeds' must be"),
        ({"embeds": [{"title": "\ud800"}]}, "'embeds' must be"),
        ({"embeds": [{"title": "x" * 100_000}]}, "'embeds' must be a list of at most 10 objects, 100000 bytes in all"),
    ],
)
async def test_malformed_requests_are_refused(deployment: Deployment, change: dict[str, Any], named: str) -> None:
    assert named in (await deployment.program("post", **{**DONE, **change}))["error"]["message"]
    assert not deployment.calls
