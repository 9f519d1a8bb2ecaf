"""template.yaml as plain values: what it says itself, and what CloudFormation gets after SAM's translation."""

from typing import Any, Final

from infra import cloudformation
from infra.interactions import DEVELOPMENT_APPLICATION_ID, development_key

ROOT: Final = cloudformation.TEMPLATE.parent

# A deployment's answers, where the template has no default.
ANSWERS: Final = {
    "DiscordApplicationId": DEVELOPMENT_APPLICATION_ID,
    "DiscordPublicKey": development_key().verify_key.encode().hex(),
}


def template() -> dict[str, Any]:
    return cloudformation.read()


def parameter_values() -> dict[str, Any]:
    """What a deployment has that leaves every default as it is."""
    given = {name: parameter.get("Default") for name, parameter in template()["Parameters"].items()}
    return {**given, **ANSWERS}


def environment_of(function: str) -> dict[str, str]:
    """The environment of a deployed function; a reference to another resource becomes a value of its form."""
    read = template()
    common = read["Globals"]["Function"]["Environment"]["Variables"]
    own = read["Resources"][function]["Properties"].get("Environment", {}).get("Variables", {})
    return {name: _resolved(value) for name, value in {**common, **own}.items()}


def _resolved(value: Any) -> str:
    name = value["Ref"]
    if name in parameter_values():
        return str(parameter_values()[name])
    kind = template()["Resources"][name]["Type"]
    return f"https://sqs.us-east-1.amazonaws.com/123456789012/{name}" if kind == "AWS::SQS::Queue" else name
