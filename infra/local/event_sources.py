"""What invokes functions besides people: queues, and the schedule.

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

from infra.interactions import schedule_event, sqs_event, sqs_record
from infra.local.functions import Result
from infra.local.template import QueueSource

# Between two looks at an empty queue. SQS's own long polling would hold everybody up: the emulation takes one at a time.
POLL_SECONDS: Final = 0.1
# After the emulation could not be reached.
FAULT_SECONDS: Final = 1.0
RECEIVED_AT_ONCE: Final = 10  # SQS docs, "ReceiveMessage", MaxNumberOfMessages

Invoke = Callable[[Any], Result]
Message = Mapping[str, Any]


class QueuePoller:
    """Takes messages from a queue to a function, several batches side by side, up to the source's limit."""

    def __init__(self, sqs: Any, url: str, arn: str, source: QueueSource, invoke: Invoke) -> None:
        self._sqs, self._url, self._arn = sqs, url, arn
        self._source = source
        self._invoke = invoke
        self._slots = threading.Semaphore(source.most_at_once)
        self._workers = ThreadPoolExecutor(source.most_at_once, thread_name_prefix=source.queue)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"poll {source.queue}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Receive no more. Batches at work end with their invocations."""
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
                self._workers.submit(self._work, batch)
            else:
                self._slots.release()
                self._stopping.wait(POLL_SECONDS)

    def _receive(self) -> Sequence[Message]:
        received: Sequence[Message] = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(self._source.batch_size, RECEIVED_AT_ONCE),
            WaitTimeSeconds=0,
            AttributeNames=["All"],
        ).get("Messages", [])
        return received

    def _work(self, batch: Sequence[Message]) -> None:
        try:
            event = sqs_event(*(record(message, self._arn, datetime.now(UTC)) for message in batch))
            result = self._invoke(event)
            done = finished(batch, result, reports_failures=self._source.reports_failures)
            with suppress(BotoCoreError, ClientError):  # then they come again: SQS delivers at least once
                for message in done:
                    self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        finally:
            self._slots.release()


def record(message: Message, arn: str, now: datetime) -> dict[str, Any]:
    """A received message as the function gets it."""
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
    return made


def finished(batch: Sequence[Message], result: Result, *, reports_failures: bool) -> list[Message]:
    """The messages that are done with. A report that names an unknown message fails the whole batch."""
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
    """Invokes a function every so many seconds."""

    def __init__(self, invoke: Invoke, seconds: float) -> None:
        self._invoke = invoke
        self._seconds = seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="schedule", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            self._invoke(schedule_event(datetime.now(UTC)))

    def stop(self) -> None:
        self._stopping.set()

    def close(self) -> None:
        self.stop()
        self._thread.join()
