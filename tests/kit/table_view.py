"""The sessions table as tests look at it, and lose it: beside the protocol, uncounted."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from handler.aws.dynamodb import to_wire
from handler.runtime.clock import iso
from handler.sessions.names import Names
from tests.kit.dynamodb import DynamoWire
from tests.kit.memory_wire import MemoryWire

GUILD: Final = "1"
CHANNEL: Final = "10"
NAME: Final = "1a06a43"
NAMES: Final = Names("Session ")


class TableView:
    """What is on record. Sessions are given by any spelling of their names."""

    kind: int

    def __init__(self, wire: DynamoWire | MemoryWire) -> None:
        self.wire = wire

    def items(self) -> list[dict[str, Any]]:
        return self.wire.items()

    def item(self, name: str = NAME, channel: str = CHANNEL) -> dict[str, Any] | None:
        """The session's item."""
        return self.find_item(f"CHANNEL#{channel}", f"SESSION#{NAMES.parse(name).key}")

    def pointer(self, thread_id: str) -> dict[str, Any] | None:
        return self.find_item(f"THREAD#{thread_id}", "THREAD")

    def namesakes(self, name: str = NAME) -> list[str]:
        """The ids of the threads that are noted as namesakes of this session."""
        start = f"NAMESAKE#{NAMES.parse(name).key}#"
        return [item["sk"].removeprefix(start) for item in self.items() if item["sk"].startswith(start)]

    def channel_item(self, channel: str = CHANNEL, **attributes: Any) -> dict[str, Any]:
        """What the table would say of the channel; times are written as texts."""
        texts = {name: iso(value) if isinstance(value, datetime) else value for name, value in attributes.items()}
        return {"pk": f"CHANNEL#{channel}", "sk": "CHANNEL", "guild_id": GUILD, "kind": self.kind, **texts}

    def find_item(self, pk: str, sk: str) -> dict[str, Any] | None:
        return next((item for item in self.items() if (item["pk"], item["sk"]) == (pk, sk)), None)

    def put_item(self, item: dict[str, Any]) -> None:
        self.wire.client.put_item(**to_wire({"TableName": self.wire.table, "Item": item}))

    def lose_item(self, item: dict[str, Any]) -> None:
        key = {"pk": item["pk"], "sk": item["sk"]}
        self.wire.client.delete_item(**to_wire({"TableName": self.wire.table, "Key": key}))

    def lose_table(self, *, but: Iterable[str] = ()) -> None:
        """Lose all items but those whose sort key begins with one of these."""
        for item in self.items():
            if not item["sk"].startswith(tuple(but)):
                self.lose_item(item)

    def lose_expired(self, now: datetime) -> None:
        """What DynamoDB's time to live does."""
        for item in self.items():
            if item.get("expires_at", now.timestamp()) < now.timestamp():
                self.lose_item(item)
