"""The sessions table as `SessionsTable` of template.yaml describes it, for whoever needs one outside CloudFormation."""

from pathlib import Path
from typing import Any, Final

from infra import cloudformation

# What CreateTable takes. Recovery, TTL and encryption are separate calls, and nothing to a table that is thrown away.
_PROPERTIES: Final = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


def create_table_parameters(name: str, template: Path = cloudformation.TEMPLATE) -> dict[str, Any]:
    """The parameters of CreateTable for a table of that name."""
    properties = cloudformation.read(template)["Resources"]["SessionsTable"]["Properties"]
    return {"TableName": name, **{key: properties[key] for key in _PROPERTIES if key in properties}}


def create_table(client: Any, name: str) -> None:
    """Create the table over a boto3 client, and wait until it can be used. Raises ResourceInUseException if it exists."""
    client.create_table(**create_table_parameters(name))
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
