"""The sessions table as template.yaml describes it, created without CloudFormation."""

from pathlib import Path
from typing import Any, Final

from infra import cloudformation

# What CreateTable takes. Recovery, TTL and encryption are separate calls, which a temporary table does not need.
_PROPERTIES: Final = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


def create_table_parameters(name: str, template: Path = cloudformation.TEMPLATE) -> dict[str, Any]:
    """CreateTable's parameters for a table of that name."""
    properties = cloudformation.read(template)["Resources"]["SessionsTable"]["Properties"]
    return {"TableName": name, **{key: properties[key] for key in _PROPERTIES if key in properties}}


def create_table(client: Any, name: str) -> None:
    """Create the table and wait until it can be used. Raises ResourceInUseException if it exists."""
    client.create_table(**create_table_parameters(name))
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
