"""Answer now if it is done in time, else defer and hand over; and nothing that goes wrong is seen outside."""

import asyncio
import json
from typing import Any

import pytest

from handler.aws.http_api import read_receipt_time
from handler.commands import texts
from handler.discord.responses import edit_body
from handler.errors import (
    BotTokenRefused,
    ChannelGone,
    DiscordRefused,
    DiscordUnavailable,
    Importing,
    InvalidName,
    MissingPermissions,
    OnethreadError,
    OutcomeUnknown,
    RateLimited,
    RefusedByAutoMod,
    StoreUnavailable,
    TimedOut,
    TooManyThreads,
)
from infra.interactions import interaction
from infra.virtual_time import START
from tests.kit.aws_faults import What
from tests.kit.commands import Case, Scripted
from tests.kit.deployment import USER, WEBHOOK_REQUEST, Asked, Deployment
from tests.kit.table_view import CHANNEL, GUILD

MESSAGE = 4
DEFERRED = {"type": 5, "data": {"flags": 64}}


def ask(command: Scripted, *, faults: list[What | None] | None = None, **more: Any) -> tuple[Asked, Deployment]:
    with Deployment(commands=command.table) as deployment:
        deployment.queue.faults = faults or []

        async def scenario() -> Asked:
            asked = await deployment.ask(**more)
            assert command.over == len(command.runs), "a run was not awaited"
            return asked

        return deployment.run(scenario()), deployment


@pytest.mark.parametrize("takes", [0.0, 1.0, 2.39])
def test_a_command_done_in_time_is_answered_at_once_and_not_handed_over(takes: float) -> None:
    asked, deployment = ask(Scripted(takes=takes))
    assert (asked.kind, asked.content, asked.status) == (MESSAGE, "done", 200)
    assert asked.callback["data"]["flags"] == 64
    assert not deployment.queue.sent
    assert asked.seconds == pytest.approx(takes)


@pytest.mark.parametrize("takes", [2.41, 60.0])
def test_a_command_not_done_in_time_is_cancelled_deferred_and_handed_over(takes: float) -> None:
    asked, deployment = ask(Scripted(takes=takes))
    assert asked.callback == DEFERRED
    assert asked.in_time
    assert asked.seconds == pytest.approx(2.4, abs=0.01)
    assert [sent.delay for sent in deployment.queue.sent] == [0]


@pytest.mark.parametrize(
    ("old", "takes", "kind"),
    [
        (1.0, 1.39, 4),  # what a cold start ate is gone
        (1.0, 1.41, 5),
        (2.0, 0.39, 4),
        (2.0, 0.41, 5),
        (30.001, 2.39, 4),  # a canned event counts from now
        (-0.5, 2.39, 4),  # and so does one from the future
        (-0.5, 2.41, 5),
    ],
)
def test_the_time_left_is_counted_from_the_receipt_by_api_gateway(old: float, takes: float, kind: int) -> None:
    asked, _ = ask(Scripted(takes=takes), old=old)
    assert asked.kind == kind


@pytest.mark.parametrize("old", [2.3, 2.41, 2.9, 5.0, 29.9])
def test_after_a_long_cold_start_the_command_goes_straight_to_the_worker(old: float) -> None:
    command = Scripted()
    asked, deployment = ask(command, old=old)
    assert asked.callback == DEFERRED
    assert not command.runs
    assert len(deployment.queue.sent) == 1


def test_the_command_knows_its_deadline() -> None:
    command = Scripted()
    ask(command, old=0.4)
    assert command.left == [pytest.approx(2.0)]


@pytest.mark.parametrize("epoch", [None, "1", True, -1, 10**30, float("nan")])
def test_a_nonsensical_receipt_time_counts_from_now(epoch: Any) -> None:
    assert read_receipt_time({"requestContext": {"timeEpoch": epoch}}, START) == START


def test_the_job_carries_the_interaction_and_when_its_token_expires() -> None:
    asked, deployment = ask(Scripted(takes=9.0), topic="a topic")
    job = deployment.queue.sent[0].body
    assert job["interaction"]["token"] == asked.token
    assert job["interaction"]["path"] == ["session", "open"]
    assert job["interaction"]["options"] == {"name": "1a06a43", "topic": "a topic"}
    assert (job["received_at"], job["expires_at"]) == ("2026-11-23T12:00:00.000Z", "2026-11-23T12:14:45.000Z")


@pytest.mark.parametrize(
    "error",
    [
        InvalidName("empty", message="Not so."),
        ChannelGone(),
        MissingPermissions(["CREATE_PUBLIC_THREADS"]),
        RefusedByAutoMod(),
        BotTokenRefused(),
        DiscordRefused(400, 50035),
        TooManyThreads(),
    ],
)
def test_a_definite_refusal_is_answered_at_once(error: OnethreadError) -> None:
    asked, deployment = ask(Scripted([error]))
    assert (asked.kind, asked.content) == (MESSAGE, error.message)
    assert not deployment.queue.sent


@pytest.mark.parametrize(
    "error",
    [
        DiscordUnavailable(),
        OutcomeUnknown(),
        StoreUnavailable(),
        TimedOut(),
        RateLimited(3.0),
        Importing({"threads": 5}),
    ],
)
def test_an_error_that_may_pass_is_handed_over(error: OnethreadError) -> None:
    asked, deployment = ask(Scripted([error]))
    assert asked.callback == DEFERRED
    assert len(deployment.queue.sent) == 1


def test_a_rate_limit_that_outlives_the_token_is_answered_at_once_with_its_end() -> None:
    asked, deployment = ask(Scripted([RateLimited(900.0)]))
    assert asked.kind == MESSAGE
    assert "<t:1795436100:R>" in asked.content  # 12:15:00
    assert not deployment.queue.sent


def test_a_fault_of_ours_is_answered_without_details_and_logged_with_them(capsys: Any) -> None:
    asked, deployment = ask(Scripted([RuntimeError("the inside")]))
    assert asked.callback["data"] == texts.internal_error(WEBHOOK_REQUEST)
    assert WEBHOOK_REQUEST in asked.content
    assert "Nothing is lost" in asked.content
    assert "inside" not in json.dumps(asked.callback)
    assert not deployment.queue.sent
    logged = capsys.readouterr().out
    (line,) = [line for line in logged.splitlines() if "RuntimeError: the inside" in line]
    assert json.loads(line)["request_id"] == WEBHOOK_REQUEST
    assert "Traceback" in logged


def test_a_command_that_cancels_itself_is_handed_over() -> None:
    asked, _ = ask(Scripted([asyncio.CancelledError()]))
    assert asked.callback == DEFERRED


@pytest.mark.parametrize(
    "faults", [["refused", "refused"], ["500", "500"], ["access_denied"], ["lost", "lost"], ["hang"]]
)
def test_a_hand_over_that_failed_or_may_have_failed_is_not_answered_by_a_deferral(faults: list[What | None]) -> None:
    asked, _ = ask(Scripted(takes=9.0), faults=faults)
    assert asked.callback["data"] == texts.hand_over_failure()
    assert "Nothing is lost" in asked.content
    assert asked.in_time
    assert asked.seconds <= 2.91


@pytest.mark.parametrize("fault", ["refused", "500", "lost"])
def test_a_hand_over_is_tried_twice(fault: What) -> None:
    asked, deployment = ask(Scripted(takes=9.0), faults=[fault])
    assert asked.callback == DEFERRED
    assert deployment.queue.requests == ["SendMessage"] * 2


def test_a_hand_over_has_time_even_after_a_long_cold_start() -> None:
    asked, _ = ask(Scripted(), old=10.0, faults=["hang"])
    assert asked.seconds == pytest.approx(0.4)


def test_if_the_hand_over_of_an_error_fails_the_answer_is_that_error() -> None:
    error = DiscordUnavailable()
    asked, _ = ask(Scripted([error]), faults=["access_denied"])
    assert asked.content == error.message


async def test_a_hand_over_that_takes_effect_late_still_brings_the_link(case: Case) -> None:
    case.script(takes=9.0)
    case.queue.faults = ["hang"]
    asked = await case.ask()
    assert asked.kind == MESSAGE
    case.queue.release()
    assert await case.work() == 1
    assert case.shown(asked) == "done"


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"name": "session", "options": [{"name": "of old", "type": 1, "options": []}], "type": 1}},
        {"data": {"name": "session", "type": 1}},
        {"data": {"name": "other", "type": 1}},
        {"data": {"name": "session", "type": 3, "options": [{"name": "open", "type": 1}]}},
        {"data": None},
    ],
)
async def test_an_unknown_command_is_answered_clearly(deployment: Deployment, change: dict[str, Any]) -> None:
    payload = {**interaction("x", channel_id=CHANNEL, guild_id=GUILD, user_id=USER, now=START), **change}
    asked = await deployment.deliver(payload)
    assert (asked.status, asked.callback) == (200, {"type": 4, "data": texts.unknown_command()})


def test_an_edit_of_the_answer_has_no_flags() -> None:
    assert "flags" not in edit_body(texts.unknown_command())


def test_no_token_is_logged(capsys: Any) -> None:
    asked, _ = ask(Scripted([RuntimeError("made-up-token-1")]))
    ask(Scripted(takes=9.0), faults=["access_denied"])
    logged = capsys.readouterr().out
    assert asked.token == "made-up-token-1"
    assert "made-up-token" not in logged
    assert "made-up-bot-token" not in logged
