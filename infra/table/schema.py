"""The sessions table as template.yaml describes it, without CloudFormation."""

from functools import cache
from pathlib import Path
from typing import Any, Final

from infra import cloudformation

KEYS: Final = ("pk", "sk")
# What CreateTable takes. Recovery, TTL and encryption are separate calls, which a temporary table does not need.
_PROPERTIES: Final = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


def create_table_parameters(name: str, template: Path = cloudformation.TEMPLATE) -> dict[str, Any]:
    """CreateTable's parameters for a table of that name."""
    properties = cloudformation.read(template)["Resources"]["SessionsTable"]["Properties"]
    return {"TableName": name, **{key: properties[key] for key in _PROPERTIES if key in properties}}


@cache
def orders(template: Path = cloudformation.TEMPLATE) -> dict[str | None, tuple[str, ...]]:
    """The attributes by which items are in order, in the table (None) and in each index.

    They are the partition key, the sort key, and then what tells the items of an index apart. Raises ValueError if the
    table's own keys are not `KEYS`: the expressions name them.
    """
    declared = create_table_parameters("", template)
    if _names(declared["KeySchema"]) != KEYS:
        raise ValueError(f"the table's keys are {_names(declared['KeySchema'])}")
    indexes = {index["IndexName"]: _names(index["KeySchema"]) for index in declared["GlobalSecondaryIndexes"]}
    return {None: KEYS} | {name: (*keys, *(own for own in KEYS if own not in keys)) for name, keys in indexes.items()}


def _names(key_schema: list[dict[str, str]]) -> tuple[str, ...]:
    return tuple(key["AttributeName"] for key in sorted(key_schema, key=lambda key: key["KeyType"]))  # HASH, RANGE
