"""What DynamoDB charges for a call, calculated from its parameters and its answer.

Source: DynamoDB docs, "Read/write capacity mode", on-demand units. Items of this table are below a kilobyte; a
written item counts once for itself and once for each of the three indices, an upper bound for items in fewer indices.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, Final

READ_BYTES: Final = 4096  # of a unit of a consistent read; an eventually consistent one is half a unit
WRITE_UNITS: Final = 4.0  # the item, and its entries in WatchIndex, DueIndex and ActivityIndex
TRANSACTION_FACTOR: Final = 2.0

_WRITES: Final = frozenset({"put_item", "update_item", "delete_item"})


def read_units(operation: str, parameters: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    """Read units of a call to `handler.aws.dynamodb`, with plain values."""
    if operation == "get_item":
        return _units(_size(answer.get("Item", {})))
    if operation == "batch_get_item":
        asked = sum(len(table["Keys"]) for table in parameters["RequestItems"].values())
        items = [item for table in answer["Responses"].values() for item in table]
        return sum(_units(_size(item)) for item in items) + asked - len(items)
    if operation == "query":
        units = _units(sum(map(_size, answer["Items"])))
        return units if parameters.get("ConsistentRead") else units / 2
    return 0.0


def write_units(operation: str, parameters: Mapping[str, Any]) -> float:
    if operation in _WRITES:
        return WRITE_UNITS
    if operation == "transact_write_items":
        return TRANSACTION_FACTOR * WRITE_UNITS * len(parameters["TransactItems"])
    return 0.0


def _units(size: int) -> float:
    return max(1.0, math.ceil(size / READ_BYTES))


def _size(item: Mapping[str, Any]) -> int:
    """Bytes of names and values, which is about what DynamoDB counts."""
    return len(json.dumps(item, separators=("", "")).encode()) if item else 0
