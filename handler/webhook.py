"""`WebhookFunction`: answers an interaction from Discord in time, or hands it over to the worker.

    0 s        API Gateway has the request (requestContext.timeEpoch); Discord's 3 seconds begin
    … 2.4 s    the command runs; if it is done, the answer is in the response (type 4)
    … 2.9 s    if not, it is cancelled and the interaction goes to the queue; the response is a deferral (type 5)
    3 s        Discord gives up

An autocompletion cannot be deferred: without a result in time it has no choices. If a cold start used up the time, the interaction goes straight to the queue. If the hand-over failed or its outcome is
unknown, the answer is "nothing is lost, try again" (type 4); if the job is in the queue after all, the worker replaces
that answer with the link. The answer to a button beneath an ephemeral message replaces that message: types 7 and 6
instead of 4 and 5.
"""

import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from discord_interactions import InteractionType

from handler import bootstrap
from handler.aws import http_api
from handler.bootstrap import Environment
from handler.commands import jobs, texts
from handler.commands.command import AnswerFirst, Command, InPlace
from handler.commands.jobs import Job, whole_seconds
from handler.commands.outcomes import log_failure, run_command
from handler.config import WebhookConfig
from handler.discord import interactions, responses
from handler.discord.components import Modal
from handler.discord.interactions import Interaction
from handler.discord.responses import Callback, Message
from handler.discord.signature import RequestRefused, verify
from handler.errors import (
    GuildNotAllowed,
    Importing,
    OnethreadError,
    RateLimited,
    TimedOut,
    TryAgain,
)
from handler.runtime import telemetry
from handler.runtime.deadline import Deadline, run_for, run_until
from handler.runtime.metrics import Metric

ANSWER_SECONDS: Final = 2.4  # after the receipt; the rest of Discord's 3 s is for the hand-over and the way back
HAND_OVER_SECONDS: Final = 2.9  # after the receipt, at most: leaves a tenth of a second for the way back
MIN_HAND_OVER_SECONDS: Final = (
    0.4  # even when no time is left: SQS takes 20 ms for a message, a new connection some more
)
REST_SECONDS: Final = 0.3  # for leaving what comes after the answer, which waits no longer for it
MIN_COMMAND_SECONDS: Final = 0.15  # with less left not even a reuse gets done: straight to the worker


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """One request of an HTTP API. Raises only ConfigurationError: the caller sees no fault of ours."""
    return bootstrap.invoke(WebhookConfig, handle, event, context)


async def handle(
    environment: Environment[WebhookConfig], event: Any, request_id: str, seconds: float
) -> dict[str, Any]:
    """The HTTP response. `seconds` is more than Discord waits, so it does not matter here."""
    now = environment.clock.now()
    fields = {"stack": environment.config.stack_name, "function": "webhook", "request_id": request_id}
    with telemetry.log_request(**fields):
        try:
            payload = verify(http_api.read_request(event), environment.config.public_key, now)
        except RequestRefused as refusal:
            _count_refusal(environment, refusal, now)
            return http_api.response(refusal.status, {"error": refusal.text}, refusal.headers)
        received = http_api.read_receipt_time(event, now)
        callback = await _answer(environment, payload, received)
        answer_ms = round((environment.clock.now() - received) / timedelta(milliseconds=1), 1)
        telemetry.set_fields(callback_type=callback["type"], answer_ms=answer_ms)
        telemetry.add_metric(Metric.ANSWER_MILLISECONDS, answer_ms)
        return http_api.response(200, callback)


def _count_refusal(environment: Environment[WebhookConfig], refusal: RequestRefused, now: datetime) -> None:
    """Anybody can send requests that are refused, so only their number is logged, with how the latest one ended."""
    if number := environment.refusals.add(now):
        telemetry.add_metric(Metric.REFUSED, number)
        telemetry.set_fields(outcome="refused", refused=number, http_status=refusal.status)
    else:
        telemetry.leave_out_line()


async def _answer(environment: Environment[WebhookConfig], payload: dict[str, Any], received: datetime) -> Callback:
    match payload["type"]:
        case InteractionType.PING:
            return responses.pong()
        case InteractionType.APPLICATION_COMMAND_AUTOCOMPLETE:
            return responses.choices(await _complete(environment, payload, received))
        case InteractionType.APPLICATION_COMMAND | InteractionType.MESSAGE_COMPONENT | InteractionType.MODAL_SUBMIT:
            return await _answer_command(environment, payload, received)
        case _:
            return responses.reply(texts.unknown_component())


def _read(payload: dict[str, Any]) -> Interaction | None:
    """The interaction; from here on the log of this request knows it, and its token is kept out of it."""
    interaction = interactions.parse(payload)
    if interaction is not None:
        telemetry.redact_in_request(interaction.token)
        telemetry.set_fields(interaction_id=interaction.id, command=interaction.name, guild_id=interaction.guild_id)
    return interaction


async def _complete(
    environment: Environment[WebhookConfig], payload: dict[str, Any], received: datetime
) -> Sequence[tuple[str, str]]:
    """The choices for the option that the user is typing; none if anything is wrong, since there is nowhere to say it."""
    interaction = _read(payload)
    if interaction is None or not environment.sessions.context.serves(interaction.guild_id):
        return ()
    if (completion := environment.completions.get(interaction.focused or "")) is None:
        return ()
    deadline = Deadline.after(received, ANSWER_SECONDS)
    try:
        return await run_until(environment.clock, deadline, completion(environment.sessions, interaction))
    except OnethreadError as error:
        log_failure(error)
    except Exception:
        telemetry.log_fault()
    return ()


async def _answer_command(
    environment: Environment[WebhookConfig], payload: dict[str, Any], received: datetime
) -> Callback:
    interaction = _read(payload)
    if interaction is None:
        return responses.reply(texts.unreadable_command())
    if not environment.sessions.context.serves(interaction.guild_id):
        telemetry.set_fields(outcome=GuildNotAllowed.kind)
        return responses.reply(texts.failure(GuildNotAllowed()))
    if (command := environment.commands.get(interaction.path)) is None:
        is_command = payload["type"] == InteractionType.APPLICATION_COMMAND
        return responses.reply(texts.unknown_command() if is_command else texts.unknown_component())
    try:
        return await _run_or_hand_over(environment, command, interaction, received)
    except Exception:
        return responses.reply(texts.internal_error(telemetry.log_fault()))


async def _run_or_hand_over(
    environment: Environment[WebhookConfig], command: Command, interaction: Interaction, received: datetime
) -> Callback:
    clock, deadline = environment.clock, Deadline.after(received, ANSWER_SECONDS)
    try:
        if deadline.remaining(clock.now()) < MIN_COMMAND_SECONDS:
            raise TimedOut("the time had passed before the command began")
        work = environment.with_token(run_command(command, environment.sessions, interaction))
        answer = await run_until(clock, deadline, work)
        if isinstance(answer, AnswerFirst):  # nothing can be done here once the response is on its way
            raise TimedOut("something is left to do after the answer")
        if isinstance(answer, InPlace):
            await _leave_rest(environment, interaction, received)
        return _callback(interaction, answer)
    except OnethreadError as error:
        if isinstance(error, TryAgain) and error.repeated_by_us:
            return await _hand_over(environment, interaction, received, error)
        log_failure(error)
        return responses.reply(texts.failure(error))


async def _leave_rest(environment: Environment[WebhookConfig], interaction: Interaction, received: datetime) -> None:
    """Leave what comes after the answer to the worker. Best effort: the reconciler does it, too."""
    job = Job.of_rest(interaction, received)
    with contextlib.suppress(TimedOut):
        await run_for(environment.clock, REST_SECONDS, environment.jobs.send(jobs.encode(job), group=job.group))


async def _hand_over(
    environment: Environment[WebhookConfig], interaction: Interaction, received: datetime, error: TryAgain
) -> Callback:
    """Leave the command to the worker: a deferral, or the reason why that is impossible."""
    clock = environment.clock
    log_failure(error)
    job = Job.of(interaction, received)
    if isinstance(error, RateLimited):
        again_at = clock.now() + timedelta(seconds=error.retry_after)
        if again_at >= job.expiry:
            return responses.reply(texts.long_wait(error, again_at))
        job = job.with_notice(wait_seconds=whole_seconds(error.retry_after))
    elif isinstance(error, Importing):
        job = job.with_notice(progress=error.progress)
    earliest = Deadline.after(clock.now(), MIN_HAND_OVER_SECONDS)
    deadline = max(Deadline.after(received, HAND_OVER_SECONDS), earliest, key=lambda deadline: deadline.at)
    try:
        sent = await run_until(clock, deadline, environment.jobs.send(jobs.encode(job), group=job.group))
    except TimedOut:
        sent = False
    telemetry.set_fields(outcome="handed_over" if sent else "not_handed_over")
    if not sent:
        telemetry.add_metric(Metric.NOT_HANDED_OVER)
        return responses.reply(texts.hand_over_failure() if isinstance(error, TimedOut) else texts.failure(error))
    telemetry.add_metric(Metric.HAND_OVERS)
    return responses.defer_update() if interaction.replaces_message else responses.defer()


def _callback(interaction: Interaction, answer: Message | InPlace | Modal) -> Callback:
    """The answer in the response: a new message, or in place of the one that holds the button; or a modal.

    An error is always a new message: the button stays, for another try.
    """
    if isinstance(answer, Modal):
        return responses.show_modal(answer)
    if isinstance(answer, InPlace):
        if interaction.message_id is None:
            return responses.reply(answer.confirmation)
        return responses.update(answer.message)
    if interaction.replaces_message:
        return responses.update(answer, of_layout=interaction.of_layout)
    return responses.reply(answer)


bootstrap.prepare(WebhookConfig)
