"""Discord's OpenAPI description, if it is beside the project."""

import functools
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.kit.sam_template import ROOT


@functools.cache
def description() -> Any:
    path = ROOT.parent / "shared" / "discord" / "openapi.json"
    if not path.exists():
        pytest.skip("Discord's OpenAPI description is not beside the project")
    return json.loads(path.read_text())


def validate(schema: Any, value: Any) -> None:
    """Raise jsonschema's ValidationError unless the value fits this schema of the description."""
    Draft202012Validator({**schema, "components": description()["components"]}).validate(value)
