"""The memory table is held to moto, so that what explorers find in it is what DynamoDB would do."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings

from handler.aws.dynamodb import Call, ConditionFailed, DynamoDB, InvalidCall, TransactionFailed
from infra.table.memory_table import MemoryTable
from infra.virtual_time import LoopClock, run
from tests.kit.dynamodb import DynamoWire, create_table
from tests.kit.table_operations import REQUESTS, Request

EXAMPLES: Final = 60  # some seconds; raise it when the code of the memory table changes
TABLE: Final = "differential"


@pytest.fixture(scope="module")
def wire() -> Iterator[DynamoWire]:
    with DynamoWire() as wire:
        yield wire


@pytest.fixture(scope="module")
def call(wire: DynamoWire) -> Iterator[DynamoDB]:
    call = wire.call(LoopClock())
    yield call
    call.close()


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(requests=REQUESTS)
def test_the_memory_table_and_moto_agree_on_random_operations(
    wire: DynamoWire, call: DynamoDB, requests: list[Request]
) -> None:
    create_table(wire.client, TABLE)
    try:
        memory = MemoryTable(TABLE)
        run(compare(memory, call, requests))
        assert memory.items() == wire.items(TABLE)
    finally:
        wire.client.delete_table(TableName=TABLE)


async def compare(memory: MemoryTable, call: Call, requests: list[Request]) -> None:
    for request in requests:
        operation, parameters = on_table(memory.name, request)
        before = memory.items()
        ours = await outcome(memory, operation, parameters)
        assert ours == await outcome(call, operation, parameters), (operation, parameters, before)


def on_table(name: str, request: Request) -> Request:
    """The request, to that table."""
    operation, parameters = request
    if operation == "batch_get_item":
        return operation, {"RequestItems": {name: {**parameters, "ConsistentRead": True}}}
    if operation == "transact_write_items":
        actions = [
            {kind: {**part, "TableName": name} for kind, part in item.items()} for item in parameters["TransactItems"]
        ]
        return operation, {"TransactItems": actions}
    return operation, {**parameters, "TableName": name}


async def outcome(call: Call, operation: str, parameters: dict[str, Any]) -> Any:
    """How the call ended, without what DynamoDB leaves open: the order of a batch, and where the last page ends."""
    try:
        if operation == "query":
            return await pages(call, parameters)
        answer = await call(operation, **parameters)
    except ConditionFailed as lost:
        return "condition", lost.item
    except TransactionFailed as lost:
        return "transaction", lost.reasons
    except InvalidCall:
        return "invalid"
    if operation == "batch_get_item":
        ((table, items),) = answer["Responses"].items()
        return table, sorted(items, key=lambda item: (item["pk"], item["sk"]))
    return {name: part for name, part in answer.items() if name in ("Item", "Attributes")}


async def pages(call: Call, parameters: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """All pages of a query but the last if it is empty."""
    found: list[list[dict[str, Any]]] = []
    start: dict[str, Any] = {}
    while True:
        page = await call("query", **parameters, **start)
        found.append(page["Items"])
        if "LastEvaluatedKey" not in page:
            return found if page["Items"] else found[:-1]
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
