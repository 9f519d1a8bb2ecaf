"""The events of questions: one for each change of state, at least once and in order, and the publisher wakes for nothing else."""

import asyncio
from typing import Any

import jsonschema
import pytest

from infra.local.event_filter import wants
from infra.schemas import schema_of
from infra.table.stream import SHARDS
from tests.handler.questions.acts import PERSON, SHIP, WHY, ask, now, press, reply, run
from tests.kit.deployment import PATTERNS, Deployment
from tests.kit.secrets import made_up
from tests.kit.table_view import CHANNEL, GUILD

pytestmark = pytest.mark.guild(table="memory")

HOUR: dict[str, Any] = {**SHIP, "expires_in": 3600}
TOKEN = made_up("task-token-of-nobody")
STORY = ["SessionOpened", "QuestionAsked", "QuestionAnswered", "QuestionAsked", "QuestionExpired"]


async def cancel(deployment: Deployment, question: dict[str, Any]) -> None:
    await deployment.invoke({"operation": "cancel", "question_id": question["id"]})


async def play(deployment: Deployment) -> None:
    """A question is answered, another one expires, in one session. A task waits for the first."""
    token = deployment.tasks.tasks.begin()
    await press(deployment, await ask(deployment, callback={"task_token": token}))
    await ask(deployment, {**HOUR, "request_id": "another"})
    await deployment.wait(3601)
    await run(deployment)


def records(deployment: Deployment) -> list[dict[str, Any]]:
    """What the stream has of questions."""
    found = [record for shard in range(SHARDS) for record in deployment.stream.read(shard, 0, 1000)]
    return [record for record in found if record["dynamodb"]["Keys"]["sk"]["S"].startswith("QUESTION#")]


def first_of_each(deployment: Deployment) -> list[str]:
    """The types of the events in the order in which each was published first."""
    return list({event["Detail"]["event_id"]: event["DetailType"] for event in deployment.bus.events}.values())


async def test_a_question_is_published_when_it_is_asked_and_when_it_is_answered(deployment: Deployment) -> None:
    question = await ask(deployment)
    await press(deployment, question)
    await deployment.publish()
    assert deployment.bus.types() == ["SessionOpened", "QuestionAsked", "QuestionAnswered"]
    _, asked, answered = [event["Detail"] for event in deployment.bus.events]
    jsonschema.validate(asked, schema_of("QuestionAsked.event.json"))
    jsonschema.validate(answered, schema_of("QuestionAnswered.event.json"))
    assert (asked["question"]["state"], "message_id" in asked["question"]) == ("open", False)
    assert answered["question"]["id"] == asked["question"]["id"] == question["id"]
    assert answered["question"]["message_id"] == question["message_id"]
    assert answered["question"]["answer"] == {"choice": "yes", "by": PERSON, "at": "2026-11-23T12:00:00.000Z"}
    assert answered["session"] == {"session_key": "1a06a43", "parent_channel_id": CHANNEL, "guild_id": GUILD}
    thread = question["thread"]
    assert answered["thread"] == {"id": thread, "url": f"https://discord.com/channels/{GUILD}/{thread}"}


@pytest.mark.parametrize("default", [None, {"choice": "no"}])
async def test_an_expired_question_is_published_with_its_default(deployment: Deployment, default: Any) -> None:
    await ask(deployment, HOUR, default=default)
    await deployment.wait(3600)
    await run(deployment)
    await deployment.publish()
    detail = deployment.bus.events[-1]["Detail"]
    jsonschema.validate(detail, schema_of("QuestionExpired.event.json"))
    assert deployment.bus.types()[-1] == "QuestionExpired"
    assert detail["question"].get("answer", {}).get("choice") == (default and default["choice"])


@pytest.mark.parametrize("seconds", [-0.05, 0.0, 0.05])
async def test_of_an_answer_and_the_expiry_the_one_that_wins_is_published(
    deployment: Deployment, seconds: float
) -> None:
    question = await ask(deployment, HOUR)
    await deployment.wait(3600 + seconds)
    deployment.latency = 0.03
    await asyncio.gather(press(deployment, question), run(deployment), now(deployment, question))
    await run(deployment)
    await deployment.publish()
    state = (await now(deployment, question))["state"]
    assert deployment.bus.types()[2:] == ["QuestionAnswered" if state == "answered" else "QuestionExpired"]
    assert deployment.bus.events[-1]["Detail"]["question"] == await now(deployment, question)


async def test_a_cancelled_question_is_published(deployment: Deployment) -> None:
    await cancel(deployment, await ask(deployment))
    await deployment.publish()
    assert deployment.bus.types()[-1] == "QuestionCancelled"
    jsonschema.validate(deployment.bus.events[-1]["Detail"], schema_of("QuestionCancelled.event.json"))


async def test_a_private_session_has_its_own_key_in_the_event(deployment: Deployment) -> None:
    await ask(deployment, private=True)
    await deployment.publish()
    asked = next(event["Detail"] for event in deployment.bus.events if event["DetailType"] == "QuestionAsked")
    assert asked["session"]["session_key"] == "1a06a43"


async def test_the_publisher_wakes_only_for_what_it_publishes(deployment: Deployment) -> None:
    """Its card, its reminder, what was read and that its card shows the end are changes, too."""
    why = await ask(deployment, {**WHY, "expires_in": 3600, "remind_in": 60}, callback={"task_token": TOKEN})
    await deployment.wait(61)
    await run(deployment)
    deployment.people.delete_message(why["thread"], why["message_id"])
    await deployment.invoke({"operation": "await", "question_id": why["id"], "wait": 0})
    await cancel(deployment, await ask(deployment))
    reply(deployment, await ask(deployment, {**WHY, "expires_in": 3600, "remind_in": 60}), "too slow")
    await run(deployment)
    changes = records(deployment)
    for _ in range(3):
        await deployment.days_pass(40)
        await run(deployment)
    assert [record["eventName"] for record in records(deployment)[len(changes) :]] == ["REMOVE", "REMOVE"]
    assert len(changes) > 10
    await deployment.publish()
    published = [kind for kind in deployment.bus.types() if kind.startswith("Question")]
    assert len([record for record in records(deployment) if wants(PATTERNS, record)]) == len(published) == 4


async def test_what_dies_after_any_call_publishes_every_event_in_order_and_answers_the_task(
    deployment: Deployment,
) -> None:
    await play(deployment)
    for after in (1, 2):  # the answer to the task, and the request with all events
        deployment.calls.forget()
        deployment.calls.dies_after = after
        await deployment.death(deployment.publish())
    assert await deployment.publish() == {"batchItemFailures": []}
    assert first_of_each(deployment) == STORY
    assert deployment.calls.names == ["SendTaskSuccess", "PutEvents"] * 2
    (answer,) = deployment.tasks.tasks.answers.values()
    assert answer is not None


@pytest.mark.parametrize("fault", ["refused", "lost", "500", "500_after", "throttled"])
@pytest.mark.parametrize("batch", [1, 100])
async def test_whatever_the_bus_does_no_event_is_lost_and_each_has_its_id(
    deployment: Deployment, fault: Any, batch: int
) -> None:
    await play(deployment)
    deployment.bus.faults = [*[None] * (batch == 1), fault, *[fault] * (fault != "throttled")]
    failures = 0
    for _ in range(100 // batch):
        failures += bool((await deployment.publish(most=batch))["batchItemFailures"])
    await deployment.publish()
    assert (failures, deployment.bus.faults) == (1, [])
    assert first_of_each(deployment) == STORY


async def test_a_stream_that_delivers_twice_publishes_the_same_events_again(deployment: Deployment) -> None:
    await play(deployment)
    await deployment.publish()
    once = [event["Detail"] for event in deployment.bus.events]
    deployment.rewind()
    await deployment.publish()
    assert [event["Detail"] for event in deployment.bus.events] == once + once
    assert len(deployment.tasks.tasks.answers) == 1


async def test_a_question_that_nobody_can_read_goes_to_the_dead_letters(deployment: Deployment) -> None:
    question = await ask(deployment)
    await press(deployment, question)
    for record in records(deployment):
        for image in ("OldImage", "NewImage"):
            record["dynamodb"].get(image, {}).pop("asked_at", None)
        if "answer" in record["dynamodb"].get("NewImage", {}):
            record["dynamodb"]["NewImage"]["answer"] = {"S": "not JSON"}
    assert await deployment.publish() == {"batchItemFailures": []}
    assert deployment.bus.types() == ["SessionOpened"]
    assert len(deployment.letters.sent) == 2
