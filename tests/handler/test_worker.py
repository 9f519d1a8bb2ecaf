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
from infra.simulator.faults import DROP, HANG, bad_gateway, error
from tests.kit.aws_wire import What
from tests.kit.commands import Case
from tests.kit.deployment import Deployment
from tests.kit.virtual_time import START

EDIT = "/webhooks/{application_id}/{token}/messages/@original"


def test_a_job_is_finished_and_its_answer_edited() -> None:
    with Case("done") as case:
        assert case.run(case.through()) == 1
        assert case.said == ["done"]
        assert not case.queue.dead


def test_the_same_command_gets_most_of_a_minute() -> None:
    with Case(takes=49.0) as case:
        case.run(case.through())
        assert case.command.left == [pytest.approx(50.0)]
        assert case.command.runs[0].path == ("session", "open")
        assert case.said == ["done"]


def test_the_command_ends_well_before_lambda_stops_the_invocation() -> None:
    with Case() as case:

        async def scenario() -> None:
            await case.handed_over()
            await case.receive(seconds=20.0)

        case.run(scenario())
        assert case.command.left == [pytest.approx(12.0)]


@pytest.mark.parametrize("error", [ChannelGone(), TooManyThreads()])
def test_a_definite_refusal_is_the_final_answer(error: OnethreadError) -> None:
    with Case(error) as case:
        assert case.run(case.through()) == 1
        assert case.said == [error.message]


@pytest.mark.parametrize("error", [DiscordUnavailable(), OutcomeUnknown(), StoreUnavailable(), TimedOut()])
def test_after_an_error_that_may_pass_the_user_is_told_and_the_job_delivered_again(error: OnethreadError) -> None:
    with Case(error, "done") as case:
        assert case.run(case.through()) == 2
        assert case.said == [texts.retry_notice(error)["content"], "done"]  # type: ignore[arg-type]  # all of these are TryAgain
        assert case.command.began[1] - case.command.began[0] == pytest.approx(90.0)


def test_on_the_last_receive_the_user_is_warned_first_and_gets_a_final_answer() -> None:
    fault = DiscordUnavailable()
    seen: list[str] = []
    with Case(fault, takes=1.0) as case:

        async def scenario() -> None:
            await case.handed_over()
            for receive in range(3):
                working = asyncio.ensure_future(case.receive())
                await asyncio.sleep(0.5)
                if receive:
                    seen.append(case.shown(case.asked))
                await working
                await asyncio.sleep(89.0)
                await case.note()

        case.run(scenario())
        assert seen == [texts.retry_notice(fault)["content"], texts.last_try_notice()["content"]]
        assert case.said[2] == fault.message
        assert not case.queue.waiting
        assert not case.queue.dead  # the user knows how it ended


def test_a_command_that_takes_too_long_is_cancelled_three_times_and_the_user_is_told() -> None:
    with Case(takes=500.0) as case:
        assert case.run(case.through()) == 3
        assert case.said[-1] == TimedOut().message
        assert case.command.over == 3


def test_after_a_fault_of_ours_the_user_is_told_and_the_job_becomes_a_dead_letter() -> None:
    with Case(RuntimeError("the inside")) as case:
        assert case.run(case.through()) == 3
        assert case.said == [texts.internal_error()["content"]] * 3
        assert len(case.queue.dead) == 1


def test_for_a_long_wait_the_job_is_put_back_and_the_user_told_until_when() -> None:
    with Case(RateLimited(240.0), "done") as case:
        assert case.run(case.through()) == 2
        first, second = case.queue.sent
        assert (first.delay, second.delay) == (0, 240)
        assert "<t:1795435440:R>" in case.said[0]  # 12:04:00
        assert case.said[1] == "done"
        assert second.body["expires_at"] == first.body["expires_at"]
        assert second.body["put_backs"] == 1


def test_the_new_message_is_sent_even_if_the_user_cannot_be_told() -> None:
    with Case(RateLimited(240.0)) as case:

        async def scenario() -> None:
            await case.handed_over()
            case.discord.faults.inject("PATCH", EDIT, DROP, times=9)
            assert await case.receive() == {"batchItemFailures": []}

        case.run(scenario())
        assert len(case.queue.waiting) == 1


def test_an_unfinished_import_is_put_back_with_its_progress_and_continues_at_once() -> None:
    steps = [Importing({"pages": n, "threads": 100 * n, "sessions": n}) for n in (5, 9)]
    with Case(*steps, "done") as case:
        assert case.run(case.through()) == 3
        assert [sent.delay for sent in case.queue.sent] == [0, 0, 0]
        assert "500 read" in case.said[0]
        assert "900 read" in case.said[1]
        assert case.said[2] == "done"


def test_the_worker_waits_for_the_webhook_s_rate_limit_without_asking_discord_again() -> None:
    with Case(RateLimited(60.0), "done") as case:

        async def scenario() -> None:
            case.asked = await case.ask()
            assert case.asked.kind == 5
            await case.work(between=case.note)

        case.run(scenario())
        assert "<t:1795435260:R>" in case.said[0]  # 12:01:00
        assert case.said[1:] == ["done"]
        assert case.command.began == [0.0, pytest.approx(60.0, abs=0.1)]


def test_the_worker_shows_the_webhook_s_progress_before_it_continues() -> None:
    with Case(Importing({"threads": 300, "sessions": 2}), "done", takes=1.0) as case:

        async def scenario() -> None:
            case.asked = await case.ask()
            working = asyncio.ensure_future(case.receive())
            await asyncio.sleep(0.5)
            await case.note()
            await working
            await case.note()

        case.run(scenario())
        assert "300 read" in case.said[0]
        assert case.said[1] == "done"


@pytest.mark.parametrize("wait", [RateLimited(885.0), RateLimited(1000.0)])
def test_a_wait_that_outlives_the_token_is_answered_at_once(wait: RateLimited) -> None:
    with Case(wait) as case:
        assert case.run(case.through()) == 1
        assert f"<t:{int(START.timestamp() + wait.retry_after)}:R>" in case.said[0]
        assert len(case.queue.sent) == 1


def test_an_import_that_outlives_the_token_is_answered_with_its_progress_and_what_to_do() -> None:
    with Case(Importing({"threads": 7}), takes=49.0) as case:
        case.run(case.through())
        assert "use the command again" in case.said[-1]
        assert "7 read" in case.said[-1]
        assert not case.queue.dead


@pytest.mark.parametrize("faults", [["refused", "refused"], ["denied"], ["500", "500"]])
def test_a_job_that_cannot_be_put_back_is_delivered_again(faults: list[What | None]) -> None:
    with Case(RateLimited(240.0), "done") as case:

        async def scenario() -> int:
            await case.handed_over()
            case.queue.faults = faults
            return await case.work(between=case.note)

        assert case.run(scenario()) == 2
        assert case.said == [texts.retry_notice(None)["content"], "done"]


def test_a_put_back_of_unknown_outcome_may_come_twice() -> None:
    with Case(RateLimited(100.0), "done", "done again") as case:

        async def scenario() -> int:
            await case.handed_over()
            case.queue.faults = ["lost", "lost"]
            return await case.work(between=case.note)

        assert case.run(scenario()) == 4  # the failed one, and both of its put-backs
        assert not case.queue.dead


def test_a_job_that_cannot_be_put_back_on_the_last_receive_gets_a_final_answer() -> None:
    wait = RateLimited(240.0)
    with Case(wait) as case:

        async def scenario() -> int:
            await case.handed_over()
            case.queue.faults = ["denied"] * 3
            return await case.work(between=case.note)

        assert case.run(scenario()) == 3
        assert case.said[-1] == wait.message
        assert not case.queue.dead


def test_a_job_whose_token_is_dead_is_done_without_work(capsys: Any) -> None:
    with Case() as case:

        async def scenario() -> dict[str, Any]:
            await case.handed_over()
            await case.clock.sleep(900.0)
            return await case.receive()

        assert case.run(scenario()) == {"batchItemFailures": []}
        assert not case.command.runs
        assert "token is dead" in capsys.readouterr().out


@pytest.mark.parametrize("refusal", [error(404, 10015, "Unknown Webhook"), error(401, 50027, "Invalid Webhook Token")])
def test_a_job_whose_answer_can_never_be_edited_is_done(refusal: Any) -> None:
    with Case() as case:

        async def scenario() -> dict[str, Any]:
            await case.handed_over()
            case.discord.faults.inject("PATCH", EDIT, refusal, times=20)
            return await case.receive()

        assert case.run(scenario()) == {"batchItemFailures": []}


@pytest.mark.parametrize("code", [10008, 10015])
def test_the_short_404_after_a_deferral_is_waited_out(code: int) -> None:
    with Case() as case:
        case.discord.switch(callback_lag_seconds=1.0, callback_lag_code=code)
        assert case.run(case.through()) == 1
        assert case.said == ["done"]


@pytest.mark.parametrize("fault", [DROP, HANG, bad_gateway(), error(400, 50035, "Invalid Form Body")])
def test_a_final_answer_that_cannot_be_shown_is_shown_on_the_next_receive(fault: Any) -> None:
    with Case() as case:

        async def scenario() -> int:
            await case.handed_over()
            case.discord.faults.inject("PATCH", EDIT, fault, times=3)
            first = await case.receive()
            assert len(first["batchItemFailures"]) == 1
            case.discord.faults.clear()
            return await case.work(between=case.note)

        assert case.run(scenario()) == 1
        assert case.said == ["done"]


def test_shortly_before_the_token_expires_no_further_receive_is_promised() -> None:
    fault = StoreUnavailable()
    with Case(fault) as case:

        async def scenario() -> dict[str, Any]:
            await case.handed_over()
            await case.clock.sleep(820.0)
            answer = await case.receive()
            await case.note()
            return answer

        assert case.run(scenario()) == {"batchItemFailures": []}
        assert case.said == [fault.message]


def test_a_command_that_no_longer_exists_is_answered_clearly() -> None:
    with Case() as case:

        async def scenario() -> None:
            await case.handed_over()
            object.__setattr__(case.environment(WorkerConfig), "commands", {})
            await case.work(between=case.note)

        case.run(scenario())
        assert case.said == [texts.unknown_command()["content"]]


# Messages


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "{}", "null", '{"version":1,"interaction":{},"received_at":"x","expires_at":"x"}']
)
def test_a_malformed_message_fails(body: str) -> None:
    with Deployment() as deployment:

        async def scenario() -> Any:
            event = sqs_event(sqs_record(body, now=START, message_id="m"))
            return await worker.handle(deployment.environment(WorkerConfig), event, "r", 60.0)

        assert deployment.run(scenario()) == {"batchItemFailures": [{"itemIdentifier": "m"}]}


@pytest.mark.parametrize("change", [{"version": 2}, {"expires_at": "soon"}, {"interaction": {"id": 1}}])
def test_a_message_of_another_form_is_malformed_and_its_token_is_not_logged(
    change: dict[str, Any], capsys: Any
) -> None:
    with Case() as case:

        async def scenario() -> Any:
            await case.handed_over()
            message = case.queue.waiting[0]
            message.text = json.dumps({**message.body, **change})
            return await case.receive()

        assert len(case.run(scenario())["batchItemFailures"]) == 1
        logged = capsys.readouterr().out
        assert '"kind":"malformed"' in logged
        assert "made-up-token" not in logged


@pytest.mark.parametrize("event", [None, {}, {"Records": None}, {"Records": [5]}])
def test_an_event_without_messages_fails_nothing(event: Any) -> None:
    with Deployment() as deployment:

        async def scenario() -> Any:
            return await worker.handle(deployment.environment(WorkerConfig), event, "r", 60.0)

        assert deployment.run(scenario()) == {"batchItemFailures": []}


def test_messages_of_one_event_are_worked_on_side_by_side_and_only_the_failed_ones_are_named(capsys: Any) -> None:
    with Case(DiscordUnavailable(), "done", takes=10.0) as case:

        async def scenario() -> Any:
            await case.handed_over()
            await case.handed_over()
            texts_of = [message.text for message in case.queue.waiting]
            records = [
                sqs_record(text, now=START, message_id=f"m{i}") for i, text in enumerate([*texts_of, "nonsense"])
            ]
            began = case.clock.now()
            answer = await worker.handle(case.environment(WorkerConfig), sqs_event(*records), "r", 60.0)
            assert case.clock.now() - began < timedelta(seconds=11)
            return answer

        failed = [failure["itemIdentifier"] for failure in case.run(scenario())["batchItemFailures"]]
        assert failed == ["m0", "m2"]
        done = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"message":"done"' in line]
        by_message = {line["message_id"]: line for line in done if line["function"] == "worker"}
        assert set(by_message) == {"m0", "m1", "m2"}
        assert by_message["m0"]["outcome"] == "discord_unavailable"
        assert "outcome" not in by_message["m1"]
        assert by_message["m2"]["outcome"] == "malformed"
        assert by_message["m0"]["interaction_id"] != by_message["m1"]["interaction_id"]
