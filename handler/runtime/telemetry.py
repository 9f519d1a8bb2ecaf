"""Logs and metrics: each request ends with one JSON log line and its metrics. No line contains a secret.

Requests run side by side in one event loop, so only the bot's token, which is redacted, is kept process-wide. Fields,
counts and metrics belong to the `log_request` block in which they are set, and to the tasks that it starts; outside of
one they are dropped. Metrics have CloudWatch's embedded metric format: log lines that CloudWatch reads as metrics, one
for each set of dimensions. The request's fields `stack` and `function` are dimensions of each, so two stacks never mix.
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
from typing import Any, Final, TextIO

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import RESERVED_LOG_ATTRS, LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import EphemeralMetrics

from handler.errors import OnethreadError
from handler.runtime.metrics import OF_STACK, SHARES, UNITS, Metric
from handler.runtime.secrets import Secret

NAMESPACE: Final = "Onethread"
SERVICE: Final = "onethread"
MIN_SECRET_LENGTH: Final = 8  # characters; redacting shorter ones would make every line unreadable
REDACTED: Final = "[redacted]"
MAX_VALUES: Final = 99  # of a metric in one line: at 100, Powertools writes and forgets them by itself


_Dimensions = tuple[tuple[str, str], ...]


@dataclasses.dataclass(slots=True)
class _Request:
    fields: dict[str, Any]
    started: float
    counts: Counter[str] = dataclasses.field(default_factory=Counter)
    metrics: dict[tuple[Metric, _Dimensions], list[float]] = dataclasses.field(default_factory=dict)
    quiet: bool = False
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


def add_metric(metric: Metric, value: float = 1, **dimensions: str) -> None:
    """Add to a count of the current request, or note one more value of a metric that is no count.

    One line for each set of dimensions is written at the request's end.
    """
    if (request := _current.get()) is None:
        return
    values = request.metrics.setdefault((metric, tuple(sorted(dimensions.items()))), [])
    if values and metric not in UNITS and metric not in SHARES:
        values[0] += value
    else:
        values.append(value)


def count_discord_call(route: str, status: int | None) -> None:
    """Count one request that was sent to Discord; `status` is None if there was no answer."""
    count("discord_calls")
    count(f"discord_calls_{status or 'unanswered'}")
    add_metric(Metric.DISCORD_CALLS, Status=str(status or "none"))
    logger.debug("discord call", extra={"route": route, "status": status})


def leave_out_line() -> None:
    """End the current request without its line, unless the level is DEBUG. Its metrics are written."""
    if (request := _current.get()) is not None:
        request.quiet = True


def log_fault() -> str:
    """Log the exception being handled as a fault of ours. Returns the id of the request, for whoever reports the fault."""
    logger.exception("a fault of ours")
    add_metric(Metric.FAULTS)
    set_fields(outcome=OnethreadError.kind)
    request = _current.get()
    return str(request.fields.get("request_id", "")) if request is not None else ""


def _end(request: _Request) -> None:
    duration = round((time.perf_counter() - request.started) * 1000, 1)
    log = logger.debug if request.quiet else logger.info
    log("done", extra={**request.counts, "duration_ms": duration})
    for dimensions, of_stack in sorted({(of, metric in OF_STACK) for metric, of in request.metrics}):
        found = request.metrics.items()
        group = {metric: values for (metric, of), values in found if (of, metric in OF_STACK) == (dimensions, of_stack)}
        for start in range(0, max(map(len, group.values())), MAX_VALUES):
            lines = {metric: values[start : start + MAX_VALUES] for metric, values in group.items()}
            _write_metrics(request, dict(dimensions), of_stack, lines)


def _write_metrics(
    request: _Request, dimensions: dict[str, str], of_stack: bool, group: Mapping[Metric, list[float]]
) -> None:
    """Write one line: metrics that have the same dimensions."""
    stack = {"Stack": request.fields["stack"]} if "stack" in request.fields else {}
    function = {"Function": request.fields["function"]} if "function" in request.fields else {}
    line = EphemeralMetrics(namespace=NAMESPACE)
    for key, value in {**stack, **function, **dimensions}.items():
        line.add_dimension(key, value)
    if of_stack and stack and function:
        line.add_dimensions(**stack, **dimensions)
    for metric, values in group.items():
        for value in values:
            line.add_metric(metric, UNITS.get(metric, "Count"), value)
    line.flush_metrics()
