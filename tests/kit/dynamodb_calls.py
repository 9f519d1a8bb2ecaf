"""A few items and calls, for the tests of the seam."""

from typing import Any

import boto3

from handler.aws.dynamodb import Call
from tests.kit.dynamodb import REGION, DynamoWire

KEY = {"pk": "CHANNEL#1", "sk": "SESSION#a"}
OTHER = {"pk": "THREAD#1", "sk": "THREAD"}
ITEM = {**KEY, "status": "creating", "generation": 3, "archived": False, "topic": ""}
ABSENT = {"ConditionExpression": "attribute_not_exists(pk)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


async def put(call: Call, wire: DynamoWire, item: dict[str, Any], **more: Any) -> dict[str, Any]:
    return await call("put_item", TableName=wire.table, Item=item, **more)


def adding(wire: DynamoWire, key: dict[str, str]) -> dict[str, Any]:
    """An update that shows how often it was applied."""
    return {
        "TableName": wire.table,
        "Key": key,
        "UpdateExpression": "ADD #generation :one",
        "ExpressionAttributeNames": {"#generation": "generation"},
        "ExpressionAttributeValues": {":one": 1},
    }


def creating(wire: DynamoWire, *items: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"Put": {"TableName": wire.table, "Item": item, **ABSENT}} for item in items]


def unconnected_client() -> Any:
    """A client for botocore's stubber: for answers that moto never gives."""
    session = boto3.session.Session("fake", "fake", region_name=REGION)
    return session.client("dynamodb")
