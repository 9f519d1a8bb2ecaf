"""One tick of the reconciler's schedule, waited for: the tick itself returns when the guilds are in the queue."""

import time
from typing import Any, Final

from infra.local.aws_client import client
from infra.local.stack import Stack

QUEUE: Final = "ReconcileQueue"
LOOK_SECONDS: Final = 0.05
# A run takes half a second; a busy machine, and a first start of the function, several times as long.
PATIENCE_SECONDS: Final = 30.0
# Messages that nobody has taken, and messages that are being worked on (SQS docs, "GetQueueAttributes").
_COUNTS: Final = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


def reconcile(stack: Stack) -> None:
    """Let the schedule fire once, and wait until every guild was run. Raises TimeoutError, or what the tick failed with."""
    ticked = stack.tick()
    if ticked.error is not None:
        raise RuntimeError(f"the tick failed: {ticked.error}")
    sqs = client("sqs", stack.aws_url)
    overdue = time.monotonic() + PATIENCE_SECONDS
    try:
        while _unfinished(sqs, stack.queue_urls[QUEUE]):
            if time.monotonic() > overdue or stack.discord.closing.wait(LOOK_SECONDS):
                raise TimeoutError("guilds are still waiting for their run")
    finally:
        sqs.close()


def _unfinished(sqs: Any, url: str) -> int:
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))["Attributes"]
    return sum(int(told[name]) for name in _COUNTS)
