"""The stand-in for tasks of Step Functions is as strict as AWS."""

from typing import Any

import pytest

from infra.local.tasks import LocalTasks

UNKNOWN = "made-up-task-unknown"


def code(tasks: LocalTasks, operation: str = "SendTaskSuccess", **request: Any) -> str | None:
    answered = tasks.answer(operation, request)
    return answered.document.get("__type") if answered.status == 400 else None


def test_a_task_takes_one_answer() -> None:
    tasks = LocalTasks()
    token = tasks.begin()
    assert code(tasks, taskToken=token, output='{"a": 1}') is None
    assert code(tasks, taskToken=token, output='{"a": 2}') == "TaskTimedOut"
    assert code(tasks, "SendTaskFailure", taskToken=token, error="late") == "TaskTimedOut"
    assert tasks.answers[token] == {"output": '{"a": 1}'}


def test_a_failure_may_have_an_error_and_a_cause() -> None:
    tasks = LocalTasks()
    tokens = [tasks.begin() for _ in range(3)]
    assert len(set(tokens)) == 3
    assert code(tasks, "SendTaskFailure", taskToken=tokens[0]) is None
    assert code(tasks, "SendTaskFailure", taskToken=tokens[1], error="e" * 256, cause="c" * 32_768) is None
    assert tasks.answers[tokens[1]] == {"error": "e" * 256, "cause": "c" * 32_768}
    assert tasks.answers[tokens[2]] is None


def test_a_task_that_has_ended_takes_no_answer_and_keeps_the_one_it_has() -> None:
    tasks = LocalTasks()
    ended, answered = tasks.begin(), tasks.begin()
    tasks.end(ended)
    assert code(tasks, taskToken=ended, output="{}") == "TaskTimedOut"
    assert code(tasks, taskToken=answered, output="{}") is None
    tasks.end(answered)
    assert tasks.answers[answered] == {"output": "{}"}


@pytest.mark.parametrize(
    ("operation", "request_", "expected"),
    [
        ("SendTaskSuccess", {"taskToken": UNKNOWN, "output": "{}"}, "TaskDoesNotExist"),
        ("SendTaskFailure", {"taskToken": UNKNOWN}, "TaskDoesNotExist"),
        ("SendTaskSuccess", {"taskToken": "never a token", "output": "{}"}, "InvalidToken"),
        ("SendTaskSuccess", {"taskToken": UNKNOWN, "output": "{"}, "InvalidOutput"),
        ("SendTaskSuccess", {"taskToken": UNKNOWN, "output": '"' + "é" * 131_072 + '"'}, "ValidationException"),
        ("SendTaskFailure", {"taskToken": UNKNOWN, "error": "e" * 257}, "ValidationException"),
        ("SendTaskFailure", {"taskToken": UNKNOWN, "cause": "c" * 32_769}, "ValidationException"),
        ("SendTaskSuccess", {"taskToken": "x" * 2049, "output": "{}"}, "ValidationException"),
        ("SendTaskSuccess", {"taskToken": "", "output": "{}"}, "ValidationException"),
        ("SendTaskSuccess", {"taskToken": UNKNOWN}, "ValidationException"),
        ("SendTaskSuccess", {"taskToken": UNKNOWN, "output": "{}", "more": "x"}, "ValidationException"),
        ("SendTaskHeartbeat", {"taskToken": UNKNOWN}, "UnknownOperationException"),
    ],
)
def test_what_aws_refuses_is_refused(operation: str, request_: dict[str, Any], expected: str) -> None:
    assert code(LocalTasks(), operation, **request_) == expected
