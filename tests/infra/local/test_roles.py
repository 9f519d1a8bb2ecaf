"""The emulated AWS holds each function to its role."""

import json
from typing import Any

import pytest

from infra.local.aws import EmulatedAws
from infra.local.roles import needs_of
from infra.loopback import Request, Response
from infra.table.memory_table import MemoryTable
from tests.kit.held_to_roles import deployed_roles
from tests.kit.sam_template import template


def ask(aws: EmulatedAws, key: str, target: str, body: dict[str, Any]) -> Response:
    signed = f"AWS4-HMAC-SHA256 Credential={key}/20261129/us-east-1/x/aws4_request, Signature=0"
    headers = {"x-amz-target": target, "authorization": signed}
    return aws.answer(Request("POST", "/environments/1", headers, json.dumps(body).encode(), "127.0.0.1"))


@pytest.mark.parametrize(
    ("key", "target", "body", "refused"),
    [
        ("ApiFunction", "DynamoDB_20120810.GetItem", {"TableName": "SessionsTable", "Key": {}}, None),
        ("ApiFunction", "DynamoDB_20120810.Scan", {"TableName": "SessionsTable"}, "dynamodb:Scan"),
        ("PublisherFunction", "DynamoDB_20120810.GetItem", {"TableName": "SessionsTable"}, "dynamodb:GetItem"),
        ("ApiFunction", "AmazonSSM.GetParameter", {"Name": "/another/token"}, "ssm:GetParameter"),
        ("ApiFunction", "AWSEvents.PutEvents", {"Entries": [{"EventBusName": "onethread-events"}]}, "events:PutEvents"),
        ("somebody", "DynamoDB_20120810.Scan", {"TableName": "SessionsTable"}, None),
    ],
)
def test_a_function_is_refused_what_its_role_does_not_allow_and_others_nothing(
    key: str, target: str, body: dict[str, Any], refused: str | None
) -> None:
    aws = EmulatedAws(MemoryTable("SessionsTable"), {}, deployed_roles(DiscordBotTokenKeyArn=""))
    answered = json.loads(ask(aws, key, target, body).body)
    assert (answered.get("__type") == "AccessDeniedException") is (refused is not None)
    assert refused is None or refused in answered["message"]


def test_a_transaction_needs_each_of_its_parts_and_a_query_its_index() -> None:
    parts = [{part: {"TableName": "T"}} for part in ("Put", "Update", "Delete", "ConditionCheck")]
    needs = needs_of("dynamodb", "TransactWriteItems", {"TransactItems": parts})
    assert [need.action.partition(":")[2] for need in needs] == [
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "ConditionCheckItem",
    ]
    (query,) = needs_of("dynamodb", "Query", {"TableName": "T", "IndexName": "I"})
    assert query.resource == "arn:aws:dynamodb:us-east-1:123456789012:table/T/index/I"


@pytest.mark.parametrize("lost", ["TakeJobs", "WriteOwnLog"])
def test_a_stack_whose_roles_keep_lambda_from_its_work_says_so(lost: str) -> None:
    document = template()
    policy = document["Resources"]["WorkerRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    policy["Statement"] = [statement for statement in policy["Statement"] if statement["Sid"] != lost]
    assert deployed_roles().lacking_for_lambda() is None
    lacking = deployed_roles(document).lacking_for_lambda()
    assert lacking is not None
    assert lacking.startswith("WorkerFunction's role does not allow ")
