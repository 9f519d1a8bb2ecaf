"""template.yaml as plain values, with CloudFormation's short forms (!Ref, !GetAtt, !Sub) written out.

CloudFormation docs, "Intrinsic function reference": ``!Ref A`` is ``{"Ref": "A"}``, ``!GetAtt A.Arn`` is
``{"Fn::GetAtt": ["A", "Arn"]}``, and so on.
"""

import copy
import functools
from pathlib import Path
from typing import Any, Final

import yaml

TEMPLATE: Final = Path(__file__).resolve().parent.parent / "template.yaml"


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
