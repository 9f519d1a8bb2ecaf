"""The seam over the real boto3, on a wire that fails as networks do: repeats, lost answers, calls that land late."""

import asyncio

import pytest
from botocore.stub import Stubber

from handler.aws.dynamodb import ConditionFailed, DynamoDB, TransactionFailed
from handler.errors import StoreUnavailable
from handler.runtime.deadline import Deadline, set_deadline
from infra.virtual_time import LoopClock, run
from tests.kit.aws_faults import What
from tests.kit.dynamodb import DynamoWire
from tests.kit.dynamodb_calls import ABSENT, ITEM, KEY, OTHER, adding, creating, put, unconnected_client

FIRST_PAUSE_SECONDS = 0.05
MAX_ATTEMPTS = 5
MAX_CALLS = 16
MAX_PAUSE_SECONDS = 1.0


def times(number: int, what: What) -> list[What]:
    return [what] * number


# What passes by itself.


@pytest.mark.parametrize("what", ["refused", "timeout_before", "500", "html", "throttled", "conflict", "in_progress"])
@pytest.mark.parametrize("operation", ["UpdateItem", "TransactWriteItems"])
async def test_a_transient_error_is_retried_and_the_write_applied_once(
    wire: DynamoWire, call: DynamoDB, operation: str, what: What
) -> None:
    wire.fail(operation, what, what)
    if operation == "UpdateItem":
        await call("update_item", **adding(wire, KEY))
    else:
        await call("transact_write_items", TransactItems=[{"Update": adding(wire, KEY)}])
    assert wire.sent[operation] == 3
    assert wire.items() == [{**KEY, "generation": 1}]


@pytest.mark.parametrize("what", ["lost", "timeout_after", "500_after"])
async def test_a_write_that_was_applied_before_its_answer_was_lost_finds_its_own_item(
    wire: DynamoWire, call: DynamoDB, what: What
) -> None:
    wire.fail("PutItem", what)
    with pytest.raises(ConditionFailed) as lost:
        await put(call, wire, ITEM, **ABSENT)
    assert lost.value.item == ITEM


@pytest.mark.parametrize("what", ["lost", "timeout_after", "500_after"])
async def test_a_transaction_that_was_applied_before_its_answer_was_lost_succeeds_and_is_applied_once(
    wire: DynamoWire, call: DynamoDB, what: What
) -> None:
    wire.fail("TransactWriteItems", what, "conflict", what)
    await call("transact_write_items", TransactItems=[{"Update": adding(wire, KEY)}, *creating(wire, OTHER)])
    assert wire.items() == [{**KEY, "generation": 1}, OTHER]
    assert wire.sent["TransactWriteItems"] == 4
    assert len({parameters["ClientRequestToken"] for _, parameters in wire.requests}) == 1


async def test_two_calls_of_one_transaction_are_two_transactions(wire: DynamoWire, call: DynamoDB) -> None:
    for _ in range(2):
        await call("transact_write_items", TransactItems=[{"Update": adding(wire, KEY)}])
    assert wire.items() == [{**KEY, "generation": 2}]


def test_a_conflict_beside_a_failed_condition_is_retried() -> None:
    item = {"pk": {"S": "CHANNEL#1"}, "sk": {"S": "SESSION#a"}}
    lost = {"Code": "ConditionalCheckFailed", "Message": "failed", "Item": item}
    client = unconnected_client()
    with Stubber(client) as stub:
        for second in ({"Code": "TransactionConflict"}, {"Code": "None"}):
            stub.add_client_error(
                "transact_write_items",
                "TransactionCanceledException",
                http_status_code=400,
                modeled_fields={"CancellationReasons": [lost, second]},
            )
        call = DynamoDB(client, LoopClock())
        with pytest.raises(TransactionFailed) as failed:
            run(call("transact_write_items", TransactItems=[{"Delete": {"TableName": "t", "Key": KEY}}]))
    assert failed.value.reasons == (("ConditionalCheckFailed", KEY), ("None", None))


async def test_an_error_that_persists_is_unavailable_after_the_last_attempt(wire: DynamoWire, call: DynamoDB) -> None:
    wire.fail("GetItem", *times(MAX_ATTEMPTS + 1, "throttled"))
    with pytest.raises(StoreUnavailable, match=r"get_item: ThrottlingException: .*\(attempt 5 of 5\)") as gone:
        await call("get_item", TableName=wire.table, Key=KEY)
    assert wire.sent["GetItem"] == MAX_ATTEMPTS
    assert gone.value.__cause__ is not None


async def test_the_pauses_double_from_the_first_to_the_longest(wire: DynamoWire) -> None:
    call = wire.call(LoopClock(), jitter=lambda: 1.0)
    wire.fail("GetItem", *times(MAX_ATTEMPTS, "refused"))
    loop = asyncio.get_running_loop()
    start = loop.time()
    with pytest.raises(StoreUnavailable):
        await call("get_item", TableName=wire.table, Key=KEY)
    pauses = [min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**n) for n in range(MAX_ATTEMPTS - 1)]
    assert loop.time() - start == pytest.approx(sum(pauses), abs=1e-3)
    call.close()


async def test_no_pause_goes_past_the_deadline(wire: DynamoWire) -> None:
    clock = LoopClock()
    call = wire.call(clock, jitter=lambda: 1.0)
    wire.fail("GetItem", *times(MAX_ATTEMPTS, "refused"))
    set_deadline(Deadline.after(clock.now(), FIRST_PAUSE_SECONDS * 2))
    with pytest.raises(StoreUnavailable, match="attempt 2 of 5"):
        await call("get_item", TableName=wire.table, Key=KEY)
    assert wire.sent["GetItem"] == 2
    call.close()


# Cancelled and hanging calls.


async def test_a_cancelled_call_may_still_take_effect_but_is_not_retried(wire: DynamoWire, call: DynamoDB) -> None:
    wire.fail("PutItem", "hang")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(put(call, wire, ITEM, **ABSENT), timeout=2.4)
    assert wire.items() == []
    wire.hanging.release()
    await asyncio.sleep(1)
    assert wire.items() == [ITEM]
    assert wire.sent["PutItem"] == 1


def test_a_call_that_was_cancelled_while_it_waited_for_a_thread_is_never_made(wire: DynamoWire, call: DynamoDB) -> None:
    async def go() -> None:
        wire.fail("PutItem", *times(MAX_CALLS, "hang"))
        calls = [asyncio.ensure_future(put(call, wire, {**KEY, "sk": str(n)})) for n in range(MAX_CALLS)]
        await asyncio.sleep(0)
        wire.hanging.until_held(MAX_CALLS)
        waiting = asyncio.ensure_future(put(call, wire, ITEM))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        wire.hanging.release()
        await asyncio.gather(*calls)
        assert waiting.cancelled()
        await put(call, wire, ITEM)
        assert wire.sent["PutItem"] == MAX_CALLS + 1

    asyncio.run(go())  # in real time: the virtual loop takes a call that waits for a thread for one that is at work


async def test_an_attempt_that_takes_effect_after_its_repeat_changes_nothing(wire: DynamoWire, call: DynamoDB) -> None:
    wire.fail("TransactWriteItems", "late")
    await call("transact_write_items", TransactItems=[{"Update": adding(wire, KEY)}])
    wire.hanging.land()
    assert wire.items() == [{**KEY, "generation": 1}]
