"""The table in memory, with answers to reads that are as hard as DynamoDB's may be: stale, partial and paged.

DynamoDB docs: an eventually consistent read, and each read of a global secondary index, may lack the latest writes ("Read
consistency"); a batch may leave keys unprocessed ("BatchGetItem"); a query answers one page ("Query").
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from infra.table.memory_table import Change, MemoryTable

STALE: Final = 10  # more writes than an open makes


class HardTable(MemoryTable):
    """`stale`: how many of the latest writes an eventually consistent read lacks, at most; `stale_index`: a read of an index.

    What lags catches up: each such read has one more write. `pages_of`: items in a page of a query, at most. `batches_of`:
    keys of a batch that are processed, at most.
    """

    __slots__ = ("_shown", "_writes", "batches_of", "pages_of", "stale", "stale_index")

    def __init__(
        self,
        name: str,
        *,
        stale: int = STALE,
        stale_index: int = 0,
        pages_of: int | None = None,
        batches_of: int | None = None,
    ) -> None:
        super().__init__(name)
        self._writes: list[Sequence[Change]] = []
        self._shown = 0  # so many of them an eventually consistent read has
        self.stale, self.stale_index = stale, stale_index
        self.pages_of, self.batches_of = pages_of, batches_of

    def apply(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        match operation:
            case "get_item":
                return self._read(operation, parameters, parameters.get("ConsistentRead", False), self.stale)
            case "batch_get_item":
                return self._get_batch(parameters)
            case "query":
                return self._get_page(parameters)
        return super().apply(operation, parameters)

    def _get_batch(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        ((table, asked),) = parameters["RequestItems"].items()
        most = len(asked["Keys"]) if self.batches_of is None else self.batches_of
        processed, left = asked["Keys"][:most], asked["Keys"][most:]
        unprocessed = {"UnprocessedKeys": {table: {**asked, "Keys": left}}} if left else {}
        if left and not processed:
            return {"Responses": {}, **unprocessed}
        request = {"RequestItems": {table: {**asked, "Keys": processed}}}
        return {**self._read("batch_get_item", request, asked.get("ConsistentRead", False), self.stale), **unprocessed}

    def _get_page(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        limits = [limit for limit in (self.pages_of, parameters.get("Limit")) if limit is not None]
        request = {**parameters, "Limit": min(limits)} if limits else parameters
        stale = self.stale_index if "IndexName" in parameters else self.stale
        return self._read("query", request, parameters.get("ConsistentRead", False), stale)

    def _read(self, operation: str, parameters: Mapping[str, Any], is_consistent: bool, stale: int) -> dict[str, Any]:
        if is_consistent or not stale:
            return super().apply(operation, parameters)
        past = self.fork()
        for changes in reversed(self._writes[max(self._shown, len(self._writes) - stale) :]):
            past._commit([Change(key, new, old) for key, old, new, _ in changes])
        self._shown = max(self._shown, len(self._writes) - stale) + 1
        return past.apply(operation, parameters)

    def become(self, other: "HardTable") -> None:
        """Take over the content of another table, and what lags there; both change by themselves from here on."""
        self._rows, self._print, self._sorted = other._rows.copy(), other._print, other._sorted
        self._shares_places = other._shares_places = True
        self._writes, self._shown = [*other._writes], other._shown

    @property
    def lagging(self) -> tuple[Any, ...]:
        """What eventually consistent reads may lack, as a hashable value."""
        lacked = self._writes[max(self._shown, len(self._writes) - self.stale) :]
        return tuple((key, old and old.print, new and new.print) for changes in lacked for key, old, new, _ in changes)

    def _commit(self, changes: Sequence[Change]) -> None:
        super()._commit(changes)
        self._writes.append(changes)
