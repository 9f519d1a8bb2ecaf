"""The seam over the real boto3: values, lost races, calls of a wrong form, how it is built."""

from typing import Any

import boto3
import botocore.session
import pytest
from botocore.credentials import CredentialResolver
from botocore.stub import Stubber

from handler.aws.dynamodb import ConditionFailed, DynamoDB, InvalidCall, TransactionFailed, build
from handler.errors import StoreUnavailable
from handler.runtime.telemetry import counts, log_request
from infra.virtual_time import LoopClock, run
from tests.kit.dynamodb import REGION, DynamoWire
from tests.kit.dynamodb_calls import ABSENT, ITEM, KEY, OTHER, adding, creating, put, unconnected_client

CONNECT_TIMEOUT_SECONDS = 1.0
MAX_CALLS = 16
READ_TIMEOUT_SECONDS = 1.5


async def test_parameters_and_answers_have_plain_values_in_every_operation(wire: DynamoWire, call: DynamoDB) -> None:
    await put(call, wire, ITEM)
    await call("transact_write_items", TransactItems=creating(wire, {**OTHER, "session_key": "a"}))
    updated = await call("update_item", **adding(wire, KEY), ReturnValues="ALL_NEW")
    assert updated["Attributes"] == {**ITEM, "generation": 4}
    got = await call("get_item", TableName=wire.table, Key=KEY, ConsistentRead=True)
    assert got == {"Item": {**ITEM, "generation": 4}}  # and no metadata
    assert type(got["Item"]["generation"]) is int
    batch = await call("batch_get_item", RequestItems={wire.table: {"Keys": [OTHER]}})
    assert batch["Responses"] == {wire.table: [{**OTHER, "session_key": "a"}]}
    gone = await call("delete_item", TableName=wire.table, Key=OTHER, ReturnValues="ALL_OLD")
    assert gone["Attributes"] == {**OTHER, "session_key": "a"}
    assert "Item" not in await call("get_item", TableName=wire.table, Key=OTHER)


async def test_the_next_page_of_a_query_starts_from_a_plain_key(wire: DynamoWire, call: DynamoDB) -> None:
    for number in ("1", "2"):
        await put(call, wire, {"pk": "P", "sk": number})
    asked = {
        "TableName": wire.table,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": "P"},
        "Limit": 1,
    }
    first = await call("query", **asked)
    assert (first["Items"], first["LastEvaluatedKey"]) == ([{"pk": "P", "sk": "1"}], {"pk": "P", "sk": "1"})
    second = await call("query", **asked, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert second["Items"] == [{"pk": "P", "sk": "2"}]


def test_the_unprocessed_keys_of_a_batch_have_plain_values() -> None:
    wire_key = {"pk": {"S": "CHANNEL#1"}, "sk": {"S": "SESSION#a"}}
    client = unconnected_client()
    with Stubber(client) as stub:
        left = {"Keys": {"Keys": [wire_key], "ConsistentRead": True}}  # a table may have any name
        stub.add_response("batch_get_item", {"Responses": {"Keys": []}, "UnprocessedKeys": left})
        answer = run(DynamoDB(client, LoopClock())("batch_get_item", RequestItems={"Keys": {"Keys": [KEY]}}))
    assert answer["UnprocessedKeys"] == {"Keys": {"Keys": [KEY], "ConsistentRead": True}}


# Lost races.


async def test_a_failed_condition_carries_the_item_that_stood_in_the_way(wire: DynamoWire, call: DynamoDB) -> None:
    await put(call, wire, ITEM)
    with pytest.raises(ConditionFailed) as lost:
        await put(call, wire, {**KEY, "generation": 1}, **ABSENT)
    assert lost.value.item == ITEM


async def test_a_condition_that_failed_without_an_item_carries_none(wire: DynamoWire, call: DynamoDB) -> None:
    with pytest.raises(ConditionFailed) as lost:
        await put(call, wire, ITEM, **{**ABSENT, "ConditionExpression": "attribute_exists(pk)"})
    assert lost.value.item is None


async def test_a_failed_transaction_has_the_reason_of_each_item_in_order(wire: DynamoWire, call: DynamoDB) -> None:
    await put(call, wire, ITEM)
    with pytest.raises(TransactionFailed) as lost:
        await call("transact_write_items", TransactItems=creating(wire, OTHER, KEY))
    assert lost.value.reasons == (("None", None), ("ConditionalCheckFailed", ITEM))
    assert wire.items() == [ITEM]


async def test_a_failed_condition_is_not_retried(wire: DynamoWire, call: DynamoDB) -> None:
    await put(call, wire, ITEM)
    wire.forget()
    with pytest.raises(ConditionFailed):
        await put(call, wire, KEY, **ABSENT)
    with pytest.raises(TransactionFailed):
        await call("transact_write_items", TransactItems=creating(wire, KEY))
    assert wire.sent == {"PutItem": 1, "TransactWriteItems": 1}


# What does not pass.


async def test_a_refused_access_is_unavailable_at_once(wire: DynamoWire, call: DynamoDB) -> None:
    wire.fail("GetItem", "access_denied")
    with pytest.raises(StoreUnavailable, match="get_item: AccessDeniedException"):
        await call("get_item", TableName=wire.table, Key=KEY)
    assert wire.sent["GetItem"] == 1


async def test_a_missing_table_is_unavailable_at_once(wire: DynamoWire, call: DynamoDB) -> None:
    with pytest.raises(StoreUnavailable, match="get_item: ResourceNotFoundException"):
        await call("get_item", TableName="another", Key=KEY)
    assert wire.sent["GetItem"] == 1


def test_missing_credentials_are_unavailable() -> None:
    core = botocore.session.Session()
    core.register_component("credential_provider", CredentialResolver([]))
    call = build(LoopClock(), boto3.session.Session(botocore_session=core, region_name=REGION))
    with pytest.raises(StoreUnavailable, match="NoCredentialsError"):
        run(call("get_item", TableName="sessions", Key=KEY))


@pytest.mark.parametrize(
    "parameters",
    [
        {"Key": {"pk": "CHANNEL#1"}},
        {"Key": KEY, "Unknown": "parameter"},
    ],
)
async def test_an_invalid_call_is_our_fault_and_not_retried(
    wire: DynamoWire, call: DynamoDB, parameters: dict[str, Any]
) -> None:
    with pytest.raises(InvalidCall, match="get_item"):
        await call("get_item", TableName=wire.table, **parameters)
    assert wire.sent["GetItem"] <= 1


async def test_a_value_that_dynamodb_cannot_hold_is_not_sent(wire: DynamoWire, call: DynamoDB) -> None:
    with pytest.raises(TypeError):
        await put(call, wire, {**KEY, "generation": 1.5})
    assert not wire.requests


# How it is built.


async def test_every_attempt_is_counted_in_its_request(wire: DynamoWire, call: DynamoDB) -> None:
    wire.fail("GetItem", "refused")
    with log_request():
        await call("get_item", TableName=wire.table, Key=KEY)
        assert counts()["dynamodb_calls"] == 2


def test_the_client_has_short_time_outs_and_a_connection_for_every_thread(call: DynamoDB) -> None:
    config = call.client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS)
    assert config.max_pool_connections == MAX_CALLS
    assert config.retries["total_max_attempts"] == 1
