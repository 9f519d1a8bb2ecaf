"""What CloudFormation gets: the template after SAM's translation, as a whole and as one deployment has it.

``python -m tests.kit.translation`` (`make golden`) writes the translation to tests/golden/template.yaml, for review.
"""

import copy
import functools
import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from unittest import mock

import yaml

from infra.cloudformation import PSEUDO_PARAMETERS, Intrinsics
from tests.kit.sam_template import ROOT, parameter_values, template

GOLDEN: Final = ROOT / "tests" / "golden" / "template.yaml"
_VERSION: Final = re.compile(r"(FunctionVersion)[0-9a-f]{10}\b")  # a digest of the code's place and the properties


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


def translate(document: Mapping[str, Any]) -> dict[str, Any]:
    """The translation of a template. What changes with each artifact is left out of the names of versions."""
    from samtranslator.translator.transform import transform

    packed: dict[str, Any] = copy.deepcopy(dict(document))  # the translator changes what it gets
    packed["Globals"]["Function"]["CodeUri"] = "s3://bucket/artifact"  # what `sam deploy` puts in the folder's place
    with mock.patch.dict(os.environ, {"AWS_DEFAULT_REGION": "us-east-1"}):  # the translator asks for one; any does
        translated: dict[str, Any] = transform(packed, parameter_values(), _NoManagedPolicies())
    named: dict[str, Any] = json.loads(_VERSION.sub(r"\1", json.dumps(translated)))
    return named


def translate_quickly(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same in a quarter of the time: for a template of which the translator is known to take the form."""
    given, session, plugin = document["Resources"], _session(), _policy_templates()
    for_sam = {name: one for name, one in given.items() if "Serverless" in one["Type"] or ".Alias" in json.dumps(one)}
    with (
        # The translator reads its own policy templates, which we do not use, and makes a session for the region, each time.
        mock.patch("samtranslator.translator.translator.make_policy_template_for_function_plugin", return_value=plugin),
        mock.patch("boto3.session.Session", return_value=session),
    ):
        translation = translate({**document, "Resources": for_sam})
    plain = {name: one for name, one in given.items() if name not in for_sam}
    return {**translation, "Resources": {**plain, **translation["Resources"]}}


@functools.cache
def _policy_templates() -> Any:
    from samtranslator.translator import translator

    return translator.make_policy_template_for_function_plugin()


@functools.cache
def _session() -> Any:
    import boto3

    return boto3.session.Session(region_name="us-east-1")


@functools.cache
def translated() -> dict[str, Any]:
    """The translation of template.yaml. Not to be changed."""
    return translate(template())


def deployed(translation: Mapping[str, Any] | None = None, **parameters: Any) -> dict[str, dict[str, Any]]:
    """The resources of a deployment by logical id: conditions decided, functions evaluated.

    A reference to a resource is its logical id, an attribute of it ``Name.Attribute``. `parameters`: instead of the defaults.
    """
    given = translation or translated()
    values = _Names(given["Resources"], {**PSEUDO_PARAMETERS, **parameter_values(), **parameters})
    intrinsics = Intrinsics(given, values)
    return {
        name: intrinsics.evaluate(resource)
        for name, resource in given["Resources"].items()
        if "Condition" not in resource or intrinsics.holds(resource["Condition"])
    }


class _Names(Mapping[str, Any]):
    """What `Ref` and `GetAtt` give: parameters have values, resources and their attributes have their names."""

    def __init__(self, resources: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        self._resources, self._values = resources, values

    def __getitem__(self, name: str) -> Any:
        if name in self._values:
            return self._values[name]
        if name.partition(".")[0] in self._resources:
            return name
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        yield from (*self._values, *self._resources)

    def __len__(self) -> int:
        return len(self._values) + len(self._resources)


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]  # the C one where PyYAML has it
    def ignore_aliases(self, _: Any) -> bool:
        return True


def _dump(document: Mapping[str, Any]) -> str:
    text: str = yaml.dump(dict(document), Dumper=_Dumper, width=120, allow_unicode=True, sort_keys=True)
    return text


def golden() -> str:
    """What the file has to hold. Order and layout are the same each time."""
    return "# What CloudFormation gets, for review. Written by `make golden`.\n" + _dump(translated())


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(golden(), encoding="utf-8")
