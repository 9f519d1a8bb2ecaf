"""The worker: which messages fail, and each way in which a receive of a job ends. Nobody is left with "thinking…"."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from handler import worker
from handler.commands import texts
from handler.config import WorkerConfig
from handler.errors import (
    ChannelGone,
    DiscordUnavailable,
    Importing,
    OnethreadError,
    OutcomeUnknown,
    RateLimited,
    StoreUnavailable,
    TimedOut,
    TooManyThreads,
)
from infra.lambda_events import sqs_event, sqs_record
from infra.simulator.faults import DROP, HANG, bad_gateway, server_error
from infra.virtual_time import START
from tests.kit.aws_faults import What
from tests.kit.commands import Case
from tests.kit.deployment import WORKER_REQUEST, Deployment

EDIT = "/webhooks/{application_id}/{token}/messages/@original"


async def test_a_job_is_finished_and_its_answer_edited(case: Case) -> None:
    case.script("done")
    assert await case.through() == 1
    assert case.said == ["done"]
    assert not case.queue.dead


async def test_the_same_command_gets_most_of_a_minute(case: Case) -> None:
    case.script(takes=49.0)
    await case.through()
    assert case.command.left == [pytest.approx(50.0)]
    assert case.command.runs[0].path == ("session", "open")
    assert case.said == ["done"]


async def test_the_command_ends_well_before_lambda_stops_the_invocation(case: Case) -> None:
    await case.hand_over()
    await case.receive(seconds=20.0)
    assert case.command.left == [pytest.approx(12.0)]


@pytest.mark.parametrize("error", [ChannelGone(), TooManyThreads()])
async def test_a_definite_refusal_is_the_final_answer(case: Case, error: OnethreadError) -> None:
    case.script(error)
    assert await case.through() == 1
    assert case.said == [error.message]


@pytest.mark.parametrize("error", [DiscordUnavailable(), OutcomeUnknown(), StoreUnavailable(), TimedOut()])
async def test_after_an_error_that_may_pass_the_user_is_told_and_the_job_delivered_again(
    case: Case, error: OnethreadError
) -> None:
    case.script(error, "done")
    assert await case.through() == 2
    assert case.said == [texts.retry_notice(error)["content"], "done"]  # type: ignore[arg-type]  # all of these are TryAgain
    assert case.command.began[1] - case.command.began[0] == pytest.approx(90.0)


async def test_on_the_last_receive_the_user_is_warned_first_and_gets_a_final_answer(case: Case) -> None:
    fault = DiscordUnavailable()
    seen: list[str] = []
    case.script(fault, takes=1.0)
    await case.hand_over()
    for receive in range(3):
        working = asyncio.ensure_future(case.receive())
        await asyncio.sleep(0.5)
        if receive:
            seen.append(case.shown(case.asked))
        await working
        await asyncio.sleep(89.0)
        await case.note()
    assert seen == [texts.retry_notice(fault)["content"], texts.last_try_notice()["content"]]
    assert case.said[2] == fault.message
    assert not case.queue.waiting
    assert not case.queue.dead  # the user knows how it ended


async def test_a_command_that_takes_too_long_is_cancelled_three_times_and_the_user_is_told(case: Case) -> None:
    case.script(takes=500.0)
    assert await case.through() == 3
    assert case.said[-1] == TimedOut().message
    assert case.command.over == 3


async def test_after_a_fault_of_ours_the_user_is_told_and_the_job_becomes_a_dead_letter(case: Case) -> None:
    case.script(RuntimeError("the inside"))
    assert await case.through() == 3
    assert case.said == [texts.internal_error(WORKER_REQUEST)["content"]] * 3
    assert len(case.queue.dead) == 1


async def test_for_a_long_wait_the_job_is_put_back_and_the_user_told_until_when(case: Case) -> None:
    case.script(RateLimited(240.0), "done")
    assert await case.through() == 2
    first, second = case.queue.sent
    assert (first.delay, second.delay) == (0, 240)
    assert "<t:1795435440:R>" in case.said[0]  # 12:04:00
    assert case.said[1] == "done"
    assert second.body["expires_at"] == first.body["expires_at"]
    assert second.body["put_backs"] == 1


async def test_nobody_is_told_of_a_put_back_before_it_is_in_the_queue(case: Case) -> None:
    case.script(RateLimited(240.0), "done")
    await case.hand_over()
    in_queue: list[int] = []

    async def look() -> None:
        if (shown := case.discord.original_response(case.asked.token)) and shown["content"]:
            in_queue.append(len(case.queue.sent))

    case.after_call, case.after_every_call = look, True
    await case.receive()
    assert in_queue == [2], "the user is told once, of the second message"


async def test_the_new_message_is_sent_even_if_the_user_cannot_be_told(case: Case) -> None:
    case.script(RateLimited(240.0))
    await case.hand_over()
    case.discord.faults.inject("PATCH", EDIT, DROP, times=9)
    assert await case.receive() == {"batchItemFailures": []}
    assert len(case.queue.waiting) == 1


async def test_an_unfinished_import_is_put_back_with_its_progress_and_continues_at_once(case: Case) -> None:
    steps = [Importing({"pages": n, "threads": 100 * n, "sessions": n}) for n in (5, 9)]
    case.script(*steps, "done")
    assert await case.through() == 3
    assert [sent.delay for sent in case.queue.sent] == [0, 0, 0]
    assert "500 checked" in case.said[0]
    assert "900 checked" in case.said[1]
    assert case.said[2] == "done"


async def test_the_worker_waits_for_the_webhook_s_rate_limit_without_asking_discord_again(case: Case) -> None:
    case.script(RateLimited(60.0), "done")
    case.asked = await case.ask()
    assert case.asked.kind == 5
    await case.work(between=case.note)
    assert "<t:1795435260:R>" in case.said[0]  # 12:01:00
    assert case.said[1:] == ["done"]
    assert case.command.began == [0.0, pytest.approx(60.0, abs=0.1)]


async def test_the_worker_shows_the_webhook_s_progress_before_it_continues(case: Case) -> None:
    case.script(Importing({"threads": 300, "sessions": 2}), "done", takes=1.0)
    case.asked = await case.ask()
    working = asyncio.ensure_future(case.receive())
    await asyncio.sleep(0.5)
    await case.note()
    await working
    await case.note()
    assert "300 checked" in case.said[0]
    assert case.said[1] == "done"


@pytest.mark.parametrize("wait", [RateLimited(885.0), RateLimited(1000.0)])
async def test_a_wait_that_outlives_the_token_is_answered_at_once(case: Case, wait: RateLimited) -> None:
    case.script(wait)
    assert await case.through() == 1
    assert f"<t:{int(START.timestamp() + wait.retry_after)}:R>" in case.said[0]
    assert len(case.queue.sent) == 1


async def test_an_import_that_outlives_the_token_is_answered_with_its_progress_and_what_to_do(case: Case) -> None:
    case.script(Importing({"threads": 7}), takes=49.0)
    await case.through()
    assert "use the command again" in case.said[-1]
    assert "7 checked" in case.said[-1]
    assert not case.queue.dead


@pytest.mark.parametrize("faults", [["refused", "refused"], ["access_denied"], ["500", "500"]])
async def test_a_job_that_cannot_be_put_back_is_delivered_again(case: Case, faults: list[What | None]) -> None:
    case.script(RateLimited(240.0), "done")
    await case.hand_over()
    case.queue.faults = faults
    assert await case.work(between=case.note) == 2
    assert case.said == [texts.retry_notice(None)["content"], "done"]


async def test_a_job_that_cannot_be_put_back_on_the_last_receive_gets_a_final_answer(case: Case) -> None:
    wait = RateLimited(240.0)
    case.script(wait)
    await case.hand_over()
    case.queue.faults = ["access_denied"] * 3
    assert await case.work(between=case.note) == 3
    assert case.said[-1] == wait.message
    assert not case.queue.dead


async def test_a_job_whose_token_is_dead_is_done_without_work(case: Case, capsys: Any) -> None:
    await case.hand_over()
    await case.clock.sleep(900.0)
    assert await case.receive() == {"batchItemFailures": []}
    assert not case.command.runs
    assert "token is dead" in capsys.readouterr().out


@pytest.mark.parametrize("fault", [DROP, HANG, bad_gateway()])
async def test_a_final_answer_that_cannot_be_shown_is_shown_on_the_next_receive(case: Case, fault: Any) -> None:
    await case.hand_over()
    case.discord.faults.inject("PATCH", EDIT, fault, times=3)
    first = await case.receive()
    assert len(first["batchItemFailures"]) == 1
    case.discord.faults.clear()
    assert await case.work(between=case.note) == 1
    assert case.said == ["done"]


async def test_shortly_before_the_token_expires_no_further_receive_is_promised(case: Case) -> None:
    fault = StoreUnavailable()
    case.script(fault)
    await case.hand_over()
    await case.clock.sleep(820.0)
    answer = await case.receive()
    await case.note()
    assert answer == {"batchItemFailures": []}
    assert case.said == [fault.message]


async def test_a_command_that_no_longer_exists_is_answered_clearly(case: Case) -> None:
    await case.hand_over()
    object.__setattr__(case.environment(WorkerConfig), "commands", {})
    await case.work(between=case.note)
    assert case.said == [texts.unknown_command()["content"]]


# Messages


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "{}", "null", '{"version":1,"interaction":{},"received_at":"x","expires_at":"x"}']
)
async def test_a_malformed_message_fails(deployment: Deployment, body: str) -> None:
    event = sqs_event(sqs_record(body, now=START, message_id="m"))
    assert await worker.handle(deployment.environment(WorkerConfig), event, "r", 60.0) == {
        "batchItemFailures": [{"itemIdentifier": "m"}]
    }


@pytest.mark.parametrize(
    "change", [{"version": "2"}, {"version": 0}, {"expires_at": "soon"}, {"interaction": {"id": 1}}]
)
async def test_a_message_of_another_form_is_malformed_and_its_token_is_not_logged(
    case: Case, change: dict[str, Any], capsys: Any
) -> None:
    await case.hand_over()
    message = case.queue.waiting[0]
    message.text = json.dumps({**message.body, **change})
    assert len((await case.receive())["batchItemFailures"]) == 1
    logged = capsys.readouterr().out
    assert '"kind":"malformed"' in logged
    assert "made-up-token" not in logged


async def test_a_job_of_a_newer_version_is_left_to_that_version_and_its_user_is_told(case: Case, capsys: Any) -> None:
    case.script("done")
    await case.hand_over()
    message = case.queue.waiting[0]
    ours, message.text = (
        message.text,
        json.dumps({**message.body, "version": 2, "interaction": _of_a_newer(message.body)}),
    )
    assert len((await case.receive())["batchItemFailures"]) == 1
    await case.note()
    assert case.said == [texts.being_updated()["content"]]
    message.text = ours  # the worker of that version is there
    await case.work(between=case.note)
    assert case.said[-1] == "done"
    logged = capsys.readouterr().out
    assert '"outcome":"newer_version"' in logged
    assert '"Unreadable":[1.0]' in logged
    assert "made-up-token" not in logged


async def test_after_the_last_receive_of_a_newer_job_the_user_is_asked_to_try_again(case: Case) -> None:
    await case.hand_over()
    message = case.queue.waiting[0]
    message.text = json.dumps({**message.body, "version": 2, "interaction": _of_a_newer(message.body)})
    await case.work(between=case.note)
    assert case.said[-1] == texts.updated_meanwhile()["content"]
    assert not case.queue.dead


async def test_a_newer_job_whose_user_cannot_be_told_now_becomes_a_dead_letter(case: Case) -> None:
    await case.hand_over()
    message = case.queue.waiting[0]
    message.text = json.dumps({**message.body, "version": 2})
    case.discord.faults.inject(
        "PATCH", "/webhooks/{application_id}/{token}/messages/@original", server_error(), times=99
    )
    await case.work()
    assert len(case.queue.dead) == 1


def _of_a_newer(body: dict[str, Any]) -> dict[str, Any]:
    """The interaction in a shape that this version does not know; the token stays where it is."""
    return {"token": body["interaction"]["token"], "shape": "another one"}


@pytest.mark.parametrize("event", [None, {}, {"Records": None}, {"Records": [5]}])
async def test_an_event_without_messages_fails_nothing(deployment: Deployment, event: Any) -> None:
    assert await worker.handle(deployment.environment(WorkerConfig), event, "r", 60.0) == {"batchItemFailures": []}


async def test_messages_of_one_event_are_worked_on_side_by_side_and_only_the_failed_ones_are_named(
    case: Case, capsys: Any
) -> None:
    case.script(DiscordUnavailable(), "done", takes=10.0)
    await case.hand_over()
    await case.hand_over()
    texts_of = [message.text for message in case.queue.waiting]
    records = [sqs_record(text, now=START, message_id=f"m{i}") for i, text in enumerate([*texts_of, "nonsense"])]
    began = case.clock.now()
    answer = await worker.handle(case.environment(WorkerConfig), sqs_event(*records), "r", 60.0)
    assert case.clock.now() - began < timedelta(seconds=11)
    failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    assert failed in (["m0", "m2"], ["m1", "m2"])
    done = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"message":"done"' in line]
    by_message = {line["message_id"]: line for line in done if line["function"] == "worker"}
    assert set(by_message) == {"m0", "m1", "m2"}
    assert by_message[failed[0]]["outcome"] == "discord_unavailable"
    assert "outcome" not in by_message["m1" if failed[0] == "m0" else "m0"]
    assert by_message["m2"]["outcome"] == "malformed"
    assert by_message["m0"]["interaction_id"] != by_message["m1"]["interaction_id"]
