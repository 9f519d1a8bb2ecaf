"""Jobs: what the webhook could not finish in time and the worker finishes, over SQS.

A job may arrive twice or late, and its sending may come about after it seemed to fail: every command can be repeated.
"""

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import msgspec

from handler.aws import clients
from handler.discord.interactions import Interaction
from handler.runtime.clock import iso, parse_iso
from handler.runtime.secrets import Secret
from handler.runtime.telemetry import logger

VERSION: Final = 1  # of the message's form: raised when an older worker could misread it
TOKEN_LIFE: Final = timedelta(minutes=15)  # Discord docs, "Receiving and Responding": then an answer cannot be edited
TOKEN_MARGIN: Final = timedelta(seconds=15)  # an edit takes time, and API Gateway's clock is not Discord's
MAX_DELAY_SECONDS: Final = 900  # SQS, DelaySeconds
READ_TIMEOUT_SECONDS: Final = 0.3  # SQS answers within tens of milliseconds, and the webhook has time for two attempts
SENDS_AT_ONCE: Final = 4  # threads: one job, and room for hanging calls of earlier invocations


class Malformed(Exception):
    """A message that is no job of ours, or not of this version. Says where, never what: it may hold a token."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """An interaction to be finished. `expires_at`: when its token is dead, however often the job is put back.

    What the worker tells the user before anything else, since a deferral says nothing: `wait_seconds`, Discord asks for
    so long a pause (the job is then put back for it); `progress`, of the import that the webhook began.
    """

    version: int = VERSION
    interaction: Interaction
    received_at: str
    expires_at: str
    put_backs: int = 0
    wait_seconds: int = 0
    progress: dict[str, int] = {}

    @classmethod
    def of(cls, interaction: Interaction, received: datetime) -> "Job":
        expires = received + TOKEN_LIFE - TOKEN_MARGIN
        return cls(interaction=interaction, received_at=iso(received), expires_at=iso(expires))

    def telling(self, *, wait_seconds: int = 0, progress: Mapping[str, int] | None = None) -> "Job":
        return msgspec.structs.replace(self, wait_seconds=wait_seconds, progress=dict(progress or {}))

    @property
    def expiry(self) -> datetime:
        return parse_iso(self.expires_at)

    def put_back(self, progress: Mapping[str, int]) -> "Job":
        """The same job for another message: the token lives no longer for it. `progress`: what has been done of it."""
        interaction = msgspec.structs.replace(
            self.interaction, done_before={**self.interaction.done_before, **progress}
        )
        return msgspec.structs.replace(
            self, interaction=interaction, put_backs=self.put_backs + 1, wait_seconds=0, progress={}
        )


def whole_seconds(seconds: float) -> int:
    """A wait as SQS counts it, never shorter than asked for."""
    return max(0, math.ceil(seconds))


def encode(job: Job) -> str:
    return msgspec.json.encode(job, enc_hook=_reveal).decode()


def decode(body: str) -> Job:
    """The job in a message. Raises Malformed."""
    try:
        job = msgspec.json.decode(body, type=Job, dec_hook=_conceal)
        parse_iso(job.received_at), parse_iso(job.expires_at)
    except (msgspec.DecodeError, RecursionError, ValueError) as fault:
        raise Malformed(f"{type(fault).__name__}: {_without_values(fault)}") from None
    if job.version != VERSION:
        raise Malformed(f"version {job.version}, not {VERSION}")
    return job


def _reveal(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(type(value).__name__)


def _conceal(kind: type, value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError(f"no {kind.__name__}")


def _without_values(fault: Exception) -> str:
    return str(fault) if isinstance(fault, msgspec.ValidationError) else "not JSON"


class JobsQueue:
    """The queue to the worker, over a boto3 client of SQS."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url
        self._threads = ThreadPoolExecutor(SENDS_AT_ONCE, thread_name_prefix="sqs")

    async def send(self, job: Job, *, delay_seconds: int = 0) -> bool:
        """Whether SQS has it for certain. False: it has not, or nobody knows."""
        from botocore.exceptions import BotoCoreError, ClientError

        request = {"QueueUrl": self._url, "MessageBody": encode(job), "DelaySeconds": delay_seconds}
        send = partial(self._client.send_message, **request)
        try:
            await clients.at_most_twice(self._threads, send)
        except (BotoCoreError, ClientError) as fault:
            logger.error("sqs send_message failed", extra={"error": f"{type(fault).__name__}: {fault}"})
            return False
        return True

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()
