"""One job, however many messages of it there are: a repeat is let go, and nothing that dies takes the job along."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from handler import worker
from handler.config import WorkerConfig
from handler.errors import DiscordUnavailable, Importing, RateLimited
from infra.lambda_events import sqs_event, sqs_record
from infra.simulator.faults import DROP
from infra.virtual_time import START
from tests.kit.aws_faults import Fault, What
from tests.kit.commands import Case

EDIT = "/webhooks/{application_id}/{token}/messages/@original"
LET_GO: dict[str, Any] = {"batchItemFailures": []}


async def deliver(case: Case, text: str, message_id: str, receive: int = 1) -> dict[str, Any]:
    """One receive of a message, as SQS delivers it."""
    record = sqs_record(text, now=case.now, message_id=message_id, receive_count=receive)
    return await worker.handle(case.environment(WorkerConfig), sqs_event(record), "r", 60.0)


@pytest.mark.parametrize("fault", ["lost", "timeout_after", "500_after"])
async def test_a_hand_over_that_was_sent_twice_runs_once(case: Case, fault: What) -> None:
    case.queue.faults = [fault]
    await case.hand_over()
    assert len(case.queue.waiting) == 2
    assert await case.work() == 2
    assert len(case.command.runs) == 1
    assert case.shown(case.asked) == "done"


@pytest.mark.parametrize("fault", ["lost", "timeout_after"])
@pytest.mark.parametrize("wait", [RateLimited(240.0), RateLimited(60.0), Importing({"pages": 1})])
async def test_put_backs_that_are_each_sent_twice_do_not_multiply(case: Case, wait: Any, fault: What) -> None:
    case.script(wait, wait, wait, "done")
    await case.hand_over()
    most = 0
    for _ in range(20):
        if not case.queue.waiting:
            break
        case.queue.faults = [fault]
        first = min(message.visible_at for message in case.queue.waiting)
        await case.clock.sleep(max(0.0, (first - case.now).total_seconds()))
        await case.receive()
        most = max(most, len(case.queue.waiting))
    assert most <= 3
    assert len(case.command.runs) == 4
    assert case.shown(case.asked) == "done"
    assert not case.queue.dead


@pytest.mark.parametrize("seconds", [60.0, 240.0])
async def test_put_backs_whose_outcome_is_never_known_do_not_multiply(case: Case, seconds: float) -> None:
    case.script(RateLimited(seconds), RateLimited(seconds), RateLimited(seconds), "done")
    await case.hand_over()
    case.queue.faults = ["lost"] * 12
    await case.work(most=40)
    assert len(case.queue.sent) <= 1 + 3 * 2 + 3 * 2
    assert len(case.command.runs) <= 5
    assert case.shown(case.asked) == "done"


async def test_after_the_final_answer_a_put_back_that_was_in_the_queue_after_all_changes_nothing(case: Case) -> None:
    case.script(RateLimited(240.0), "done", "something newer")
    await case.hand_over()
    case.queue.faults = ["lost", "lost"]
    assert await case.work() == 4
    assert len(case.command.runs) == 2
    assert case.shown(case.asked) == "done"


async def test_a_message_that_comes_again_after_its_answer_changes_nothing(case: Case) -> None:
    case.script("done", "something newer")
    await case.hand_over()
    text = case.queue.waiting[0].text
    assert await case.work() == 1
    assert await deliver(case, text, "message-1", receive=2) == LET_GO
    assert await deliver(case, text, "another copy") == LET_GO
    assert case.shown(case.asked) == "done"


async def test_a_copy_that_comes_while_the_command_runs_comes_again_and_is_let_go_then(case: Case) -> None:
    case.script(takes=10.0)
    await case.hand_over()
    text = case.queue.waiting[0].text
    running = asyncio.ensure_future(case.receive())
    await asyncio.sleep(5.0)
    assert await deliver(case, text, "a copy") != LET_GO
    await running
    assert await deliver(case, text, "a copy", receive=2) == LET_GO
    assert len(case.command.runs) == 1
    assert case.shown(case.asked) == "done"


@pytest.mark.parametrize("same", [True, False], ids=["the message again", "a copy"])
async def test_after_a_worker_died_whichever_message_comes_goes_on(case: Case, same: bool) -> None:
    case.script("lost with the worker", "done", takes=10.0)
    await case.hand_over()
    text = case.queue.waiting[0].text
    dying = asyncio.ensure_future(deliver(case, text, "m"))
    await asyncio.sleep(5.0)
    dying.cancel()
    await asyncio.wait({dying})
    await asyncio.sleep(0.0 if same else 60.0)
    assert await deliver(case, text, "m" if same else "a copy", receive=2) == LET_GO
    assert case.shown(case.asked) == "lost with the worker"
    assert len(case.command.runs) == 2


async def test_a_message_that_failed_is_worked_on_again(case: Case) -> None:
    case.script(DiscordUnavailable(), "done")
    assert await case.through() == 2
    assert case.said[-1] == "done"


async def test_a_put_back_that_died_before_it_was_recorded_is_the_one_that_goes_on(case: Case) -> None:
    case.script(RateLimited(10.0), "done", "something newer")
    await case.hand_over()
    first = case.queue.waiting[0].text
    claims = case.wire.sent["UpdateItem"] + 1
    case.wire.faults += [Fault("UpdateItem", claims + nth, "refused") for nth in range(1, 6)]
    await case.receive()
    assert case.wire.sent["UpdateItem"] > claims
    case.wire.faults.clear()
    assert await case.work() == 1
    assert await deliver(case, first, "message-1", receive=2) == LET_GO
    assert case.shown(case.asked) == "done"


async def test_while_the_table_is_out_of_reach_the_user_is_told_and_the_job_comes_again(case: Case) -> None:
    await case.hand_over()
    sent = case.wire.sent["UpdateItem"]
    case.wire.faults += [Fault("UpdateItem", sent + nth, "refused") for nth in range(1, 6)]
    assert len((await case.receive())["batchItemFailures"]) == 1
    assert "again" in case.shown(case.asked)
    assert not case.command.runs
    case.wire.faults.clear()
    assert await case.work() == 1
    assert case.shown(case.asked) == "done"


async def test_an_answer_that_could_not_be_shown_is_shown_by_the_same_message(case: Case) -> None:
    await case.hand_over()
    case.discord.faults.inject("PATCH", EDIT, DROP, times=3)
    assert len((await case.receive())["batchItemFailures"]) == 1
    assert await case.work() == 1
    assert case.shown(case.asked) == "done"


async def test_what_is_kept_of_a_job_holds_no_token_and_expires(case: Case) -> None:
    asked = await case.hand_over()
    await case.work()
    (item,) = case.table.of_kind("JOB")
    assert asked.token not in str(item)
    assert item["expires_at"] < (START + timedelta(hours=2)).timestamp()


async def test_two_interactions_with_one_id_are_two_jobs(case: Case) -> None:
    asked = [await case.hand_over(interaction_id="77"), await case.ask(old=2.9, interaction_id="77")]
    await case.work()
    assert [case.shown(each) for each in asked] == ["done", "done"]


async def test_jobs_that_one_limit_stopped_twice_come_back_at_different_times(case: Case) -> None:
    case.script(*[RateLimited(30.0)] * 8, "done")
    # Of made-up ids two may have the same share by chance; these four have not.
    asked = [await case.ask(old=2.9, interaction_id=str(number)) for number in (1001, 1002, 1003, 1004)]
    await case.work()
    again = [[sent.delay for sent in case.queue.sent if sent.body["put_backs"] == times] for times in (1, 2)]
    assert again[0] == [30] * 4
    assert len(set(again[1])) == 4
    assert min(again[1]) >= 30
    assert [case.shown(each) for each in asked] == ["done"] * 4
