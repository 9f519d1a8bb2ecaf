"""Discord's OpenAPI description, if it is beside the project; if not, the run ends with a line that says so."""

import functools
import json
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from tests.kit.sam_template import ROOT

BESIDE: Final = "../shared/discord/openapi.json"  # from the project's root
MISSING: Final = f"Discord's OpenAPI description is not at {BESIDE}"
SOURCE: Final = "https://github.com/discord/discord-api-spec/blob/main/specs/openapi.json"


@functools.cache
def description() -> Any:
    path = ROOT / BESIDE
    if not path.exists():
        pytest.skip(MISSING)
    return json.loads(path.read_text())


def validate(schema: Any, value: Any) -> None:
    """Raise jsonschema's ValidationError unless the value fits this schema of the description."""
    Draft202012Validator({**schema, "components": description()["components"]}).validate(value)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """As a plugin: say how many tests were skipped, and how to have them run."""
    skipped = sum(MISSING in str(report.longrepr) for report in terminalreporter.stats.get("skipped", ()))
    if skipped:
        terminalreporter.write_line(f"{skipped} tests were skipped: {MISSING}. Put it there from {SOURCE}")
