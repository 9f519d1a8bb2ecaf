"""`ReconcilerFunction`: brings the table back to what Discord says.

Two kinds of events wake it. The schedule's (any event without `Records`) sends one message for each known guild that is
not parked. A message of `ReconcileQueue` runs its guild, parked or not. How one message ends:

    malformed                       failed, each time: SQS moves it to the dead letters
    the guild was run or parked     done; the counts are returned, logged and added to the metrics
    the guild is not allowed        done: nothing is looked at
    an action of the run failed     done: the next run repeats it
    the run was impossible          failed: SQS delivers it again. Nothing was concluded, and what was done stays done.
      or was cut off                After the last receive it is a dead letter; the next tick sends the guild anyway

A tick that cannot read the table, say, is over: the next one comes soon, and does the same.
A 429 is not waited out: people's commands need the bot's requests more.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec

from handler import bootstrap
from handler.aws import sqs_events
from handler.bootstrap import Environment
from handler.commands.outcomes import log_failure
from handler.config import ReconcilerConfig
from handler.errors import BotTokenRefused, DiscordUnavailable, GuildNotAllowed, OnethreadError, StoreUnavailable
from handler.questions.run import settle_questions
from handler.runtime import telemetry
from handler.runtime.deadline import Deadline, run_until
from handler.runtime.metrics import Metric
from handler.sessions.reconcile.housekeeping import HousekeepingSettings
from handler.sessions.reconcile.run import run_once

MESSAGE_VERSION: Final = 1  # of the form of ReconcileQueue's messages: raised when an older reconciler could misread it
RETURN_SECONDS: Final = 2.0  # kept for ending what is cut off, the log lines and the answer
FEW_GUILDS: Final = 100  # quiet ones, so many are run within the shortest period, although they still wait
FIRST_REQUESTS: Final = 2  # of every run, side by side: the active list and the audit log

# Counts of a run that somebody may want an alarm for.
_METRICS: Final = {
    Metric.HELD_DELETIONS: ("held",),
    Metric.UNREADABLE: ("unreadable",),
    Metric.FAILED_ACTIONS: ("failed", "housekeeping_failed", "questions_failed"),
    Metric.KEEP_OFF: ("keep_off",),
}

# Why a run failed, where a metric of its own says so.
_EXPLAINED: Final = (BotTokenRefused, DiscordUnavailable, StoreUnavailable)

Counts = Mapping[str, int]


class GuildMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of `ReconcileQueue`: run that guild. Runs can be repeated, so it may arrive twice or late."""

    version: int = MESSAGE_VERSION
    guild_id: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}\Z")]


def encode(guild_id: str) -> str:
    return msgspec.json.encode(GuildMessage(guild_id=guild_id)).decode()


def decode(body: str) -> str:
    """The id of the guild in a message's body. Raises Malformed."""
    return sqs_events.decode_body(body, GuildMessage, MESSAGE_VERSION).guild_id


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """A schedule's event, or messages of the queue. The answer names the failed ones, which SQS delivers again."""
    return bootstrap.invoke(ReconcilerConfig, handle, event, context)


async def handle(
    environment: Environment[ReconcilerConfig], event: Any, request_id: str, seconds: float
) -> dict[str, Any]:
    """Send the due guilds, or run the guilds of all messages side by side at one pace, within `seconds`."""
    ends = Deadline.after(environment.clock.now(), max(0.0, seconds - RETURN_SECONDS))
    fields = {"stack": environment.config.stack_name, "function": "reconciler", "request_id": request_id}
    if not isinstance(event, dict) or "Records" not in event:
        with telemetry.log_request(**fields, trigger="schedule"):
            return dict(await _tick(environment, ends))

    async def work(message: sqs_events.Message) -> dict[str, Any]:
        return await _handle_message(environment, message, ends)

    answer, runs = await sqs_events.handle_messages(event, work, **fields)
    return {**answer, "runs": runs}


# The schedule


async def _tick(environment: Environment[ReconcilerConfig], ends: Deadline) -> Counts:
    """The counts of `_send_due_guilds`; if it failed, those of a tick that sent nothing."""
    try:
        return await run_until(environment.clock, ends, _send_due_guilds(environment))
    except OnethreadError as error:
        log_failure(error)
        _count_failure(error)
        telemetry.add_metric(Metric.DUE_GUILDS, 0)  # the schedule is not silent
        return {"due": 0, "sent": 0, "unsent": 0}


def _count_failure(error: Exception) -> None:
    """Count what failed, unless it is counted as what was the reason."""
    if isinstance(error, OnethreadError) and not isinstance(error, _EXPLAINED):
        telemetry.add_metric(Metric.FAILED_RUNS)


async def _send_due_guilds(environment: Environment[ReconcilerConfig]) -> Counts:
    """Counts: `due` guilds; those `sent`; those `unsent`, which the next tick sends."""
    context = environment.sessions.context
    due = [guild_id for guild_id in await context.store.guilds.due(environment.clock.now()) if context.serves(guild_id)]
    telemetry.add_metric(Metric.DUE_GUILDS, len(due))
    sent = 0
    unsent: Mapping[str, str] = {}
    if not await _is_late(environment, len(due)):
        unsent = await environment.reconcile_queue.send_many({encode(guild_id): guild_id for guild_id in due})
        sent = len(due) - len(unsent)
    if unsent:
        telemetry.add_metric(Metric.UNSENT_GUILDS, len(unsent))
        telemetry.add_metric(Metric.FAILED_RUNS)
        reasons = dict(Counter(unsent.values()))
        telemetry.logger.error("guilds were not sent; the next tick sends them", extra={"reasons": reasons})
    counts = {"due": len(due), "sent": sent, "unsent": len(unsent)}
    telemetry.set_fields(**counts)
    return counts


async def _is_late(environment: Environment[ReconcilerConfig], due: int) -> bool:
    """Whether all guilds of an earlier tick, or many, still wait. More would only delay those at the end of the order."""
    if due == 0:
        return False
    waiting = await environment.reconcile_queue.count_waiting()
    if waiting is None or waiting <= min(due - 1, FEW_GUILDS):
        return False
    telemetry.add_metric(Metric.LATE_TICKS)
    telemetry.logger.warning("no guilds were sent: those of an earlier tick still wait", extra={"waiting": waiting})
    return True


# The guilds


async def _handle_message(
    environment: Environment[ReconcilerConfig], message: sqs_events.Message, ends: Deadline
) -> dict[str, Any]:
    """The guild and the counts of its run. Raises what prevents the run."""
    if message.sent_at is not None and message.receive_count == 1:
        telemetry.add_metric(Metric.RECONCILE_LAG, (environment.clock.now() - message.sent_at).total_seconds())
    try:
        guild_id = decode(message.body)
        telemetry.set_fields(guild_id=guild_id)
        if not environment.sessions.context.serves(guild_id):  # sent before it was taken from the list
            telemetry.set_fields(outcome=GuildNotAllowed.kind)
            return {"guild_id": guild_id, "counts": {}}
        counts = await run_until(environment.clock, ends, _run(environment, guild_id))
    except Exception as error:
        telemetry.add_metric(Metric.GUILD_RUNS, Outcome=getattr(error, "kind", OnethreadError.kind))
        _count_failure(error)
        raise
    _report(counts)
    return {"guild_id": guild_id, "counts": dict(counts)}


async def _run(environment: Environment[ReconcilerConfig], guild_id: str) -> Counts:
    """One run. The requests with which every run begins take their turns here; a run paces the others itself."""
    await environment.pace(FIRST_REQUESTS)
    context, now = environment.sessions.context, environment.clock.now()
    settings = HousekeepingSettings.from_config(environment.config)
    counts = await environment.with_token(run_once(context, guild_id, now, pace=environment.pace, settings=settings))
    if not counts["parked"]:
        counts.update(await settle_questions(context, guild_id, now, environment.pace))
    return counts


def _report(counts: Counts) -> None:
    """Log what a run did and add it to the metrics. The counts of actions have the names of the actions' classes."""
    outcome = "parked" if counts.get("parked") else "done"
    telemetry.set_fields(outcome=outcome, counts={name: number for name, number in counts.items() if number})
    telemetry.add_metric(Metric.GUILD_RUNS, Outcome=outcome)
    for name, number in counts.items():
        if name[0].isupper():
            telemetry.add_metric(Metric.RECONCILE_ACTIONS, number, Action=name)
    for metric, names in _METRICS.items():
        if number := sum(counts.get(name, 0) for name in names):
            telemetry.add_metric(metric, number)
    if held := counts.get("held"):
        telemetry.logger.warning("deletions are held back until they are seen again", extra={"held": held})


bootstrap.prepare(ReconcilerConfig)
