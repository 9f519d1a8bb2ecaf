"""`ReconcileQueue`: which guilds are to be looked at, one message for each, over SQS.

A message may arrive twice or late, and so may a guild's next one beside it: a run can be repeated and doubled.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Annotated, Any, Final

import msgspec

from handler.aws import clients
from handler.runtime import telemetry
from handler.runtime.concurrency import gather_limited

VERSION: Final = 1  # of the message's form: raised when an older reconciler could misread it
MAX_BATCH: Final = 10  # SQS docs, "SendMessageBatch": entries in one request
BATCH_ATTEMPTS: Final = 2  # an entry that SQS refuses by itself (its own fault, as a rule) goes through the next time
READ_TIMEOUT_SECONDS: Final = 2.0  # SQS answers within tens of milliseconds, and nobody waits for a tick
SENDS_AT_ONCE: Final = 10  # threads and connections: 100 000 guilds are then sent in a quarter of a minute


class NoGuild(Exception):
    """A message that names no guild, or is not of this version."""


class _Message(msgspec.Struct, frozen=True, kw_only=True):
    version: int = VERSION
    guild_id: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}\Z")]


def encode(guild_id: str) -> str:
    return msgspec.json.encode(_Message(guild_id=guild_id)).decode()


def decode(body: str) -> str:
    """The id of the guild that a message is about. Raises NoGuild."""
    try:
        message = msgspec.json.decode(body, type=_Message)
    except (msgspec.DecodeError, RecursionError, ValueError) as fault:
        raise NoGuild(f"{type(fault).__name__}: {fault}") from None
    if message.version != VERSION:
        raise NoGuild(f"version {message.version}, not {VERSION}")
    return message.guild_id


class ReconcileQueue:
    """The queue from the schedule to the runs, over a boto3 client of SQS."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url
        self._threads = ThreadPoolExecutor(SENDS_AT_ONCE, thread_name_prefix="sqs")

    async def send(self, guild_ids: Sequence[str]) -> Mapping[str, str]:
        """Send one message for each guild; those that SQS does not have for certain, each with the reason.

        What is wrong with one request or one entry keeps none of the others back.
        """
        batches = [guild_ids[start : start + MAX_BATCH] for start in range(0, len(guild_ids), MAX_BATCH)]
        unsent = await gather_limited(SENDS_AT_ONCE, [self._send(batch) for batch in batches])
        return {guild_id: reason for some in unsent for guild_id, reason in some.items()}

    async def waiting(self) -> int | None:
        """About how many messages nobody has taken yet; None if SQS does not say."""
        from botocore.exceptions import BotoCoreError, ClientError

        name = "ApproximateNumberOfMessages"
        ask = partial(self._client.get_queue_attributes, QueueUrl=self._url, AttributeNames=[name])
        try:
            return int((await clients.at_most_twice(self._threads, ask))["Attributes"][name])
        except (BotoCoreError, ClientError) as fault:
            telemetry.logger.warning("sqs get_queue_attributes failed", extra={"error": _text(fault)})
            return None

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    async def _send(self, batch: Sequence[str]) -> Mapping[str, str]:
        from botocore.exceptions import BotoCoreError, ClientError

        unsent = dict.fromkeys(batch, "")
        for _ in range(BATCH_ATTEMPTS):
            try:
                unsent = await self._attempt(list(unsent))
            except (BotoCoreError, ClientError) as fault:
                return dict.fromkeys(unsent, _text(fault))
            if not unsent:
                break
        return unsent

    async def _attempt(self, batch: Sequence[str]) -> dict[str, str]:
        """Those of the batch that SQS refused."""
        entries = [{"Id": str(place), "MessageBody": encode(guild_id)} for place, guild_id in enumerate(batch)]
        send = partial(self._client.send_message_batch, QueueUrl=self._url, Entries=entries)
        answer = await clients.at_most_twice(self._threads, send)
        return {batch[int(failed["Id"])]: failed["Code"] for failed in answer.get("Failed", [])}


def _text(fault: Exception) -> str:
    return f"{type(fault).__name__}: {fault}"
