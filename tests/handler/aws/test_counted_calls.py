"""What is counted of each call to AWS: an outage, what only the operator can correct, or a normal answer."""

import contextlib
from typing import Any

import pytest

from handler.aws.dynamodb import ConditionFailed, DynamoDB, build
from handler.errors import OnethreadError
from handler.runtime import telemetry
from infra.virtual_time import LoopClock
from tests.kit.aws_faults import What
from tests.kit.cloudwatch import read_line
from tests.kit.memory_wire import MemoryWire

KEY = {"pk": "p", "sk": "s"}


@pytest.fixture
def wire() -> Any:
    with MemoryWire() as wire:
        yield wire


async def counted(wire: MemoryWire, capsys: Any, call: str = "get_item", **parameters: Any) -> dict[str, list[float]]:
    seam: DynamoDB = build(LoopClock(), wire.session())
    try:
        with (
            telemetry.log_request(stack="prod", function="worker"),
            contextlib.suppress(OnethreadError, ConditionFailed),
        ):
            await seam(call, TableName=wire.table, **(parameters or {"Key": KEY}))
    finally:
        seam.close()
    lines = [read_line(line) for line in capsys.readouterr().out.splitlines()]
    found: dict[str, list[float]] = {
        name: line[name]
        for line in lines
        for name in ("AwsFaults", "OperatorFaults")
        if "_aws" in line and name in line
    }
    assert all(line.get("Service", "dynamodb") == "dynamodb" for line in lines)
    return found


@pytest.mark.parametrize("fault", ["throttled", "500", "html", "refused", "lost", "timeout_before"])
async def test_throttling_and_what_is_not_answered_are_awss_fault(wire: MemoryWire, fault: What, capsys: Any) -> None:
    wire.fail("GetItem", fault)
    assert await counted(wire, capsys) == {"AwsFaults": [1.0, 0.0]}  # the repeat succeeds


async def test_a_refusal_for_good_is_the_operators_fault_and_no_outage(wire: MemoryWire, capsys: Any) -> None:
    wire.fail("GetItem", "access_denied")
    assert await counted(wire, capsys) == {"OperatorFaults": [1.0]}


async def test_a_conflict_and_a_condition_that_fails_are_normal_answers(wire: MemoryWire, capsys: Any) -> None:
    wire.fail("GetItem", "conflict")
    assert await counted(wire, capsys) == {"AwsFaults": [0.0, 0.0]}
    put = {"Item": KEY, "ConditionExpression": "attribute_exists(pk)"}
    assert await counted(wire, capsys, "put_item", **put) == {"AwsFaults": [0.0]}
