"""SQS and SSM for tests: the real boto3 over a wire that ends in this process, and fails when it is told to.

As in `tests.kit.dynamodb`, the wire takes the place of the network in botocore. The queue has SQS's own semantics: delays,
the visibility time-out, receive counts, and dead letters.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final, Literal, cast

from boto3.session import Session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from infra.interactions import sqs_event, sqs_record
from tests.kit.aws_answers import answer, error
from tests.kit.virtual_time import parked

QUEUE_URL: Final = "https://sqs.us-east-1.amazonaws.com/123456789012/onethread-jobs"
VISIBILITY: Final = timedelta(seconds=90)
MAX_RECEIVES: Final = 3
_HANG_SECONDS: Final = 20.0  # real ones: a hanging call that nobody releases fails instead of stopping the suite

What = Literal["refused", "lost", "500", "denied", "hang"]


@dataclass
class Sent:
    """A message in the queue. `body` is decoded JSON; `delay` is in seconds."""

    message_id: str
    text: str
    delay: int
    visible_at: datetime
    receives: int = 0

    @property
    def body(self) -> Any:
        return json.loads(self.text)


@dataclass
class QueueWire:
    """`sent` is all that ever arrived; `waiting` what is in the queue now; `dead` the dead letters.

    faults, one for each coming request: refused, 500, denied have no effect; lost has its effect without an answer; hang
    blocks its thread until `release`, which waits for its effect.
    """

    now: Callable[[], datetime]
    faults: list[What | None] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    waiting: list[Sent] = field(default_factory=list)
    dead: list[Sent] = field(default_factory=list)
    requests: int = 0
    _ids: Any = field(default_factory=lambda: count(1))
    _released: threading.Event = field(default_factory=threading.Event)
    _landed: list[threading.Event] = field(default_factory=list)

    def connect(self, session: Session) -> None:
        """Let clients of SQS that this session makes end here."""
        session.events.register("before-send.sqs", self._answer)  # type: ignore[arg-type]  # this event is answered

    def release(self) -> None:
        self._released.set()
        for landed in self._landed:
            assert landed.wait(_HANG_SECONDS), "a hanging call did not land"

    def receive(self) -> dict[str, Any] | None:
        """An SQS event with the message that has been visible longest, if one is; it is invisible from then on."""
        now = self.now()
        visible = sorted((m for m in self.waiting if m.visible_at <= now), key=lambda m: m.visible_at)
        if not visible:
            return None
        message = visible[0]
        message.receives += 1
        message.visible_at = now + VISIBILITY
        record = sqs_record(message.text, now=now, message_id=message.message_id, receive_count=message.receives)
        return sqs_event(record)

    def settle(self, event: dict[str, Any], answered: dict[str, Any]) -> None:
        """Delete what the function let go; what failed for the last time becomes a dead letter."""
        failed = {failure["itemIdentifier"] for failure in answered["batchItemFailures"]}
        for record in event["Records"]:
            message = next(m for m in self.waiting if m.message_id == record["messageId"])
            if message.message_id not in failed or message.receives >= MAX_RECEIVES:
                self.waiting.remove(message)
            if message.message_id in failed and message.receives >= MAX_RECEIVES:
                self.dead.append(message)

    def _answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        self.requests += 1
        fault = self.faults.pop(0) if self.faults else None
        if fault == "refused":
            raise EndpointConnectionError(endpoint_url=request.url)
        if fault == "500":
            return error(request.url, 500, "InternalError")
        if fault == "denied":
            return error(request.url, 403, "AccessDenied")
        if fault == "hang":
            return self._hang(request)
        return self._take(request, lost=fault == "lost")

    def _hang(self, request: AWSPreparedRequest) -> AWSResponse:
        landed = threading.Event()
        self._landed.append(landed)
        with parked():
            assert self._released.wait(_HANG_SECONDS), "a hanging call was never released"
        try:
            return self._take(request, lost=False)
        finally:
            landed.set()

    def _take(self, request: AWSPreparedRequest, *, lost: bool) -> AWSResponse:
        body = json.loads(cast("bytes", request.body))
        assert body["QueueUrl"] == QUEUE_URL
        delay = body.get("DelaySeconds", 0)
        assert 0 <= delay <= 900
        visible = self.now() + timedelta(seconds=delay)
        message = Sent(f"message-{next(self._ids)}", body["MessageBody"], delay, visible)
        self.sent.append(message)
        self.waiting.append(message)
        if lost:
            raise ReadTimeoutError(endpoint_url=request.url)
        return answer(request.url, 200, json.dumps({"MessageId": message.message_id, "MD5OfMessageBody": ""}))


@dataclass
class ParameterWire:
    """Parameter Store with one parameter. `faults` are names of errors, one for each coming request; `reads` counts."""

    value: str
    faults: list[str | None] = field(default_factory=list)
    reads: int = 0

    def connect(self, session: Session) -> None:
        """Let clients of SSM that this session makes end here."""
        session.events.register("before-send.ssm", self._answer)  # type: ignore[arg-type]  # this event is answered

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
