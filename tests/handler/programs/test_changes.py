"""`close` and `update`; and what `ensure` sets of an open session."""

from typing import Any

import jsonschema
import pytest

from infra.schemas import schema_of
from tests.kit.deployment import Deployment
from tests.kit.table_view import CHANNEL


def above(deployment: Deployment) -> list[str]:
    """The lines of the message above the thread."""
    (thread,) = deployment.discord.threads
    return deployment.discord.messages[thread].content.splitlines()


async def test_a_session_is_closed_and_may_be_closed_again(deployment: Deployment) -> None:
    opened = await deployment.ensure()
    for _ in range(2):
        answer = await deployment.program("close", reason="merged", label="CI")
        jsonschema.validate(answer, schema_of("close.answer.json"))
        assert (answer["session"]["status"], answer["session"]["archived"]) == ("closed", True)
    assert answer["thread"] == opened["thread"]
    thread = deployment.discord.threads[opened["thread"]["id"]]
    assert (thread.archived, thread.locked) == (True, False)
    await deployment.wait(10)
    assert "⚫ Closed by *CI*" in above(deployment)[1]
    assert (await deployment.ensure(request_id="again"))["outcome"] == "reopened"


async def test_a_session_is_closed_and_locked(deployment: Deployment) -> None:
    thread = (await deployment.ensure())["thread"]["id"]
    assert (await deployment.program("close", lock=True))["session"]["locked"] is True
    assert deployment.discord.threads[thread].locked
    assert (await deployment.ensure(request_id="again"))["session"]["locked"] is False


async def test_a_repeated_close_does_not_close_what_somebody_has_opened_since(deployment: Deployment) -> None:
    await deployment.ensure()
    await deployment.program("close", request_id="close-1")
    await deployment.ensure(request_id="again")
    assert (await deployment.program("close", request_id="close-1"))["session"]["status"] == "open"


@pytest.mark.parametrize(("operation", "change"), [("close", {}), ("update", {"state": "done"})])
async def test_a_session_without_a_thread_is_not_found(
    deployment: Deployment, operation: str, change: dict[str, Any]
) -> None:
    assert (await deployment.program(operation, **change))["error"]["kind"] == "not_found"


async def test_what_a_program_says_of_its_work_is_shown_above_the_thread(deployment: Deployment) -> None:
    await deployment.ensure()
    answer = await deployment.program("update", state="working", note="step 3 of *7*")
    jsonschema.validate(answer, schema_of("update.answer.json"))
    assert (answer["session"]["state"], answer["session"]["note"]) == ("working", "step 3 of *7*")
    assert above(deployment)[2] == "🔨 Working · step 3 of \\*7\\*"
    await deployment.wait(10)
    await deployment.program("update", state="failed", topic="a flaky test")
    assert above(deployment)[2:] == ["❌ Failed · step 3 of \\*7\\*", "> a flaky test"]
    await deployment.wait(10)
    await deployment.program("update", note=" ")
    assert above(deployment)[2] == "❌ Failed"


@pytest.mark.parametrize("state", ["working", "waiting", "done", "failed"])
async def test_each_state_can_be_said_and_the_session_stays_open(deployment: Deployment, state: str) -> None:
    await deployment.ensure()
    await deployment.program("update", state=state)
    found = (await deployment.program("get"))["session"]
    assert (found["state"], found["status"], "waiting_since" in found) == (state, "open", False)


async def test_an_update_within_ten_seconds_of_the_last_edit_is_shown_by_the_next_run(deployment: Deployment) -> None:
    await deployment.ensure()
    await deployment.program("update", note="first")
    await deployment.program("update", note="second")
    assert above(deployment)[2] == "first"
    await deployment.wait(10)
    await deployment.reconcile()
    assert above(deployment)[2] == "second"


async def test_the_same_update_again_changes_nothing(deployment: Deployment) -> None:
    await deployment.ensure()
    await deployment.program("update", state="done", note="all green")
    before = deployment.everything()
    await deployment.program("update", state="done", note="all green")
    assert deployment.everything() == before


async def test_after_a_deletion_nothing_is_left_of_an_update(deployment: Deployment) -> None:
    thread = (await deployment.ensure())["thread"]["id"]
    await deployment.program("update", state="done", note="all green")
    deployment.people.delete_thread(thread)
    assert not {"state", "note"} & set((await deployment.ensure(request_id="again"))["session"])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({}, "nothing is to be updated"),
        ({"state": "lost"}, "'state' must be one of working, waiting, done, failed"),
        ({"note": "x" * 201}, "'note' must be a string of at most 200 characters"),
        ({"unlock": True}, "unknown field 'unlock'"),
    ],
)
async def test_malformed_updates_are_refused(deployment: Deployment, change: dict[str, Any], named: str) -> None:
    assert named in (await deployment.program("update", **change))["error"]["message"]


async def test_ensure_sets_what_is_to_be_kept(deployment: Deployment) -> None:
    first = await deployment.ensure(keep=True, data={"run": 7, "url": "https://ci.example/7"})
    assert (first["session"]["keep"], first["session"]["data"]["run"]) == (True, 7)
    again = await deployment.ensure(request_id="2")
    assert again["session"] == first["session"]
    changed = await deployment.ensure(request_id="3", keep=False, data={})
    assert (changed["session"].get("keep"), changed["session"]["data"]) == (None, {})
    jsonschema.validate(changed, schema_of("ensure.answer.json"))


@pytest.mark.parametrize("data", ["x", [1], {"x": "y" * 2000}])
async def test_data_is_a_small_object(deployment: Deployment, data: Any) -> None:
    error = (await deployment.ensure(data=data))["error"]
    assert "'data' must be an object of at most 2000 characters" in error["message"]


async def test_every_operation_reaches_the_private_session_of_a_name_and_not_the_public_one(
    deployment: Deployment,
) -> None:
    deployment.people.set_permissions(CHANNEL, ~0)
    public = await deployment.ensure()
    private = await deployment.ensure(request_id="p", private=True)
    assert private["thread"]["id"] != public["thread"]["id"]
    for operation, more in (
        ("get", {}),
        ("replies", {}),
        ("post", {"request_id": "x", "content": "hi"}),
        ("ask", {"request_id": "x", "question": "Why?"}),
        ("update", {"state": "done"}),
        ("close", {}),
    ):
        for session, flag in ((public, False), (private, True)):
            answer = await deployment.program(operation, private=flag, **more)
            assert answer["thread"] == session["thread"], operation


async def test_a_session_that_a_member_closed_takes_no_message_and_one_that_a_program_closed_does(
    deployment: Deployment,
) -> None:
    await deployment.ensure()
    await deployment.program("close")
    said = {"request_id": "a", "content": "one more thing"}
    assert (await deployment.program("post", **said))["outcome"] == "posted"
    await deployment.use("session close", options={"name": "1a06a43"}, member_permissions=1 << 34)
    error = (await deployment.program("post", **{**said, "request_id": "b"}))["error"]
    assert error["kind"] == "thread_archived_by_moderator"
