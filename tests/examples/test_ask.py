"""`ask.py`: the same question has the same one answer, whatever is lost or dies."""

import runpy
import sys
from dataclasses import replace
from functools import partial
from typing import Any, Final

import pytest

from examples.ask import Onethread
from infra.local.functions import Result
from tests.examples.acts import answer_by_text, nothing, press
from tests.handler.questions.acts import PERSON, cards
from tests.kit.lambda_endpoint import ARN, LOST, THROTTLED, Act, LambdaEndpoint
from tests.kit.sam_template import ROOT
from tests.kit.table_view import CHANNEL

PROGRAM: Final = ROOT / "examples" / "ask.py"
MAX_LINES: Final = 60  # what a reader takes in at once


def ask(**how: Any) -> dict[str, str]:
    answer: dict[str, str] = Onethread(ARN).ask("deploy 42", CHANNEL, "Ship it?", choices=["yes", "no"], **how)
    return answer


def test_it_is_as_short_as_it_says() -> None:
    assert len(PROGRAM.read_text().splitlines()) <= MAX_LINES


def test_the_answer_is_waited_for_over_several_requests(endpoint: LambdaEndpoint) -> None:
    endpoint.before_await = [nothing, nothing, press]
    answer = ask()
    assert (answer["state"], answer["choice"], answer["by"]) == ("answered", "yes", PERSON)
    assert endpoint.operations() == ["ask", "await", "await", "await"]


def test_run_again_it_gets_the_same_questions_answer(endpoint: LambdaEndpoint) -> None:
    endpoint.faults = [None, Result({"error": {"kind": "bot_token_refused", "message": "…", "retryable": False}})]
    with pytest.raises(RuntimeError, match="bot_token_refused"):
        ask()
    endpoint.run(press(endpoint.deployment))
    assert ask()["choice"] == "yes"
    assert endpoint.operations() == ["ask", "ask"]
    assert len(cards(endpoint.deployment)) == 1


def test_other_content_is_another_question_unless_an_id_is_given(endpoint: LambdaEndpoint) -> None:
    endpoint.before_await = [press, partial(press, label="no"), press, press]
    assert [ask(expires_in=seconds)["choice"] for seconds in (60, 61)] == ["yes", "no"]
    assert ask(request_id="mine", expires_in=60)["choice"] == "yes"
    assert ask(remind_in=60, expires_in=61) == ask(expires_in=61, remind_in=60)
    ids = [event["request_id"] for event in endpoint.events if event["operation"] == "ask"]
    assert (len(ids), len(set(ids)), ids[2]) == (5, 4, "mine")


def test_what_is_throttled_or_lost_or_may_succeed_later_is_sent_again(
    endpoint: LambdaEndpoint, pauses: list[float]
) -> None:
    limited = Result({"error": {"kind": "rate_limited", "message": "…", "retryable": True, "retry_after": 7.5}})
    timed_out = Result(error={"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 60.00 seconds"})
    throttling = replace(THROTTLED, status=400, headers={"x-amzn-errortype": "ThrottlingException"})
    endpoint.faults = [THROTTLED, throttling, LOST, limited, timed_out, None, LOST]
    endpoint.before_await = [press]
    assert ask()["choice"] == "yes"
    assert endpoint.operations() == ["ask", "ask", "await", "await"]
    assert len(cards(endpoint.deployment)) == 1
    assert 7.5 in pauses


def test_it_gives_up_in_the_end_with_the_error(endpoint: LambdaEndpoint, pauses: list[float]) -> None:
    endpoint.faults = [Result({"error": {"kind": "importing", "message": "…", "retryable": True}})] * 9
    with pytest.raises(RuntimeError, match="importing"):
        ask()
    assert sum(pauses) == 228


@pytest.mark.parametrize(
    ("arguments", "acts", "printed", "status"),
    [
        (["yes", "no"], [nothing, press], "yes", 0),
        (["--expires-in", "60", "yes", "no"], [nothing] * 3, "expired", 3),
        ([], [answer_by_text], "a flaky test", 0),
    ],
)
def test_a_script_reads_the_answer_and_the_status(
    endpoint: LambdaEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    acts: list[Act],
    printed: str,
    status: int,
) -> None:
    endpoint.before_await = acts
    monkeypatch.setattr(sys, "argv", ["ask.py", "deploy 42", "Ship it?", *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(PROGRAM), run_name="__main__")
    assert (capsys.readouterr().out.splitlines()[-1], ended.value.code) == (
        printed,
        status,
    )  # below the functions' logs
