"""Run a command; log how it or an open ended, and count it."""

import contextlib
from typing import Final

from handler.commands.command import Answer, Command, Commands, InPlace
from handler.discord import refusals
from handler.discord.interactions import Interaction
from handler.errors import BotTokenRefused, ConfigurationError, MissingPermissions, OnethreadError, TryAgain
from handler.runtime import telemetry
from handler.runtime.deadline import run_for
from handler.runtime.metrics import Metric
from handler.sessions.model import Opened, OpenRequest, Outcome
from handler.sessions.protocol import Sessions

REST_SECONDS: Final = 5.0  # a read or two: nobody waits for it, and a worker is not kept for it
_OPERATORS: Final = (BotTokenRefused, ConfigurationError)  # only the operator can correct these


async def run_command(command: Command, sessions: Sessions, interaction: Interaction) -> Answer:
    """The command's answer. No permission that the interaction says is granted is reported as missing."""
    try:
        return await command(sessions, interaction)
    except MissingPermissions as error:
        if interaction.app_permissions is None:
            raise
        raise refusals.without_granted(error, interaction.app_permissions) from error


async def do_rest(commands: Commands, sessions: Sessions, interaction: Interaction) -> None:
    """Do what comes after an answer that stands in place of a public message. Best effort: the reconciler does it, too."""
    command = commands.get(interaction.path)
    if command is None:
        return
    with contextlib.suppress(OnethreadError):
        answer = await run_for(sessions.context.clock, REST_SECONDS, run_command(command, sessions, interaction))
        if isinstance(answer, InPlace):
            await answer.replace()


async def open_and_log(sessions: Sessions, request: OpenRequest) -> Opened:
    """`sessions.open`; its outcome or its error's kind goes to the current request's telemetry."""
    telemetry.set_fields(channel_id=request.parent_channel_id, session_key=request.name.key)
    try:
        opened = await sessions.open(request)
    except OnethreadError as error:
        telemetry.add_metric(Metric.OPENS, Outcome=error.kind)
        raise
    telemetry.set_fields(outcome=opened.outcome.value, discord_thread_id=opened.thread_id)
    telemetry.add_metric(Metric.OPENS, Outcome=opened.outcome.value)
    if opened.outcome is not Outcome.CREATED:
        telemetry.add_metric(Metric.DUPLICATES_PREVENTED)  # a bot that always starts a new thread would have made one
    if opened.waited:
        telemetry.add_metric(Metric.WAITS)
    return opened


def log_failure(error: OnethreadError) -> None:
    """Log an error with its technical detail, at the level of its class."""
    log = telemetry.logger.info
    if isinstance(error, _OPERATORS):
        log = telemetry.logger.error
    elif isinstance(error, TryAgain):
        log = telemetry.logger.warning
    telemetry.set_fields(outcome=error.kind)
    log("not done", extra={"kind": error.kind, "detail": str(error)})
