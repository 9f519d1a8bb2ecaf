"""Passes the table's stream to a function, as Lambda does (AWS docs, "Using AWS Lambda with Amazon DynamoDB").

Each shard is read by itself: in order, and at least once. What failed is tried again from the first record that failed, and
now and then a batch is delivered twice, as after a lost answer.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, Final

from infra.local.event_filter import wants
from infra.local.functions import Result
from infra.local.template import StreamSource
from infra.table.stream import SHARDS

POLL_SECONDS: Final = 0.1  # Lambda itself looks four times a second
RETRY_SECONDS: Final = 0.5  # before a batch that failed is delivered again
TWICE_EVERY: Final = 7  # batches: so many are delivered for one that comes twice

Read = Callable[[int, int, int], Sequence[dict[str, Any]]]  # shard, place, how many


class StreamPoller:
    """One thread for each shard."""

    def __init__(self, read: Read, source: StreamSource, invoke: Callable[[Any], Result]) -> None:
        self._read, self._source, self._invoke = read, source, invoke
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(shard,), name=f"stream {shard}", daemon=True)
            for shard in range(SHARDS)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def close(self) -> None:
        self.stop()
        for thread in self._threads:
            thread.join()

    def _run(self, shard: int) -> None:
        place, delivered = 0, count(1)
        while not self._stopping.is_set():
            records: Sequence[dict[str, Any]] = ()
            with suppress(OSError, ValueError):  # the emulation does not answer, or ends
                records = self._read(shard, place, self._source.batch_size)
            if not records:
                self._stopping.wait(POLL_SECONDS)
                continue
            done = self._deliver(records)
            if done == len(records) and next(delivered) % TWICE_EVERY == 0:
                self._deliver(records)
            place += done
            if done < len(records):
                self._stopping.wait(RETRY_SECONDS)

    def _deliver(self, records: Sequence[dict[str, Any]]) -> int:
        """How many of the first records are done."""
        wanted = [record for record in records if wants(self._source.patterns, record)]
        if not wanted:
            return len(records)
        result = self._invoke({"Records": wanted})
        if result.error is not None or not isinstance(result.payload, dict):
            return 0
        failed = {failure.get("itemIdentifier") for failure in result.payload.get("batchItemFailures") or ()}
        if not failed:
            return len(records)
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        return min((numbers.index(number) for number in failed if number in numbers), default=0)
