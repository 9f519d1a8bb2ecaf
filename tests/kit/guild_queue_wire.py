"""`ReconcileQueue` for tests: the real boto3 over a wire that ends in this process, and fails when it is told to.

As in `tests.kit.aws_wire`, the wire takes the place of the network in botocore.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, cast

from boto3.session import Session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from infra.interactions import sqs_event, sqs_record
from tests.kit import aws_answers

GUILD_QUEUE_URL: Final = "https://sqs.us-east-1.amazonaws.com/123456789012/onethread-guilds"
MAX_ENTRIES: Final = 10

What = Literal["refused", "lost", "500", "denied"]


@dataclass
class GuildQueueWire:
    """`waiting`: the bodies in the queue. `requests`: operations, in order. `sizes`: how many entries each batch had.

    faults, one for each coming request: refused, 500, denied have no effect; lost has its effect without an answer.
    `rejected`: how often more SQS refuses an entry whose body holds that text, while it takes the others of its batch.
    """

    now: Callable[[], datetime]
    faults: list[What | None] = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def connect(self, session: Session) -> None:
        """Let clients of SQS that this session makes end here."""
        session.events.register("before-send.sqs", self._answer)  # type: ignore[arg-type]  # this event is answered

    def receive(self, most: int = 1) -> dict[str, Any]:
        """An SQS event with the messages that have waited longest."""
        taken, self.waiting = self.waiting[:most], self.waiting[most:]
        return sqs_event(*(sqs_record(body, now=self.now(), message_id=f"m{n}") for n, body in enumerate(taken)))

    def _answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        operation = _target(request)
        body = json.loads(cast("bytes", request.body))
        assert body["QueueUrl"] == GUILD_QUEUE_URL
        self.requests.append(operation)
        fault = self.faults.pop(0) if self.faults else None
        if fault == "refused":
            raise EndpointConnectionError(endpoint_url=request.url)
        if fault in ("500", "denied"):
            return aws_answers.error(
                request.url, *((500, "InternalError") if fault == "500" else (403, "AccessDenied"))
            )
        told = self._take(body["Entries"]) if operation == "SendMessageBatch" else self._tell(body)
        if fault == "lost":
            raise ReadTimeoutError(endpoint_url=request.url)
        return aws_answers.answer(request.url, 200, json.dumps(told))

    def _take(self, entries: list[dict[str, Any]]) -> dict[str, Any]:
        assert 1 <= len(entries) <= MAX_ENTRIES
        assert len({entry["Id"] for entry in entries}) == len(entries)
        self.sizes.append(len(entries))
        failed = [entry for entry in entries if self._rejects(entry["MessageBody"])]
        taken = [entry for entry in entries if entry not in failed]
        self.waiting += [entry["MessageBody"] for entry in taken]
        return {
            "Successful": [{"Id": e["Id"], "MessageId": f"id-{e['Id']}", "MD5OfMessageBody": ""} for e in taken],
            "Failed": [{"Id": e["Id"], "Code": "InternalError", "SenderFault": False} for e in failed],
        }

    def _tell(self, body: dict[str, Any]) -> dict[str, Any]:
        assert body["AttributeNames"] == ["ApproximateNumberOfMessages"]
        return {"Attributes": {"ApproximateNumberOfMessages": str(len(self.waiting))}}

    def _rejects(self, text: str) -> bool:
        for part, times in self.rejected.items():
            if part in text and times > 0:
                self.rejected[part] -= 1
                return True
        return False


def _target(request: AWSPreparedRequest) -> str:
    target = request.headers["X-Amz-Target"]
    return str(target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
