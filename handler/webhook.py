"""`WebhookFunction`: an interaction from Discord, answered now if that is possible in time, else handed over.

    0 s        API Gateway has the request (requestContext.timeEpoch), and Discord begins to count
    … 2.4 s    the command runs: done means an answer in the response (type 4)
    … 2.9 s    not done: it is cancelled and the interaction goes to the queue; the response is a deferral (type 5)
    3 s        Discord gives up

A cold start that ate the time leads straight to the queue. If the hand-over failed, or nobody knows, the answer is
"nothing is lost, try again" (type 4); should the job be there after all, the worker replaces that with the link.
A button's answer replaces the message under which it stands: types 7 and 6 instead of 4 and 5.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from discord_interactions import InteractionType

from handler import bootstrap
from handler.aws import http_api
from handler.bootstrap import Environment
from handler.commands import texts
from handler.commands.command import Command
from handler.commands.jobs import Job, whole_seconds
from handler.commands.outcomes import log_failure
from handler.config import WebhookConfig
from handler.discord import interactions, responses
from handler.discord.interactions import Interaction
from handler.discord.responses import Callback, Message
from handler.discord.signature import RequestRefused, verify
from handler.errors import Importing, OnethreadError, RateLimited, TimedOut, TooManyThreads, TryAgain
from handler.runtime import telemetry
from handler.runtime.deadline import Deadline, run_until
from handler.runtime.telemetry import Metric

ANSWER_SECONDS: Final = 2.4  # after the receipt; the rest of Discord's 3 s is for the hand-over and the way back
HAND_OVER_SECONDS: Final = 2.9  # after the receipt, at most: a tenth of a second for the way back
MIN_HAND_OVER_SECONDS: Final = 0.4  # even when all is eaten: a message takes SQS 20 ms, a new connection a few more
WORTH_STARTING_SECONDS: Final = 0.15  # with less left not even a reuse is done: straight to the worker


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """One request. Never raises but ConfigurationError: whoever knocks sees no fault of ours."""
    return bootstrap.invoke(WebhookConfig, lambda environment: handle(environment, event, context.aws_request_id))


async def handle(environment: Environment[WebhookConfig], event: Any, request_id: str) -> dict[str, Any]:
    """The HTTP response to an HTTP API's event."""
    now = environment.clock.now()
    with telemetry.log_request(function="webhook", request_id=request_id):
        try:
            payload = verify(http_api.read_request(event), environment.config.public_key, now)
        except RequestRefused as refused:
            telemetry.set_fields(outcome="refused", http_status=refused.status)
            return http_api.response(refused.status, {"error": refused.text}, refused.headers)
        callback = await _callback(environment, payload, http_api.read_receipt_time(event, now))
        telemetry.set_fields(callback_type=callback["type"])
        return http_api.response(200, callback)


async def _callback(environment: Environment[WebhookConfig], payload: dict[str, Any], received: datetime) -> Callback:
    match payload["type"]:
        case InteractionType.PING:
            return responses.pong()
        case InteractionType.APPLICATION_COMMAND_AUTOCOMPLETE:
            return responses.no_choices()
        case InteractionType.APPLICATION_COMMAND | InteractionType.MESSAGE_COMPONENT:
            return await _command(environment, payload, received)
        case _:
            return responses.reply(texts.unknown_component())


async def _command(environment: Environment[WebhookConfig], payload: dict[str, Any], received: datetime) -> Callback:
    interaction = interactions.parse(payload)
    if interaction is None:
        return responses.reply(texts.unreadable_command())
    telemetry.redact_in_request(interaction.token)
    telemetry.set_fields(interaction_id=interaction.id, command=interaction.name, guild_id=interaction.guild_id)
    if (command := environment.commands.get(interaction.path)) is None:
        is_command = payload["type"] == InteractionType.APPLICATION_COMMAND
        return responses.reply(texts.unknown_command() if is_command else texts.unknown_component())
    try:
        return await _now_or_later(environment, command, interaction, received)
    except Exception:
        telemetry.logger.exception("a fault of ours")
        telemetry.set_fields(outcome="fault")
        return responses.reply(texts.internal_error())


async def _now_or_later(
    environment: Environment[WebhookConfig], command: Command, interaction: Interaction, received: datetime
) -> Callback:
    clock, deadline = environment.clock, Deadline.after(received, ANSWER_SECONDS)
    try:
        if deadline.remaining(clock.now()) < WORTH_STARTING_SECONDS:
            raise TimedOut("the time was over before the command began")
        work = environment.with_token(command(environment.sessions, interaction))
        return _reply(interaction, await run_until(clock, deadline, work))
    except TooManyThreads as error:  # nothing that the worker could wait for: people have to archive some
        log_failure(error)
        return responses.reply(texts.failure(error))
    except TryAgain as error:
        return await _hand_over(environment, interaction, received, error)
    except OnethreadError as error:
        log_failure(error)
        return responses.reply(texts.failure(error))


async def _hand_over(
    environment: Environment[WebhookConfig], interaction: Interaction, received: datetime, error: TryAgain
) -> Callback:
    """Let the worker finish it: a deferral, or the reason why not."""
    clock = environment.clock
    log_failure(error)
    job = Job.of(interaction, received)
    if isinstance(error, RateLimited):
        again_at = clock.now() + timedelta(seconds=error.retry_after)
        if again_at >= job.expiry:
            return responses.reply(texts.long_wait(error, again_at))
        job = job.telling(wait_seconds=whole_seconds(error.retry_after))
    elif isinstance(error, Importing):
        job = job.telling(progress=error.progress)
    least = Deadline.after(clock.now(), MIN_HAND_OVER_SECONDS)
    budget = max(Deadline.after(received, HAND_OVER_SECONDS), least, key=lambda deadline: deadline.at)
    try:
        sent = await run_until(clock, budget, environment.jobs.send(job))
    except TimedOut:
        sent = False
    telemetry.set_fields(outcome="handed_over" if sent else "not_handed_over")
    if not sent:
        return responses.reply(texts.hand_over_failure() if isinstance(error, TimedOut) else texts.failure(error))
    telemetry.add_metric(Metric.HAND_OVERS)
    return responses.defer_update() if interaction.is_button else responses.defer()


def _reply(interaction: Interaction, answer: Message) -> Callback:
    """The answer at once: a message of its own, or in place of the one under which the button stands.

    What went wrong never is: the button stays, for another try.
    """
    return responses.update(answer) if interaction.is_button else responses.reply(answer)


bootstrap.prepare(WebhookConfig)
