"""The metrics: what is counted and measured. Pure; `handler.runtime.telemetry` writes them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

TALLY_PAUSE: Final = timedelta(seconds=10)  # a flood of forged requests costs six lines a minute, not thousands


class Metric(StrEnum):
    """The metrics: counts, except for those of `UNITS` and `SHARES`. docs/operations.md says what each is for."""

    OPENS = "Opens"  # by Outcome
    DUPLICATES_PREVENTED = "DuplicatesPrevented"
    HAND_OVERS = "HandOvers"
    PUT_BACKS = "PutBacks"
    ANSWER_MILLISECONDS = "AnswerMilliseconds"  # from API Gateway's receipt of an interaction to its response
    UNTOLD = "Untold"  # people whose answer can never be shown
    TOKEN_DEAD = "TokenDead"  # noqa: S105 - of those, people whose interaction's token is dead
    NOT_HANDED_OVER = "NotHandedOver"  # interactions that SQS did not certainly take
    JOB_AGE = "JobAge"  # from the interaction to the first receive of its job
    REFUSED = "Refused"  # requests that are not Discord's
    FAULTS = "Faults"  # of ours: exceptions that nothing expects
    OPERATOR_FAULTS = "OperatorFaults"  # AWS refuses a call for as long as nobody corrects the deployment
    AWS_FAULTS = "AwsFaults"  # by Service; 1 for a call that was throttled, failed at AWS or got no answer; else 0
    DISCORD_FAULTS = "DiscordFaults"  # 1 for a request that Discord answered with 5xx or not at all; else 0
    INVALID_REQUESTS = "InvalidRequests"  # 401, 403 and 429: Discord bans whoever sends too many
    TOKEN_REFUSED = "TokenRefused"  # noqa: S105 - requests that failed because Discord refuses the bot's token
    WAITS = "Waits"  # for somebody else's live claim
    DUE_GUILDS = "DueGuilds"  # at a tick of the reconciler's schedule
    UNSENT_GUILDS = "UnsentGuilds"  # those that SQS did not take
    LATE_TICKS = "LateTicks"  # ticks that sent nothing, because an earlier one's guilds still wait
    GUILD_RUNS = "GuildRuns"  # by Outcome: done, parked, or the kind of the error
    FAILED_RUNS = "FailedRuns"  # that another metric does not explain; and ticks whose guilds were not all sent
    RECONCILE_LAG = "ReconcileLag"  # from the tick to the run of a guild
    RECONCILE_ACTIONS = "ReconcileActions"  # by Action
    FAILED_ACTIONS = "FailedActions"  # of the reconciler
    KEEP_OFF = "KeepOff"  # runs that could not keep sessions open, because the bot lacks View Audit Log
    UNREADABLE = (
        "Unreadable"  # what was skipped: entries of Discord's lists, items of the table, jobs of a newer version
    )
    EVENTS = "Events"  # published, by Type
    UNPUBLISHED = "Unpublished"  # changes that went to the dead letters
    CALLBACKS = "Callbacks"  # answers to tasks of Step Functions, by Outcome
    HELD_DELETIONS = "HeldDeletions"  # held back until they are seen again, or a person lets them through
    DISCORD_CALLS = "DiscordCalls"  # that were sent, by Status; `none` if no answer came


UNITS: Final[Mapping[str, str]] = {
    Metric.ANSWER_MILLISECONDS: "Milliseconds",
    Metric.JOB_AGE: "Seconds",
    Metric.RECONCILE_LAG: "Seconds",
}
# A 0 or a 1 for each call, so that the average is the share that failed, however much is going on.
SHARES: Final = frozenset({Metric.AWS_FAULTS, Metric.DISCORD_FAULTS})
# Besides for each function also for the whole stack, because one alarm watches all of them.
OF_STACK: Final = SHARES | {
    Metric.FAULTS,
    Metric.INVALID_REQUESTS,
    Metric.OPERATOR_FAULTS,
    Metric.TOKEN_REFUSED,
}


class Tally:
    """Counts what strangers can make happen a thousand times a second, so that it is not logged each time."""

    def __init__(self) -> None:
        self._number = 0
        self._due: datetime | None = None

    def add(self, now: datetime) -> int:
        """Count one. Returns the number since the last one that was returned, at most every ten seconds; 0 in between."""
        self._number += 1
        if self._due is not None and now < self._due:
            return 0
        self._due = now + TALLY_PAUSE
        number, self._number = self._number, 0
        return number
