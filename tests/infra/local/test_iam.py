"""IAM's evaluation of identity policies."""

from typing import Any

import pytest

from infra.local.iam import Need, allows

QUEUE = "arn:aws:sqs:eu-central-1:123456789012:jobs"
SEND = Need("sqs:SendMessage", QUEUE)


def statement(**given: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": QUEUE, **given}


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ({}, True),
        ({"Action": ["sqs:DeleteMessage", "SQS:sendmessage"]}, True),
        ({"Action": "sqs:Send*"}, True),
        ({"Action": "*", "Resource": "*"}, True),
        ({"Resource": ["arn:aws:sqs:*:123456789012:job?"]}, True),
        ({"Action": "sqs:SendMessageBatch"}, False),
        ({"Resource": f"{QUEUE}-dead"}, False),
        ({"Resource": QUEUE[:-1]}, False),
        ({"Resource": QUEUE.replace("sqs", "s.s")}, False),
        ({"Effect": "Deny"}, False),
        ({"Condition": {"StringEquals": {"kms:ViaService": "ssm"}}}, False),
    ],
)
def test_a_statement_allows_its_actions_on_its_resources(given: dict[str, Any], allowed: bool) -> None:
    assert allows([statement(**given)], SEND) is allowed


def test_nothing_is_allowed_by_default_and_a_deny_wins() -> None:
    assert not allows([], SEND)
    assert not allows([statement(), statement(Effect="Deny", Action="sqs:*", Resource="*")], SEND)
    assert allows([statement(), statement(Effect="Deny", Action="sns:*", Resource="*")], SEND)


def test_a_condition_holds_for_the_requests_that_have_the_value() -> None:
    statements = [statement(Condition={"StringEquals": {"kms:ViaService": ["ssm", "sqs"]}})]
    assert allows(statements, Need(SEND.action, SEND.resource, {"kms:ViaService": "ssm"}))
    assert not allows(statements, Need(SEND.action, SEND.resource, {"kms:ViaService": "s3"}))


@pytest.mark.parametrize("unknown", [{"NotAction": "sqs:*"}, {"Condition": {"StringLike": {}}}])
def test_what_is_not_known_is_a_fault_and_not_an_answer(unknown: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not known here"):
        allows([statement(**unknown)], SEND)
