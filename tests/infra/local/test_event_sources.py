"""Queues invoke functions: an emulated SQS, and real environments."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from infra.local.aws import serve
from infra.local.aws_client import arn, client
from infra.local.event_sources import QueuePoller, Schedule, find_finished, to_record
from infra.local.functions import Result
from infra.local.template import QueueSource
from tests.infra.local.conftest import MakePool
from tests.kit.eventually import PATIENCE_SECONDS, eventually

NUMBERS = count(1)


@pytest.fixture(scope="module")
def sqs() -> Iterator[Any]:
    server = serve(0, "unused")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    connected = client("sqs", f"http://127.0.0.1:{server.server_port}")
    yield connected
    connected.close()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def queue(sqs: Any) -> str:
    """A queue whose failed messages come back at once, and go to the dead letters after the third receive."""
    dead = sqs.create_queue(QueueName=f"dead-{next(NUMBERS)}")["QueueUrl"]
    policy = f'{{"deadLetterTargetArn": "{arn(sqs, dead)}", "maxReceiveCount": 3}}'
    attributes = {"VisibilityTimeout": "0", "RedrivePolicy": policy}
    return str(sqs.create_queue(QueueName=f"queue-{next(NUMBERS)}", Attributes=attributes)["QueueUrl"])


def dead_letters(sqs: Any, queue: str) -> list[str]:
    dead = queue.replace("queue-", "dead-")
    number = int(dead.rpartition("-")[2]) - 1
    url = f"{dead.rpartition('-')[0]}-{number}"
    return [message["Body"] for message in sqs.receive_message(QueueUrl=url).get("Messages", [])]


def count_messages(sqs: Any, queue: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(map(int, attributes.values()))


@contextmanager
def polling(
    sqs: Any, queue: str, invoke: Callable[[Any], Result], *, batch_size: int = 1, max_concurrency: int = 1
) -> Iterator[None]:
    source = QueueSource("Queue", "Function", batch_size, reports_failures=True, max_concurrency=max_concurrency)
    poller = QueuePoller(sqs, queue, arn(sqs, queue), source, invoke)
    try:
        yield
    finally:
        poller.close()


def test_a_message_reaches_the_function_as_on_lambda_and_is_deleted(sqs: Any, queue: str, make_pool: MakePool) -> None:
    events: list[Any] = []
    pool = make_pool("odd_only")

    def invoke(event: Any) -> Result:
        events.append(event)
        return pool.invoke(event)

    sent = sqs.send_message(QueueUrl=queue, MessageBody="1")
    with polling(sqs, queue, invoke):
        eventually(lambda: count_messages(sqs, queue) == 0)
    ((received,),) = [event["Records"] for event in events]

    assert (received["messageId"], received["body"]) == (sent["MessageId"], "1")
    assert (received["eventSource"], received["eventSourceARN"]) == ("aws:sqs", arn(sqs, queue))
    assert received["attributes"]["ApproximateReceiveCount"] == "1"
    assert received["md5OfBody"] == sent["MD5OfMessageBody"]


def test_a_failed_message_comes_again_and_ends_among_the_dead_letters(
    sqs: Any, queue: str, make_pool: MakePool
) -> None:
    receives: list[str] = []
    pool = make_pool("odd_only")

    def invoke(event: Any) -> Result:
        receives.extend(record["attributes"]["ApproximateReceiveCount"] for record in event["Records"])
        return pool.invoke(event)

    sqs.send_message(QueueUrl=queue, MessageBody="2")
    with polling(sqs, queue, invoke):
        eventually(lambda: count_messages(sqs, queue) == 0)

    assert receives == ["1", "2", "3"]
    assert dead_letters(sqs, queue) == ["2"]


def test_of_a_batch_only_the_failed_messages_come_again(sqs: Any, queue: str, make_pool: MakePool) -> None:
    seen: list[str] = []
    pool = make_pool("odd_only")

    def invoke(event: Any) -> Result:
        seen.extend(record["body"] for record in event["Records"])
        return pool.invoke(event)

    for body in ("1", "2", "3"):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    with polling(sqs, queue, invoke, batch_size=10):
        eventually(lambda: count_messages(sqs, queue) == 0)

    assert sorted(seen) == ["1", "2", "2", "2", "3"]
    assert dead_letters(sqs, queue) == ["2"]


def test_a_function_that_fails_fails_the_whole_batch(sqs: Any, queue: str, make_pool: MakePool) -> None:
    for body in ("1", "3"):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    with polling(sqs, queue, make_pool("fail").invoke, batch_size=10):
        eventually(lambda: count_messages(sqs, queue) == 0)
    letters = dead_letters(sqs, queue) + dead_letters(sqs, queue)
    assert sorted(letters) == ["1", "3"]


def test_no_more_batches_run_at_once_than_the_source_allows(sqs: Any, queue: str) -> None:
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

    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "30"})
    for body in range(6):
        sqs.send_message(QueueUrl=queue, MessageBody=str(body))
    with polling(sqs, queue, invoke, max_concurrency=2):
        eventually(lambda: count_messages(sqs, queue) == 0)

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
