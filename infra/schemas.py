"""Write the JSON Schemas of what programs send and get into docs/schema/, from the models of the code.

python -m infra.schemas
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from handler.programs import requests
from handler.programs.answers import ANSWERS, ErrorAnswer
from handler.programs.events import DETAILS
from handler.runtime.validation import CHARACTERS

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "schema"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    """The name of each file and what it holds."""
    for kind in requests.REQUESTS:
        operation = str(kind.__struct_config__.tag)
        yield f"{operation}.request.json", _schema(kind)
        yield f"{operation}.answer.json", _schema(ANSWERS[kind])
    yield "error.json", _schema(ErrorAnswer)
    for event, detail in DETAILS.items():
        yield f"{event}.event.json", _schema(detail)


def schema_of(name: str) -> dict[str, Any]:
    """What the file of that name holds, from the models."""
    return dict(schemas())[name]


def render(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    (reference,), components = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    top = components.pop(reference["$ref"].rpartition("/")[2])
    if kind is requests.DEFAULT:
        top["required"] = [name for name in top["required"] if name != "operation"]
    _drop_patterns((top, components))
    return {"$schema": DIALECT, **top, **({"$defs": components} if components else {})}


def _drop_patterns(node: Any) -> None:
    """Take out the patterns that keep halves of characters away: JSON cannot hold them, and other languages' patterns differ."""
    if isinstance(node, dict):
        if node.get("pattern") == CHARACTERS:
            del node["pattern"]
        _drop_patterns(tuple(node.values()))
    elif isinstance(node, tuple | list):
        for part in node:
            _drop_patterns(part)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        path.unlink()
    for name, schema in schemas():
        (FOLDER / name).write_text(render(schema))
