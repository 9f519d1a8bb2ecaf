"""People answer: by button, form, reply or message command. One answer is on record, and everybody is told whose."""

import asyncio
from typing import Any

import pytest

from handler.commands import question_texts
from handler.commands.questions import MENU_NAME
from infra.simulator.faults import HANG, server_error
from tests.handler.questions.acts import (
    FORM,
    OTHER,
    PERSON,
    SHIP,
    WHY,
    ask,
    buttons,
    now,
    press,
    question_item,
    reply,
    run,
    send_form,
    session_item,
)
from tests.kit.deployment import Asked, Deployment
from tests.kit.guild import BOT
from tests.kit.table_view import GUILD

ROLE = "77"


def text_for_one(asked: Asked) -> str:
    """What only the member reads."""
    assert (asked.kind, asked.callback["data"]["flags"]) == (4, 64)
    return asked.content


async def test_of_fifty_who_press_at_once_one_answers_and_the_others_are_told_whose(deployment: Deployment) -> None:
    question = await ask(deployment)
    deployment.latency = 0.05
    pressed = await asyncio.gather(
        *(press(deployment, question, ("Yes", "No")[n % 2], user=str(100 + n)) for n in range(50))
    )
    won = [asked for asked in pressed if asked.kind == 7]
    assert len(won) == 1
    answer = (await now(deployment, question))["answer"]
    others = [text_for_one(asked) for asked in pressed if asked.kind != 7]
    assert len(others) == 49
    assert all(f"<@{answer['by']}>" in text for text in others)
    assert f"<@{answer['by']}>" in deployment.card(question["message_id"])["content"]


async def test_a_press_that_arrives_twice_is_answered_the_same(deployment: Deployment) -> None:
    question = await ask(deployment)
    first = await press(deployment, question, interaction_id="1400000000000000001")
    shown = deployment.card(question["message_id"])["content"]
    again = await repeat_press(deployment, question, "1400000000000000001")
    assert (again.kind, again.callback["data"]["content"]) == (first.kind, shown)


async def repeat_press(deployment: Deployment, question: dict[str, Any], interaction_id: str) -> Asked:
    """The same interaction once more, as Discord has sent it before the card changed."""
    message = {**deployment.card(question["message_id"])}
    button = {"type": 2, "style": 2, "label": "Yes", "custom_id": f"answer:{question['id']}:0"}
    message["components"] = [{"type": 1, "components": [button]}]
    place = {"channel_id": question["thread"], "user_id": PERSON, "interaction_id": interaction_id}
    return await deployment.press_message(message, "Yes", **place)


async def test_who_may_not_answer_changes_nothing_and_learns_nothing(deployment: Deployment) -> None:
    question = await ask(deployment, answerers={"user_ids": [OTHER], "role_ids": [ROLE]})
    before = deployment.everything()
    assert text_for_one(await press(deployment, question, roles=["1", "2"])) == question_texts.NOT_FOR_YOU
    assert deployment.everything()[0] == before[0]
    await press(deployment, question, user=OTHER)
    assert text_for_one(await repeat_press(deployment, question, "1400000000000000009")) == question_texts.NOT_FOR_YOU


@pytest.mark.parametrize(("user", "roles"), [(OTHER, []), (PERSON, [ROLE])])
async def test_a_named_user_and_a_role_may_answer(deployment: Deployment, user: str, roles: list[str]) -> None:
    question = await ask(deployment, answerers={"user_ids": [OTHER], "role_ids": [ROLE]})
    assert (await press(deployment, question, user=user, roles=roles)).kind == 7
    assert (await now(deployment, question))["answer"]["by"] == user


async def test_a_form_for_others_is_not_shown(deployment: Deployment) -> None:
    question = await ask(deployment, FORM, answerers={"user_ids": [OTHER]})
    assert text_for_one(await press(deployment, question, "Answer…")) == question_texts.NOT_FOR_YOU


async def test_a_text_is_given_in_a_form(deployment: Deployment) -> None:
    question = await ask(deployment, WHY)
    form = await press(deployment, question, "Answer…")
    assert (form.kind, form.callback["data"]["title"]) == (9, "Answer")
    sent = await send_form(deployment, question, form, text=" a *flaky* test\nagain ")
    assert sent.kind == 7
    card = deployment.card(question["message_id"])
    assert card["content"] == f"Why did it fail?\n\n✅ **a \\*flaky\\* test again** · <@{PERSON}>"
    assert (await now(deployment, question))["answer"]["text"] == "a *flaky* test\nagain"


async def test_another_answer_than_the_choices_is_given_where_it_is_allowed(deployment: Deployment) -> None:
    question = await ask(deployment, allow_other=True)
    form = await press(deployment, question, "Other…")
    await send_form(deployment, question, form, text="on Monday")
    assert (await now(deployment, question))["answer"]["text"] == "on Monday"


async def test_a_form_is_filled_in(deployment: Deployment) -> None:
    question = await ask(deployment, FORM)
    form = await press(deployment, question, "Answer…")
    assert [part["label"] for part in form.callback["data"]["components"]] == ["Name", "Notes", "Size"]
    await send_form(deployment, question, form, name="7.1", notes="", size=["l"])
    assert (await now(deployment, question))["answer"]["values"] == {"name": "7.1", "size": "l"}
    assert "**Name: 7.1 · Notes: – · Size: Large**" in deployment.card(question["message_id"])["content"]


@pytest.mark.parametrize(
    "fields", [{"name": " ", "size": ["l"]}, {"name": "x", "size": ["xl"]}, {"name": "x", "size": ["s"], "more": "y"}]
)
async def test_a_form_that_does_not_fit_is_no_answer(deployment: Deployment, fields: dict[str, Any]) -> None:
    question = await ask(deployment, FORM)
    form = await press(deployment, question, "Answer…")
    assert text_for_one(await send_form(deployment, question, form, **fields)) == question_texts.NO_ANSWER
    assert (await now(deployment, question))["state"] == "open"


async def test_a_form_that_is_sent_too_late_is_told_who_answered(deployment: Deployment) -> None:
    question = await ask(deployment, WHY)
    form = await press(deployment, question, "Answer…")
    reply(deployment, question, by=OTHER)
    await run(deployment)
    assert f"<@{OTHER}>" in text_for_one(await send_form(deployment, question, form, text="mine"))


async def test_a_forged_button_is_no_answer(deployment: Deployment) -> None:
    question = await ask(deployment)
    message = deployment.card(question["message_id"])
    for number, text in (("2", question_texts.NO_ANSWER), ("x", question_texts.NO_ANSWER)):
        message["components"][0]["components"][0]["custom_id"] = f"answer:{question['id']}:{number}"
        assert text_for_one(await deployment.press_message(message, "Yes", channel_id=question["thread"])) == text
    message["components"][0]["components"][0]["custom_id"] = "answer:nonsense:0"
    assert (
        text_for_one(await deployment.press_message(message, "Yes", channel_id=question["thread"]))
        == question_texts.GONE
    )


async def test_a_press_that_takes_too_long_is_finished_by_the_worker(deployment: Deployment) -> None:
    question = await ask(deployment)
    pressed = await press(deployment, question, old=2.9)
    assert (pressed.kind, pressed.in_time) == (5, True)
    assert await deployment.work() >= 1
    assert deployment.shown(pressed) == "Recorded: **Yes**"
    assert buttons(deployment, question) == []
    assert (await now(deployment, question))["answer"]["by"] == PERSON


async def test_a_form_cannot_be_shown_too_late_and_the_button_stays(deployment: Deployment) -> None:
    question = await ask(deployment, WHY)
    pressed = await press(deployment, question, "Answer…", old=2.9)
    await deployment.work()
    assert "too long" in deployment.shown(pressed)
    assert buttons(deployment, question) == ["Answer…"]


async def test_a_press_whose_response_is_lost_is_corrected_by_the_reconciler(deployment: Deployment) -> None:
    question = await ask(deployment)
    deployment.calls.forget()
    deployment.calls.dies_after = 2
    await deployment.death(press(deployment, question))
    assert buttons(deployment, question) == ["Yes", "No"]
    assert (await run(deployment)) == {"CorrectQuestion": 1}
    assert buttons(deployment, question) == []
    assert (await run(deployment)) == {}


async def test_a_reply_is_an_answer(deployment: Deployment) -> None:
    question = await ask(deployment, WHY)
    reply(deployment, question, f"<@{BOT}> a flaky test")
    answered = await now(deployment, question)
    assert (answered["state"], answered["answer"]["text"], answered["answer"]["by"]) == (
        "answered",
        "a flaky test",
        PERSON,
    )
    assert buttons(deployment, question) == []
    assert "a flaky test" in deployment.card(question["message_id"])["content"]


async def test_the_reconciler_reads_replies_too(deployment: Deployment) -> None:
    question = await ask(deployment, WHY)
    assert await run(deployment) == {}
    reply(deployment, question)
    assert await run(deployment) == {"TakeReply": 1}
    assert (await now(deployment, question))["answer"]["text"] == "a flaky test"


async def test_a_reply_that_a_program_reads_is_an_answer(deployment: Deployment) -> None:
    question = await ask(deployment, WHY)
    reply(deployment, question)
    read = await deployment.program("replies")
    assert [message["content"] for message in read["messages"]] == ["a flaky test"]
    assert question_item(deployment)["state"] == "answered"
    assert buttons(deployment, question) == []


async def test_the_first_of_two_replies_counts_and_other_messages_do_not(deployment: Deployment) -> None:
    question = await ask(deployment, WHY)
    deployment.people.post_message(question["thread"], f"<@{BOT}> no reply", by=OTHER)
    reply(deployment, question, "first", by=OTHER)
    reply(deployment, question, "second")
    assert (await now(deployment, question))["answer"]["text"] == "first"


@pytest.mark.parametrize(
    ("request_", "how"),
    [
        (SHIP, {}),  # its answer is no text
        (WHY, {"pings": False}),  # its content is hidden
        (WHY, {"by": "9"}),  # a bot's
        ({**WHY, "answerers": {"user_ids": [OTHER]}}, {}),
        ({**WHY, "answerers": {"role_ids": [ROLE]}}, {}),
    ],
)
async def test_a_reply_that_cannot_be_the_answer_is_none(
    deployment: Deployment, request_: dict[str, Any], how: dict[str, Any]
) -> None:
    deployment.discord.add_user("9", bot=True)
    question = await ask(deployment, request_)
    reply(deployment, question, **how)
    assert (await now(deployment, question))["state"] == "open"
    assert await run(deployment) == {}


async def test_a_role_counts_as_it_is_when_the_reply_is_read(deployment: Deployment) -> None:
    question = await ask(deployment, WHY, answerers={"role_ids": [ROLE]})
    reply(deployment, question, "too early", by=OTHER)
    deployment.discord.people.set_roles(GUILD, PERSON, [ROLE])
    reply(deployment, question, "with the role")
    deployment.discord.people.remove_member(GUILD, OTHER)
    assert (await now(deployment, question))["answer"]["text"] == "with the role"


async def test_replies_behind_hundreds_of_messages_are_found(deployment: Deployment) -> None:
    question = await ask(deployment, WHY)
    for number in range(620):
        deployment.people.post_message(question["thread"], f"{number}", by=OTHER)
    reply(deployment, question)
    assert await run(deployment) == {}
    assert await run(deployment) == {"TakeReply": 1}


async def test_a_message_is_the_answer_by_the_command_in_its_menu(deployment: Deployment) -> None:
    first = await ask(deployment, WHY)
    await deployment.wait(1)
    newest = await ask(deployment, {**WHY, "request_id": "newer"})
    message = deployment.people.post_message(first["thread"], "it was the cache", by=OTHER)
    asked = await use_menu(deployment, message)
    assert text_for_one(asked) == "Recorded: **it was the cache**"
    answer = (await now(deployment, newest))["answer"]
    assert (answer["text"], answer["by"]) == ("it was the cache", PERSON)
    assert (await now(deployment, first))["state"] == "open"
    assert buttons(deployment, newest) == []


async def test_the_command_says_when_nothing_is_open_or_takes_a_text(deployment: Deployment) -> None:
    question = await ask(deployment)
    message = deployment.people.post_message(question["thread"], "yes", by=OTHER)
    assert "Use its buttons" in text_for_one(await use_menu(deployment, message))
    await press(deployment, question)
    assert "No question is open" in text_for_one(await use_menu(deployment, message))


async def test_a_question_is_not_its_own_answer(deployment: Deployment) -> None:
    question = await ask(deployment, WHY)
    assert "That's the question itself" in text_for_one(await use_menu(deployment, question["message_id"]))
    assert (await now(deployment, question))["state"] == "open"


async def test_the_command_is_refused_to_who_may_not_answer(deployment: Deployment) -> None:
    question = await ask(deployment, WHY, answerers={"user_ids": [OTHER]})
    message = deployment.people.post_message(question["thread"], "because", by=OTHER)
    assert text_for_one(await use_menu(deployment, message)) == question_texts.NOT_FOR_YOU


async def use_menu(deployment: Deployment, message_id: str) -> Asked:
    shown = deployment.discord.messages[message_id]
    message = {"id": message_id, "content": shown.content, "author": {"id": shown.author_id}, "flags": 0}
    return await deployment.use_menu(MENU_NAME, message, channel_id=shown.channel_id, channel_type=11, user_id=PERSON)


async def test_await_hears_of_an_answer_within_seconds(deployment: Deployment) -> None:
    question = await ask(deployment)
    waiting = asyncio.ensure_future(now(deployment, question, wait=50))
    await deployment.wait(20)
    began = deployment.now
    await press(deployment, question)
    assert (await waiting)["answer"]["choice"] == "yes"
    assert (deployment.now - began).total_seconds() <= 3.0


async def test_await_reads_replies_every_few_seconds_and_not_more_often(deployment: Deployment) -> None:
    question = await ask(deployment, WHY)
    deployment.calls.forget()
    waiting = asyncio.ensure_future(now(deployment, question, wait=50))
    await deployment.wait(40)
    reply(deployment, question)
    assert (await waiting)["answer"]["text"] == "a flaky test"
    assert 6 <= deployment.calls.count("GET /channels/{channel_id}/messages") <= 10


async def test_await_returns_the_open_question_at_the_end_of_the_wait(deployment: Deployment) -> None:
    question = await ask(deployment)
    began = deployment.now
    assert (await now(deployment, question, wait=50))["state"] == "open"
    assert (deployment.now - began).total_seconds() == pytest.approx(50.0, abs=0.5)
    assert (await now(deployment, question))["state"] == "open"


@pytest.mark.parametrize("what", [server_error(), HANG])
async def test_await_goes_on_through_an_outage_of_discord(deployment: Deployment, what: Any) -> None:
    question = await ask(deployment, WHY)
    form = await press(deployment, question, "Answer…")
    deployment.discord.faults.inject("*", "*", what, times=1000)
    waiting = asyncio.ensure_future(now(deployment, question, wait=50))
    await deployment.wait(10)
    began = deployment.now
    await send_form(deployment, question, form, text="because")
    assert (await waiting)["answer"]["text"] == "because"
    assert (deployment.now - began).total_seconds() <= 6.0


async def test_await_answers_in_time_through_an_outage_of_discord(deployment: Deployment) -> None:
    question = await ask(deployment, WHY)
    deployment.discord.faults.inject("*", "*", HANG, times=1000)
    began = deployment.now
    assert (await now(deployment, question, wait=50))["state"] == "open"
    assert (deployment.now - began).total_seconds() <= 54.0


async def test_a_session_waits_while_a_question_is_open(deployment: Deployment) -> None:
    first = await ask(deployment)
    await deployment.wait(1)
    second = await ask(deployment, WHY)
    listed = {"operation": "list", "parent_channel_id": "10", "state": "waiting"}
    assert session_item(deployment)["waiting_since"] == first["asked_at"]
    assert session_item(deployment)["waiting_for"] == second["id"]
    assert len((await deployment.invoke(listed))["sessions"]) == 1
    await press(deployment, first)
    await run(deployment)
    assert session_item(deployment)["waiting_for"] == second["id"]
    reply(deployment, second)
    await now(deployment, second)
    assert not {"waiting_since", "waiting_for"} & set(session_item(deployment))
    assert (await deployment.invoke(listed))["sessions"] == []


async def test_the_older_question_is_waited_for_when_the_newer_is_answered(deployment: Deployment) -> None:
    first = await ask(deployment)
    await deployment.wait(1)
    second = await ask(deployment, WHY)
    reply(deployment, second)
    await now(deployment, second)
    assert session_item(deployment)["waiting_for"] == first["id"]
    await press(deployment, first)
    await run(deployment)
    assert "waiting_for" not in session_item(deployment)


async def test_a_session_goes_on_waiting_for_a_question_that_is_asked_while_another_one_ends(
    deployment: Deployment,
) -> None:
    first = await ask(deployment)
    asked: list[Any] = []

    async def ask_another() -> None:
        if deployment.calls.names[-1] == "Query" and not asked:
            asked.append(None)
            asked.append(await ask(deployment, WHY))

    await press(deployment, first)
    deployment.after_every_call, deployment.after_call = True, ask_another
    await now(deployment, first)
    assert session_item(deployment)["waiting_for"] == asked[1]["id"]


async def test_a_question_that_is_over_leaves_the_indices_and_expires_some_day(deployment: Deployment) -> None:
    question = await ask(deployment)
    assert {"listed_in", "activity", "due_in", "due_at"} <= set(question_item(deployment))
    assert "expires_at" not in question_item(deployment)
    await press(deployment, question)
    await run(deployment)
    assert not {"listed_in", "activity", "due_in", "due_at"} & set(question_item(deployment))
    await deployment.days_pass(91)
    assert not deployment.table.of_kind("QUESTION#")


async def test_the_status_card_links_the_question_while_the_session_waits(deployment: Deployment) -> None:
    question = await ask(deployment)
    source = deployment.discord.messages[question["thread"]]
    link = f"https://discord.com/channels/{GUILD}/{question['thread']}/{question['message_id']}"
    assert f"🟡 Waiting for [an answer]({link})" in source.content
    await deployment.wait(10)
    await press(deployment, question)
    await run(deployment)
    assert "Waiting" not in deployment.discord.messages[question["thread"]].content
