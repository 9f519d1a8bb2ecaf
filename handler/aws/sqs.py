"""Queues of SQS, as their senders see them.

SQS may deliver a message twice or late, and a send that seemed to fail may still have its effect.

Each message names its group, which on standard queues makes them fair: if one group has many messages waiting, SQS
delivers those of the others first (AWS: "Amazon SQS fair queues"). Consumers notice nothing.
"""

from collections.abc import Mapping
from typing import Any, Final

from handler.aws.clients import CallFailed, ThreadedClient
from handler.runtime import telemetry
from handler.runtime.concurrency import gather_limited

READ_TIMEOUT_SECONDS: Final = 2.0  # where nobody waits: SQS answers within tens of milliseconds
MAX_DELAY_SECONDS: Final = 900  # SQS, DelaySeconds
MAX_BATCH: Final = 10  # SQS docs, "SendMessageBatch": entries in one request
MAX_BATCH_ATTEMPTS: Final = (
    2  # an entry that SQS refuses alone (as a rule by a fault of SQS) goes through the next time
)
MAX_CALLS: Final = 10  # threads and connections: 100 000 messages are sent in a quarter of a minute


class Queue(ThreadedClient):
    """One queue, over botocore's client of SQS."""

    service = "sqs"

    def __init__(self, client: Any, url: str) -> None:
        super().__init__(client, MAX_CALLS)
        self._url = url

    async def send(self, body: str, *, group: str, delay_seconds: int = 0) -> bool:
        """Whether SQS certainly has the message. False: it does not, or nobody knows."""
        message = {"MessageBody": body, "MessageGroupId": group, "DelaySeconds": delay_seconds}
        try:
            await self.call("send_message", QueueUrl=self._url, **message)
        except CallFailed as error:
            telemetry.logger.error("sqs send_message failed", extra={"error": str(error)})
            return False
        return True

    async def send_many(self, groups: Mapping[str, str]) -> Mapping[str, str]:
        """Send the messages, each body with its group; return those that SQS does not certainly have, with the reason.

        A request or an entry that fails does not keep the others back.
        """
        messages = list(groups.items())
        batches = [dict(messages[start : start + MAX_BATCH]) for start in range(0, len(messages), MAX_BATCH)]
        unsent = await gather_limited(MAX_CALLS, [self._send_batch(batch) for batch in batches])
        return {body: reason for some in unsent for body, reason in some.items()}

    async def _send_batch(self, batch: Mapping[str, str]) -> Mapping[str, str]:
        refused = dict.fromkeys(batch, "")
        for _ in range(MAX_BATCH_ATTEMPTS):
            try:
                refused = await self._send_entries({body: batch[body] for body in refused})
            except CallFailed as error:
                return dict.fromkeys(refused, str(error))
            if not refused:
                break
        return refused

    async def _send_entries(self, groups: Mapping[str, str]) -> dict[str, str]:
        """Those that SQS refused, each with its code."""
        bodies = list(groups)
        entries = [
            {"Id": str(index), "MessageBody": body, "MessageGroupId": groups[body]} for index, body in enumerate(bodies)
        ]
        answer = await self.call("send_message_batch", QueueUrl=self._url, Entries=entries)
        return {bodies[int(failed["Id"])]: failed["Code"] for failed in answer.get("Failed", [])}

    async def count_waiting(self) -> int | None:
        """About how many messages no consumer has received yet; None if SQS does not say."""
        name = "ApproximateNumberOfMessages"
        try:
            answer = await self.call("get_queue_attributes", QueueUrl=self._url, AttributeNames=[name])
        except CallFailed as error:
            telemetry.logger.warning("sqs get_queue_attributes failed", extra={"error": str(error)})
            return None
        return int(answer["Attributes"][name])
