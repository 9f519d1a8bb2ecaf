"""Ask: one question and one card for a request, whatever dies, is lost or is asked for at once."""

import asyncio
from typing import Any

import jsonschema
import pytest

from infra.interactions import parts_of
from infra.schemas import schema_of
from infra.simulator.faults import DROP, server_error
from tests.handler.questions.acts import FORM, PERSON, SHIP, WHY, ask, buttons, cards, now, press, question_item, run
from tests.kit.deployment import Deployment
from tests.kit.table_view import CHANNEL

NONCE_TRUSTED_SECONDS = 61.0
CALLS_OF_A_WARM_ASK = 11


async def test_a_question_is_asked_and_answered_by_a_button(deployment: Deployment) -> None:
    asked = await deployment.program("ask", **SHIP)
    jsonschema.validate(asked, schema_of("ask.answer.json"))
    question = asked["question"]
    card = deployment.card(question["message_id"])
    assert (question["state"], card["channel_id"]) == ("open", asked["thread"]["id"])
    assert card["content"].startswith("Ship it?\n\nCloses <t:")
    assert [part["label"] for part in parts_of(card) if "label" in part] == ["Yes", "No"]
    assert (question["asked_at"], question["expires_at"]) == ("2026-11-23T12:00:00.000Z", "2026-11-30T12:00:00.000Z")

    pressed = await press(deployment, question)
    assert (pressed.kind, pressed.in_time) == (7, True)
    card = deployment.card(card["id"])
    assert (card["content"], card["components"]) == (f"Ship it?\n\n✅ **Yes** · <@{PERSON}>", [])

    answer = await deployment.invoke({"operation": "await", "question_id": question["id"], "wait": 0})
    jsonschema.validate(answer, schema_of("await.answer.json"))
    assert answer["question"]["state"] == "answered"
    assert answer["question"]["answer"] == {"choice": "yes", "by": PERSON, "at": "2026-11-23T12:00:00.000Z"}


async def test_a_warm_ask_takes_two_requests_and_few_calls_to_the_table(deployment: Deployment) -> None:
    await deployment.ensure()
    deployment.calls.forget()
    await ask(deployment)
    assert deployment.calls.of("discord") == [
        "GET /channels/{channel_id}",
        "POST /channels/{channel_id}/messages",
        "PATCH /channels/{channel_id}/messages/{message_id}",  # the status card
    ]
    on_record = ["GetItem"] * 2 + ["UpdateItem", "TransactWriteItems", "UpdateItem"]
    assert deployment.calls.of("dynamodb") == [*on_record, *["UpdateItem"] * 3]


async def test_an_answer_by_button_is_shown_after_one_write(deployment: Deployment) -> None:
    question = await ask(deployment)
    deployment.calls.forget()
    await press(deployment, question)
    assert deployment.calls.names == ["GetItem", "UpdateItem"]


async def test_a_repeat_is_told_the_same_question_without_a_request(deployment: Deployment) -> None:
    first = await deployment.program("ask", **SHIP)
    deployment.calls.forget()
    assert await deployment.program("ask", **SHIP) == first
    assert deployment.calls.of("discord") == []
    await press(deployment, first["question"])
    again = await deployment.program("ask", **SHIP)
    assert (again["question"]["state"], again["question"]["answer"]["choice"]) == ("answered", "yes")
    assert len(cards(deployment)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"question": "Ship that?"},
        {"choices": SHIP["choices"][:1]},
        {"allow_other": True},
        {"expires_in": 61},
        {"answerers": {"user_ids": ["7"]}},
        {"default": {"choice": "no"}},
    ],
)
async def test_the_same_request_id_with_other_content_is_a_conflict(
    deployment: Deployment, change: dict[str, Any]
) -> None:
    await ask(deployment)
    error = (await deployment.program("ask", **{**SHIP, **change}))["error"]
    assert (error["kind"], error["retryable"]) == ("conflict", False)
    assert len(cards(deployment)) == 1


@pytest.mark.parametrize("nonce", ["window open", "window closed"])
async def test_twenty_at_once_make_one_card(deployment: Deployment, nonce: str) -> None:
    await deployment.ensure()
    deployment.latency = 0.05
    questions = await asyncio.gather(*(ask(deployment) for _ in range(20)))
    if nonce == "window closed":
        await deployment.wait(NONCE_TRUSTED_SECONDS)
        deployment.discord.close_nonce_window()
        questions += await asyncio.gather(*(ask(deployment) for _ in range(20)))
    assert len({question["id"] for question in questions}) == 1
    (card,) = cards(deployment)
    assert {question["message_id"] for question in questions} == {card.id}


async def death(deployment: Deployment, calls: int, *, window_closed: bool, heals: str) -> bool:
    """A process dies after so many calls of an ask. Whoever comes next leaves one question and one card."""
    await deployment.ensure()
    deployment.restart()
    deployment.calls.forget()
    deployment.calls.dies_after = calls
    try:
        await deployment.death(deployment.program("ask", **SHIP))
    except AssertionError:
        return False
    if window_closed:
        await deployment.wait(NONCE_TRUSTED_SECONDS * 2)
        deployment.discord.close_nonce_window()
    if heals == "reconciler":
        if not deployment.table.of_kind("QUESTION#"):
            return True
        await run(deployment)
        assert question_item(deployment)["message_id"] == cards(deployment)[0].id
    question = await ask(deployment)
    (card,) = cards(deployment)
    assert question["message_id"] == card.id
    await press(deployment, question)
    assert (await now(deployment, question))["answer"]["choice"] == "yes"
    return True


@pytest.mark.parametrize(("window_closed", "heals"), [(False, "repeat"), (True, "repeat"), (True, "reconciler")])
def test_after_a_death_at_any_call_there_is_one_card(window_closed: bool, heals: str) -> None:
    for calls in range(1, CALLS_OF_A_WARM_ASK + 2):
        with Deployment(imported=True) as deployment:
            died = deployment.run(death(deployment, calls, window_closed=window_closed, heals=heals))
        assert died is (calls <= CALLS_OF_A_WARM_ASK)


async def test_a_lost_answer_of_discord_leaves_one_card(deployment: Deployment) -> None:
    await deployment.ensure()
    deployment.discord.faults.inject("POST", "/channels/*/messages", DROP, when="after")
    question = await ask(deployment)
    assert [card.id for card in cards(deployment)] == [question["message_id"]]


@pytest.mark.parametrize("what", ["lost", "500_after"])
@pytest.mark.parametrize("operation", ["UpdateItem", "TransactWriteItems"])
async def test_a_lost_answer_of_the_table_leaves_one_card(deployment: Deployment, operation: str, what: Any) -> None:
    await deployment.ensure()
    deployment.wire.fail(operation, what)
    question = await ask(deployment)
    assert [card.id for card in cards(deployment)] == [question["message_id"]]


async def test_an_outage_is_retryable_and_the_repeat_posts_the_card(deployment: Deployment) -> None:
    await deployment.ensure()
    deployment.discord.faults.inject("POST", "*", server_error(), times=3)
    error = (await deployment.program("ask", **SHIP))["error"]
    assert (error["kind"], error["retryable"]) == ("discord_unavailable", True)
    await ask(deployment)
    assert len(cards(deployment)) == 1


async def test_a_question_that_was_deleted_before_it_was_on_record_is_said_so(deployment: Deployment) -> None:
    await deployment.ensure()
    deployment.calls.forget()
    deployment.calls.dies_after = 6
    await deployment.death(deployment.program("ask", **SHIP))
    (card,) = cards(deployment)
    deployment.people.delete_message(card.channel_id, card.id)
    assert (await deployment.program("ask", **SHIP))["error"]["kind"] == "not_found"


async def test_the_card_mentions_those_who_may_answer_and_nobody_else(deployment: Deployment) -> None:
    who = {"user_ids": [PERSON], "role_ids": ["77"]}
    question = await ask(deployment, question="@everyone <@9> ?", answerers=who)
    (card,) = cards(deployment)
    assert (card.mentions, card.mention_everyone) == ((PERSON,), False)
    assert card.content.endswith(f"<@{PERSON}> <@&77>")
    await press(deployment, question)
    assert PERSON in deployment.card(card.id)["content"]


async def test_the_buttons_of_each_kind_of_question(deployment: Deployment) -> None:
    many = [{"id": str(n), "label": f"{n}"} for n in range(20)]
    assert buttons(deployment, await ask(deployment, WHY)) == ["Answer…"]
    assert buttons(deployment, await ask(deployment, FORM)) == ["Answer…"]
    question = await ask(deployment, request_id="many", choices=many, allow_other=True)
    assert buttons(deployment, question) == [*map(str, range(20)), "Other…"]


async def test_the_longest_question_fits(deployment: Deployment) -> None:
    users = [str(10**18 + n) for n in range(20)]
    text = "🧵" * 900 + "x" * 900
    question = await ask(deployment, question=text, answerers={"user_ids": users}, allow_other=True)
    content = deployment.card(question["message_id"])["content"]
    assert content.startswith("🧵")
    assert "Closes <t:" in content
    assert len(content.encode("utf-16-le")) // 2 <= 2000


async def test_a_block_of_code_that_is_left_open_does_not_swallow_who_may_answer(deployment: Deployment) -> None:
    question = await ask(deployment, question="```py\nrun()", answerers={"user_ids": ["3"]})
    content = deployment.card(question["message_id"])["content"]
    assert content.startswith("```py\nrun()\n```\n\nCloses <t:")
    assert content.endswith(":R>. For <@3>")


@pytest.mark.guild(blocked_message_words=("ship",))
async def test_a_question_whose_words_discord_refuses_is_withdrawn_and_nobody_waits_for_it(
    deployment: Deployment,
) -> None:
    error = (await deployment.program("ask", **SHIP))["error"]
    assert (error["kind"], error["retryable"]) == ("refused_by_automod", False)
    assert "in other words, under another request_id" in error["message"]
    assert (question_item(deployment)["state"], "due_at" in question_item(deployment)) == ("cancelled", False)
    assert "waiting_since" not in (await deployment.program("get"))["session"]
    assert (await deployment.program("ask", **SHIP))["question"]["state"] == "cancelled"
    other = await ask(deployment, request_id="2", question="Go?")
    assert other["state"] == "open"


async def test_a_locked_thread_is_an_error_and_nothing_is_asked(deployment: Deployment) -> None:
    deployment.people.lock((await deployment.ensure())["thread"]["id"])
    assert (await deployment.program("ask", **SHIP))["error"]["kind"] == "locked"
    assert not deployment.table.of_kind("QUESTION#")


async def test_a_thread_that_a_person_archived_is_left_alone(deployment: Deployment) -> None:
    deployment.people.archive((await deployment.ensure())["thread"]["id"])
    assert (await deployment.program("ask", **SHIP))["error"]["kind"] == "thread_archived_by_moderator"


async def test_after_its_thread_was_deleted_the_question_is_shown_in_the_next_one(deployment: Deployment) -> None:
    first = await ask(deployment)
    deployment.people.delete_thread(first["thread"])
    await deployment.ensure(request_id="again")
    again = await ask(deployment)
    assert (again["id"], again["thread"] == first["thread"]) == (first["id"], False)
    await press(deployment, again)
    assert (await now(deployment, first))["state"] == "answered"


async def test_missing_permissions_are_named(deployment: Deployment) -> None:
    await deployment.ensure()
    deployment.people.set_permissions(CHANNEL, ["VIEW_CHANNEL", "SEND_MESSAGES"])
    error = (await deployment.program("ask", **SHIP))["error"]
    assert (error["kind"], error["permissions"]) == ("missing_permissions", ["SEND_MESSAGES_IN_THREADS"])


async def test_the_task_token_is_kept_and_the_last_one_counts(deployment: Deployment, capsys: Any) -> None:
    for token in ("made-up-task-token-1", "made-up-task-token-2", "made-up-task-token-2"):
        await ask(deployment, callback={"task_token": token})
    assert question_item(deployment)["callback_token"] == "made-up-task-token-2"
    assert "made-up-task-token" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"question": ""}, "'question' must be a string of 1 to 1800 characters"),
        ({"question": " \u200b"}, "'question' must show something"),
        ({"choices": []}, "'choices' must be a list of 1 to 20 choices"),
        ({"choices": [{"id": "a"}]}, "'choices[0].label' is missing"),
        ({"choices": ["a"]}, "'choices[0]' must be an object"),
        ({"choices": [{"id": "a", "label": "x" * 81}]}, "'choices[0].label' must be a string of 1 to 80 characters"),
        ({"choices": [{"id": "a", "label": " "}]}, "choices[0].label must show something"),
        (
            {"choices": None, "form": [{"id": "a", "label": "\u200b", "type": "text"}]},
            "form[0].label must show something",
        ),
        ({"choices": [{"id": "a", "label": "A", "style": "red"}]}, "'choices[0].style' must be one of primary,"),
        ({"choices": [{"id": "a", "label": "A", "style": "\ud800"}]}, "'choices[0].style' must be one of primary,"),
        ({**FORM, "choices": None, "default": {"values": {"name": "\ud800", "size": "s"}}}, "an object of strings"),
        ({"choices": [{"id": "a", "label": "A", "more": 1}]}, "unknown field 'choices[0].more'"),
        ({"choices": [{"id": "a", "label": "A"}] * 2}, "'choices' need ids that differ"),
        ({"form": FORM["form"]}, "choices or a form, not both"),
        ({"choices": None, "allow_other": True}, "'allow_other' belongs to choices"),
        ({"choices": None, "form": [{"id": "a", "label": "A", "type": "select"}]}, "a select has them"),
        ({"answerers": {"user_ids": ["x"]}}, "'answerers.user_ids' must be a list of at most 20 ids"),
        ({"answerers": {"user_ids": [], "role_ids": None}}, "'answerers' must name a user or a role; leave it out"),
        ({"expires_in": 59}, "'expires_in' must be a whole number of seconds from 60 to 2592000"),
        ({"remind_in": 120, "expires_in": 120}, "'remind_in' must be less than 'expires_in'"),
        ({"default": {"choice": "maybe"}}, "'default.choice' must be the id of a choice"),
        ({"default": {}}, "'default' has either a choice or values"),
        ({"default": {"values": {"a": "b"}}}, "'default.values' must fit the form"),
        ({**FORM, "choices": None, "default": {"values": {"name": "x" * 1001, "size": "s"}}}, "must fit the form"),
        ({"callback": {}}, "'callback.task_token' is missing"),
        ({"request_id": None}, "'request_id' must be"),
    ],
)
async def test_malformed_questions_are_refused_by_name(
    deployment: Deployment, change: dict[str, Any], named: str
) -> None:
    error = (await deployment.program("ask", **{**SHIP, **change}))["error"]
    assert error["kind"] == "invalid_request"
    assert named in error["message"]
    assert not deployment.calls


@pytest.mark.parametrize("operation", ["await", "cancel"])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (f"{CHANNEL}-{'0a' * 12}", "not_found"),
        ("x", "invalid_request"),
        (f"{CHANNEL}-0a", "invalid_request"),
        (f"{CHANNEL}-{'0a' * 600}", "invalid_request"),  # more than a key of DynamoDB may have
    ],
)
async def test_a_question_that_is_not_there(deployment: Deployment, operation: str, name: str, kind: str) -> None:
    answer = await deployment.invoke({"operation": operation, "question_id": name})
    assert answer["error"]["kind"] == kind
