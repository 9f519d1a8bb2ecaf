"""Requests to a memory table, as short as tests want them."""

from typing import Any, Final

from tests.kit.memory_table import MemoryTable

KEY: Final = {"pk": "A", "sk": "1"}
ITEM: Final = {**KEY, "n": 1, "s": "x", "b": True}


def table_with(*items: dict[str, Any]) -> MemoryTable:
    return MemoryTable("sessions", items)


def ask(table: MemoryTable, operation: str, **parameters: Any) -> dict[str, Any]:
    return table.apply(operation, {"TableName": table.name, **parameters})


def update(table: MemoryTable, expression: str, key: dict[str, Any] = KEY, **more: Any) -> dict[str, Any]:
    return ask(table, "update_item", Key=key, UpdateExpression=expression, **more)
