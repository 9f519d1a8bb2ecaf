"""The table in memory in the place of DynamoDB, and what is asked of it."""

import asyncio
import operator
from dataclasses import astuple, dataclass
from typing import Any

from infra.cost.units import read_units, write_units
from infra.table.memory_table import MemoryTable


@dataclass(frozen=True)
class Use:
    """What something asks for: calls to Discord and to DynamoDB, and DynamoDB's units."""

    discord: float = 0.0
    dynamodb: float = 0.0
    reads: float = 0.0
    writes: float = 0.0

    def __add__(self, other: "Use") -> "Use":
        return Use(*map(operator.add, astuple(self), astuple(other)))

    def __sub__(self, other: "Use") -> "Use":
        return Use(*map(operator.sub, astuple(self), astuple(other)))

    def times(self, factor: float) -> "Use":
        return Use(*(factor * number for number in astuple(self)))

    def over(self, runs: int) -> "Use":
        return Use(*(number / runs for number in astuple(self)))


class CountedTable:
    """`handler.aws.dynamodb.Call`, `use`: all that was asked of it so far. `seconds`: how long a call takes on the loop."""

    def __init__(self, name: str, seconds: float = 0.0) -> None:
        self._table = MemoryTable(name)
        self._seconds = seconds
        self.use = Use()

    async def __call__(self, operation: str, /, **parameters: Any) -> dict[str, Any]:
        if self._seconds:
            await asyncio.sleep(self._seconds)
        answer = await self._table(operation, **parameters)
        self.use += Use(0, 1, read_units(operation, parameters, answer), write_units(operation, parameters))
        return answer
