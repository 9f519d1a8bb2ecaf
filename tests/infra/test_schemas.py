"""The JSON Schemas in docs/schema/ are those of the code, and say what the code takes."""

import json
from typing import Any

import jsonschema
import pytest

from handler.programs.operations import OPERATIONS
from handler.programs.requests import REQUESTS
from infra.schemas import FOLDER, render, schemas
from tests.kit.deployment import Deployment
from tests.kit.table_view import CHANNEL


def loaded(name: str) -> Any:
    return json.loads((FOLDER / name).read_text())


def test_the_files_are_those_of_the_code() -> None:
    written = {path.name: path.read_text() for path in FOLDER.iterdir()}
    assert written == {name: render(schema) for name, schema in schemas()}, "run `make schemas`"


def test_every_operation_has_a_request() -> None:
    assert set(OPERATIONS) == set(REQUESTS)


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_each_is_a_schema(path: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text()))


@pytest.mark.parametrize(
    ("request_", "valid"),
    [
        ({"session_name": "a", "parent_channel_id": CHANNEL}, True),
        ({"operation": "ensure", "session_name": "a", "parent_channel_id": CHANNEL, "topic": None}, True),
        ({"session_name": "a", "parent_channel_id": CHANNEL, "more": 1}, False),
        ({"session_name": "a"}, False),
        ({"operation": "post", "session_name": "a", "parent_channel_id": CHANNEL}, False),
    ],
)
def test_the_schema_of_ensure_takes_what_the_code_takes(request_: dict[str, Any], valid: bool) -> None:
    assert jsonschema.Draft202012Validator(loaded("ensure.request.json")).is_valid(request_) is valid


async def test_answers_and_errors_are_as_their_schemas_say(deployment: Deployment) -> None:
    jsonschema.validate(await deployment.ensure(), loaded("ensure.answer.json"))
    jsonschema.validate(await deployment.ensure(topic=5), loaded("error.json"))
