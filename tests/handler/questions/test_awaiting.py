"""Awaiting through deaths, freezes and lost answers: what a person was told is recorded is what every program gets."""

import asyncio
from typing import Any

import pytest

from infra.virtual_time import VirtualLoop
from tests.handler.questions.acts import OTHER, PERSON, SHIP, WHY, ask, buttons, cards, now, press, reply, run
from tests.kit.deployment import Deployment

HOUR = 3600.0
CALLS_OF_AN_AWAIT = 8  # with a reply to read, the session to change, and two cards to correct


async def death(deployment: Deployment, calls: int) -> bool:
    """The process of an `await` that has a reply to read dies after so many calls; the caller begins anew."""
    question = await ask(deployment, WHY)
    reply(deployment, question)
    deployment.restart()
    deployment.calls.forget()
    deployment.calls.dies_after = calls
    try:
        await deployment.death(now(deployment, question))
    except AssertionError:
        return False
    again = await ask(deployment, WHY)  # the caller remembers nothing but its request
    assert again["id"] == question["id"]
    answer = (await now(deployment, again))["answer"]
    assert (answer["text"], answer["by"]) == ("a flaky test", PERSON)
    await run(deployment)
    (card,) = cards(deployment)
    assert card.content.endswith(f"✅ **a flaky test** · <@{PERSON}>")
    return True


def test_after_a_death_at_any_call_of_an_await_the_caller_gets_the_answer() -> None:
    for calls in range(1, 30):
        with Deployment(imported=True) as deployment:
            if not deployment.run(death(deployment, calls)):
                assert calls > CALLS_OF_AN_AWAIT
                return
    raise AssertionError("it does not end")


@pytest.mark.parametrize("frozen_after", range(1, 6))
async def test_an_environment_that_was_frozen_for_an_hour_loses_no_answer(
    deployment: Deployment, frozen_after: int
) -> None:
    """A person answers meanwhile. At the thaw every timer is due: the invocation may have run out of time."""
    question = await ask(deployment, {**SHIP, "expires_in": 1800})
    deployment.calls.forget()

    async def freeze() -> None:
        if len(deployment.calls) == frozen_after:
            await press(deployment, question)
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            loop.jump(HOUR)

    deployment.after_every_call, deployment.after_call = True, freeze
    request = {"operation": "await", "question_id": question["id"], "wait": 50}
    thawed = await deployment.invoke(request)
    assert "error" not in thawed or thawed["error"]["retryable"]
    assert thawed.get("question", {}).get("state") != "expired"
    assert (await now(deployment, question))["answer"]["choice"] == "yes"
    assert len(cards(deployment)) == 1


@pytest.mark.parametrize(
    "fault", ["refused", "lost", "timeout_before", "timeout_after", "500", "500_after", "throttled", "late"]
)
@pytest.mark.parametrize("times", [1, 60])  # a moment; longer than the webhook and the worker try
async def test_what_a_person_was_told_is_recorded_stays_the_answer(
    deployment: Deployment, fault: Any, times: int
) -> None:
    """The write of the answer fails, or its answer is lost; others go on: another person, the program, the time."""
    question = await ask(deployment, {**SHIP, "expires_in": 1800, "default": {"choice": "no"}})
    deployment.wire.fail("UpdateItem", *[fault] * times)
    pressed = await press(deployment, question)
    await deployment.work()
    deployment.wire.faults.clear()
    original = deployment.discord.original_response(pressed.token)
    told = pressed.kind == 7 or (original is not None and "Recorded" in original["content"])
    deployment.wire.hanging.land()  # what seemed lost has its effect now
    if buttons(deployment, question):
        await press(deployment, question, "No", user=OTHER)
    await deployment.invoke({"operation": "cancel", "question_id": question["id"]})
    await deployment.wait(HOUR)
    await run(deployment)
    answered = await now(deployment, question)
    assert told is (times == 1)
    if told:
        assert (answered["state"], answered["answer"]["by"]) == ("answered", PERSON)
    assert answered["state"] == "answered"
    by = answered["answer"]["by"]
    assert deployment.card(question["message_id"])["content"].endswith(f"<@{by}>")
