"""`WorkerFunction`: finishes what the webhook handed over, and edits the deferred answer.

How one receive of a job ends. From "finished" on the user is told something, so nobody is left with "thinking…".

    malformed                             failed, each time: SQS moves it to the dead letters
    its response was the answer           what comes after it is tried; done
    of a newer version                    the user is told; failed: the next receive may meet that version
      … on the last receive               the user is asked to try again; done
    its token is dead                     done: nobody can be told
    a repeat                              done: another message did its work, or is to (`handler.store.jobs`)
    a copy, while another one works       failed: SQS delivers it again, and then it is a repeat
    its answer can never be shown         done, and counted: see `handler.commands.deferred_answer`
    its answer may be shown later         failed: SQS delivers it again, the command is repeated
      … because edits of it are limited   a new message is sent, which holds the answer; done
    finished, or definitely impossible    the answer is edited; done
    a long wait, an unfinished import     a new message is sent, then the user is told; done
      … longer than the token lives       the user is told when to come back; done
      … that cannot be sent               the user is told; failed
    it may work later                     the user is told; failed: SQS delivers it again
      … on the last receive               before the attempt the user is warned, after it told the outcome; done
    a fault of ours                       the user is told; failed, each time

A job whose worker dies is delivered again too. Everything it did may be done again.
"""

import contextlib
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, Final

from handler import bootstrap
from handler.aws import sqs_events
from handler.aws.sqs import MAX_DELAY_SECONDS
from handler.bootstrap import Environment
from handler.commands import jobs, texts
from handler.commands.command import OPEN_HERE, OPEN_SESSION, Answer, AnswerFirst, InPlace
from handler.commands.deferred_answer import DeferredAnswer, Edit, count_untellable, explain_update
from handler.commands.jobs import Job, NewerJob, back_off, whole_seconds
from handler.commands.outcomes import do_rest, log_failure, run_command
from handler.config import WorkerConfig
from handler.discord.components import Modal
from handler.discord.responses import Message
from handler.errors import (
    GuildNotAllowed,
    Importing,
    Merging,
    OnethreadError,
    RateLimited,
    TimedOut,
    TryAgain,
)
from handler.runtime import telemetry
from handler.runtime.deadline import GRACE_SECONDS, Deadline, run_for, run_until
from handler.runtime.metrics import Metric
from handler.store.jobs import JobClaim

COMMAND_SECONDS: Final = 50.0  # of the worker's 60: a command with several waits and retries, or much of an import
EDIT_SECONDS: Final = 4.0  # for an edit with its repeats, at least; a young interaction's may take what time is left
SEND_SECONDS: Final = 2.0  # for putting a job back: both attempts, at their slowest
NOTE_SECONDS: Final = 0.5  # for a write to the job's item, best effort: DynamoDB takes 10 ms
SEND_MARGIN_SECONDS: Final = 3.0  # of Lambda's time, after an edit that took all: for putting back, and some more
MARGIN_SECONDS: Final = 8.0  # of Lambda's time, after the command: the grace, putting back, and the edit
MAX_RECEIVES: Final = 3  # the queue's maxReceiveCount: what fails then becomes a dead letter
REDELIVERY_SECONDS: Final = 90  # the queue's visibility time-out: a failed message comes again after this, at most
MIN_TOKEN_LIFE: Final = timedelta(seconds=10)  # after a wait: with less, nothing gets done


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Messages of `JobsQueue`. The answer names the failed ones, which SQS delivers again."""
    return bootstrap.invoke(WorkerConfig, handle, event, context)


async def handle(environment: Environment[WorkerConfig], event: Any, request_id: str, seconds: float) -> dict[str, Any]:
    """Work on all messages of an event side by side, for `seconds` at most."""
    ends = Deadline.after(environment.clock.now(), seconds)

    async def work(message: sqs_events.Message) -> bool:
        is_last = message.receive_count >= MAX_RECEIVES
        try:
            job = jobs.decode(message.body)
        except NewerJob as newer:
            return await _leave_to_newer(environment, newer, is_last=is_last)
        if message.receive_count == 1 and not job.put_backs:
            telemetry.add_metric(Metric.JOB_AGE, (environment.clock.now() - job.received).total_seconds())
        if job.answered:
            telemetry.redact_in_request(job.interaction.token)
            telemetry.set_fields(interaction_id=job.interaction.id, command=job.interaction.name, outcome="rest")
            await environment.with_token(do_rest(environment.commands, environment.sessions, job.interaction))
            return True
        return await Attempt(environment, job, ends, message_id=message.id, is_last=is_last).run()

    fields = {"stack": environment.config.stack_name, "function": "worker", "request_id": request_id}
    answer, _ = await sqs_events.handle_messages(event, work, **fields)
    return answer


async def _leave_to_newer(environment: Environment[WorkerConfig], newer: NewerJob, *, is_last: bool) -> bool:
    """Whether the job is done."""
    telemetry.redact_in_request(newer.token)
    telemetry.set_fields(outcome=newer.kind)
    telemetry.logger.warning("a job of a newer version", extra={"detail": str(newer)})
    answer = DeferredAnswer(environment.discord, environment.clock, newer.token, newer.received)
    return await explain_update(answer, Deadline.after(environment.clock.now(), EDIT_SECONDS), is_last=is_last)


class Attempt:
    """The work on one receive of a job. `ends` is when Lambda stops the invocation; after the last one SQS gives up."""

    def __init__(
        self, environment: Environment[WorkerConfig], job: Job, ends: Deadline, *, message_id: str, is_last: bool
    ) -> None:
        self._environment = environment
        self._record = environment.sessions.context.store.jobs
        self._clock = environment.clock
        self._job = job
        self._interaction = job.interaction
        self._answer = DeferredAnswer(
            environment.discord, self._clock, job.interaction.token, job.received, of_layout=job.interaction.of_layout
        )
        self._ends = ends
        self._message_id = message_id
        self._is_last = is_last

    async def run(self) -> bool:
        """Whether the job is done, so that SQS may delete its message."""
        interaction = self._interaction
        telemetry.redact_in_request(interaction.token)
        telemetry.set_fields(interaction_id=interaction.id, command=interaction.name, guild_id=interaction.guild_id)
        try:
            return await self._run()
        except Exception:
            request_id = telemetry.log_fault()
        await self._show(texts.internal_error(request_id))
        return False

    async def _run(self) -> bool:
        if self._clock.now() >= self._job.expiry:
            telemetry.set_fields(outcome="token_dead")
            count_untellable("the token is dead", dead=True)
            return True
        if not self._environment.sessions.context.serves(self._interaction.guild_id):
            refusal = GuildNotAllowed()  # taken from the list since it was handed over
            log_failure(refusal)
            return await self._finish(texts.failure(refusal), is_definite=False)
        try:
            claimed = await self._claim()
        except TryAgain as error:
            log_failure(error)
            return await self._leave_to_next_receive(error)
        if claimed is JobClaim.WON:
            return await self._work()
        telemetry.set_fields(outcome=claimed.name.lower())
        return claimed is JobClaim.REPEAT

    async def _work(self) -> bool:
        if self._job.answer is not None:
            return await self._finish(self._job.answer)
        if self._job.wait_seconds and not self._is_last:
            return await self._put_back(RateLimited(self._job.wait_seconds))
        notice = self._notice()
        if notice is not None and await self._show(notice, patient=False) is Edit.DEAD:
            count_untellable("the token is dead", dead=True)
            return True
        try:
            answer = await run_until(self._clock, self._deadline(), self._run_command(), grace=GRACE_SECONDS)
        except (RateLimited, Importing, Merging) as wait:
            log_failure(wait)
            return await self._put_back(wait)
        except OnethreadError as error:
            log_failure(error)
            if isinstance(error, TryAgain) and error.repeated_by_us:
                return await self._leave_to_next_receive(error)
            answer = texts.failure(error)
        if isinstance(answer, InPlace):
            answer = AnswerFirst(answer.confirmation, answer.replace)
        return await self._finish(texts.modal_too_late() if isinstance(answer, Modal) else answer)

    def _notice(self) -> Message | None:
        """What the user has to know before the command runs: it may take long, or die silently."""
        if self._is_last:
            return texts.last_try_notice()
        if self._interaction.replaces_message:  # its deferral shows nothing, and the button is still there
            return texts.merge_progress(Merging(self._interaction.done_before))
        return self._put_back_notice(Importing(self._job.progress), self._clock.now()) if self._job.progress else None

    def _put_back_notice(self, wait: RateLimited | Importing | Merging, again_at: datetime) -> Message:
        awaited = "Your link" if self._interaction.path in (OPEN_SESSION, OPEN_HERE) else "The result"
        return texts.put_back_notice(wait, again_at, awaited=awaited)

    def _deadline(self) -> Deadline:
        now = self._clock.now()
        margin = timedelta(seconds=MARGIN_SECONDS)
        return Deadline(min(now + timedelta(seconds=COMMAND_SECONDS), self._ends.at - margin, self._job.expiry))

    async def _run_command(self) -> Answer:
        command = self._environment.commands.get(self._interaction.path)
        if command is None:
            return texts.unknown_command()
        return await self._environment.with_token(run_command(command, self._environment.sessions, self._interaction))

    async def _finish(self, answer: Message | AnswerFirst, *, is_definite: bool = True) -> bool:
        """Show the final answer, then do what it had to come before. If that fails, the whole job is repeated.

        After a definite answer every further message of the job is a repeat.
        """
        then = answer.then if isinstance(answer, AnswerFirst) else None
        shown = answer.answer if isinstance(answer, AnswerFirst) else answer
        try:
            edit = await self._edit(shown)
        except RateLimited as wait:
            return await self._answer_later(None if then else shown, wait)
        if edit is Edit.FAILED:
            return False
        if edit is not Edit.DONE:
            count_untellable(edit.name, dead=edit is Edit.DEAD)
        if then is not None and not await self._do_rest(then()):
            return False
        if is_definite:
            await self._note(self._record.finish(self._job.id, now=self._clock.now()))
        return True

    async def _do_rest(self, rest: Coroutine[Any, Any, object]) -> bool:
        ends = Deadline(self._ends.at - timedelta(seconds=SEND_MARGIN_SECONDS))
        try:
            await run_until(self._clock, ends, rest)
        except OnethreadError as error:
            log_failure(error)
            return self._is_last or not isinstance(error, TryAgain)
        return True

    async def _answer_later(self, answer: Message | None, wait: RateLimited) -> bool:
        """Put back a job that is done but for its answer (None: all of it is done again)."""
        delay = whole_seconds(wait.retry_after)
        if self._clock.now() + timedelta(seconds=delay) + MIN_TOKEN_LIFE >= self._job.expiry:
            count_untellable(str(wait))
            return True
        return await self._send(self._job.put_back({}, answer), min(delay, MAX_DELAY_SECONDS))

    async def _leave_to_next_receive(self, error: TryAgain) -> bool:
        """Fail the message, unless there is no further receive while the token lives."""
        next_receive = self._clock.now() + timedelta(seconds=REDELIVERY_SECONDS)
        if self._is_last or next_receive >= self._job.expiry:
            return await self._finish(texts.failure(error), is_definite=False)
        await self._show(texts.retry_notice(error))
        return False

    async def _put_back(self, wait: RateLimited | Importing | Merging) -> bool:
        """Send the job as a new message before SQS deletes this one: a repeat is recognised, a lost job would be lost."""
        now = self._clock.now()
        delay = back_off(self._job, wait.retry_after, now) if isinstance(wait, RateLimited) else 0
        again_at = now + timedelta(seconds=delay)
        if again_at + MIN_TOKEN_LIFE >= self._job.expiry:
            return await self._finish(texts.long_wait(wait, again_at))
        if not await self._send(self._job.put_back(wait.progress), min(delay, MAX_DELAY_SECONDS)):
            return await self._leave_to_next_receive(wait)
        telemetry.set_fields(outcome="put_back", put_backs=self._job.put_backs + 1)
        telemetry.add_metric(Metric.PUT_BACKS)
        await self._show(self._put_back_notice(wait, again_at))
        return True

    async def _claim(self) -> JobClaim:
        job, now = self._job, self._clock.now()
        owner, until = self._message_id, self._ends.at
        claim = self._record.claim(job.id, job.put_backs, owner=owner, now=now, until=until, expiry=job.expiry)
        return await run_until(self._clock, self._deadline(), claim)

    async def _note(self, write: Coroutine[Any, Any, None]) -> None:
        """Record how far the job is. Best effort: without it a repeat is worked on once more."""
        with contextlib.suppress(OnethreadError):
            await run_for(self._clock, NOTE_SECONDS, write)

    async def _send(self, job: Job, delay_seconds: int) -> bool:
        """Whether SQS certainly has the job, which is put back; then the messages before it are repeats."""
        sending = self._environment.jobs.send(jobs.encode(job), group=job.group, delay_seconds=delay_seconds)
        try:
            sent = await run_for(self._clock, SEND_SECONDS, sending)
        except TimedOut:
            sent = False
        if sent:
            await self._note(self._record.put_back(job.id, job.put_backs))
        return sent

    async def _show(self, notice: Message, *, patient: bool = True) -> Edit:
        """Show something that is not the final answer. A notice that cannot be shown now is left out."""
        try:
            return await self._edit(notice, patient=patient)
        except RateLimited:
            return Edit.FAILED

    async def _edit(self, answer: Message, *, patient: bool = True) -> Edit:
        now, ends = self._clock.now(), self._ends.at - timedelta(seconds=SEND_MARGIN_SECONDS)
        until = max(now + timedelta(seconds=EDIT_SECONDS), min(self._answer.young_until, ends))
        return await self._answer.edit(answer, Deadline(until), patient=patient)


bootstrap.prepare(WorkerConfig)
