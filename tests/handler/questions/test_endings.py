"""Questions end without an answer, or in the same moment as one comes; cards disappear; threads are archived."""

import asyncio
from typing import Any

import pytest

from tests.handler.questions.acts import (
    FORM,
    OTHER,
    PERSON,
    SHIP,
    WHY,
    ask,
    buttons,
    cards,
    now,
    press,
    question_item,
    reminders,
    reply,
    run,
    session_item,
)
from tests.kit.deployment import Deployment

HOUR: dict[str, Any] = {**SHIP, "expires_in": 3600}


async def cancel(deployment: Deployment, question: dict[str, Any]) -> dict[str, Any]:
    answer = await deployment.invoke({"operation": "cancel", "question_id": question["id"]})
    found: dict[str, Any] = answer["question"]
    return found


async def test_a_question_expires_and_its_buttons_go(deployment: Deployment) -> None:
    question = await ask(deployment, HOUR)
    await deployment.wait(3599)
    assert await run(deployment) == {}
    await deployment.wait(1)
    assert await run(deployment) == {"ExpireQuestion": 1}
    card = deployment.card(question["message_id"])
    assert (card["content"], card["components"]) == ("Ship it?\n\n⌛ Nobody answered in time.", [])
    expired = await now(deployment, question)
    assert (expired["state"], "answer" in expired) == ("expired", False)
    assert "waiting_since" not in session_item(deployment)
    assert await run(deployment) == {}


@pytest.mark.parametrize(
    ("request_", "default", "shown"),
    [
        (HOUR, {"choice": "no"}, "**No**"),
        ({**FORM, "expires_in": 3600}, {"values": {"name": "x", "size": "s"}}, "**Name: x · Notes: – · Size: Small**"),
    ],
)
async def test_a_default_is_applied_and_the_card_says_so(
    deployment: Deployment, request_: dict[str, Any], default: dict[str, Any], shown: str
) -> None:
    question = await ask(deployment, request_, default=default)
    await deployment.wait(3600)
    expired = await now(deployment, question)
    assert expired["state"] == "expired"
    assert expired["answer"] == {**default, "at": "2026-11-23T13:00:00.000Z"}
    assert deployment.card(question["message_id"])["content"].endswith(f"This holds: {shown}")


async def test_await_expires_a_question_at_its_time(deployment: Deployment) -> None:
    question = await ask(deployment, SHIP, expires_in=60)
    await deployment.wait(30)
    began = deployment.now
    assert (await now(deployment, question, wait=50))["state"] == "expired"
    assert (deployment.now - began).total_seconds() == pytest.approx(30.0, abs=0.1)
    assert buttons(deployment, question) == []


async def test_a_press_after_the_time_is_told_so_although_nothing_had_expired_it(deployment: Deployment) -> None:
    question = await ask(deployment, HOUR)
    await deployment.wait(3600)
    pressed = await press(deployment, question)
    assert pressed.kind == 4
    assert "Nobody answered in time" in pressed.content
    assert (await now(deployment, question))["state"] == "expired"


@pytest.mark.parametrize("seconds", [3599.9, 3599.99, 3600.0])
async def test_an_answer_and_the_expiry_end_the_same_everywhere(deployment: Deployment, seconds: float) -> None:
    question = await ask(deployment, HOUR, default={"choice": "no"})
    deployment.latency = 0.05
    await deployment.wait(seconds)
    pressed, *_ = await asyncio.gather(press(deployment, question), run(deployment), now(deployment, question, wait=1))
    await run(deployment)
    ended = await now(deployment, question)
    content = deployment.card(question["message_id"])["content"]
    if pressed.kind == 7:
        assert (ended["state"], ended["answer"]["choice"], "✅ **Yes**" in content) == ("answered", "yes", True)
    else:
        assert (ended["state"], ended["answer"]["choice"], "**No**" in content) == ("expired", "no", True)
    assert buttons(deployment, question) == []


async def test_a_reply_that_came_in_time_counts_although_it_is_read_later(deployment: Deployment) -> None:
    question = await ask(deployment, WHY, expires_in=3600)
    await deployment.wait(3599)
    reply(deployment, question, "just in time")
    await deployment.wait(2)
    reply(deployment, question, "too late", by=OTHER)
    assert await run(deployment) == {"ExpireQuestion": 1}
    ended = await now(deployment, question)
    assert (ended["state"], ended["answer"]["text"]) == ("answered", "just in time")


async def test_a_reply_that_came_too_late_does_not_count(deployment: Deployment) -> None:
    question = await ask(deployment, WHY, expires_in=3600)
    await deployment.wait(3601)
    reply(deployment, question, "too late")
    assert (await now(deployment, question))["state"] == "expired"


async def test_a_program_withdraws_its_question_and_may_do_so_again(deployment: Deployment) -> None:
    question = await ask(deployment)
    for _ in range(2):
        assert (await cancel(deployment, question))["state"] == "cancelled"
    assert deployment.card(question["message_id"])["content"].endswith("This question was withdrawn.")
    assert buttons(deployment, question) == []


async def test_an_answer_is_not_withdrawn(deployment: Deployment) -> None:
    question = await ask(deployment)
    await press(deployment, question)
    assert (await cancel(deployment, question))["state"] == "answered"


async def test_a_cancel_that_dies_is_shown_by_the_reconciler(deployment: Deployment) -> None:
    question = await ask(deployment)
    deployment.calls.forget()
    deployment.calls.dies_after = 2
    await deployment.death(cancel(deployment, question))
    assert buttons(deployment, question) == ["Yes", "No"]
    assert await run(deployment) == {"CorrectQuestion": 1}
    assert buttons(deployment, question) == []


async def test_one_reminder_mentions_those_who_may_answer(deployment: Deployment) -> None:
    question = await ask(deployment, SHIP, remind_in=600, answerers={"user_ids": [PERSON]})
    await deployment.wait(599)
    assert await run(deployment) == {}
    await deployment.wait(1)
    assert await run(deployment) == {"Remind": 1}
    assert await run(deployment) == {}
    (reminder,) = reminders(deployment)
    assert (reminder.mentions, reminder.replies_to) == ((PERSON,), question["message_id"])
    await press(deployment, question)


async def test_no_reminder_comes_after_the_answer(deployment: Deployment) -> None:
    question = await ask(deployment, SHIP, remind_in=600)
    await press(deployment, question)
    await deployment.wait(600)
    assert await run(deployment) == {"CorrectQuestion": 1}
    assert reminders(deployment) == []


@pytest.mark.parametrize("calls", [*range(1, 30)])
async def test_a_run_that_dies_while_it_reminds_leaves_one_reminder(deployment: Deployment, calls: int) -> None:
    await ask(deployment, SHIP, remind_in=600)
    await deployment.wait(600)
    deployment.restart()
    deployment.calls.forget()
    deployment.calls.dies_after = calls
    try:
        await deployment.death(run(deployment))
    except AssertionError:
        deployment.calls.revive()
    if calls % 2:
        await deployment.wait(120)
        deployment.discord.close_nonce_window()
    await run(deployment)
    assert len(reminders(deployment)) == 1
    assert "remind_at" not in question_item(deployment)


async def test_a_card_that_was_deleted_is_shown_again_once(deployment: Deployment) -> None:
    question = await ask(deployment)
    deployment.people.delete_message(question["thread"], question["message_id"])
    again = await now(deployment, question)
    assert again["message_id"] != question["message_id"]
    deployment.people.delete_message(question["thread"], again["message_id"])
    await now(deployment, question)
    assert cards(deployment) == []


async def test_a_card_that_was_shown_again_takes_the_answer(deployment: Deployment) -> None:
    question = await ask(deployment)
    deployment.people.delete_message(question["thread"], question["message_id"])
    await asyncio.gather(*(now(deployment, question) for _ in range(5)))
    (card,) = cards(deployment)
    await press(deployment, {**question, "message_id": card.id})
    assert (await now(deployment, question))["answer"]["choice"] == "yes"


@pytest.mark.parametrize("calls", [*range(1, 8)])
async def test_a_death_while_a_card_is_shown_again_leaves_one_card(deployment: Deployment, calls: int) -> None:
    question = await ask(deployment)
    deployment.people.delete_message(question["thread"], question["message_id"])
    deployment.restart()
    deployment.calls.forget()
    deployment.calls.dies_after = calls
    try:
        await deployment.death(now(deployment, question))
    except AssertionError:
        deployment.calls.revive()
    await deployment.wait(121)
    deployment.discord.close_nonce_window()
    await run(deployment)
    shown = await now(deployment, question)
    assert [card.id for card in cards(deployment)] == [shown["message_id"]]


async def test_a_question_whose_card_was_deleted_ends_all_the_same(deployment: Deployment) -> None:
    question = await ask(deployment, HOUR)
    deployment.people.delete_message(question["thread"], question["message_id"])
    await deployment.wait(3600)
    assert await run(deployment) == {"ExpireQuestion": 1}
    assert await run(deployment) == {}


async def test_a_question_whose_thread_was_deleted_ends_all_the_same(deployment: Deployment) -> None:
    question = await ask(deployment, WHY, expires_in=3600)
    deployment.people.delete_thread(question["thread"])
    await deployment.wait(3600)
    assert await run(deployment) == {"ExpireQuestion": 1}
    assert (await now(deployment, question))["state"] == "expired"


async def test_a_card_in_an_archived_thread_is_corrected_once_it_is_open(deployment: Deployment) -> None:
    question = await ask(deployment, HOUR)
    deployment.people.archive(question["thread"])
    await deployment.wait(3600)
    assert await run(deployment) == {}
    assert (await now(deployment, question))["state"] == "expired"
    assert buttons(deployment, question) == ["Yes", "No"]
    deployment.people.unarchive(question["thread"])
    await deployment.wait(days=1)
    assert await run(deployment) == {"CorrectQuestion": 1}
    assert buttons(deployment, question) == []


async def test_no_reminder_opens_a_thread_that_a_person_archived(deployment: Deployment) -> None:
    question = await ask(deployment, SHIP, remind_in=600)
    deployment.people.archive(question["thread"])
    await deployment.wait(600)
    await run(deployment)
    assert deployment.discord.threads[question["thread"]].archived
    assert reminders(deployment) == []


@pytest.mark.parametrize("answered", [False, True])
async def test_a_thread_with_an_open_question_is_kept_active(deployment: Deployment, answered: bool) -> None:
    question = await ask(deployment)
    if answered:
        await press(deployment, question)
    await run(deployment)
    deployment.people.auto_archive(question["thread"])
    await run(deployment)
    assert deployment.discord.threads[question["thread"]].archived is answered


async def test_a_thread_that_a_person_archived_stays_so_with_an_open_question(deployment: Deployment) -> None:
    question = await ask(deployment)
    await run(deployment)
    deployment.people.archive(question["thread"])
    await run(deployment)
    assert deployment.discord.threads[question["thread"]].archived
