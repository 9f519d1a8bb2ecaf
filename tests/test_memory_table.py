"""The memory table says what DynamoDB says: its documentation, and Amazon's DynamoDB Local where moto says otherwise."""

from typing import Any

import pytest

from handler.aws.dynamodb import InvalidCall, TransactionFailed
from tests.kit.asking import ITEM, KEY, ask, table_with, update
from tests.kit.memory_table import MemoryTable


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("get_item", {"Key": {"pk": "A"}}),
        ("get_item", {"Key": {**KEY, "n": 1}}),
        ("get_item", {"Key": KEY, "ExpressionAttributeNames": {"#a": "a"}}),
        ("get_item", {"Key": KEY, "Unknown": 1}),
        ("put_item", {"Item": {"pk": "A"}}),
        ("put_item", {"Item": {"pk": "", "sk": "1"}}),
        ("put_item", {"Item": {"pk": 1, "sk": "1"}}),
        ("put_item", {"Item": KEY, "ReturnValues": "ALL_NEW"}),
        ("put_item", {"Item": KEY, "ExpressionAttributeValues": {}}),
        ("query", {"KeyConditionExpression": "sk = :v"}),
        ("query", {"KeyConditionExpression": "pk < :v"}),
        ("query", {"KeyConditionExpression": "pk = :v AND n = :v"}),
        ("query", {"KeyConditionExpression": "pk = :v OR sk = :v"}),
        ("query", {"KeyConditionExpression": "pk = :v AND sk <> :v"}),
        ("query", {"KeyConditionExpression": "pk = :v AND sk = :v AND sk = :v"}),
        ("query", {"KeyConditionExpression": "pk = :v", "FilterExpression": "sk = :v"}),
        ("query", {"KeyConditionExpression": "pk = :v", "IndexName": "WatchIndex"}),
        ("query", {"KeyConditionExpression": "watch_guild_id = :v", "IndexName": "WatchIndex", "ConsistentRead": True}),
        ("query", {"KeyConditionExpression": "pk = :v", "IndexName": "Another"}),
        ("query", {"KeyConditionExpression": "pk = :v", "Limit": 0}),
        ("query", {"KeyConditionExpression": "pk = :v", "ExclusiveStartKey": {"pk": "B", "sk": "1"}}),
    ],
)
def test_a_request_that_dynamodb_refuses_is_refused(operation: str, parameters: dict[str, Any]) -> None:
    if operation == "query":
        parameters = {**parameters, "ExpressionAttributeValues": {":v": "A"}}
    with pytest.raises(InvalidCall):
        ask(table_with(ITEM), operation, **parameters)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("scan", {}),
        ("get_item", {"Key": KEY, "TableName": "another"}),
        ("delete_item", {"Key": KEY, "ConditionExpression": "a.b = c"}),
    ],
)
def test_what_the_store_has_no_use_for_is_refused(operation: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(InvalidCall):
        ask(table_with(ITEM), operation, **parameters)


def test_a_value_that_is_no_text_number_or_flag_is_refused() -> None:
    with pytest.raises(TypeError, match="topic"):
        ask(table_with(), "put_item", Item={**KEY, "topic": None})


# Batches and transactions.


def batch(table: MemoryTable, *keys: dict[str, Any]) -> dict[str, Any]:
    return table.apply("batch_get_item", {"RequestItems": {table.name: {"Keys": list(keys)}}})


def test_a_batch_of_more_than_100_keys_or_of_one_key_twice_is_refused() -> None:
    keys = [{"pk": "A", "sk": str(number)} for number in range(101)]
    assert batch(table_with(ITEM), *keys[:100])["Responses"] == {"sessions": [ITEM]}
    for refused in (keys, [KEY, KEY], []):
        with pytest.raises(InvalidCall):
            batch(table_with(ITEM), *refused)


def transact(table: MemoryTable, *actions: tuple[str, dict[str, Any]]) -> None:
    items = [{kind: {"TableName": table.name, **parameters}} for kind, parameters in actions]
    table.apply("transact_write_items", {"TransactItems": items})


def test_a_lost_transaction_changes_nothing_and_tells_each_reason_in_order() -> None:
    table = table_with(ITEM)
    absent = {"ConditionExpression": "attribute_not_exists(pk)"}
    with pytest.raises(TransactionFailed) as lost:
        transact(
            table,
            ("Put", {"Item": {"pk": "B", "sk": "1"}}),
            ("Delete", {"Key": KEY, **absent, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}),
            ("ConditionCheck", {"Key": {"pk": "C", "sk": "1"}, "ConditionExpression": "attribute_exists(pk)"}),
        )
    assert lost.value.reasons == (("None", None), ("ConditionalCheckFailed", ITEM), ("ConditionalCheckFailed", None))
    assert table.items() == [ITEM]


def test_a_transaction_applies_all_of_its_actions() -> None:
    table = table_with(ITEM, {"pk": "C", "sk": "1"})
    transact(
        table,
        ("Put", {"Item": {"pk": "B", "sk": "1"}}),
        ("Update", {"Key": KEY, "UpdateExpression": "REMOVE n, b"}),
        ("Delete", {"Key": {"pk": "C", "sk": "1"}}),
        ("ConditionCheck", {"Key": {"pk": "D", "sk": "1"}, "ConditionExpression": "attribute_not_exists(pk)"}),
    )
    assert table.items() == [{**KEY, "s": "x"}, {"pk": "B", "sk": "1"}]


@pytest.mark.parametrize(
    "actions",
    [
        [("Put", {"Item": KEY}), ("Delete", {"Key": KEY})],
        [("Put", {"Item": {"pk": "A", "sk": str(number)}}) for number in range(101)],
        [("Put", {"Item": KEY, "ReturnValues": "ALL_OLD"})],
        [("ConditionCheck", {"Key": KEY})],
        [("Get", {"Key": KEY})],
        [],
    ],
)
def test_a_transaction_that_dynamodb_refuses_is_refused(actions: list[tuple[str, dict[str, Any]]]) -> None:
    table = table_with()
    with pytest.raises(InvalidCall):
        transact(table, *actions)
    assert table.items() == []


# For explorers.


def test_a_fork_and_its_origin_change_apart() -> None:
    origin = table_with(ITEM)
    fork = origin.fork()
    update(fork, "REMOVE s")
    update(origin, "REMOVE n")
    assert (origin.items(), fork.items()) == ([{**KEY, "s": "x", "b": True}], [{**KEY, "n": 1, "b": True}])


def test_the_fingerprint_tells_the_content_and_nothing_else() -> None:
    table, other = table_with(ITEM), table_with({"pk": "Z", "sk": "1"}, dict(reversed(ITEM.items())))
    before = table.fingerprint
    other.lose(("Z", "1"))
    assert other.fingerprint == before
    update(table, "ADD n :one", ExpressionAttributeValues={":one": 1})
    assert table.fingerprint != before
    update(table, "ADD n :less", ExpressionAttributeValues={":less": -1})
    assert table.fingerprint == before
    assert table_with({**ITEM, "n": True}).fingerprint != before


def test_what_a_caller_does_with_an_answer_does_not_reach_the_table() -> None:
    table = table_with(ITEM)
    ask(table, "get_item", Key=KEY)["Item"]["n"] = 5
    update(table, "ADD n :none", ExpressionAttributeValues={":none": 0}, ReturnValues="ALL_NEW")["Attributes"].clear()
    assert table.items() == [ITEM]


def test_a_lost_table_holds_nothing() -> None:
    table = table_with(ITEM, {"pk": "B", "sk": "1"})
    table.lose()
    assert (table.items(), table.fingerprint) == ([], table_with().fingerprint)
