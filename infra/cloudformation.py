"""template.yaml: read as plain values, and evaluated with the values of one deployment.

CloudFormation docs, "Intrinsic function reference" and "Condition functions": ``!Ref A`` is ``{"Ref": "A"}``, ``!GetAtt A.Arn``
is ``{"Fn::GetAtt": ["A", "Arn"]}``, and so on. What the template does not use is unknown here.
"""

import copy
import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from infra.lambda_events import ACCOUNT, REGION

TEMPLATE: Final = Path(__file__).resolve().parent.parent / "template.yaml"
# What CloudFormation itself gives (CloudFormation docs, "Pseudo parameters") to a stack named onethread.
PSEUDO_PARAMETERS: Final = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": "onethread",
    "AWS::URLSuffix": "amazonaws.com",
}
NO_VALUE: Final = "AWS::NoValue"
_IN_TEXT: Final = re.compile(r"\$\{(!?)([\w:.]+)\}")
_Absent: Final = object()


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C one where PyYAML has it
    """A safe loader that knows the short forms."""


def _long_form(loader: Any, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        raise yaml.YAMLError(f"!{suffix} over a mapping is not supported")
    if suffix == "GetAtt":
        value = value.split(".")
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _long_form)


def read(path: Path = TEMPLATE) -> dict[str, Any]:
    """The whole template. Raises OSError, or yaml.YAMLError."""
    return copy.deepcopy(_parsed(path))


@functools.cache
def _parsed(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # a safe loader, extended
    return document


class Unknown(KeyError):
    """A reference to what has no value, or a function that is not known here."""


class Intrinsics:
    """`values`: what `Ref` refers to, parameters, resources and pseudo parameters; `A.B` for the attribute B of A."""

    def __init__(self, template: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        self._conditions: Mapping[str, Any] = template.get("Conditions", {})
        self._values = values

    def evaluate(self, value: Any) -> Any:
        """The value without functions. What is `AWS::NoValue` is left out. Raises Unknown."""
        found = self._evaluate(value)
        return None if found is _Absent else found

    def holds(self, condition: str) -> bool:
        """Whether the condition of that name is true. Raises Unknown."""
        if condition not in self._conditions:
            raise Unknown(f"there is no condition {condition}")
        return bool(self._evaluate(self._conditions[condition]))

    def _evaluate(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self._evaluate, value) if item is not _Absent]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" or name.startswith("Fn::") or (name == "Condition" and isinstance(argument, str)):
                return self._call(name, argument)
        items = {name: self._evaluate(item) for name, item in value.items()}
        return {name: item for name, item in items.items() if item is not _Absent}

    def _call(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return _Absent if argument == NO_VALUE else self._find(argument)
            case "Fn::GetAtt":
                return self._find(".".join(argument))
            case "Fn::Sub":
                return self._substitute(*([argument] if isinstance(argument, str) else argument))
            case "Fn::Join":
                separator, parts = argument
                return separator.join(str(part) for part in self._evaluate(parts))
            case "Fn::If":
                condition, then, otherwise = argument
                return self._evaluate(then if self.holds(condition) else otherwise)
        return self._test(name, argument)

    def _test(self, name: str, argument: Any) -> bool:
        match name:
            case "Condition":
                return self.holds(argument)
            case "Fn::Equals":
                left, right = (str(self._evaluate(side)) for side in argument)
                return left == right
            case "Fn::Not":
                return not self._evaluate(argument[0])
            case "Fn::And":
                return all(self._evaluate(part) for part in argument)
            case "Fn::Or":
                return any(self._evaluate(part) for part in argument)
        raise Unknown(f"{name} is not known here")

    def _find(self, name: str) -> Any:
        if name not in self._values:
            raise Unknown(f"{name} has no value")
        return self._values[name]

    def _substitute(self, text: str, own: Mapping[str, Any] | None = None) -> str:
        given = {name: self._evaluate(value) for name, value in (own or {}).items()}

        def replace(match: "re.Match[str]") -> str:
            literal, name = match.groups()
            if literal:  # ${!Literal} stands for ${Literal}
                return f"${{{name}}}"
            return str(given[name] if name in given else self._find(name))

        return _IN_TEXT.sub(replace, text)
