"""sam's saved configuration, ``samconfig.toml``.

AWS docs, "AWS SAM CLI configuration file". A saved parameter is used by every later run, and by `make deploy` too.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import tomlkit

from infra.deployment.errors import OperatorError

ROOT: Final = Path(__file__).resolve().parents[2]


class SavedConfiguration:
    """The section of one environment in ``samconfig.toml``. Raises OperatorError."""

    def __init__(self, path: Path, environment: str) -> None:
        self._path = path
        self._environment = environment
        try:
            self._document = tomlkit.parse(path.read_text()) if path.exists() else tomlkit.document()
            section = self._document.get(environment, {}).get("deploy", {}).get("parameters", {})
            self.stack: str | None = section.get("stack_name")
            self.region: str | None = section.get("region")
            self.parameters = _parse(section.get("parameter_overrides", ""))
        except (OSError, ValueError, AttributeError, TypeError) as error:  # TOML's own errors are ValueErrors
            raise OperatorError(f"{path.name} cannot be read: {error}", "Correct that file, or move it away.") from None

    def save(self, stack: str, region: str, parameters: Mapping[str, str]) -> bool:
        """Write the section, if it differs; the others stay as they are. Whether it did."""
        values: dict[str, Any] = {
            "stack_name": stack,
            "region": region,
            "resolve_s3": True,
            "capabilities": "CAPABILITY_IAM",
            "parameter_overrides": [f"{name}={quote(value)}" for name, value in sorted(parameters.items())],
        }
        self._document.setdefault("version", 0.1)
        section = self._document
        for name in (self._environment, "deploy", "parameters"):
            if name not in section:
                section[name] = tomlkit.table()
            section = section[name]
        if {name: section.get(name) for name in values} == values:
            return False
        section.update(values)
        try:
            self._path.write_text(tomlkit.dumps(self._document))
        except OSError as error:
            raise OperatorError(
                f"The stack is deployed, and its settings could not be kept: {error}",
                f"Make {self._path.name} writable, then run the setup again with the same options.",
            ) from None
        return True


def _parse(overrides: Any) -> dict[str, str]:
    """The parameters as sam saves them: ``name="value"``, in one text or in a list."""
    text = overrides if isinstance(overrides, str) else " ".join(str(item) for item in overrides)
    found = re.findall(r'(\w+)=("(?:\\.|[^"\\])*"|\S*)', text)
    return {name: re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value for name, value in found}


def quote(value: str) -> str:
    """A value as sam takes it in ``name="value"``."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
