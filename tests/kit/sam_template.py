"""template.yaml as plain values: what it says itself, and what CloudFormation gets after SAM's translation."""

import copy
import functools
from pathlib import Path
from typing import Any, Final

import yaml

from infra.interactions import DEVELOPMENT_APPLICATION_ID, development_key

ROOT: Final = Path(__file__).resolve().parent.parent.parent

# A deployment's answers, where the template has no default.
ANSWERS: Final = {
    "DiscordApplicationId": DEVELOPMENT_APPLICATION_ID,
    "DiscordPublicKey": development_key().verify_key.encode().hex(),
}


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms, such as !Ref and !GetAtt, as the long ones."""


def _long_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        raise yaml.YAMLError(f"!{suffix} over a mapping is not used here")
    if suffix == "GetAtt":
        value = value.split(".")
    return {"Ref" if suffix == "Ref" else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _long_form)


@functools.cache
def _read() -> dict[str, Any]:
    template: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(), _Loader)  # a safe loader, extended
    return template


def template() -> dict[str, Any]:
    return copy.deepcopy(_read())


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
