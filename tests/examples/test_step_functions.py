"""The state machine that waits for a person: its definition, and executions of it with real tokens' rules."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import boto3
import cfnlint
import jsonschema
import pytest

from examples.step_functions import __main__ as example
from examples.step_functions.__main__ import DEFINITION, Failed, Machine, invoke
from infra.local.functions import Result
from tests.examples.acts import nothing, press
from tests.handler.questions.acts import PERSON, cards, run
from tests.kit.deployment import Deployment
from tests.kit.lambda_endpoint import ARN, THROTTLED, LambdaEndpoint
from tests.kit.table_view import CHANNEL

SCHEMA: Final = Path(cfnlint.__file__).parent / "data" / "schemas" / "other" / "step_functions" / "statemachine.json"
TEXT: Final = DEFINITION.read_text().replace("${ApiFunctionArn}", ARN)
STATES: Final[dict[str, Any]] = json.loads(TEXT)["States"]
GIVEN: Final = {"session": "deploy 42", "channel": CHANNEL, "question": "Ship it?"}
RETRYABLE: Final = Result({"error": {"kind": "rate_limited", "message": "…", "retryable": True}})
REFUSED: Final = Result({"error": {"kind": "missing_access", "message": "No.", "retryable": False}})
DAY: Final = 86_400
Act = Callable[[Deployment], Any]


class Execution:
    """One execution of the machine beside a deployment; the publisher runs whenever the machine looks at its task."""

    def __init__(self, endpoint: LambdaEndpoint) -> None:
        self.endpoint, self.tasks = endpoint, endpoint.deployment.tasks.tasks
        self.before_begin: Act = nothing
        self.before_look: list[Act] = []  # what happens, each before one more look at a task
        self.slept: list[float] = []
        call = partial(invoke, boto3.client("lambda"))
        self.machine = Machine(json.loads(TEXT), name="run-1", invoke=call, tokens=self, sleep=self.slept.append)

    def run(self) -> dict[str, Any]:
        return self.machine.run(GIVEN)

    def begin(self) -> str:
        self.endpoint.run(self.before_begin(self.endpoint.deployment))
        return self.tasks.begin()

    def end(self, token: str) -> None:
        self.tasks.end(token)

    def answer(self, token: str) -> dict[str, str] | None:
        async def happen() -> None:
            if self.before_look:
                await self.before_look.pop(0)(self.endpoint.deployment)
            await self.endpoint.deployment.publish()

        self.endpoint.run(happen())
        return self.tasks.answers[token]


@pytest.fixture
def execution(endpoint: LambdaEndpoint) -> Execution:
    return Execution(endpoint)


async def withdraw(deployment: Deployment) -> None:
    (item,) = deployment.table.of_kind("QUESTION#")
    await deployment.invoke({"operation": "cancel", "question_id": item["sk"].removeprefix("QUESTION#")})


async def expire(deployment: Deployment) -> None:
    await deployment.wait(DAY)
    await run(deployment)


def test_the_definition_is_one() -> None:
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text())).validate(json.loads(TEXT))
    named = {state.get("Next") for state in STATES.values()} | {state.get("Default") for state in STATES.values()}
    for state in STATES.values():
        named |= {rule["Next"] for rule in [*state.get("Choices", ()), *state.get("Catch", ())]}
    assert named - {None} == set(STATES)


def test_the_state_that_waits_asks_for_the_same_with_its_token() -> None:
    asked, waited = (STATES[name]["Parameters"]["Payload"] for name in ("Ask", "WaitForAnswer"))
    assert waited == {**asked, "callback": {"task_token.$": "$$.Task.Token"}}
    assert STATES["WaitForAnswer"]["TimeoutSeconds"] < asked["expires_in"] < json.loads(TEXT)["TimeoutSeconds"]


def test_a_press_lets_the_deployment_run(execution: Execution) -> None:
    execution.before_look = [nothing, lambda deployment: press(deployment, "Ship it")]
    answer = execution.run()["asked"]["answer"]["question"]["answer"]
    assert (answer["choice"], answer["by"]) == ("yes", PERSON)
    assert execution.machine.visited == ["Ask", "IsAsked", "WaitForAnswer", "Decide", "Deploy"]
    assert execution.endpoint.operations() == ["ask", "ask"]
    assert len(cards(execution.endpoint.deployment)) == 1


@pytest.mark.parametrize("act", [lambda deployment: press(deployment, "Don't"), withdraw, expire])
def test_a_no_a_withdrawal_and_silence_do_not(execution: Execution, act: Act) -> None:
    execution.before_look = [act]
    with pytest.raises(Failed, match="NotApproved"):
        execution.run()
    assert execution.machine.visited[-1] == "NotApproved"


def test_an_error_that_is_returned_is_seen_before_anything_waits(execution: Execution) -> None:
    execution.endpoint.faults = [REFUSED]
    with pytest.raises(Failed, match="missing_access: No"):
        execution.run()
    assert execution.machine.visited == ["Ask", "IsAsked", "NotAsked"]


def test_what_may_succeed_later_is_asked_again(execution: Execution) -> None:
    down = Result(error={"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out"})
    execution.endpoint.faults = [RETRYABLE, down, down]
    execution.before_look = [lambda deployment: press(deployment, "Ship it")]
    execution.run()
    assert execution.machine.visited[:5] == ["Ask", "IsAsked", "AskAgain", "Ask", "IsAsked"]
    assert [seconds for seconds in execution.slept if seconds > 1] == [30, 2, 4]


def test_an_answer_between_asking_and_waiting_is_pushed_all_the_same(execution: Execution) -> None:
    execution.before_begin = lambda deployment: press(deployment, "Ship it")
    assert execution.run()["asked"]["answer"]["question"]["answer"]["choice"] == "yes"


def test_a_token_whose_answer_is_lost_costs_hours_and_no_answer(
    execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(example, "POLL_SECONDS", 10_800)
    tokens = execution.tasks.answers

    async def lose(deployment: Deployment) -> None:
        await press(deployment, "Ship it")
        await deployment.publish()
        tokens[next(iter(tokens))] = None  # Step Functions has lost it

    execution.before_look = [lose]
    execution.run()
    assert execution.machine.visited == [
        *("Ask", "IsAsked", "WaitForAnswer"),
        *("AskAgain", "Ask", "IsAsked", "Decide", "Deploy"),
    ]
    assert tokens[next(iter(tokens))] == {"ended": True}


def test_a_throttled_function_is_invoked_again(execution: Execution) -> None:
    execution.endpoint.faults = [THROTTLED] * 2
    execution.before_look = [lambda deployment: press(deployment, "Ship it")]
    assert execution.run()["asked"]["answer"]["question"]["state"] == "answered"
