"""Records of the table's stream, as Lambda delivers them.

AWS docs, "Using AWS Lambda with Amazon DynamoDB": in order for an item, at least once. The function names the first
record that failed; Lambda delivers that one and all after it again.
"""

from typing import Any

import msgspec

from handler.aws.dynamodb import read_item
from handler.runtime.clock import iso, of_timestamp


class Record(msgspec.Struct, frozen=True):
    """A change of an item: as it was and as it is, in plain values (None: absent)."""

    number: str  # orders the changes of a partition, and is the same each time that the record is delivered
    at: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None

    @property
    def key(self) -> tuple[str, str]:
        item = self.new or self.old or {}
        return str(item.get("pk")), str(item.get("sk"))


def read_records(event: Any) -> list[Record]:
    """The records of an event; none if it is no event of a stream."""
    records = event.get("Records") if isinstance(event, dict) else None
    return (
        [_read(record["dynamodb"]) for record in records if "dynamodb" in record] if isinstance(records, list) else []
    )


def _read(change: dict[str, Any]) -> Record:
    old, new = (read_item(change[name]) if name in change else None for name in ("OldImage", "NewImage"))
    at = of_timestamp(float(change.get("ApproximateCreationDateTime", 0)))
    return Record(str(change["SequenceNumber"]), iso(at), old, new)


def failures(first: Record | None) -> dict[str, Any]:
    """Lambda's answer: everything is done, or everything before this record."""
    failed = [] if first is None else [{"itemIdentifier": first.number}]
    return {"batchItemFailures": failed}
