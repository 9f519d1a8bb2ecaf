"""The table is the template's, also without CloudFormation."""

from pathlib import Path

import pytest

from infra.table.schema import create_table_parameters, orders
from tests.kit.dynamodb import DynamoWire


def test_the_table_is_created_as_the_template_describes_it() -> None:
    with DynamoWire() as wire:
        table = wire.client.describe_table(TableName=wire.table)["Table"]
    keys = [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]]
    indices = {
        index["IndexName"]: [(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]]
        for index in table["GlobalSecondaryIndexes"]
    }
    assert keys == [("pk", "HASH"), ("sk", "RANGE")]
    assert indices == {
        "WatchIndex": [("watch_guild_id", "HASH"), ("pk", "RANGE")],
        "DueIndex": [("due_in", "HASH"), ("due_at", "RANGE")],
        "ActivityIndex": [("listed_in", "HASH"), ("activity", "RANGE")],
    }
    assert {index["Projection"]["ProjectionType"] for index in table["GlobalSecondaryIndexes"]} == {"ALL"}
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def test_short_forms_elsewhere_in_the_template_are_no_problem(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(
        "Resources:\n"
        "  Other: {Properties: {A: !Ref B, C: !GetAtt D.E, F: !Sub [g, {H: !Ref I}]}}\n"
        "  SessionsTable: {Properties: {KeySchema: [], TableName: !Ref Name, DeletionProtectionEnabled: true}}\n"
    )
    assert create_table_parameters("sessions", template) == {"TableName": "sessions", "KeySchema": []}


INDEXED = """
Resources:
  SessionsTable:
    Properties:
      KeySchema: [{AttributeName: sk, KeyType: RANGE}, {AttributeName: pk, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - IndexName: OwnerIndex
          KeySchema: [{AttributeName: owner, KeyType: HASH}, {AttributeName: sk, KeyType: RANGE}]
"""


def test_the_indexes_of_the_table_in_memory_are_the_templates(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(INDEXED)
    assert orders(template) == {None: ("pk", "sk"), "OwnerIndex": ("owner", "sk", "pk")}
    assert orders().keys() == {None, "WatchIndex", "DueIndex", "ActivityIndex"}


def test_a_template_whose_keys_no_expression_names_is_refused(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(
        INDEXED.replace("AttributeName: sk, KeyType: RANGE}, {", "AttributeName: order, KeyType: RANGE}, {")
    )
    with pytest.raises(ValueError, match="order"):
        orders(template)


def test_an_existing_table_is_not_created_again() -> None:
    with DynamoWire() as wire, pytest.raises(wire.client.exceptions.ResourceInUseException):
        wire.client.create_table(**create_table_parameters(wire.table))
