"""`PublisherFunction`: tells programs what changed. The table's stream wakes it, and is the outbox.

    a session's change     an event on the bus, or nothing: `handler.programs.events`
    the bus has it         done
    the bus has it not     the record failed: Lambda delivers it and all after it again
    unreadable             to the dead letters, with its key; done
      … nor sent there     the record failed

What is in the table is published at least once, in order for each session, whatever dies. An event that was published
twice has the same `event_id`. What Lambda gives up after a day goes to the dead letters as well.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from handler import bootstrap
from handler.aws import stream
from handler.aws.event_bus import MAX_ENTRIES, Entry
from handler.aws.stream import Record
from handler.bootstrap import Environment
from handler.config import PublisherConfig
from handler.errors import UnreadableItem
from handler.programs.events import SOURCE, event_id, event_type, session_event
from handler.runtime import telemetry
from handler.runtime.metrics import Metric
from handler.store.items import Session, session_from_item

_SESSION: Final = ("SESSION#", "PRIVATE#")


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Records of the table's stream. The answer names the first one that failed."""
    return bootstrap.invoke(PublisherConfig, handle, event, context)


async def handle(
    environment: Environment[PublisherConfig], event: Any, request_id: str, seconds: float
) -> dict[str, Any]:
    """Publish the events of all records in their order. `seconds` is the time left, which is far more than it takes."""
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
        try:
            entry = _entry(record)
        except UnreadableItem as fault:
            failed = await _flush(environment, pending)
            if failed is not None or not await _bury(environment, record, fault):
                return failed or record
            pending = []
            continue
        if entry is not None:
            pending.append((record, entry))
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
    return {"channel_id": record.key[0].partition("#")[2], "session_key": record.key[1].partition("#")[2]}


def _entry(record: Record) -> Entry | None:
    """The event of a record; None: there is nothing to tell. Raises UnreadableItem."""
    if not record.key[1].startswith(_SESSION):
        return None
    old, new = _session(record.old), _session(record.new)
    kind = event_type(old, new)
    if kind is None:
        return None
    detail = session_event(event_id(*record.key, record.number), record.at, old, new)
    return Entry(SOURCE, kind, msgspec.json.encode(detail).decode())


def _session(item: dict[str, Any] | None) -> Session | None:
    return None if item is None else session_from_item(item)


async def _bury(environment: Environment[PublisherConfig], record: Record, fault: UnreadableItem) -> bool:
    """Leave a record that nobody can read to the operators; whether the dead letters have it."""
    telemetry.logger.error("a change cannot be published", extra={"detail": str(fault)})
    telemetry.add_metric(Metric.UNPUBLISHED)
    letter = {"pk": record.key[0], "sk": record.key[1], "sequence_number": record.number, "at": record.at}
    return await environment.publisher_dead_letters.send(msgspec.json.encode(letter).decode(), group=record.key[0])


bootstrap.prepare(PublisherConfig)
