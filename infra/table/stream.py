"""The stream of the table: its changes in DynamoDB's form, as Lambda delivers them.

AWS docs, "DynamoDB Streams" (shards, at least once, in order for an item), and "Using AWS Lambda with Amazon DynamoDB".
"""

import threading
import time
import zlib
from collections.abc import Callable, Sequence
from typing import Any, Final

from infra.lambda_events import ACCOUNT, REGION
from infra.table.attributes import write_item
from infra.table.memory_table import Change

SHARDS: Final = 4  # all changes of a partition are in one of them; between them there is no order


class Stream:
    """The changes since it began. `number` of a record is its place in its shard, from 0."""

    def __init__(self, table: str, now: Callable[[], float] = time.time) -> None:
        self._arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}/stream/local"
        self._now = now
        self._shards: list[list[dict[str, Any]]] = [[] for _ in range(SHARDS)]
        self._count = 0
        self._lock = threading.Lock()

    def add(self, changes: Sequence[Change]) -> None:
        """Take the changes of one write. One that leaves an item as it was is none (DynamoDB docs, "DynamoDB Streams")."""
        with self._lock:
            for change in changes:
                if (change.old and change.old.values) != (change.new and change.new.values):
                    self._count += 1
                    shard = self._shards[zlib.crc32(change.key[0].encode()) % SHARDS]
                    shard.append(self._record(change, self._count))

    def read(self, shard: int, start: int, most: int) -> list[dict[str, Any]]:
        """Records of a shard from a place on."""
        with self._lock:
            return self._shards[shard][start : start + most]

    def _record(self, change: Change, number: int) -> dict[str, Any]:
        pk, sk = change.key
        images = {
            name: write_item(row.values)
            for name, row in (("OldImage", change.old), ("NewImage", change.new))
            if row is not None
        }
        name = "INSERT" if change.old is None else "REMOVE" if change.new is None else "MODIFY"
        return {
            "eventID": f"{number:032x}",
            "eventName": name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": REGION,
            "dynamodb": {
                "ApproximateCreationDateTime": int(self._now()),
                "Keys": write_item({"pk": pk, "sk": sk}),
                **images,
                "SequenceNumber": f"{number:021d}",
                "SizeBytes": len(str(images)),
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
            "eventSourceARN": self._arn,
        }
