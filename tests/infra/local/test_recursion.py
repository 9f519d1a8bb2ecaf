"""Lambda's guard against endless loops in the local stack."""

import json
from typing import Any, NoReturn

import pytest

from infra.lambda_events import sqs_event
from infra.local.functions import Died, Function, Pool
from infra.local.queues import answer_sqs
from infra.local.recursion import ATTRIBUTE, HEADER, STOPPED, enter
from infra.local.template import Template
from tests.infra.local.test_template import VALUES


def message(trace: str) -> dict[str, Any]:
    return sqs_event({"attributes": {ATTRIBUTE: trace}})


def turns(function: str, count: int) -> dict[str, Any]:
    """The event with which a chain goes on in which the function was invoked so often."""
    event: dict[str, Any] = {}
    for _ in range(count):
        event = message(enter(event, function)[1])
    return event


def test_a_chain_counts_each_function_by_itself() -> None:
    first, header = enter({}, "WebhookFunction")
    second, header = enter(message(header), "WorkerFunction")
    third, header = enter(message(header.replace("|", "%7C")), "WorkerFunction")  # as botocore quotes it
    again, _ = enter(message(header), "WebhookFunction")
    assert (first, second, third, again) == (1, 1, 2, 2)


@pytest.mark.parametrize("event", [{}, {"Records": []}, [], message(""), message("Root=1-2-3;Sampled=0")])
def test_an_event_of_no_chain_begins_one(event: Any) -> None:
    assert enter(event, "WorkerFunction")[0] == 1


class Beginning(Pool):
    """A pool whose invocations end where they would begin."""

    def _take(self) -> NoReturn:
        raise Died("Begun", "")


@pytest.mark.parametrize(
    ("may_recur", "before", "error"), [(False, 15, "Begun"), (False, 16, STOPPED["errorType"]), (True, 16, "Begun")]
)
def test_the_seventeenth_turn_is_stopped_unless_the_function_may_recur(
    may_recur: bool, before: int, error: str
) -> None:
    pool = Beginning(Function("WorkerFunction", "handler.worker.lambda_handler", 1.0, {}, may_recur))
    found = pool.invoke(turns("WorkerFunction", before)).error
    assert found is not None
    assert found["errorType"] == error


def test_the_worker_alone_may_recur() -> None:
    assert {name for name, function in Template().functions(VALUES, {}).items() if function.may_recur} == {
        "WorkerFunction"
    }


def test_the_queue_keeps_the_tracing_header_with_a_message() -> None:
    def ask(operation: str, request: dict[str, Any], **headers: str) -> dict[str, Any]:
        given = {"x-amz-target": f"AmazonSQS.{operation}", "content-type": "application/x-amz-json-1.0", **headers}
        answered = answer_sqs(given, json.dumps(request).encode())
        assert answered.status == 200
        return dict(json.loads(answered.body))

    url = ask("CreateQueue", {"QueueName": "recursion"})["QueueUrl"]
    trace = enter({}, "WorkerFunction")[1]
    ask("SendMessage", {"QueueUrl": url, "MessageBody": "{}"}, **{HEADER: trace})
    (received,) = ask("ReceiveMessage", {"QueueUrl": url, "AttributeNames": ["All"]})["Messages"]
    assert received["Attributes"][ATTRIBUTE] == trace
