"""What happens, as records with numbers. A page that was away reads on from the number that it knows."""

from typing import Any

from infra.local.recent import Recent

Record = dict[str, Any]


class Feed:
    """Keeps the last records. Each has a `kind` and a `number`; numbers begin at 0."""

    def __init__(self) -> None:
        self._records: Recent[Record] = Recent()

    @property
    def count(self) -> int:
        return self._records.count

    def add(self, kind: str, **record: Any) -> None:
        self._records.add({"kind": kind, **record})

    def since(self, number: int) -> list[Record]:
        """The records from that number on, as far as they are kept."""
        records, end = self._records.read(number)
        return [{**record, "number": end - len(records) + place} for place, record in enumerate(records)]
