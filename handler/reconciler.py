"""`ReconcilerFunction`: brings the table back to what Discord says.

It wakes on two kinds of events. The schedule's (any event without `Records`) sends one message for each known guild that
is not parked. A message of `ReconcileQueue` runs its guild, parked or not. How one message ends:

    malformed                       failed, each time: SQS puts it among the dead letters
    the guild was run or parked     let go; what was done is returned, logged and counted
    a step of the run failed        let go: the next run does it
    the run could not be made,      failed: SQS delivers it again. Nothing was concluded, and what was done stays done.
      or was cut off                After the last receive it is a dead letter; the next tick sends the guild all the same

A 429 is not waited out: people's commands have the better claim to the bot's requests.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from handler import bootstrap
from handler.aws import reconcile_queue
from handler.bootstrap import Environment
from handler.config import ReconcilerConfig
from handler.errors import OnethreadError
from handler.runtime import telemetry
from handler.runtime.deadline import Deadline, run_until
from handler.runtime.telemetry import Metric
from handler.sessions.reconcile.housekeeping import HousekeepingSettings
from handler.sessions.reconcile.run import run_once

UNREPORTABLE: Final = ""  # a message without an id: Lambda then takes the whole batch as failed
RETURN_SECONDS: Final = 2.0  # kept back for ending what is cut off, the log lines and the answer
FEW_GUILDS: Final = 100  # so many are run within the shortest period: no tick has to look whether the last one is done
FIRST_REQUESTS: Final = 2  # of every run, beside each other: the active list and the audit log

# Of a run's counts, what somebody may want to be alarmed by.
_METRICS: Final = {
    Metric.HELD_DELETIONS: ("held",),
    Metric.FAILED_ACTIONS: ("failed", "housekeeping_failed"),
    Metric.KEEP_OFF: ("keep_off",),
}

Counts = Mapping[str, int]


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """A schedule's event, or messages of the queue; of these the failed ones are named, and delivered again."""
    seconds = context.get_remaining_time_in_millis() / 1000
    request_id = context.aws_request_id
    return bootstrap.invoke(ReconcilerConfig, lambda environment: handle(environment, event, request_id, seconds))


async def handle(
    environment: Environment[ReconcilerConfig], event: Any, request_id: str, seconds: float
) -> dict[str, Any]:
    """What the event asks for, within `seconds`."""
    ends = Deadline.after(environment.clock.now(), max(0.0, seconds - RETURN_SECONDS))
    if isinstance(event, dict) and "Records" in event:
        return await _receive(environment, event["Records"], request_id, ends)
    with telemetry.log_request(function="reconciler", request_id=request_id, trigger="schedule"):
        return dict(await run_until(environment.clock, ends, _tick(environment)))


# The schedule


async def _tick(environment: Environment[ReconcilerConfig]) -> Counts:
    """Send the due guilds: `due`, how many there are; `sent`; `unsent`, which the next tick sends."""
    due = await environment.sessions.context.store.guilds.due(environment.clock.now())
    telemetry.add_metric(Metric.DUE_GUILDS, len(due))
    if await _lags(environment, len(due)):
        return _told({"due": len(due), "sent": 0, "unsent": 0})
    unsent = await environment.reconcile_queue.send(due)
    if unsent:
        telemetry.add_metric(Metric.UNSENT_GUILDS, len(unsent))
        reasons = dict(Counter(unsent.values()))
        telemetry.logger.error("guilds were not sent; the next tick sends them", extra={"reasons": reasons})
    return _told({"due": len(due), "sent": len(due) - len(unsent), "unsent": len(unsent)})


async def _lags(environment: Environment[ReconcilerConfig], due: int) -> bool:
    """Whether an earlier tick's guilds still wait. More of them would only push out those at the end of the order."""
    if due <= FEW_GUILDS:
        return False
    waiting = await environment.reconcile_queue.waiting()
    if waiting is None or waiting <= FEW_GUILDS:
        return False
    telemetry.add_metric(Metric.LATE_TICKS)
    telemetry.logger.warning("guilds of an earlier tick still wait: none are sent", extra={"waiting": waiting})
    return True


def _told(counts: Counts) -> Counts:
    telemetry.set_fields(**counts)
    return counts


# The guilds


async def _receive(
    environment: Environment[ReconcilerConfig], records: Any, request_id: str, ends: Deadline
) -> dict[str, Any]:
    """Run the guilds of all messages, side by side at one pace."""
    records = [record for record in records if isinstance(record, dict)] if isinstance(records, list) else []
    runs = await asyncio.gather(*(_record(environment, record, request_id, ends) for record in records))
    failed = [record.get("messageId", UNREPORTABLE) for record, run in zip(records, runs, strict=True) if run is None]
    return {
        "batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed],
        "runs": [run for run in runs if run is not None],
    }


async def _record(
    environment: Environment[ReconcilerConfig], record: Mapping[str, Any], request_id: str, ends: Deadline
) -> dict[str, Any] | None:
    """The guild and its counts; None if the message is to come again. Each has its own telemetry, being a task of its own."""
    with telemetry.log_request(function="reconciler", request_id=request_id, message_id=record.get("messageId")):
        try:
            guild_id = reconcile_queue.decode(str(record.get("body")))
        except reconcile_queue.NoGuild as fault:
            telemetry.logger.error("not a guild to look at", extra={"detail": str(fault)})
            _failed("malformed")
            return None
        telemetry.set_fields(guild_id=guild_id)
        try:
            counts = await run_until(environment.clock, ends, _run(environment, guild_id))
        except OnethreadError as error:
            telemetry.logger.warning("the guild was not run", extra={"detail": str(error)})
            _failed(error.kind)
            return None
        except Exception:  # the other guilds are not to suffer
            telemetry.logger.exception("a fault of ours")
            _failed("internal")
            return None
        _count(counts)
        return {"guild_id": guild_id, "counts": dict(counts)}


async def _run(environment: Environment[ReconcilerConfig], guild_id: str) -> Counts:
    """One run. What every run begins with takes its turn here; what a run asks besides takes its own."""
    await environment.pace(FIRST_REQUESTS)
    context, now, settings = environment.sessions.context, environment.clock.now(), environment.config
    wanted = HousekeepingSettings.of(settings.idle_archive_hours, settings.delete_after_days, settings.delete_mode)
    return await environment.with_token(run_once(context, guild_id, now, pace=environment.pace, settings=wanted))


def _failed(outcome: str) -> None:
    telemetry.set_fields(outcome=outcome)
    telemetry.add_metric(Metric.GUILD_RUNS, Outcome=outcome)


def _count(counts: Counts) -> None:
    """Put what a run did into the log line and the metrics. An action is counted by the name of its class."""
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
