"""The table behind DynamoDB's protocol: what boto3 reads in its answers."""

import json
from collections.abc import Iterator
from typing import Any, Final, cast

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError

from infra.table.memory_table import MemoryTable
from infra.table.wire import TOKEN_SECONDS, TableWire
from tests.kit.aws_answers import answer, connect, operation_of
from tests.kit.dynamodb import aws_session

KEY: Final = {"pk": {"S": "A"}, "sk": {"S": "1"}}
ITEM: Final = {**KEY, "n": {"N": "1"}, "s": {"S": ""}, "b": {"BOOL": False}}
ABSENT: Final = {
    "ConditionExpression": "attribute_not_exists(pk)",
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
}


class Clock:
    time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wire(clock: Clock) -> TableWire:
    return TableWire(MemoryTable("sessions"), clock)


@pytest.fixture
def dynamodb(wire: TableWire) -> Iterator[Any]:
    """boto3's client, whose requests end in the table."""

    def send(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        status, document = wire.answer(operation_of(request), json.loads(cast("bytes", request.body)))
        return answer(request.url, status, json.dumps(document))

    session = aws_session()
    connect(session, "dynamodb", send)
    client = session.client("dynamodb")
    yield client
    client.close()


def refused(call: Any, **parameters: Any) -> dict[str, Any]:
    """The error with which the call ends."""
    with pytest.raises(ClientError) as refusal:
        call(**parameters)
    response: Any = refusal.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return {"Code": response["Error"]["Code"], **{name: response[name] for name in response if name[0] in "IC"}}


def test_an_item_comes_back_as_it_was_put(dynamodb: Any) -> None:
    dynamodb.put_item(TableName="sessions", Item=ITEM)
    for consistent in (True, False):
        assert dynamodb.get_item(TableName="sessions", Key=KEY, ConsistentRead=consistent)["Item"] == ITEM
    assert "Item" not in dynamodb.get_item(TableName="sessions", Key={**KEY, "sk": {"S": "2"}})


def test_a_failed_condition_shows_what_stood_in_the_way_if_that_was_asked_for(dynamodb: Any) -> None:
    put = {"TableName": "sessions", "Item": ITEM}
    dynamodb.put_item(**put, **ABSENT)
    assert refused(dynamodb.put_item, **put, **ABSENT) == {"Code": "ConditionalCheckFailedException", "Item": ITEM}
    silent = {"ConditionExpression": ABSENT["ConditionExpression"]}
    assert refused(dynamodb.put_item, **put, **silent) == {"Code": "ConditionalCheckFailedException"}


def test_a_cancelled_transaction_gives_a_reason_for_each_item(dynamodb: Any) -> None:
    dynamodb.put_item(TableName="sessions", Item=ITEM)
    other = {"pk": {"S": "B"}, "sk": {"S": "1"}}
    items = [{"Put": {"TableName": "sessions", "Item": item, **ABSENT}} for item in (other, ITEM)]
    cancelled = refused(dynamodb.transact_write_items, TransactItems=items)
    assert cancelled["Code"] == "TransactionCanceledException"
    assert [(reason["Code"], reason.get("Item")) for reason in cancelled["CancellationReasons"]] == [
        ("None", None),
        ("ConditionalCheckFailed", ITEM),
    ]
    assert "Item" not in dynamodb.get_item(TableName="sessions", Key=other)


def test_a_transaction_is_applied_once_under_its_token_for_ten_minutes(dynamodb: Any, clock: Clock) -> None:
    def put(text: str) -> dict[str, Any]:
        item = {**KEY, "s": {"S": text}}
        return {
            "TransactItems": [{"Put": {"TableName": "sessions", "Item": item, **ABSENT}}],
            "ClientRequestToken": "t",
        }

    dynamodb.transact_write_items(**put("x"))
    clock.time += TOKEN_SECONDS - 1
    dynamodb.transact_write_items(**put("x"))
    assert refused(dynamodb.transact_write_items, **put("y"))["Code"] == "IdempotentParameterMismatchException"
    clock.time += 2
    assert refused(dynamodb.transact_write_items, **put("x"))["Code"] == "TransactionCanceledException"


def test_a_transaction_that_was_cancelled_is_tried_again_under_its_token(dynamodb: Any) -> None:
    dynamodb.put_item(TableName="sessions", Item=ITEM)
    items = [{"Put": {"TableName": "sessions", "Item": ITEM, **ABSENT}}]
    refused(dynamodb.transact_write_items, TransactItems=items, ClientRequestToken="t")
    dynamodb.delete_item(TableName="sessions", Key=KEY)
    dynamodb.transact_write_items(TransactItems=items, ClientRequestToken="t")
    assert dynamodb.get_item(TableName="sessions", Key=KEY)["Item"] == ITEM


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("get_item", {"TableName": "another", "Key": KEY}, "ResourceNotFoundException"),
        ("describe_table", {"TableName": "another"}, "ResourceNotFoundException"),
        ("batch_get_item", {"RequestItems": {"another": {"Keys": [KEY]}}}, "ResourceNotFoundException"),
        (
            "transact_write_items",
            {"TransactItems": [{"Put": {"TableName": "another", "Item": KEY}}]},
            "ResourceNotFoundException",
        ),
        ("get_item", {"TableName": "sessions", "Key": {"pk": {"S": "A"}}}, "ValidationException"),
        ("get_item", {"TableName": "sessions", "Key": {**KEY, "sk": {"N": "1"}}}, "ValidationException"),
        ("put_item", {"TableName": "sessions", "Item": {**KEY, "l": {"SS": ["x"]}}}, "ValidationException"),
        ("put_item", {"TableName": "sessions", "Item": {**KEY, "n": {"N": "x"}}}, "ValidationException"),
        ("put_item", {"TableName": "sessions", "Item": {**KEY, "n": {"N": "1.5"}}}, "ValidationException"),
        ("put_item", {"TableName": "sessions", "Item": {**KEY, "n": {"N": "NaN"}}}, "ValidationException"),
        ("put_item", {"TableName": "sessions", "Item": {**KEY, "n": {"N": "1" * 19}}}, "ValidationException"),
        ("put_item", {"TableName": "sessions", "Item": {**KEY, "s": {"S": "x" * 409_600}}}, "ValidationException"),
        ("query", {"TableName": "sessions", "KeyConditionExpression": "pk ="}, "ValidationException"),
        ("scan", {"TableName": "sessions", "FilterExpression": "attribute_exists(pk)"}, "ValidationException"),
        ("batch_get_item", {"RequestItems": {"sessions": {"Keys": [KEY, KEY]}}}, "ValidationException"),
        ("delete_table", {"TableName": "sessions"}, "UnknownOperationException"),
    ],
)
def test_what_dynamodb_refuses_is_refused_with_its_code(
    dynamodb: Any, operation: str, parameters: dict[str, Any], code: str
) -> None:
    assert refused(getattr(dynamodb, operation), **parameters)["Code"] == code


@pytest.mark.parametrize("request_", [[], {}, {"TableName": "sessions"}, {"TableName": "sessions", "Key": "A"}])
def test_what_no_client_would_send_is_refused_too(wire: TableWire, request_: Any) -> None:
    status, document = wire.answer("GetItem", request_)
    assert status == 400
    assert document["__type"].partition("#")[2] in ("ValidationException", "SerializationException")


def test_an_error_carries_its_namespace(wire: TableWire) -> None:
    missing = wire.answer("GetItem", {"TableName": "another", "Key": KEY}).document["__type"]
    invalid = wire.answer("GetItem", {"TableName": "sessions", "Key": {}}).document["__type"]
    assert missing == "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"
    assert invalid == "com.amazon.coral.validate#ValidationException"


def test_a_query_is_paged_by_its_limit(dynamodb: Any) -> None:
    items = [{"pk": {"S": "A"}, "sk": {"S": str(number)}} for number in range(5)]
    for item in items:
        dynamodb.put_item(TableName="sessions", Item=item)
    asked = {
        "TableName": "sessions",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "A"}},
    }
    pages = list(dynamodb.get_paginator("query").paginate(**asked, PaginationConfig={"PageSize": 2}))
    assert [page["Items"] for page in pages] == [items[:2], items[2:4], items[4:]]
    assert pages[0]["LastEvaluatedKey"] == items[1]


# What people use beside.


def test_a_batch_is_written_and_the_whole_table_is_read_in_pages(dynamodb: Any) -> None:
    items = [{"pk": {"S": "A"}, "sk": {"S": f"{number:02}"}} for number in range(25)]
    puts = [{"PutRequest": {"Item": item}} for item in items]
    assert dynamodb.batch_write_item(RequestItems={"sessions": puts})["UnprocessedItems"] == {}
    pages = dynamodb.get_paginator("scan").paginate(TableName="sessions", PaginationConfig={"PageSize": 10})
    assert [item for page in pages for item in page["Items"]] == items
    dynamodb.batch_write_item(RequestItems={"sessions": [{"DeleteRequest": {"Key": items[0]}}]})
    assert dynamodb.scan(TableName="sessions")["Items"] == items[1:]


@pytest.mark.parametrize("keys", [[str(number) for number in range(26)], ["1", "1"]])
def test_a_batch_of_too_many_writes_or_of_one_item_twice_writes_nothing(dynamodb: Any, keys: list[str]) -> None:
    puts = [{"PutRequest": {"Item": {"pk": {"S": "A"}, "sk": {"S": key}}}} for key in keys]
    assert refused(dynamodb.batch_write_item, RequestItems={"sessions": puts})["Code"] == "ValidationException"
    assert dynamodb.scan(TableName="sessions")["Items"] == []


def test_the_table_is_described_as_in_the_template(dynamodb: Any) -> None:
    assert dynamodb.list_tables()["TableNames"] == ["sessions"]
    described = dynamodb.describe_table(TableName="sessions")["Table"]
    assert described["TableStatus"] == "ACTIVE"
    assert [index["IndexName"] for index in described["GlobalSecondaryIndexes"]] == [
        "WatchIndex",
        "DueIndex",
        "ActivityIndex",
    ]


def test_items_are_lost_by_the_ids_that_they_are_about(wire: TableWire) -> None:
    for pk in ("CHANNEL#1", "CHANNEL#11", "THREAD#1", "GUILD#2"):
        wire.answer("PutItem", {"TableName": "sessions", "Item": {"pk": {"S": pk}, "sk": {"S": "x"}}})
    assert wire.lose({"1", "3"}) == 2
    assert [item["pk"] for item in wire.table.items()] == ["CHANNEL#11", "GUILD#2"]
    assert wire.lose() == 2
    assert wire.lose() == 0
