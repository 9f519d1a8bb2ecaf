"""A cycle of the reconciler over many guilds: calls, time and money, calculated from the measured use of one run.

Pure. The prices are in `infra.cost.prices`; the pace and the concurrency are those of the code and of the template.
"""

import math
from dataclasses import dataclass
from typing import Final

from handler.aws.sqs import MAX_BATCH
from handler.sessions.reconcile.pace import REQUESTS_PER_SECOND
from infra.cost import prices
from infra.cost.counted_table import Use
from infra.cost.measure import Measured

DISCORDS_REQUESTS_PER_SECOND: Final = 50.0  # of a bot in total (Discord docs, "Rate Limits", Global Rate Limit)
RUNS_AT_ONCE: Final = 2  # ReconcilerConcurrency in template.yaml
PERIOD_SECONDS: Final = 300.0  # ReconcileMinutes, unless it is set otherwise
MEMORY_GB: Final = 0.5  # MemorySize in template.yaml
DAY_SECONDS: Final = 86_400.0
MONTH_SECONDS: Final = 30 * DAY_SECONDS

CHANGES_A_DAY: Final = 2.0  # of a guild's threads, without those that opens make; each costs the average
RUN_OVERHEAD_SECONDS: Final = 0.1  # DynamoDB and JSON; the pace of the requests gives the rest
TICK_SECONDS_PER_BATCH: Final = 0.002  # ten sends at once, each of some 20 ms
SQS_PER_GUILD: Final = 2.0  # a receive and a deletion; sends go ten at a time
GUILD_ITEM_BYTES: Final = 250  # read by each tick; an eventually consistent unit is 8 KB
READ_BYTES: Final = 8192
LOG_BYTES_PER_RUN: Final = 2_000  # our line, one with metrics, and three of Lambda's


@dataclass(frozen=True)
class Cycle:
    """One round over all guilds. Seconds, US dollars; `discord` and `dynamodb` are calls."""

    guilds: int
    discord: float
    dynamodb: float
    seconds: float
    seconds_at_full_limit: float
    dollars: float

    @property
    def period(self) -> float:
        """Seconds from one round to the next: the schedule's rate, or as long as a round takes."""
        return max(PERIOD_SECONDS, self.seconds)

    @property
    def dollars_a_month(self) -> float:
        return self.dollars * MONTH_SECONDS / self.period


def cycle(guilds: int, measured: Measured) -> Cycle:
    """A round over so many guilds, each with the changes of one period."""
    at_schedule = _round(guilds, measured, PERIOD_SECONDS)
    return at_schedule if at_schedule.seconds <= PERIOD_SECONDS else _stretched(guilds, measured)


def most_guilds(measured: Measured) -> int:
    """How many guilds a round can have within the schedule's period."""
    each = _round(RUNS_AT_ONCE, measured, PERIOD_SECONDS).seconds / RUNS_AT_ONCE
    return math.floor(PERIOD_SECONDS / each)


def _stretched(guilds: int, measured: Measured) -> Cycle:
    """A longer round finds more changes, and takes longer: the period is where both agree. Raises ValueError."""
    empty = _round(guilds, measured, 0.0).seconds
    one_second = _round(guilds, measured, 1.0).seconds - empty
    if one_second >= 1:
        raise ValueError("more changes than the pace can follow: no round ever ends")
    return _round(guilds, measured, empty / (1 - one_second))


def _round(guilds: int, measured: Measured, period: float) -> Cycle:
    changes = CHANGES_A_DAY * period / DAY_SECONDS
    run = _run(measured, changes)
    requests = guilds * run.discord
    each = run.discord / REQUESTS_PER_SECOND + RUN_OVERHEAD_SECONDS
    batches = math.ceil(guilds / MAX_BATCH)
    return Cycle(
        guilds=guilds,
        discord=requests,
        dynamodb=guilds * run.dynamodb + math.ceil(guilds * GUILD_ITEM_BYTES / 1_000_000),
        seconds=guilds * each / min(guilds, RUNS_AT_ONCE),
        seconds_at_full_limit=requests / DISCORDS_REQUESTS_PER_SECOND,
        dollars=_dollars(guilds, run, each, batches),
    )


def _run(measured: Measured, changes: float) -> Use:
    """A run that meets so many changes: as many of each kind."""
    added = measured.changes.values()
    return measured.quiet + sum((use.times(changes / len(added)) for use in added), Use())


def _dollars(guilds: int, run: Use, seconds_each: float, batches: int) -> float:
    gb_seconds = MEMORY_GB * (guilds * seconds_each + RUN_OVERHEAD_SECONDS + batches * TICK_SECONDS_PER_BATCH)
    ticks_reads = math.ceil(guilds * GUILD_ITEM_BYTES / READ_BYTES)
    return math.fsum(
        [
            prices.SCHEDULER_INVOCATION,
            (guilds + 1) * prices.LAMBDA_REQUEST,
            gb_seconds * prices.LAMBDA_GB_SECOND,
            (batches + guilds * SQS_PER_GUILD) * prices.SQS_REQUEST,
            (guilds * run.reads + ticks_reads) * prices.DYNAMODB_READ_UNIT,
            guilds * run.writes * prices.DYNAMODB_WRITE_UNIT,
            (guilds + 1) * LOG_BYTES_PER_RUN * prices.LOG_BYTE,
        ]
    )
