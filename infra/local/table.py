"""The sessions table as `SessionsTable` of template.yaml describes it, for whoever needs one outside CloudFormation."""

from pathlib import Path
from typing import Any, Final

import yaml

TEMPLATE: Final = Path(__file__).resolve().parents[2] / "template.yaml"

# What CreateTable takes. Recovery, TTL and encryption are separate calls, and nothing to a table that is thrown away.
_PROPERTIES: Final = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


class _Loader(yaml.SafeLoader):
    """Reads over CloudFormation's short forms (!Ref, !Sub, …): the table's own properties have none."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


def create_table_parameters(name: str, template: Path = TEMPLATE) -> dict[str, Any]:
    """The parameters of CreateTable for a table of that name."""
    document = yaml.load(template.read_text(encoding="utf-8"), _Loader)  # a safe loader, extended
    properties = document["Resources"]["SessionsTable"]["Properties"]
    return {"TableName": name, **{key: properties[key] for key in _PROPERTIES if key in properties}}


def create_table(client: Any, name: str) -> None:
    """Create the table over a boto3 client, and wait until it can be used. Raises ResourceInUseException if it exists."""
    client.create_table(**create_table_parameters(name))
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
