"""After an answer by button nobody waits any more: the session says so at once, and the answer waits for nothing of that."""

from typing import Any

import pytest

from handler import worker
from handler.commands.jobs import decode
from handler.config import WorkerConfig
from tests.handler.questions.acts import PERSON, SHIP, ask, buttons, cards, press, question_item, run, session_item
from tests.kit.deployment import WORKER_SECONDS, Deployment

SHOWN = f"Ship it?\n\n✅ **Yes** · <@{PERSON}>"


def source(deployment: Deployment, question: dict[str, Any]) -> str:
    """What stands above the thread."""
    return deployment.discord.messages[question["thread"]].content


async def test_the_session_waits_no_more_as_soon_as_the_worker_has_run(deployment: Deployment) -> None:
    question = await ask(deployment)
    await deployment.wait(10)
    assert "Waiting" in source(deployment, question)
    await press(deployment, question)
    assert await deployment.work() == 1
    assert not {"waiting_since", "waiting_for"} & set(session_item(deployment))
    assert "Waiting" not in source(deployment, question)
    assert "due_at" not in question_item(deployment)
    assert deployment.card(question["message_id"])["content"] == SHOWN


@pytest.mark.parametrize("fault", ["refused", "500", "lost", "access_denied"])
async def test_a_queue_that_takes_nothing_costs_nobody_the_answer(deployment: Deployment, fault: Any) -> None:
    question = await ask(deployment)
    deployment.queue.faults = [fault, fault]
    pressed = await press(deployment, question)
    assert (pressed.kind, pressed.in_time) == (7, True)
    assert deployment.card(question["message_id"])["content"] == SHOWN
    await run(deployment)
    assert "waiting_since" not in session_item(deployment)


async def test_a_queue_that_hangs_delays_the_answer_by_less_than_a_second(deployment: Deployment) -> None:
    question = await ask(deployment)
    deployment.queue.faults = ["hang"]
    pressed = await press(deployment, question)
    deployment.queue.release()
    assert pressed.kind == 7
    assert pressed.seconds < 0.5
    assert buttons(deployment, question) == []


async def test_a_job_that_comes_twice_changes_nothing_more(deployment: Deployment) -> None:
    await press(deployment, await ask(deployment))
    event = deployment.queue.receive()
    for _ in range(2):
        answer = await worker.handle(deployment.environment(WorkerConfig), event, "request", WORKER_SECONDS)
        assert answer == {"batchItemFailures": []}
        assert "waiting_since" not in session_item(deployment)
    (card,) = cards(deployment)
    assert card.content == SHOWN


async def test_a_worker_that_cannot_do_it_leaves_it_to_the_reconciler(deployment: Deployment) -> None:
    question = await ask(deployment)
    await press(deployment, question)
    deployment.wire.fail("GetItem", "500", "500", "500", "500", "500", "500")
    assert await deployment.receive() == {"batchItemFailures": []}
    assert "waiting_since" in session_item(deployment)
    deployment.wire.faults.clear()
    await run(deployment)
    assert "waiting_since" not in session_item(deployment)
    assert deployment.card(question["message_id"])["content"] == SHOWN


async def test_a_worker_of_an_older_version_takes_its_token_for_dead_and_answers_nothing(
    deployment: Deployment,
) -> None:
    await press(deployment, await ask(deployment))
    (sent,) = deployment.queue.sent
    job = decode(sent.text)
    assert job.answered
    assert job.expiry <= deployment.now


async def test_who_is_not_the_one_leaves_nothing_to_do(deployment: Deployment) -> None:
    question = await ask(deployment, {**SHIP, "answerers": {"user_ids": ["7"]}})
    await press(deployment, question)
    assert deployment.queue.sent == []
