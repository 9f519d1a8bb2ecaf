"""The sessions table as tests look at it and change it: beside the protocol, unrecorded."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from handler.runtime.clock import iso
from handler.sessions.names import Names

GUILD: Final = "1"
CHANNEL: Final = "10"
NAME: Final = "1a06a43"
NAMES: Final = Names("Session ")

Item = dict[str, Any]
Apply = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]  # a call in plain values, without waiting


class TableView:
    """What is on record. Sessions are given by any spelling of their names; an item that is not there is empty."""

    def __init__(self, name: str, items: Callable[[], list[Item]], apply: Apply) -> None:
        self.name = name
        self.items = items
        self._apply = apply

    def item(self, name: str = NAME, channel: str = CHANNEL) -> Item:
        """The session's item."""
        return self.find(f"CHANNEL#{channel}", f"SESSION#{NAMES.parse(name).key}")

    def private(self, creator: str, name: str = NAME, channel: str = CHANNEL) -> Item:
        """The item of the private session that this user has opened; "0": a program."""
        return self.find(f"CHANNEL#{channel}", f"PRIVATE#{NAMES.parse(name).key}#{creator}")

    def pointer(self, thread_id: str) -> Item:
        return self.find(f"THREAD#{thread_id}", "THREAD")

    def channel(self, channel: str = CHANNEL) -> Item:
        return self.find(f"CHANNEL#{channel}", "CHANNEL")

    def guild(self) -> Item:
        return self.find(f"GUILD#{GUILD}", "GUILD")

    def namesakes(self, name: str = NAME) -> list[str]:
        """The ids of the session's namesakes."""
        start = f"NAMESAKE#{NAMES.parse(name).key}#"
        return [item["sk"].removeprefix(start) for item in self.of_kind(start)]

    def of_kind(self, start: str) -> list[Item]:
        """The items whose sort key begins so."""
        return [item for item in self.items() if item["sk"].startswith(start)]

    def records(self) -> list[Item]:
        """All items but those of jobs, which any receive of a job writes."""
        return [item for item in self.items() if item["sk"] != "JOB"]

    def threads(self) -> set[str]:
        """The threads on record."""
        return {item["discord_thread_id"] for item in self.items() if "discord_thread_id" in item}

    def find(self, pk: str, sk: str) -> Item:
        return next((item for item in self.items() if (item["pk"], item["sk"]) == (pk, sk)), {})

    def put(self, item: Mapping[str, Any] | None = None, **attributes: Any) -> None:
        """Write an item, with these attributes changed: None takes one away; a time becomes a text."""
        values = {name: iso(v) if isinstance(v, datetime) else v for name, v in {**(item or {}), **attributes}.items()}
        self._change("put_item", Item={name: value for name, value in values.items() if value is not None})

    def lose(self, *items: Item) -> None:
        for item in items:
            self._change("delete_item", Key={"pk": item["pk"], "sk": item["sk"]})

    def lose_all(self, *, but: Iterable[str] = ()) -> None:
        """Lose all items but those whose sort key begins with one of these."""
        self.lose(*(item for item in self.items() if not item["sk"].startswith(tuple(but))))

    def lose_expired(self, now: datetime) -> None:
        """What DynamoDB's time to live does."""
        self.lose(*(item for item in self.items() if item.get("expires_at", now.timestamp()) < now.timestamp()))

    def _change(self, operation: str, **parameters: Any) -> None:
        self._apply(operation, {"TableName": self.name, **parameters})
