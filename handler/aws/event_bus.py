"""An event bus of EventBridge."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from handler.aws.clients import CallFailed, ThreadedClient
from handler.runtime import telemetry

MAX_ENTRIES: Final = 10  # AWS docs, "PutEvents": entries of a request
MAX_CALLS: Final = 1  # threads: the requests are made one after another, so that the events stay in order
READ_TIMEOUT_SECONDS: Final = 2.0  # nobody waits, and EventBridge answers within tens of milliseconds


class Entry(msgspec.Struct, frozen=True):
    """One event."""

    source: str
    type: str
    detail: str  # JSON


class EventBus(ThreadedClient):
    """One bus, over botocore's client of EventBridge."""

    service = "events"

    def __init__(self, client: Any, name: str) -> None:
        super().__init__(client, MAX_CALLS)
        self._name = name

    async def put(self, entries: Sequence[Entry]) -> int:
        """How many of the first entries the bus certainly has. They are sent in order; perhaps it has later ones, too."""
        for start in range(0, len(entries), MAX_ENTRIES):
            batch = entries[start : start + MAX_ENTRIES]
            try:
                answer = await self.call("put_events", Entries=[self._entry(entry) for entry in batch])
            except CallFailed as error:
                telemetry.logger.error("events put_events failed", extra={"error": str(error)})
                return start
            for number, result in enumerate(answer["Entries"]):
                if code := result.get("ErrorCode"):
                    telemetry.logger.error("eventbridge refused an event", extra={"error": code})
                    return start + number
        return len(entries)

    def _entry(self, entry: Entry) -> dict[str, Any]:
        return {
            "Source": entry.source,
            "DetailType": entry.type,
            "Detail": entry.detail,
            "EventBusName": self._name,
        }
