"""The deferred answer: not yet, never, or later; and nobody is left with "thinking…" for what passes."""

from typing import Any

import pytest

from handler.discord.responses import message, only_text
from handler.errors import Importing
from infra.simulator.exchange import Response
from infra.simulator.faults import blocked, error, proxy_limit
from infra.simulator.refusals import too_many_requests
from tests.kit.commands import Case
from tests.kit.table_view import CHANNEL

EDIT = "/webhooks/{application_id}/{token}/messages/@original"
FOLLOW_UP = "/webhooks/{application_id}/{token}"


def untold(capsys: Any) -> int:
    return str(capsys.readouterr().out).count('"Untold":[1.0]')


# Not yet


@pytest.mark.parametrize("code", [10008, 10015])
@pytest.mark.parametrize("lag", [1.0, 4.0, 10.0, 24.0])
async def test_the_404_after_a_deferral_is_waited_out(case: Case, code: int, lag: float) -> None:
    case.discord.switch(callback_lag_seconds=lag, callback_lag_code=code)
    assert await case.through() == 1
    assert case.said == ["done"]
    assert len(case.command.runs) == 1
    assert not [call for call in case.discord.calls if call[1] == FOLLOW_UP]


@pytest.mark.parametrize("refusal", [error(404, 10062, "Unknown interaction"), error(404, 0, "404: Not Found")])
async def test_any_404_of_a_young_interaction_means_not_yet(case: Case, refusal: Response) -> None:
    await case.hand_over()
    case.discord.faults.inject("PATCH", EDIT, refusal, times=5)
    assert await case.work(between=case.note) == 1
    assert case.said == ["done"]


async def test_a_404_at_random_after_an_edit_that_succeeded_means_not_yet(case: Case) -> None:
    case.script(Importing({"threads": 3}), "done")
    await case.hand_over()
    case.discord.faults.inject("PATCH", EDIT, error(404, 10015, "Unknown Webhook"), nth=2, times=3)
    await case.work(between=case.note)
    assert case.said[-1] == "done"


async def test_a_notice_that_is_not_known_yet_does_not_keep_the_command_waiting(case: Case) -> None:
    case.discord.switch(callback_lag_seconds=10.0)
    case.script(Importing({"threads": 3}), "done")
    case.asked = await case.ask()
    assert await case.work(between=case.note) == 1
    assert case.command.began[1] < 1.0
    assert case.said == ["done"]


async def test_a_lambda_that_ends_while_it_is_not_yet_leaves_the_job_to_the_next_receive(case: Case) -> None:
    case.discord.switch(callback_lag_seconds=25.0)
    await case.hand_over()
    assert len((await case.receive(seconds=12.0))["batchItemFailures"]) == 1
    assert await case.work(between=case.note) == 1
    assert case.said == ["done"]


# Never


@pytest.mark.parametrize("refusal", [error(404, 10015, "Unknown Webhook"), error(404, 10008, "Unknown Message")])
async def test_after_half_a_minute_a_404_is_final(case: Case, refusal: Response, capsys: Any) -> None:
    await case.hand_over()
    await case.clock.sleep(31.0)
    case.discord.faults.inject("PATCH", EDIT, refusal, times=100)
    assert await case.receive() == {"batchItemFailures": []}
    assert case.discord.calls["PATCH", EDIT, 404] == 1
    assert untold(capsys) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        error(401, 50027, "Invalid Webhook Token"),
        error(400, 50083, "Thread is archived"),
        error(400, 50035, "Invalid Form Body"),
        error(403, 50005, "Cannot edit a message authored by another user"),
        error(400, 12345, "whatever"),
    ],
)
async def test_what_is_refused_for_good_is_let_go_and_counted(case: Case, refusal: Response, capsys: Any) -> None:
    await case.hand_over()
    case.discord.faults.inject("PATCH", EDIT, refusal, times=100)
    assert await case.receive() == {"batchItemFailures": []}
    assert untold(capsys) == 1
    assert not case.queue.waiting


async def test_an_answer_in_a_thread_that_was_archived_is_let_go(case: Case, capsys: Any) -> None:
    thread = case.people.create_thread(CHANNEL, "talk")
    await case.hand_over(channel_id=thread, channel_type=11, parent_id=CHANNEL)
    case.people.archive(thread)
    assert await case.receive() == {"batchItemFailures": []}
    assert len(case.command.runs) == 1
    assert untold(capsys) == 1


async def test_a_text_that_is_too_long_is_shown_shorter(case: Case) -> None:
    case.script("🧵" * 1500)
    assert await case.through() == 1
    assert case.said[0].startswith("🧵🧵")
    assert case.said[0].endswith("…")


def test_the_shorter_text_has_nothing_that_could_be_refused() -> None:
    shorter = only_text(message("x" * 3000, link="https://discord.com"))
    assert (len(shorter["content"]), shorter["components"]) == (1900, [])


# Later


@pytest.mark.parametrize("after", [3600, 82721])
async def test_a_proxys_429_on_one_answer_delays_that_answer_alone(case: Case, after: int) -> None:
    first = await case.hand_over()
    case.discord.faults.inject("PATCH", EDIT, proxy_limit(after))
    assert await case.receive() == {"batchItemFailures": []}
    second = await case.ask(old=2.9)
    assert await case.work() == 2
    assert [case.shown(asked) for asked in (first, second)] == ["done", "done"]
    assert [sent.delay for sent in case.queue.sent] == [0, 30, 0]
    assert len(case.command.runs) == 2, "the first one's answer was kept, and not made again"


async def test_a_proxys_429_everywhere_still_ends_with_the_answer_and_never_says_hours(case: Case) -> None:
    await case.hand_over()
    case.discord.faults.inject("*", "*", proxy_limit(), times=4)
    assert await case.work() <= 5
    assert case.shown(case.asked) == "done"
    assert not case.queue.dead


async def test_discords_own_limit_of_an_answer_is_obeyed(case: Case) -> None:
    await case.hand_over()
    case.discord.faults.inject("PATCH", EDIT, too_many_requests(60.0))
    assert await case.work() == 2
    assert case.queue.sent[1].delay == 60
    assert case.shown(case.asked) == "done"


async def test_cloudflares_block_of_an_edit_passes(case: Case) -> None:
    await case.hand_over()
    case.discord.faults.inject("PATCH", EDIT, blocked(), times=3)
    assert len((await case.receive())["batchItemFailures"]) == 1
    assert await case.work(between=case.note) == 1
    assert case.said == ["done"]
