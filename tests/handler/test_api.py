"""The entrance of programs: what it takes, what it refuses by name, and what `ensure` answers."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from handler import api
from handler.config import ApiConfig
from handler.errors import ConfigurationError, InvalidRequest, OnethreadError
from handler.programs.requests import read
from infra.simulator.faults import HANG, server_error
from infra.simulator.refusals import too_many_requests
from tests.kit.aws_faults import What
from tests.kit.deployment import Deployment
from tests.kit.table_view import CHANNEL, GUILD

GOOD = {"session_name": "1a06a43", "parent_channel_id": CHANNEL}
SESSION_FIELDS = {
    *("session_name", "session_key", "parent_channel_id", "guild_id", "discord_thread_id", "status", "generation"),
    *("archived", "locked", "created_at", "last_activity_at"),
}


async def test_a_new_session_is_created_and_described_in_full(deployment: Deployment) -> None:
    answer = await deployment.ensure(session_name=" Session 1A06A43")
    (thread,) = deployment.discord.threads.values()
    assert thread.name == "Session 1A06A43"
    assert answer["outcome"] == "created"
    assert answer["thread"] == {"id": thread.id, "url": f"https://discord.com/channels/{GUILD}/{thread.id}"}
    session = answer["session"]
    assert set(answer) == {"outcome", "session", "thread"}
    assert set(session) == SESSION_FIELDS
    assert {name: type(value) for name, value in session.items() if not isinstance(value, str)} == {
        "generation": int,
        "archived": bool,
        "locked": bool,
    }
    assert (session["session_name"], session["session_key"]) == ("1A06A43", "1a06a43")
    assert (session["status"], session["generation"]) == ("open", 1)
    assert session["created_at"] == "2026-11-23T12:00:00.000Z"


async def test_the_answer_has_the_topic_if_there_is_one(deployment: Deployment) -> None:
    assert (await deployment.ensure(topic=" why "))["session"]["topic"] == "why"


@pytest.mark.parametrize("topic", [None, "", "  "])
async def test_a_blank_topic_counts_as_absent(deployment: Deployment, topic: str | None) -> None:
    assert "topic" not in (await deployment.ensure(topic=topic))["session"]


@pytest.mark.parametrize(("label", "who"), [("my app", "*my app*"), ("x" * 80, f"*{'x' * 80}*"), (" ", "a program")])
async def test_the_message_above_the_thread_names_the_program(deployment: Deployment, label: str, who: str) -> None:
    answer = await deployment.ensure(label=label)
    source = deployment.discord.messages[answer["thread"]["id"]]
    assert source.content.split("\n")[0] == f"🧵 **Session 1a06a43** · opened by {who}"
    assert "label" not in answer["session"]


async def test_an_exact_repeat_is_answered_created_again_and_another_request_reused(deployment: Deployment) -> None:
    environment, outcomes = deployment.environment(ApiConfig), []
    for own, invocation in (("a", "1"), ("a", "2"), ("b", "3")):
        answer = await api.handle(environment, {**GOOD, "request_id": own}, invocation, 30.0)
        outcomes.append(answer["outcome"])
    assert outcomes == ["created", "created", "reused"]


async def test_without_a_request_id_the_invocation_owns_the_claim(deployment: Deployment) -> None:
    outcomes = [(await deployment.ensure(request_id=request_id))["outcome"] for request_id in ("1", "1", "2")]
    assert outcomes == ["created", "created", "reused"]


async def test_a_locked_thread_is_an_error_with_the_session_beside_it_and_is_unlocked_on_request(
    deployment: Deployment,
) -> None:
    first = await deployment.ensure()
    deployment.discord.people.lock(first["thread"]["id"], now=deployment.clock.now())
    locked = await deployment.ensure(request_id="x")
    unlocked = await deployment.ensure(request_id="y", unlock=True)
    assert set(locked) == {"error", "session", "thread"}
    assert (locked["error"]["kind"], locked["error"]["retryable"]) == ("locked", False)
    assert locked["thread"] == first["thread"]
    assert locked["session"]["locked"] is True
    assert unlocked["outcome"] == "reopened"
    assert unlocked["session"]["locked"] is False


def test_null_counts_as_absent_in_optional_fields() -> None:
    event = {**GOOD, "topic": None, "unlock": None, "request_id": None}
    assert read(event) == read(GOOD)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"nmae": "x"}, "unknown field 'nmae'"),
        ({"session_name": 5}, "'session_name' must be a string"),
        ({"session_name": None}, "'session_name' must be a string"),
        ({"parent_channel_id": 5}, "'parent_channel_id' must be a channel's id"),
        ({"parent_channel_id": "general"}, "'parent_channel_id' must be"),
        ({"parent_channel_id": "012"}, "'parent_channel_id' must be"),
        ({"parent_channel_id": "1/messages"}, "'parent_channel_id' must be"),
        ({"parent_channel_id": "٣"}, "'parent_channel_id' must be"),
        ({"parent_channel_id": "9" * 20}, "'parent_channel_id' must be"),
        ({"topic": 5}, "'topic' must be a string"),
        ({"topic": "\ud800"}, "'topic' must be a string"),
        ({"label": 5}, "'label' must be a string"),
        ({"label": "\ud800"}, "'label' must be a string"),
        ({"label": "x" * 81}, "'label' must be a string of at most 80 characters"),
        ({"topic": "x" * 301}, "'topic' must be a string of at most 300 characters"),
        ({"unlock": "yes"}, "'unlock' must be true or false"),
        ({"unlock": 1}, "'unlock' must be true or false"),
        ({"request_id": ""}, "'request_id' must be"),
        ({"request_id": 5}, "'request_id' must be"),
        ({"request_id": "x" * 129}, "'request_id' must be"),
        ({"request_id": "\udfff"}, "'request_id' must be"),
    ],
)
async def test_an_unknown_or_mistyped_field_is_refused_by_name(
    deployment: Deployment, change: dict[str, Any], named: str
) -> None:
    error = (await api.handle(deployment.environment(ApiConfig), {**GOOD, **change}, "r", 30.0))["error"]
    assert (error["kind"], error["retryable"]) == ("invalid_request", False)
    assert named in error["message"]
    assert not deployment.discord.calls


@pytest.mark.parametrize("operation", ["nonsense", 5, ["ensure"], {}])
async def test_an_unknown_operation_is_refused_with_those_that_there_are(
    deployment: Deployment, operation: Any
) -> None:
    error = (await deployment.ensure(operation=operation))["error"]
    assert error["kind"] == "invalid_request"
    assert "'operation' must be one of 'ensure'" in error["message"]


async def test_ensure_is_the_default_operation(deployment: Deployment) -> None:
    assert (await deployment.ensure(operation="ensure"))["outcome"] == "created"
    assert (await deployment.ensure(operation=None, request_id="x"))["outcome"] == "reused"


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read({"unlock": "yes", "x": 1})
    for named in ("unknown field 'x'", "'session_name' is missing", "'parent_channel_id' is missing", "'unlock'"):
        assert named in refused.value.message


@pytest.mark.parametrize("event", [None, [], "x", 5])
def test_a_request_that_is_not_an_object_is_refused(event: Any) -> None:
    with pytest.raises(InvalidRequest):
        read(event)


@pytest.mark.parametrize("name", ["", "  ", "Session", "x" * 101, "\ud800"])
async def test_an_impossible_name_is_an_error_of_its_own(deployment: Deployment, name: str) -> None:
    assert (await deployment.ensure(session_name=name))["error"]["kind"] == "invalid_name"


async def test_a_channel_that_does_not_exist_is_gone(deployment: Deployment) -> None:
    assert (await deployment.ensure(parent_channel_id="999"))["error"]["kind"] == "channel_gone"


async def test_a_thread_given_as_channel_means_its_parent(deployment: Deployment) -> None:
    first = await deployment.ensure()
    inside = await deployment.ensure(parent_channel_id=first["thread"]["id"], request_id="2")
    assert inside["outcome"] == "reused"
    assert inside["session"] == first["session"]


async def test_a_rate_limit_is_retryable_and_says_when(deployment: Deployment) -> None:
    deployment.discord.faults.inject("GET", "*", too_many_requests(240.0))
    error = (await deployment.ensure())["error"]
    assert (error["kind"], error["retryable"]) == ("rate_limited", True)
    assert error["retry_after"] == pytest.approx(240.0)


async def test_an_unavailable_discord_is_a_retryable_error(deployment: Deployment) -> None:
    deployment.discord.faults.inject("*", "*", server_error(), times=100)
    error = (await deployment.ensure())["error"]
    assert (error["kind"], error["retryable"]) == ("discord_unavailable", True)


@pytest.mark.parametrize("seconds", [0.0, 1.0, 5.0, 30.0])
async def test_it_answers_before_lambda_ends_the_invocation(deployment: Deployment, seconds: float) -> None:
    deployment.discord.faults.inject("*", "*", HANG, times=100)
    answer = await deployment.ensure(seconds)
    took = asyncio.get_running_loop().time()
    assert answer["error"]["kind"] in ("timed_out", "discord_unavailable")
    assert answer["error"]["retryable"] is True
    assert took <= max(0.8, seconds - 0.7)


@pytest.mark.parametrize("what", ["refused", "throttled", "500"])
async def test_an_unavailable_table_is_a_retryable_error(deployment: Deployment, what: What) -> None:
    deployment.wire.fail("GetItem", *[what] * 50)
    error = (await deployment.ensure())["error"]
    assert (error["kind"], error["retryable"]) == ("store_unavailable", True)


async def test_a_fault_of_ours_raises_and_only_tells_the_caller_where_to_look(
    deployment: Deployment, capsys: Any
) -> None:
    async def broken(request: Any) -> None:
        raise RuntimeError("the inside")

    environment = deployment.environment(ApiConfig)
    environment.__dict__["sessions"] = SimpleNamespace(open=broken, context=environment.sessions.context)
    with pytest.raises(OnethreadError, match="see the log of request request-7") as raised:
        await api.handle(environment, GOOD, "request-7", 30.0)
    assert raised.value.__context__ is None
    assert "RuntimeError: the inside" in capsys.readouterr().out


def test_a_wrong_environment_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SESSIONS_TABLE", "DISCORD_APPLICATION_ID", "DISCORD_BOT_TOKEN", "DISCORD_BOT_TOKEN_PARAMETER"):
        monkeypatch.delenv(name, raising=False)
    context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 30_000)
    with pytest.raises(ConfigurationError, match=r"SESSIONS_TABLE.*DISCORD_APPLICATION_ID.*DISCORD_BOT_TOKEN"):
        api.lambda_handler(GOOD, context)


async def test_tags_go_to_a_new_post_and_an_unknown_one_is_an_invalid_request_that_lists_them(
    deployment: Deployment,
) -> None:
    deployment.discord.add_channel(GUILD, "15", 15, tags=[("71", "Bug")])
    answer = await deployment.ensure(parent_channel_id="15", tags=["bug"])
    assert deployment.discord.threads[answer["thread"]["id"]].applied_tags == ("71",)

    error = (await deployment.ensure(parent_channel_id="15", session_name="b", tags=["Login"]))["error"]
    assert error["kind"] == "invalid_request"
    assert "**Bug**" in error["message"]


@pytest.mark.parametrize("tags", ["Bug", ["Bug", 7], ["tag"] * 6, {}])
async def test_tags_are_a_short_list_of_texts(deployment: Deployment, tags: Any) -> None:
    error = (await deployment.ensure(tags=tags))["error"]
    assert error["kind"] == "invalid_request"
    assert "'tags' must be a list of at most 5 strings" in error["message"]


async def test_a_program_opens_a_private_session_of_its_own_with_members(deployment: Deployment) -> None:
    public = await deployment.ensure()
    answer = await deployment.ensure(private=True, members=["4"], request_id="2")
    thread = deployment.discord.threads[answer["thread"]["id"]]
    assert answer["outcome"] == "created"
    assert answer["thread"] != public["thread"]
    assert (thread.kind, thread.has_member("4")) == (12, True)
    assert (await deployment.ensure(private=True, request_id="3"))["thread"] == answer["thread"]


@pytest.mark.parametrize("members", ["4", ["x"], [4], ["4"] * 21])
async def test_members_are_a_short_list_of_ids(deployment: Deployment, members: Any) -> None:
    error = (await deployment.ensure(members=members))["error"]
    assert "'members' must be a list of at most 20 users' ids" in error["message"]
