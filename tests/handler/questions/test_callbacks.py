"""A task of Step Functions that waits for a question is answered once, whatever fails; and no log has its token."""

import json
from typing import Any

import jsonschema
import pytest

from handler.config import PublisherConfig
from infra.schemas import schema_of
from tests.handler.questions.acts import SHIP, ask, cards, now, press, question_item, run
from tests.handler.questions.test_events import HOUR, cancel
from tests.kit.deployment import Deployment
from tests.kit.recorded_calls import Call
from tests.kit.secrets import made_up

pytestmark = pytest.mark.guild(table="memory")
OFF = pytest.mark.guild(settings={"STEP_FUNCTIONS_CALLBACKS": "false"})


def begin(deployment: Deployment) -> dict[str, str]:
    return {"task_token": deployment.tasks.tasks.begin()}


def answer_to(deployment: Deployment, callback: dict[str, str]) -> Any:
    return deployment.tasks.tasks.answers[callback["task_token"]]


async def test_the_task_goes_on_with_what_await_says(deployment: Deployment) -> None:
    callback = begin(deployment)
    question = await ask(deployment, callback=callback)
    await deployment.publish()
    assert answer_to(deployment, callback) is None
    await press(deployment, question)
    await deployment.publish()
    output = json.loads(answer_to(deployment, callback)["output"])
    jsonschema.validate(output, schema_of("await.answer.json"))
    assert output == {"question": await now(deployment, question)}
    assert output["question"]["answer"]["choice"] == "yes"


async def test_a_default_is_an_answer_and_without_one_the_task_fails(deployment: Deployment) -> None:
    without, with_default = begin(deployment), begin(deployment)
    question = await ask(deployment, HOUR, callback=without)
    await ask(deployment, HOUR, callback=with_default, request_id="another", default={"choice": "no"})
    await deployment.wait(3600)
    await run(deployment)
    await deployment.publish()
    assert answer_to(deployment, without) == {
        "error": "QuestionExpired",
        "cause": f"Nobody answered the question {question['id']} in time.",
    }
    assert json.loads(answer_to(deployment, with_default)["output"])["question"]["answer"]["choice"] == "no"


async def test_a_task_whose_question_is_withdrawn_fails(deployment: Deployment) -> None:
    callback = begin(deployment)
    await cancel(deployment, await ask(deployment, callback=callback))
    await deployment.publish()
    assert answer_to(deployment, callback)["error"] == "QuestionCancelled"


async def test_a_task_that_comes_after_the_answer_is_answered_at_once(deployment: Deployment) -> None:
    question = await ask(deployment)
    await press(deployment, question)
    await run(deployment)
    await deployment.publish()
    for _ in range(2):
        callback = begin(deployment)
        assert (await ask(deployment, callback=callback))["state"] == "answered"
        await deployment.publish()
        assert json.loads(answer_to(deployment, callback)["output"])["question"]["id"] == question["id"]
    assert [event for event in deployment.bus.types() if event.startswith("Question")] == [
        "QuestionAsked",
        "QuestionAnswered",
    ]


async def test_of_two_tasks_the_later_one_is_answered(deployment: Deployment) -> None:
    earlier, later = begin(deployment), begin(deployment)
    await ask(deployment, callback=earlier)
    await press(deployment, await ask(deployment, callback=later))
    await deployment.publish()
    assert answer_to(deployment, earlier) is None
    assert answer_to(deployment, later) is not None


async def test_the_token_is_forgotten_when_the_card_shows_the_end(deployment: Deployment) -> None:
    await press(deployment, await ask(deployment, callback=begin(deployment)))
    assert "callback_token" in question_item(deployment)
    await run(deployment)
    assert "callback_token" not in question_item(deployment)


@pytest.mark.parametrize("token", ["made-up-task-unknown", made_up("never a token")])
async def test_a_token_that_nobody_waits_for_holds_nothing_back(
    deployment: Deployment, token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await press(deployment, await ask(deployment, callback={"task_token": token}))
    assert await deployment.publish() == {"batchItemFailures": []}
    assert deployment.bus.types()[-1] == "QuestionAnswered"
    shown = capsys.readouterr().out
    assert token not in shown
    assert '"Callbacks"' in shown
    assert '"Outcome":"gone"' in shown.replace(" ", "")


async def test_a_task_that_has_ended_is_done(deployment: Deployment) -> None:
    callback = begin(deployment)
    question = await ask(deployment, callback=callback)
    deployment.tasks.tasks.end(callback["task_token"])
    await press(deployment, question)
    assert await deployment.publish() == {"batchItemFailures": []}


@pytest.mark.parametrize("fault", ["refused", "timeout_before", "500", "throttled"])
async def test_an_answer_that_step_functions_did_not_take_is_sent_again(deployment: Deployment, fault: Any) -> None:
    callback = begin(deployment)
    await press(deployment, await ask(deployment, callback=callback))
    deployment.tasks.faults = [fault, fault]
    assert (await deployment.publish())["batchItemFailures"]
    assert deployment.bus.types() == ["SessionOpened", "QuestionAsked"]  # what came before it is not held back
    assert answer_to(deployment, callback) is None
    deployment.tasks.faults.clear()
    assert await deployment.publish() == {"batchItemFailures": []}
    assert answer_to(deployment, callback) is not None
    assert deployment.bus.types() == ["SessionOpened", "QuestionAsked", "QuestionAnswered"]


@pytest.mark.parametrize("fault", ["lost", "timeout_after", "500_after"])
async def test_an_answer_whose_own_answer_is_lost_is_done(deployment: Deployment, fault: Any) -> None:
    callback = begin(deployment)
    await press(deployment, await ask(deployment, callback=callback))
    deployment.tasks.faults = [fault]
    assert await deployment.publish() == {"batchItemFailures": []}
    assert json.loads(answer_to(deployment, callback)["output"])["question"]["state"] == "answered"


async def test_what_step_functions_refuses_for_good_is_left_to_the_operators(deployment: Deployment) -> None:
    callback = begin(deployment)
    await press(deployment, await ask(deployment, callback=callback))
    deployment.tasks.faults = ["access_denied"]
    assert await deployment.publish() == {"batchItemFailures": []}
    assert deployment.bus.types()[-1] == "QuestionAnswered"
    (letter,) = deployment.letters.sent
    assert letter.body["sk"] == question_item(deployment)["sk"]
    assert callback["task_token"] not in letter.text
    await ask(deployment, callback=begin(deployment))  # the program repeats its request with a token
    await deployment.publish()
    assert deployment.tasks.tasks.answers[callback["task_token"]] is None


async def test_a_process_that_dies_after_the_answer_leaves_one_answer(deployment: Deployment) -> None:
    callback = begin(deployment)
    await press(deployment, await ask(deployment, callback=callback))
    deployment.calls.dies_after = Call("states", "SendTaskSuccess", 1)
    await deployment.death(deployment.publish())
    assert deployment.bus.types() == []
    answered = answer_to(deployment, callback)
    assert await deployment.publish() == {"batchItemFailures": []}
    assert deployment.bus.types() == ["SessionOpened", "QuestionAsked", "QuestionAnswered"]
    assert answer_to(deployment, callback) is answered


@OFF
async def test_where_callbacks_are_off_they_are_refused_before_anything_is_posted(deployment: Deployment) -> None:
    answer = await deployment.program("ask", **SHIP, callback=begin(deployment))
    assert (answer["error"]["kind"], answer["error"]["retryable"]) == ("invalid_request", False)
    assert "StepFunctionsCallbacks" in answer["error"]["message"]
    assert len(deployment.calls) == 0
    assert not cards(deployment)
    await ask(deployment)


async def test_a_token_from_before_callbacks_were_turned_off_holds_nothing_back(deployment: Deployment) -> None:
    callback = begin(deployment)
    await press(deployment, await ask(deployment, callback=callback))
    deployment.settings = {"STEP_FUNCTIONS_CALLBACKS": "false"}
    deployment.restart()
    assert await deployment.publish() == {"batchItemFailures": []}
    assert answer_to(deployment, callback) is None
    assert deployment.bus.types()[-1] == "QuestionAnswered"


async def test_the_client_is_built_for_the_first_task(deployment: Deployment) -> None:
    question = await ask(deployment)
    await press(deployment, question)
    await deployment.publish()
    publisher = deployment.environment(PublisherConfig)
    assert "step_functions" not in vars(publisher)
    await ask(deployment, callback=begin(deployment))
    await deployment.publish()
    assert vars(publisher)["step_functions"] is not None
