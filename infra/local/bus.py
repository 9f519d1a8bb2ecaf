"""An event bus that keeps what it takes, as strict as EventBridge (AWS docs, "PutEvents" and "Quotas")."""

import json
from typing import Any, Final

from infra.local.recent import Recent
from infra.table.wire import Answer

MAX_ENTRIES: Final = 10
MAX_ENTRY_BYTES: Final = 262_144


class LocalBus:
    """Answers EventBridge's requests. An entry that it cannot take is refused alone."""

    def __init__(self) -> None:
        self._events: Recent[dict[str, Any]] = Recent()

    def answer(self, operation: str, request: dict[str, Any]) -> Answer:
        entries = request.get("Entries")
        if operation != "PutEvents":
            return Answer(400, {"__type": "UnknownOperationException", "message": operation})
        if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_ENTRIES:
            return Answer(400, {"__type": "ValidationException", "message": f"1 to {MAX_ENTRIES} entries"})
        if sum(len(json.dumps(entry)) for entry in entries) > MAX_ENTRY_BYTES:
            return Answer(400, {"__type": "ValidationException", "message": "Total size of the entries is over 256 KB"})
        results = [self._take(entry) for entry in entries]
        return Answer(200, {"FailedEntryCount": sum("ErrorCode" in r for r in results), "Entries": results})

    def since(self, number: int) -> list[dict[str, Any]]:
        """The events from that number on, oldest first."""
        return self._events.since(number)

    def _take(self, entry: dict[str, Any]) -> dict[str, str]:
        missing = [name for name in ("Source", "DetailType", "Detail", "EventBusName") if not entry.get(name)]
        if missing:
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": f"{', '.join(missing)} is missing"}
        try:
            detail = json.loads(entry["Detail"])
        except ValueError:
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        self._events.add({"source": entry["Source"], "detail-type": entry["DetailType"], "detail": detail})
        return {"EventId": f"{self._events.count:08x}"}
