"""SQS, EventBridge, Step Functions and SSM for tests: the real boto3 over a wire that ends in this process, and fails when it is told to.

As in `tests.kit.dynamodb`, the wire takes the place of the network in botocore. The queue has SQS's own semantics: delays,
the visibility time-out, receive counts, and dead letters.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, ClassVar, Final, cast

from boto3.session import Session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import EndpointConnectionError

from infra.lambda_events import sqs_event, sqs_record
from infra.local.recursion import ATTRIBUTE, HEADER
from infra.local.tasks import LocalTasks
from tests.kit.aws_answers import answer, connect, error, operation_of
from tests.kit.aws_faults import What, meet
from tests.kit.hanging import Hanging
from tests.kit.recorded_calls import RecordedCalls

QUEUE_URL: Final = "https://sqs.us-east-1.amazonaws.com/123456789012/onethread"
BUS: Final = "onethread-events"
VISIBILITY: Final = timedelta(seconds=90)
MAX_RECEIVES: Final = 3
MAX_ENTRIES: Final = 10


@dataclass
class Sent:
    """A message in the queue. `body` is decoded JSON; `delay` is in seconds; `group` makes the queue fair.

    `trace` is the tracing header with which it was sent.
    """

    message_id: str
    text: str
    delay: int
    group: str
    visible_at: datetime
    sent_at: datetime
    trace: str = ""
    receives: int = 0

    @property
    def body(self) -> Any:
        return json.loads(self.text)


@dataclass
class Wire:
    """One of AWS's services. `faults`: one for each coming request. A call that hangs does so until `release`."""

    name: ClassVar[str]  # boto3's
    shown: ClassVar[str]  # in `calls`

    faults: list[What | None] = field(default_factory=list)
    calls: RecordedCalls = field(default_factory=RecordedCalls)
    _hanging: Hanging = field(default_factory=Hanging)

    def connect(self, session: Session) -> None:
        connect(session, self.name, self._answer)

    def release(self) -> None:
        """Let what hangs have its effect, and wait for it."""
        self._hanging.release()

    def effect(self, operation: str, body: dict[str, Any], request: AWSPreparedRequest) -> tuple[int, Any]:
        """The status and the document of a request that goes well."""
        raise NotImplementedError

    def _answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        operation, body = operation_of(request), json.loads(cast("bytes", request.body))

        def effect() -> AWSResponse:
            status, document = self.effect(operation, body, request)
            return answer(request.url, status, json.dumps(document))

        fault = self.faults.pop(0) if self.faults else None
        work = partial(meet, fault, self._hanging, effect, partial(error, request.url))
        return self.calls.around(self.shown, operation, work)


@dataclass(kw_only=True)
class QueueWire(Wire):
    """`sent` is all that ever arrived; `waiting` what is in the queue now; `dead` the dead letters.

    `requests`: operations, in order. `sizes`: how many entries each batch had.
    `rejected`: how often more SQS refuses an entry whose body holds that text, while it takes the others of its batch.
    """

    name, shown = "sqs", "sqs"

    now: Callable[[], datetime]
    rejected: dict[str, int] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    waiting: list[Sent] = field(default_factory=list)
    dead: list[Sent] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    _ids: Any = field(default_factory=lambda: count(1))

    def visible(self) -> list[Sent]:
        """The messages that can be received, those first that have been visible longest."""
        now = self.now()
        return sorted((m for m in self.waiting if m.visible_at <= now), key=lambda m: m.visible_at)

    def receive(self, most: int = 1) -> dict[str, Any]:
        """An SQS event with visible messages; they are invisible from then on."""
        now, records = self.now(), []
        for message in self.visible()[:most]:
            message.receives += 1
            message.visible_at = now + VISIBILITY
            records.append(
                sqs_record(
                    message.text,
                    now=now,
                    message_id=message.message_id,
                    receive_count=message.receives,
                    sent_at=message.sent_at,
                )
            )
            records[-1]["attributes"][ATTRIBUTE] = message.trace
        return sqs_event(*records)

    def settle(self, event: dict[str, Any], answered: dict[str, Any]) -> None:
        """Delete what the function did not name as failed; what failed for the last time becomes a dead letter."""
        failed = {failure["itemIdentifier"] for failure in answered["batchItemFailures"]}
        for record in event["Records"]:
            message = next(m for m in self.waiting if m.message_id == record["messageId"])
            if message.message_id not in failed or message.receives >= MAX_RECEIVES:
                self.waiting.remove(message)
            if message.message_id in failed and message.receives >= MAX_RECEIVES:
                self.dead.append(message)

    def _answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        self.requests.append(operation_of(request))
        return super()._answer(request)

    def effect(self, operation: str, body: dict[str, Any], request: AWSPreparedRequest) -> tuple[int, Any]:
        assert body["QueueUrl"] == QUEUE_URL
        body["trace"] = request.headers.get(HEADER, "")
        effects = {"SendMessage": self._send, "SendMessageBatch": self._send_batch, "GetQueueAttributes": self._count}
        return 200, effects[operation](body)

    def _send(self, body: dict[str, Any]) -> dict[str, Any]:
        delay = body.get("DelaySeconds", 0)
        assert 0 <= delay <= 900
        text, now = body["MessageBody"], self.now()
        visible_at, group, trace = now + timedelta(seconds=delay), body["MessageGroupId"], body.get("trace", "")
        message = Sent(f"message-{next(self._ids)}", text, delay, group, visible_at, now, trace)
        self.sent.append(message)
        self.waiting.append(message)
        return {"MessageId": message.message_id, "MD5OfMessageBody": ""}

    def _send_batch(self, body: dict[str, Any]) -> dict[str, Any]:
        entries = body["Entries"]
        assert 1 <= len(entries) <= MAX_ENTRIES
        assert len({entry["Id"] for entry in entries}) == len(entries)
        self.sizes.append(len(entries))
        failed = [entry for entry in entries if self._rejects(entry["MessageBody"])]
        return {
            "Successful": [{"Id": entry["Id"], **self._send(entry)} for entry in entries if entry not in failed],
            "Failed": [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in failed],
        }

    def _count(self, body: dict[str, Any]) -> dict[str, Any]:
        assert body["AttributeNames"] == ["ApproximateNumberOfMessages"]
        return {"Attributes": {"ApproximateNumberOfMessages": str(len(self.visible()))}}

    def _rejects(self, text: str) -> bool:
        for part, times in self.rejected.items():
            if part in text and times > 0:
                self.rejected[part] -= 1
                return True
        return False


@dataclass
class BusWire(Wire):
    """An event bus. `events` is all that it took; `refused`: how many more entries it refuses, each the first of its request."""

    name, shown = "events", "events"

    refused: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)

    def types(self) -> list[str]:
        return [event["DetailType"] for event in self.events]

    def effect(self, operation: str, body: dict[str, Any], request: AWSPreparedRequest) -> tuple[int, Any]:
        assert operation == "PutEvents"
        entries = body["Entries"]
        assert 1 <= len(entries) <= MAX_ENTRIES
        results: list[dict[str, str]] = []
        for number, entry in enumerate(entries):
            assert entry["EventBusName"] == BUS
            if number == 0 and self.refused:
                self.refused -= 1
                results.append({"ErrorCode": "InternalFailure", "ErrorMessage": "try again"})
            else:
                self.events.append({**entry, "Detail": json.loads(entry["Detail"])})
                results.append({"EventId": f"event-{len(self.events)}"})
        return 200, {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}


@dataclass
class TasksWire(Wire):
    """Step Functions with its tasks, as strict as the local stack's."""

    name, shown = "stepfunctions", "states"

    tasks: LocalTasks = field(default_factory=LocalTasks)

    def effect(self, operation: str, body: dict[str, Any], request: AWSPreparedRequest) -> tuple[int, Any]:
        return self.tasks.answer(operation, body)


@dataclass
class ParameterWire:
    """Parameter Store with one parameter. `faults` are names of errors, one for each coming request; `reads` counts."""

    value: str
    faults: list[str | None] = field(default_factory=list)
    reads: int = 0

    def connect(self, session: Session) -> None:
        connect(session, "ssm", self._answer)

    def _answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        self.reads += 1
        fault = self.faults.pop(0) if self.faults else None
        if fault == "refused":
            raise EndpointConnectionError(endpoint_url=request.url)
        if fault is not None:
            return error(request.url, 400, fault)
        asked = json.loads(cast("bytes", request.body))
        assert asked["WithDecryption"] is True
        return answer(request.url, 200, json.dumps({"Parameter": {"Name": asked["Name"], "Value": self.value}}))
