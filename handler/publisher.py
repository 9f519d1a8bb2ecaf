"""`PublisherFunction`: tells programs what changed. The table's stream wakes it, and is the outbox.

    a change             an event on the bus, or nothing: `handler.programs.events`
    a question's end     … and an answer to the task that waits for it, if one does: `handler.programs.callbacks`
    each has it          done
    throttled, no answer the record failed: Lambda delivers it and all after it again
    unreadable, refused  to the dead letters, with its key; done
      … nor sent there   the record failed

What is in the table is published at least once, in order for each session, whatever dies. An event that was published
twice has the same `event_id`; a task takes one answer. What Lambda gives up after a day goes to the dead letters as well.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from handler import bootstrap
from handler.aws import stream
from handler.aws.event_bus import MAX_ENTRIES, Entry
from handler.aws.step_functions import Taken
from handler.aws.stream import Record
from handler.bootstrap import Environment
from handler.config import PublisherConfig
from handler.errors import UnreadableItem
from handler.programs import events
from handler.programs.callbacks import Callback, Success, callback_of
from handler.runtime import telemetry
from handler.runtime.metrics import Metric
from handler.store.items import session_from_item
from handler.store.question_items import Question

_SESSION: Final = ("SESSION#", "PRIVATE#")
_QUESTION: Final = "QUESTION#"


class Message(msgspec.Struct, frozen=True):
    """What a change means to programs."""

    entry: Entry | None = None
    callback: Callback | None = None


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Records of the table's stream. The answer names the first one that failed."""
    return bootstrap.invoke(PublisherConfig, handle, event, context)


async def handle(
    environment: Environment[PublisherConfig], event: Any, request_id: str, seconds: float
) -> dict[str, Any]:
    """Publish what all records mean, in their order. `seconds` is the time left, which is far more than it takes."""
    fields = {"stack": environment.config.stack_name, "function": "publisher", "request_id": request_id}
    with telemetry.log_request(**fields):
        records = stream.read_records(event)
        failed = await _publish(environment, records)
        telemetry.set_fields(records=len(records), failed=failed is not None)
        return stream.failures(failed)


async def _publish(environment: Environment[PublisherConfig], records: Sequence[Record]) -> Record | None:
    """The first record that could not be published."""
    pending: list[tuple[Record, Entry]] = []
    for record in records:
        message, done = Message(), True
        try:
            message = _read(record)
        except (UnreadableItem, msgspec.DecodeError) as fault:
            done = await _bury(environment, record, str(fault))
        if message.callback is not None:
            done = await _answer_task(environment, record, message.callback)
        if not done:
            return await _flush(environment, pending) or record
        if message.entry is not None:
            pending.append((record, message.entry))
        if len(pending) == MAX_ENTRIES:
            if (failed := await _flush(environment, pending)) is not None:
                return failed
            pending = []
    return await _flush(environment, pending)


async def _flush(environment: Environment[PublisherConfig], pending: Sequence[tuple[Record, Entry]]) -> Record | None:
    """Put these events on the bus; the record of the first that it does not certainly have."""
    if not pending:
        return None
    taken = await environment.event_bus.put([entry for _, entry in pending])
    for record, entry in pending[:taken]:
        telemetry.add_metric(Metric.EVENTS, Type=entry.type)
        telemetry.logger.info("published", extra={"event": entry.type, **_session_of(record)})
    return None if taken == len(pending) else pending[taken][0]


def _session_of(record: Record) -> dict[str, str]:
    """The fields by which the log's lines about one session are found."""
    channel_id, name = (key.partition("#")[2] for key in record.key)
    if record.key[1].startswith(_QUESTION):
        item = record.new or record.old or {}
        return {"channel_id": channel_id, "session_key": item.get("session_key", ""), "question_id": name}
    return {"channel_id": channel_id, "session_key": name}


def _read(record: Record) -> Message:
    """Raises UnreadableItem, and DecodeError for an answer that is not JSON."""
    kind, name = record.key[1], events.event_id(*record.key, record.number)
    if kind.startswith(_SESSION):
        before, after = (None if item is None else session_from_item(item) for item in (record.old, record.new))
        happened = events.event_type(before, after)
        if happened is None:
            return Message()
        return _message(happened, events.session_event(name, record.at, before, after))
    if kind.startswith(_QUESTION):
        old, new = (None if item is None else Question.from_item(item) for item in (record.old, record.new))
        callback = callback_of(old, new)
        happened = events.question_event_type(old, new)
        if happened is None or new is None:
            return Message(callback=callback)
        return _message(happened, events.question_event(name, record.at, new), callback)
    return Message()


def _message(kind: events.EventType, detail: msgspec.Struct, callback: Callback | None = None) -> Message:
    return Message(Entry(events.SOURCE, kind, msgspec.json.encode(detail).decode()), callback)


async def _answer_task(environment: Environment[PublisherConfig], record: Record, callback: Callback) -> bool:
    """Answer the task that waits for a question; whether nothing is left to do about it."""
    tasks = environment.step_functions
    if tasks is None:  # its token came while this was allowed
        telemetry.logger.warning("a task waits for an answer, and StepFunctionsCallbacks is false")
        telemetry.add_metric(Metric.CALLBACKS, Outcome="off")
        return True
    outcome = callback.outcome
    if isinstance(outcome, Success):
        taken = await tasks.succeed(callback.token, outcome.output)
    else:
        taken = await tasks.fail(callback.token, outcome.error, outcome.cause)
    telemetry.add_metric(Metric.CALLBACKS, Outcome=taken)
    match taken:
        case Taken.ACCEPTED | Taken.GONE:
            return True
        case Taken.REFUSED:
            return await _bury(environment, record, "Step Functions refused the answer to a task")
        case Taken.UNKNOWN:
            return False
    raise ValueError(f"unknown outcome {taken!r}")


async def _bury(environment: Environment[PublisherConfig], record: Record, why: str) -> bool:
    """Leave what nobody can publish to the operators; whether the dead letters have it."""
    telemetry.logger.error("a change cannot be published", extra={"detail": why})
    telemetry.add_metric(Metric.UNPUBLISHED)
    letter = {"pk": record.key[0], "sk": record.key[1], "sequence_number": record.number, "at": record.at}
    return await environment.publisher_dead_letters.send(msgspec.json.encode(letter).decode(), group=record.key[0])


bootstrap.prepare(PublisherConfig)
