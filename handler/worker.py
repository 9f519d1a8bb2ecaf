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
from collections.abc import Coroutine, Mapping
from datetime import timedelta
from enum import Enum, auto
from typing import Any, Final, TypeVar

from handler import bootstrap
from handler.bootstrap import Environment
from handler.commands import jobs, texts
from handler.commands.jobs import MAX_DELAY_SECONDS, Job, whole_seconds
from handler.commands.outcomes import log_failure
from handler.config import WorkerConfig
from handler.discord import responses
from handler.discord.responses import Message
from handler.errors import (
    DiscordRefused,
    Importing,
    Merging,
    OnethreadError,
    RateLimited,
    TimedOut,
    TooManyThreads,
    TryAgain,
)
from handler.runtime import telemetry
from handler.runtime.deadline import GRACE_SECONDS, Deadline, run_until
from handler.runtime.telemetry import Metric

COMMAND_SECONDS: Final = 50.0  # of the worker's 60: a command with several waits and retries, or much of an import
TELLING_SECONDS: Final = 4.0  # for an edit with its repeats: the short 404 after a deferral was seen to take below one
SENDING_SECONDS: Final = 2.0  # for putting a job back: both attempts, at their slowest
MARGIN_SECONDS: Final = 8.0  # of Lambda's time, after the command: the grace, a put-back, and telling
LAST_RECEIVE: Final = 3  # the queue's maxReceiveCount: what fails then goes to the dead letters
REDELIVERED_AFTER_SECONDS: Final = 90  # the queue's visibility time-out, at most: then a failed message comes again
WORTH_COMING_BACK: Final = timedelta(seconds=10)  # of the token's life after a wait; with less, nothing gets done

# The token, or the answer that it stands for, is no more (Discord docs, "Opcodes and Status Codes").
_DEAD_STATUSES: Final = frozenset({401, 403, 404})

T = TypeVar("T")

UNREPORTABLE: Final = ""  # a message without an id: Lambda then takes the whole batch as failed


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Messages of `JobsQueue`; those that failed are named, and delivered again."""
    seconds = context.get_remaining_time_in_millis() / 1000
    request_id = context.aws_request_id
    return bootstrap.invoke(WorkerConfig, lambda environment: handle(environment, event, request_id, seconds))


async def handle(environment: Environment[WorkerConfig], event: Any, request_id: str, seconds: float) -> dict[str, Any]:
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
    with telemetry.log_request(
        function="worker", request_id=request_id, message_id=record.get("messageId"), receive_count=received
    ):
        try:
            job = jobs.decode(str(record.get("body")))
        except jobs.Malformed as fault:
            telemetry.set_fields(outcome="malformed")
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


class Told(Enum):
    """What came of an edit."""

    YES = auto()
    NEVER = auto()  # the token is dead, or the user dismissed the answer
    NOT_NOW = auto()


class Attempt:
    """`receive_count` counts from 1; `ends` is when Lambda stops the invocation."""

    def __init__(self, environment: Environment[WorkerConfig], job: Job, receive_count: int, ends: Deadline) -> None:
        self._environment = environment
        self._clock = environment.clock
        self._job = job
        self._interaction = job.interaction
        self._last = receive_count >= LAST_RECEIVE
        self._ends = ends

    async def run(self) -> bool:
        """Whether the message may be let go; if not, SQS delivers it again or puts it among the dead letters."""
        interaction = self._interaction
        telemetry.redact_in_request(interaction.token)
        telemetry.set_fields(interaction_id=interaction.id, command=interaction.name, guild_id=interaction.guild_id)
        try:
            return await self._run()
        except Exception:
            telemetry.logger.exception("a fault of ours")
            telemetry.set_fields(outcome="fault")
        await self._tell(texts.internal_error())
        return False

    async def _run(self) -> bool:
        if self._clock.now() >= self._job.expiry:
            telemetry.set_fields(outcome="token_dead")
            telemetry.logger.warning(
                "let go: the interaction's token is dead", extra={"put_backs": self._job.put_backs}
            )
            return True
        if self._job.wait_seconds and not self._last:
            return await self._put_back(RateLimited(self._job.wait_seconds))
        if (ahead := self._said_ahead()) is not None and await self._tell(ahead) is Told.NEVER:
            return True
        try:
            return await self._finish(
                await run_until(self._clock, self._deadline(), self._command(), grace=GRACE_SECONDS)
            )
        except (RateLimited, Importing, Merging) as wait:
            log_failure(wait)
            return await self._put_back(wait)
        except OnethreadError as error:
            log_failure(error)
            if isinstance(error, TryAgain) and not isinstance(error, TooManyThreads):
                return await self._again(error)
            return await self._finish(texts.failure(error))

    def _said_ahead(self) -> Message | None:
        """What the user has to know before the command runs: it may take long, or die without a word."""
        if self._last:
            return texts.last_try_notice()
        if self._interaction.is_button:  # its deferral shows nothing, and the button is still there
            return texts.merge_progress(Merging(self._interaction.done_before))
        return texts.put_back_notice(Importing(self._job.progress), self._clock.now()) if self._job.progress else None

    async def _command(self) -> Message:
        command = self._environment.commands.get(self._interaction.path)
        if command is None:
            return texts.unknown_command()
        return await self._environment.with_token(command(self._environment.sessions, self._interaction))

    def _deadline(self) -> Deadline:
        now = self._clock.now()
        margin = timedelta(seconds=MARGIN_SECONDS)
        return Deadline(min(now + timedelta(seconds=COMMAND_SECONDS), self._ends.at - margin, self._job.expiry))

    async def _finish(self, answer: Message) -> bool:
        """Say the last word. If it cannot be said now, the whole job is repeated."""
        return await self._tell(answer) is not Told.NOT_NOW

    async def _again(self, error: TryAgain) -> bool:
        """Leave it to the next receive, if there is one while the token lives."""
        next_receive = self._clock.now() + timedelta(seconds=REDELIVERED_AFTER_SECONDS)
        if self._last or next_receive >= self._job.expiry:
            return await self._finish(texts.failure(error))
        await self._tell(texts.retry_notice(error))
        return False

    async def _put_back(self, wait: RateLimited | Importing | Merging) -> bool:
        """A new message, sent before this one is let go. Sent twice is harmless, not at all would not be."""
        delay = whole_seconds(wait.retry_after) if isinstance(wait, RateLimited) else 0
        again_at = self._clock.now() + timedelta(seconds=delay)
        if again_at + WORTH_COMING_BACK >= self._job.expiry:
            return await self._finish(texts.long_wait(wait, again_at))
        job = self._job.put_back(wait.progress)
        if not await self._sent(job, min(delay, MAX_DELAY_SECONDS)):
            return await self._again(wait)
        telemetry.set_fields(outcome="put_back", put_backs=self._job.put_backs + 1)
        telemetry.add_metric(Metric.PUT_BACKS)
        await self._tell(texts.put_back_notice(wait, again_at))
        return True

    async def _sent(self, job: Job, delay: int) -> bool:
        """Whether SQS has it for certain."""
        try:
            return await self._in(SENDING_SECONDS, self._environment.jobs.send(job, delay_seconds=delay))
        except TimedOut:
            return False

    async def _tell(self, answer: Message) -> Told:
        """Edit the deferred answer."""
        edit = self._environment.discord.edit_original(self._interaction.token, responses.edit_body(answer))
        try:
            await self._in(TELLING_SECONDS, edit)
        except DiscordRefused as refusal:
            telemetry.logger.warning("the answer was refused", extra={"detail": str(refusal)})
            return Told.NEVER if refusal.status in _DEAD_STATUSES else Told.NOT_NOW
        except OnethreadError as error:
            telemetry.logger.warning("the user was not told", extra={"detail": str(error)})
            return Told.NOT_NOW
        return Told.YES

    async def _in(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        return await run_until(self._clock, Deadline.after(self._clock.now(), seconds), work)


bootstrap.prepare(WorkerConfig)
