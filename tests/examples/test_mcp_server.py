"""The MCP server: a call that is lost or given up loses no question, with the protocol's tasks and without them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, TypeVar

import pytest
from mcp import Client
from mcp.client import advertise
from mcp.shared.exceptions import MCPError
from mcp.types import EmptyResult, Request

from examples import mcp_client, mcp_server
from examples.ask import Onethread
from examples.mcp_client import GetTask, GetTaskParams, Task, TasksClient
from examples.mcp_server import TASKS, People, TaskParams, make_server
from infra.local.functions import Result
from tests.examples.acts import Pause, answer_by_text, nothing, press
from tests.handler.questions.acts import PERSON, cards
from tests.kit.lambda_endpoint import ARN, LambdaEndpoint
from tests.kit.table_view import CHANNEL

T = TypeVar("T")

SHIP: Final[dict[str, Any]] = {"session": "deploy 42", "question": "Ship it?", "choices": ["yes", "no"]}
WHY: Final[dict[str, Any]] = {"session": "build 7", "question": "Why did it fail?"}
REFUSED: Final = Result({"error": {"kind": "missing_access", "message": "…", "retryable": False}})
OLD, NEW = "legacy", "auto"


def use(work: Callable[[Client], Awaitable[T]], mode: str = NEW, call_seconds: float = 45.0, **more: Any) -> T:
    """What a client gets from a server process of its own."""

    async def connect() -> T:
        server = make_server(People(Onethread(ARN), CHANNEL, call_seconds))
        async with Client(server, mode=mode, **more) as client:
            return await work(client)

    return asyncio.run(connect())


async def ask(client: Client, arguments: dict[str, Any] = SHIP, **more: Any) -> dict[str, Any]:
    result = await client.call_tool("ask_human", arguments, **more)
    assert not result.is_error, result
    return dict(result.structured_content or {})


async def fail(client: Client, work: Callable[[Client], Awaitable[Any]]) -> MCPError:
    with pytest.raises(MCPError) as failed:
        await work(client)
    return failed.value


@pytest.mark.parametrize("mode", [OLD, NEW])
def test_a_client_without_tasks_waits_and_is_sent_progress(endpoint: LambdaEndpoint, mode: str) -> None:
    endpoint.before_await = [nothing, nothing, press]
    sent: list[str] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        sent.append(message or "")

    answer = use(partial(ask, progress_callback=note), mode)
    assert (answer["state"], answer["choice"], answer["by"]) == ("answered", "yes", PERSON)
    assert len(sent) == 3
    assert "https://discord.com/channels/" in sent[0]
    assert [event["wait"] for event in endpoint.events[1:]] == [15, 15, 15]


def test_a_client_that_gives_up_finds_the_same_question_again(endpoint: LambdaEndpoint) -> None:
    pause = Pause()
    endpoint.before_await = [pause]
    assert "Timed out" in str(use(partial(fail, work=partial(ask, read_timeout_seconds=0.3))))
    pause.over.set()
    endpoint.before_await.append(press)
    assert use(ask)["choice"] == "yes"
    assert len(cards(endpoint.deployment)) == 1


def test_before_clients_give_up_a_call_ends_and_says_to_call_again(endpoint: LambdaEndpoint) -> None:
    answer = use(ask, call_seconds=0)
    assert answer["state"] == "open"
    assert "exactly the same arguments" in answer["next"]
    endpoint.before_await = [answer_by_text, press]
    assert use(ask)["choice"] == "yes"
    assert use(partial(ask, arguments={**WHY, "expires_in": 60}))["state"] == "expired"
    assert len(cards(endpoint.deployment)) == 2


def test_the_same_words_are_another_question_at_another_attempt(endpoint: LambdaEndpoint) -> None:
    endpoint.before_await = [press, partial(press, label="no")]
    answers = [use(partial(ask, arguments={**SHIP, "attempt": attempt}))["choice"] for attempt in (1, 2, 1)]
    assert answers == ["yes", "no", "yes"]


def test_an_update_is_posted_once_and_edited_by_its_key(endpoint: LambdaEndpoint) -> None:
    async def update(client: Client, text: str) -> str:
        result = await client.call_tool("post_update", {"session": "build 7", "text": text, "key": "progress"})
        return str((result.structured_content or {})["result"])

    links = {use(partial(update, text=text)) for text in ("3 of 7", "3 of 7", "7 of 7")}
    (message,) = cards(endpoint.deployment)
    assert (message.content, len(links)) == ("7 of 7", 1)
    assert links.pop().endswith(message.id)


def test_the_link_leads_to_the_sessions_thread(endpoint: LambdaEndpoint) -> None:
    async def link(client: Client) -> Any:
        return await client.call_tool("session_link", {"session": "build 7"})

    (thread,) = {use(link).structured_content["result"].rpartition("/")[2] for _ in range(2)}
    assert [*endpoint.deployment.discord.threads] == [thread]


def test_an_error_is_the_tools_and_says_what_is_wrong(endpoint: LambdaEndpoint) -> None:
    endpoint.faults = [REFUSED]

    async def call(client: Client) -> Any:
        return await client.call_tool("ask_human", SHIP)

    result = use(call)
    assert result.is_error
    assert "missing_access" in result.content[0].text


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a client that knows tasks is made with; it looks at them without a pause."""
    monkeypatch.setattr(mcp_server, "POLL_SECONDS", 0)
    return {"extensions": [TasksClient()]}


async def get(client: Client, task_id: str) -> Task:
    return await client.session.send_request(GetTask(params=GetTaskParams(task_id=task_id)), Task)


async def create(client: Client) -> str:
    created = await client.session.call_tool("ask_human", SHIP, allow_claimed=True)
    return str(getattr(created, "task_id"))  # noqa: B009 - the task's model, which is one of several


def test_a_client_with_tasks_gets_one_at_once_and_its_result_when_it_is_there(
    endpoint: LambdaEndpoint, tasks: dict[str, Any]
) -> None:
    endpoint.before_await = [nothing, press]
    answer = use(ask, **tasks)
    assert (answer["state"], answer["choice"]) == ("answered", "yes")
    assert [event.get("wait") for event in endpoint.events] == [None, 0, 0]
    assert use(ask, **tasks) == answer  # over: the result itself


def test_any_server_process_answers_for_a_task(endpoint: LambdaEndpoint, tasks: dict[str, Any]) -> None:
    task = use(create, **tasks)
    assert use(create, **tasks) == task
    assert use(partial(get, task_id=task), **tasks).status == "working"
    endpoint.run(press(endpoint.deployment))
    answered = use(partial(get, task_id=task), **tasks)
    assert answered.result is not None
    assert (answered.status, (answered.result.structured_content or {})["choice"]) == ("completed", "yes")


def test_a_cancelled_task_withdraws_the_question(endpoint: LambdaEndpoint, tasks: dict[str, Any]) -> None:
    task = use(create, **tasks)

    async def send(client: Client, method: str) -> None:
        request: Request[TaskParams, Any] = Request(method=method, params=TaskParams(task_id=task))
        await client.session.send_request(request, EmptyResult)

    for method in ("tasks/update", "tasks/cancel"):
        use(partial(send, method=method), **tasks)
    assert use(partial(get, task_id=task), **tasks).status == "cancelled"
    assert "withdrawn" in cards(endpoint.deployment)[0].content


@pytest.mark.parametrize(
    ("task", "more", "code"), [("7", {}, -32021), ("7", None, -32602), (f"{CHANNEL}-a", None, -32602)]
)
def test_an_unknown_task_and_a_client_that_knows_none_are_refused(
    endpoint: LambdaEndpoint, tasks: dict[str, Any], task: str, more: dict[str, Any] | None, code: int
) -> None:
    refused = use(partial(fail, work=partial(get, task_id=task)), **(tasks if more is None else more))
    assert refused.code == code


@pytest.mark.parametrize("extensions", [[], [TasksClient()]])
def test_the_client_shows_the_answer(
    endpoint: LambdaEndpoint, tasks: dict[str, Any], capsys: pytest.CaptureFixture[str], extensions: list[TasksClient]
) -> None:
    endpoint.before_await = [nothing, press]
    asyncio.run(mcp_client.main(make_server(People(Onethread(ARN), CHANNEL)), SHIP, extensions))
    shown = capsys.readouterr()
    assert json.loads(shown.out.splitlines()[-1])["choice"] == "yes"
    assert ("task " if extensions else "Waiting for an answer in Discord") in shown.err


def test_only_the_tasks_extension_is_offered(endpoint: LambdaEndpoint) -> None:
    async def read(client: Client) -> tuple[Any, list[str]]:
        return client.server_capabilities.extensions, [tool.name for tool in (await client.list_tools()).tools]

    assert use(read, extensions=[advertise(TASKS)]) == ({TASKS: {}}, ["ask_human", "post_update", "session_link"])
