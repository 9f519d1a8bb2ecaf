"""Logs and metrics: each request ends with one JSON log line and its metrics. No line contains a secret.

Requests run side by side in one event loop, so only the bot's token, which is redacted, is kept process-wide. Fields,
counts and metrics belong to the `log_request` block in which they are set, and to the tasks that it starts; outside of
one they are dropped. Metrics have CloudWatch's embedded metric format: log lines that CloudWatch reads as metrics, one
for each set of dimensions.
"""

import dataclasses
import json
import logging
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import Any, Final, TextIO

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import RESERVED_LOG_ATTRS, LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import EphemeralMetrics

from handler.errors import OnethreadError
from handler.runtime.secrets import Secret

NAMESPACE: Final = "Onethread"
SERVICE: Final = "onethread"
MIN_SECRET_LENGTH: Final = 8  # characters; redacting shorter ones would make every line unreadable
REDACTED: Final = "[redacted]"


class Metric(StrEnum):
    """The metrics, all counts."""

    OPENS = "Opens"  # by Outcome
    DUPLICATES_PREVENTED = "DuplicatesPrevented"
    HAND_OVERS = "HandOvers"
    PUT_BACKS = "PutBacks"
    UNTOLD_ANSWERS = "UntoldAnswers"  # that Discord will never show
    WAITS = "Waits"  # for somebody else's live claim
    DUE_GUILDS = "DueGuilds"  # at a tick of the reconciler's schedule
    UNSENT_GUILDS = "UnsentGuilds"  # those that SQS did not take
    LATE_TICKS = "LateTicks"  # ticks that sent nothing, because an earlier one's guilds still wait
    GUILD_RUNS = "GuildRuns"  # by Outcome: done, parked, or the kind of the error
    RECONCILE_ACTIONS = "ReconcileActions"  # by Action
    FAILED_ACTIONS = "FailedActions"  # of the reconciler
    KEEP_OFF = "KeepOff"  # runs that could not keep sessions open, because the bot lacks View Audit Log
    UNREADABLE = "Unreadable"  # entries of Discord's lists and items of the table that a run skipped
    EVENTS = "Events"  # published, by Type
    UNPUBLISHED = "Unpublished"  # changes that the publisher cannot read
    HELD_DELETIONS = "HeldDeletions"  # held back until they are seen again, or a person lets them through
    DISCORD_CALLS = "DiscordCalls"  # by StatusClass: 2xx, 4xx, 5xx, or none if there was no answer


@dataclasses.dataclass(slots=True)
class _Request:
    fields: dict[str, Any]
    started: float
    counts: Counter[str] = dataclasses.field(default_factory=Counter)
    metrics: Counter[tuple[str, str, tuple[tuple[str, str], ...]]] = dataclasses.field(default_factory=Counter)
    secrets: set[str] = dataclasses.field(default_factory=set)


_current: ContextVar[_Request | None] = ContextVar("request", default=None)
_secrets: set[str] = set()

# What a token looks like: its place in a URL; the first characters of an interaction's (base64 of "interaction:"); the
# three parts of a bot's; the form in a header.
_TOKENS: Final = re.compile(
    r"(?<=/)(?P<path>(?:webhooks|interactions)/\d+/)[^/\s\"'?#\\]+"
    r"|aW50ZXJhY3Rpb246[\w\-+/=]*"
    r"|\b[\w\-]{20,30}\.[\w\-]{6,7}\.[\w\-]{27,}"
    r"|\bBot [\w\-.]{20,}"
)


def redact(secret: Secret | str) -> None:
    """Redact that text in all log lines from now on."""
    _secrets.update(_spellings(secret))


def redact_in_request(secret: Secret | str) -> None:
    """Redact that text in the log lines of this request."""
    if (request := _current.get()) is not None:
        request.secrets.update(_spellings(secret))


def redacted(text: str) -> str:
    """The text without known secrets and without anything that looks like a token."""
    request = _current.get()
    for secret in _secrets if request is None else _secrets | request.secrets:
        text = text.replace(secret, REDACTED)
    return _TOKENS.sub(lambda match: (match["path"] or "") + REDACTED, text)


def _spellings(secret: Secret | str) -> set[str]:
    text = secret.reveal() if isinstance(secret, Secret) else secret
    return {text, json.dumps(text, ensure_ascii=False)[1:-1]} if len(text) >= MIN_SECRET_LENGTH else set()


class _Formatter(LambdaPowertoolsFormatter):
    """Redacts the whole line just before it is written, so even the text of a foreign exception."""

    def serialize(self, log: Any) -> str:
        return redacted(super().serialize(log))


class _Fields(logging.Filter):
    """Adds the fields of the current request to our lines. (Powertools' own appended keys are process-wide.)"""

    def filter(self, record: logging.LogRecord) -> bool:
        if (request := _current.get()) is not None:
            for key, value in request.fields.items():
                record.__dict__.setdefault(key, value)
        return True


class _Redaction(logging.Filter):
    """Redacts the lines of other libraries, which the Lambda runtime's handler writes."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redacted(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = redacted(logging.Formatter().formatException(record.exc_info))
        return True


class _Stdout(logging.StreamHandler[TextIO]):
    """Writes to what `sys.stdout` is at that moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # an attribute there, looked up anew here
        return sys.stdout


# The level is given here: Powertools would read LOG_LEVEL itself, and raise before the configuration is checked.
logger: Final = Logger(
    service=SERVICE, level="INFO", logger_handler=_Stdout(), logger_formatter=_Formatter(utc=True, use_rfc3339=True)
)
logger.addFilter(_Fields())


def configure(level: str) -> None:
    """Set the level of our lines (``INFO``), and redact those of other libraries."""
    logger.setLevel(level)
    for handler in logging.getLogger().handlers:
        if not any(isinstance(present, _Redaction) for present in handler.filters):
            handler.addFilter(_Redaction())


def silence(*libraries: str) -> None:
    """Let these libraries log only warnings and worse."""
    for library in map(logging.getLogger, libraries):
        if library.level != logging.WARNING:  # each setting empties the caches of all loggers
            library.setLevel(logging.WARNING)


@contextmanager
def log_request(**fields: Any) -> Iterator[None]:
    """Run the block as a request (or a message): at its end, log one line with fields, counts and ``duration_ms``.

    The class of an exception that leaves the block becomes the field ``failure``.
    """
    request = _Request({}, time.perf_counter())
    token = _current.set(request)
    try:
        set_fields(**fields)
        yield
    except BaseException as failure:
        request.fields.setdefault("failure", type(failure).__name__)
        raise
    finally:
        _end(request)
        _current.reset(token)


def set_fields(**fields: Any) -> None:
    """Set fields of the current request. They appear in all its lines from now on."""
    if taken := fields.keys() & {*RESERVED_LOG_ATTRS, "message", "service"}:
        raise ValueError(f"reserved by the logger: {', '.join(sorted(taken))}")
    if (request := _current.get()) is not None:
        request.fields.update(fields)


def count(name: str, n: int = 1) -> None:
    """Count something in the current request: ``discord_calls``, ``dynamodb_calls`` and the like."""
    if (request := _current.get()) is not None:
        request.counts[name] += n


def counts() -> Mapping[str, int]:
    """The counts of the current request so far."""
    request = _current.get()
    return {} if request is None else dict(request.counts)


def add_metric(name: str, value: float = 1, unit: str = "Count", **dimensions: str) -> None:
    """Add to a metric of the current request; one line for each set of dimensions is written at its end."""
    if (request := _current.get()) is not None:
        request.metrics[name, unit, tuple(sorted(dimensions.items()))] += value  # type: ignore[assignment]  # a float


def count_discord_call(route: str, status: int | None) -> None:
    """Count one request to Discord; `status` is None if there was no answer."""
    count("discord_calls")
    count(f"discord_calls_{status or 'unanswered'}")
    add_metric(Metric.DISCORD_CALLS, StatusClass=f"{status // 100}xx" if status else "none")
    logger.debug("discord call", extra={"route": route, "status": status})


def log_fault() -> str:
    """Log the exception being handled as a fault of ours. Returns the id of the request, for whoever reports the fault."""
    logger.exception("a fault of ours")
    set_fields(outcome=OnethreadError.kind)
    request = _current.get()
    return str(request.fields.get("request_id", "")) if request is not None else ""


def _end(request: _Request) -> None:
    duration = round((time.perf_counter() - request.started) * 1000, 1)
    logger.info("done", extra={**request.counts, "duration_ms": duration})
    for dimensions in sorted({key[2] for key in request.metrics}):
        _write_metrics(request, dimensions)


def _write_metrics(request: _Request, dimensions: tuple[tuple[str, str], ...]) -> None:
    blob = EphemeralMetrics(namespace=NAMESPACE, service=SERVICE)
    for key, value in dimensions:
        blob.add_dimension(key, value)
    for (name, unit, of), total in request.metrics.items():
        if of == dimensions:
            blob.add_metric(name, unit, total)
    blob.flush_metrics()
