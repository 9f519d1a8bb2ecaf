"""What DynamoDB charges for a call, reckoned from its parameters and its answer.

Source: DynamoDB docs, "Read/write capacity mode", on-demand units. Items of this table are below a kilobyte; an item that
is written counts once for itself and once for each of the two indices, an upper bound for those that stand in fewer.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, Final

READ_BYTES: Final = 4096  # of a unit of a consistent read; half a unit where the read may lag
WRITE_UNITS: Final = 3.0  # an item, and its place in WatchIndex and DueIndex
TRANSACTED: Final = 2.0  # times as much in a transaction

_WRITES: Final = frozenset({"put_item", "update_item", "delete_item"})


def read_units(operation: str, parameters: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    """Of a call over the seam of `handler.aws.dynamodb`, with plain values."""
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
        return TRANSACTED * WRITE_UNITS * len(parameters["TransactItems"])
    return 0.0


def _units(size: int) -> float:
    return max(1.0, math.ceil(size / READ_BYTES))


def _size(item: Mapping[str, Any]) -> int:
    """Names and values; about what DynamoDB counts."""
    return len(json.dumps(item, separators=("", "")).encode()) if item else 0
