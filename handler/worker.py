"""`WorkerFunction`: finishes what the webhook handed over, and edits the deferred answer.

How one receive of a job ends. In each way but the first two the user is told something: nobody is left with "thinking…".

    malformed                            failed, each time: SQS puts it among the dead letters
    its token is dead                    let go: nobody can be told any more
    done, or definitely not possible     the answer is edited; let go
    a long wait, an import unfinished    a new message is sent, then the user is told; let go
      … longer than the token lives      the user is told when to come back; let go
      … that cannot be sent              the user is told; failed
    it may work later                    the user is told; failed: SQS delivers it again
      … on the last receive              before trying, that it goes badly; then what came of it; let go
    a fault of ours                      the user is told; failed, each time
    the user cannot be told now          failed: SQS delivers it again, the command is repeated

A job that dies on the way is delivered again too; whatever it did may be done again.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from handler import bootstrap, jobs, telemetry
from handler.attempt import Attempt
from handler.bootstrap import Environment
from handler.clock import Deadline
from handler.config import WorkerConfig

UNREPORTABLE: Final = ""  # a message without an id: Lambda then takes the whole batch as failed


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Messages of `JobsQueue`; those that failed are named, and delivered again."""
    seconds = context.get_remaining_time_in_millis() / 1000
    request_id = context.aws_request_id
    return bootstrap.invoke(WorkerConfig, lambda environment: receive(environment, event, request_id, seconds))


async def receive(
    environment: Environment[WorkerConfig], event: Any, request_id: str, seconds: float
) -> dict[str, Any]:
    """Work on all messages of an event side by side, `seconds` at most."""
    ends = Deadline.after(environment.clock.now(), seconds)
    records = event.get("Records") if isinstance(event, dict) else None
    records = [record for record in records if isinstance(record, dict)] if isinstance(records, list) else []
    let_go = await asyncio.gather(*(_record(environment, record, request_id, ends) for record in records))
    failed = [record.get("messageId", UNREPORTABLE) for record, done in zip(records, let_go, strict=True) if not done]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


async def _record(
    environment: Environment[WorkerConfig], record: Mapping[str, Any], request_id: str, ends: Deadline
) -> bool:
    """Whether the message may be let go. Each has its own telemetry, being a task of its own."""
    received = _receive_count(record)
    with telemetry.begin(
        function="worker", request_id=request_id, message_id=record.get("messageId"), receive_count=received
    ):
        try:
            job = jobs.decode(str(record.get("body")))
        except jobs.Malformed as fault:
            telemetry.field(outcome="malformed")
            telemetry.logger.error("not a job of ours", extra={"detail": str(fault)})
            return False
        try:
            return await Attempt(environment, job, received, ends).run()
        except Exception:  # the other messages of the batch are not to suffer
            telemetry.logger.exception("a fault of ours")
            return False


def _receive_count(record: Mapping[str, Any]) -> int:
    attributes = record.get("attributes")
    text = attributes.get("ApproximateReceiveCount") if isinstance(attributes, dict) else None
    return int(text) if isinstance(text, str) and text.isdecimal() else 1


bootstrap.prepare(WorkerConfig)
