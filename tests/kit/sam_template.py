"""template.yaml as plain values: what it says itself, and what CloudFormation gets after SAM's translation."""

import functools
from collections.abc import Mapping
from typing import Any, Final

from handler import config
from infra import cloudformation
from infra.cloudformation import PSEUDO_PARAMETERS, Intrinsics
from infra.interactions import DEVELOPMENT_APPLICATION_ID, development_key
from infra.lambda_events import ACCOUNT, REGION

ROOT: Final = cloudformation.TEMPLATE.parent

# A deployment's answers, where the template has no default.
ANSWERS: Final = {
    "DiscordApplicationId": DEVELOPMENT_APPLICATION_ID,
    "DiscordPublicKey": development_key().verify_key.encode().hex(),
}


def template() -> dict[str, Any]:
    return cloudformation.read()


CONFIGS: Final[Mapping[str, type[config.Config]]] = {
    "WebhookFunction": config.WebhookConfig,
    "WorkerFunction": config.WorkerConfig,
    "ApiFunction": config.ApiConfig,
    "ReconcilerFunction": config.ReconcilerConfig,
    "PublisherFunction": config.PublisherConfig,
}


def parameter_values() -> dict[str, Any]:
    """What a deployment has that leaves every default as it is."""
    return {**_defaults(), **ANSWERS}


@functools.cache
def _defaults() -> Mapping[str, Any]:
    return {name: parameter.get("Default") for name, parameter in template()["Parameters"].items()}


def physical_ids() -> dict[str, str]:
    """What `Ref` gives for each resource of the template, in its form."""
    read = template()["Resources"]
    kinds = {name: resource["Type"] for name, resource in read.items()}
    return {name: _queue_url(name) if kind == "AWS::SQS::Queue" else name for name, kind in kinds.items()}


def environment_of(function: str) -> dict[str, str]:
    """The environment of a deployed function; a reference to another resource becomes a value of its form."""
    read = template()
    common = read["Globals"]["Function"]["Environment"]["Variables"]
    own = read["Resources"][function]["Properties"].get("Environment", {}).get("Variables", {})
    given = Intrinsics(read, deployed_values()).evaluate({**common, **own})
    return {name: str(value) for name, value in given.items()}


def deployed_values(**others: Any) -> dict[str, Any]:
    """What `Ref` and `GetAtt` refer to. `others`: in place of a default, or of a name."""
    names = {f"{name}.QueueName": name for name in physical_ids()}
    return {**PSEUDO_PARAMETERS, **parameter_values(), **physical_ids(), **names, **others}


def of_type(kind: str, **others: Any) -> dict[str, dict[str, Any]]:
    """The properties of the resources of that type in a deployment. `others`: as in `deployed_values`."""
    read = template()
    intrinsics = Intrinsics(read, deployed_values(**others))
    found = {name: resource for name, resource in read["Resources"].items() if resource["Type"] == kind}
    return {name: intrinsics.evaluate(resource["Properties"]) for name, resource in found.items()}


def _queue_url(name: str) -> str:
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"
