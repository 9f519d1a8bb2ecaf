"""Queues invoke functions: an emulated SQS, and real environments."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from infra.local.aws_client import arn, client, count_messages
from infra.local.event_sources import QueuePoller, Schedule, find_finished, to_record
from infra.local.functions import Result
from infra.local.queues import answer_sqs
from infra.local.template import QueueSource
from infra.loopback import Loopback
from tests.infra.local.conftest import MakePool
from tests.kit.eventually import PATIENCE_SECONDS, eventually

NUMBERS = count(1)


@pytest.fixture(scope="module")
def sqs() -> Iterator[Any]:
    server = Loopback(lambda request: answer_sqs(request.headers, request.body))
    connected = client("sqs", server.url)
    yield connected
    connected.close()
    server.close()


class Queue:
    """A queue whose failed messages come back at once, and go to the dead letters after the third receive."""

    def __init__(self, sqs: Any) -> None:
        self.sqs = sqs
        self.dead = sqs.create_queue(QueueName=f"dead-{next(NUMBERS)}")["QueueUrl"]
        policy = f'{{"deadLetterTargetArn": "{arn(sqs, self.dead)}", "maxReceiveCount": 3}}'
        attributes = {"VisibilityTimeout": "0", "RedrivePolicy": policy}
        self.url = sqs.create_queue(QueueName=f"queue-{next(NUMBERS)}", Attributes=attributes)["QueueUrl"]
        self.arn = arn(sqs, self.url)

    def send(self, *bodies: str) -> list[Any]:
        return [self.sqs.send_message(QueueUrl=self.url, MessageBody=body) for body in bodies]

    def poll_until_empty(self, invoke: Callable[[Any], Result], *, batch_size: int = 1, at_once: int = 1) -> list[Any]:
        """Let a function have all messages; returns the records that it got."""
        records: list[Any] = []

        def record(event: Any) -> Result:
            records.extend(event["Records"])
            return invoke(event)

        source = QueueSource("Queue", "Function", batch_size, reports_failures=True, max_concurrency=at_once)
        poller = QueuePoller(self.sqs, self.url, self.arn, source, record)
        try:
            eventually(lambda: count_messages(self.sqs, self.url) == 0)
        finally:
            poller.close()
        return records

    def dead_letters(self) -> list[str]:
        return [message["Body"] for message in self.sqs.receive_message(QueueUrl=self.dead).get("Messages", [])]


@pytest.fixture
def queue(sqs: Any) -> Queue:
    return Queue(sqs)


def test_a_message_reaches_the_function_as_on_lambda_and_is_deleted(queue: Queue, make_pool: MakePool) -> None:
    (sent,) = queue.send("1")
    (received,) = queue.poll_until_empty(make_pool("odd_only").invoke)

    assert (received["messageId"], received["body"]) == (sent["MessageId"], "1")
    assert (received["eventSource"], received["eventSourceARN"]) == ("aws:sqs", queue.arn)
    assert received["attributes"]["ApproximateReceiveCount"] == "1"
    assert received["md5OfBody"] == sent["MD5OfMessageBody"]


def test_a_failed_message_comes_again_and_ends_among_the_dead_letters(queue: Queue, make_pool: MakePool) -> None:
    queue.send("2")
    received = queue.poll_until_empty(make_pool("odd_only").invoke)

    assert [record["attributes"]["ApproximateReceiveCount"] for record in received] == ["1", "2", "3"]
    assert queue.dead_letters() == ["2"]


def test_of_a_batch_only_the_failed_messages_come_again(queue: Queue, make_pool: MakePool) -> None:
    queue.send("1", "2", "3")
    received = queue.poll_until_empty(make_pool("odd_only").invoke, batch_size=10)

    assert sorted(record["body"] for record in received) == ["1", "2", "2", "2", "3"]
    assert queue.dead_letters() == ["2"]


def test_a_function_that_fails_fails_the_whole_batch(queue: Queue, make_pool: MakePool) -> None:
    queue.send("1", "3")
    queue.poll_until_empty(make_pool("fail").invoke, batch_size=10)

    assert sorted(queue.dead_letters() + queue.dead_letters()) == ["1", "3"]


def test_no_more_batches_run_at_once_than_the_source_allows(queue: Queue) -> None:
    at_work, most, lock = 0, 0, threading.Lock()
    barrier = threading.Barrier(2)

    def invoke(event: Any) -> Result:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        barrier.wait(PATIENCE_SECONDS)
        with lock:
            at_work -= 1
        return Result({})

    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"VisibilityTimeout": "30"})
    queue.send(*map(str, range(6)))
    queue.poll_until_empty(invoke, at_once=2)

    assert most == 2


BATCH = [{"MessageId": "a"}, {"MessageId": "b"}]


@pytest.mark.parametrize(
    ("result", "done"),
    [
        (Result(None), ["a", "b"]),
        (Result({}), ["a", "b"]),
        (Result({"batchItemFailures": None}), ["a", "b"]),
        (Result({"batchItemFailures": [{"itemIdentifier": "b"}]}), ["a"]),
        (Result({"batchItemFailures": [{"itemIdentifier": "c"}]}), []),
        (Result({"batchItemFailures": [{"itemIdentifier": ""}]}), []),
        (Result({"batchItemFailures": ["b"]}), []),
        (Result("done"), []),
        (Result(error={"errorType": "ValueError"}), []),
    ],
)
def test_which_messages_a_result_finishes(result: Result, done: list[str]) -> None:
    assert [message["MessageId"] for message in find_finished(BATCH, result, reports_failures=True)] == done


def test_without_reports_a_result_of_any_kind_is_a_success() -> None:
    assert find_finished(BATCH, Result("done"), reports_failures=False) == BATCH
    assert find_finished(BATCH, Result(error={}), reports_failures=False) == []


def test_a_record_keeps_when_its_message_was_sent_and_first_received() -> None:
    message = {
        "MessageId": "a",
        "ReceiptHandle": "r",
        "Body": "text",
        "Attributes": {
            "ApproximateReceiveCount": "2",
            "SentTimestamp": "1795435200000",
            "ApproximateFirstReceiveTimestamp": "1795435201000",
        },
    }
    attributes = to_record(message, "arn:aws:sqs:us-east-1:1:q", datetime.now(UTC))["attributes"]
    assert attributes["SentTimestamp"] == "1795435200000"
    assert attributes["ApproximateFirstReceiveTimestamp"] == "1795435201000"
    assert attributes["ApproximateReceiveCount"] == "2"


def test_the_schedule_invokes_its_function_with_a_scheduled_event() -> None:
    events: list[Any] = []
    came = threading.Event()

    def invoke(event: Any) -> Result:
        events.append(event)
        came.set()
        return Result({})

    schedule = Schedule(invoke, seconds=0.01)
    assert came.wait(PATIENCE_SECONDS)
    schedule.close()

    assert events[0]["source"] == "aws.scheduler"
    assert "Records" not in events[0]
