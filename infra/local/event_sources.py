"""What invokes functions by itself: the queues, and the schedule.

AWS docs, "Using Lambda with Amazon SQS": a batch whose invocation fails comes back after the queue's visibility time-out,
and so does each message that a reporting function names in `batchItemFailures`; all others are deleted. After so many
receives the queue itself moves a message to its dead letters.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from infra.lambda_events import schedule_event, sqs_event, sqs_record
from infra.local.functions import Result
from infra.local.recursion import ATTRIBUTE
from infra.local.template import QueueSource

# Between two receives from an empty queue. SQS's long polling would block everybody: the emulation takes one request at a time.
POLL_SECONDS: Final = 0.1
# Before the next receive after the emulation did not answer.
FAULT_SECONDS: Final = 1.0
MAX_RECEIVED: Final = 10  # SQS docs, "ReceiveMessage", MaxNumberOfMessages

Invoke = Callable[[Any], Result]
Message = Mapping[str, Any]


class QueuePoller:
    """Passes messages from a queue to a function, in several batches at once, up to the source's limit."""

    def __init__(self, sqs: Any, url: str, arn: str, source: QueueSource, invoke: Invoke) -> None:
        self._sqs, self._url, self._arn = sqs, url, arn
        self._source = source
        self._invoke = invoke
        self._slots = threading.Semaphore(source.max_concurrency)
        self._workers = ThreadPoolExecutor(source.max_concurrency, thread_name_prefix=source.queue)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"poll {source.queue}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Receive no more. Batches that a function is working on are finished."""
        self._stopping.set()

    def close(self) -> None:
        self.stop()
        self._thread.join()
        self._workers.shutdown()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._slots.acquire()
            try:
                batch = self._receive()
            except (BotoCoreError, ClientError):
                self._slots.release()
                self._stopping.wait(FAULT_SECONDS)
                continue
            if batch:
                self._workers.submit(self._handle, batch)
            else:
                self._slots.release()
                self._stopping.wait(POLL_SECONDS)

    def _receive(self) -> Sequence[Message]:
        received: Sequence[Message] = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(self._source.batch_size, MAX_RECEIVED),
            WaitTimeSeconds=0,
            AttributeNames=["All"],
        ).get("Messages", [])
        return received

    def _handle(self, batch: Sequence[Message]) -> None:
        try:
            event = sqs_event(*(to_record(message, self._arn, datetime.now(UTC)) for message in batch))
            result = self._invoke(event)
            done = find_finished(batch, result, reports_failures=self._source.reports_failures)
            with suppress(BotoCoreError, ClientError):  # SQS delivers them again: at least once
                for message in done:
                    self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        finally:
            self._slots.release()


def to_record(message: Message, arn: str, now: datetime) -> dict[str, Any]:
    """The record of a message in the function's event."""
    attributes = message["Attributes"]
    made = sqs_record(
        message["Body"],
        now=now,
        message_id=message["MessageId"],
        receipt_handle=message["ReceiptHandle"],
        receive_count=int(attributes["ApproximateReceiveCount"]),
        sent_at=datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC),
        queue_arn=arn,
    )
    first = attributes.get("ApproximateFirstReceiveTimestamp", made["attributes"]["ApproximateFirstReceiveTimestamp"])
    made["attributes"]["ApproximateFirstReceiveTimestamp"] = first
    if (trace := attributes.get(ATTRIBUTE)) is not None:
        made["attributes"][ATTRIBUTE] = trace
    return made


def find_finished(batch: Sequence[Message], result: Result, *, reports_failures: bool) -> list[Message]:
    """The messages to delete. A report that names an unknown message fails the whole batch."""
    if result.error is not None:
        return []
    if not reports_failures or result.payload in (None, {}):
        return list(batch)
    if not isinstance(result.payload, dict):
        return []
    failures = result.payload.get("batchItemFailures") or []
    failed = {failure.get("itemIdentifier") if isinstance(failure, dict) else None for failure in failures}
    if not failed <= {message["MessageId"] for message in batch}:
        return []
    return [message for message in batch if message["MessageId"] not in failed]


class Schedule:
    """Invokes a function every so many seconds; 0: never."""

    def __init__(self, invoke: Invoke, seconds: float) -> None:
        self._invoke = invoke
        self._seconds = seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="schedule", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds or None):
            self._invoke(schedule_event(datetime.now(UTC)))

    def stop(self) -> None:
        self._stopping.set()

    def close(self) -> None:
        self.stop()
        self._thread.join()
