"""docs/programs.md: its examples run, with boto3 and by the AWS CLI's requests, and its tables leave nothing out."""

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import boto3
import jsonschema
import pytest

from handler.errors import ConfigurationError, OnethreadError
from handler.programs.operations import OPERATIONS
from infra.cost.prices import LAMBDA_GB_SECOND
from infra.schemas import FOLDER
from tests.examples.acts import nothing, press
from tests.kit.deployment import Deployment
from tests.kit.guild import BOT
from tests.kit.lambda_endpoint import ARN, LambdaEndpoint
from tests.kit.pages import blocks
from tests.kit.sam_template import ROOT, template
from tests.kit.table_view import GUILD

PAGE: Final = ROOT / "docs" / "programs.md"
README: Final = ROOT / "README.md"
CHANNEL: Final = "1100000000000000003"  # the page's
SAID: Final = f"<@{BOT}> looks good"  # without the mention Discord hides what it says
OPERATION_NAMES: Final = {kind.__struct_config__.tag for kind in OPERATIONS}


@pytest.fixture
def page_endpoint(endpoint: LambdaEndpoint) -> LambdaEndpoint:
    endpoint.deployment.discord.add_channel(GUILD, CHANNEL)
    return endpoint


async def say(deployment: Deployment, text: str) -> None:
    """Somebody writes in the session's thread."""
    (thread,) = deployment.living_threads("1a06a43", CHANNEL)
    deployment.people.post_message(thread.id, text)


def schema(name: str) -> Any:
    return json.loads((FOLDER / name).read_text())


def cli_requests(**known: str) -> Iterator[dict[str, Any]]:
    """The requests that the page's shell commands send."""
    for block in blocks(PAGE, "sh"):
        for payload in re.findall(r"^onethread '(.*?)'$", block, re.MULTILINE | re.DOTALL):
            yield json.loads(re.sub(r"'\"\$(\w+)\"'", lambda found: known[found[1]], payload))


def test_the_pages_examples_for_boto3_run_from_the_first_to_the_last(page_endpoint: LambdaEndpoint) -> None:
    page_endpoint.before_await = [press, nothing, partial(press, label="Yes")]
    names: dict[str, Any] = {"api_function_arn": ARN}
    for source in blocks(PAGE, "python"):
        if "said, after = [], None" in source:
            page_endpoint.run(say(page_endpoint.deployment, SAID))
        exec(compile(source, "programs.md", "exec"), names)
    assert names["answer"]["outcome"] == "posted"
    assert names["question"]["answer"]["choice"] == "yes"
    assert [message["content"] for message in names["said"]] == [SAID]
    assert [session["session_key"] for session in names["sessions"]] == ["1a06a43", "deploy 42"]
    assert set(page_endpoint.operations()) == OPERATION_NAMES


def test_the_aws_clis_requests_are_answered_as_their_schemas_say(page_endpoint: LambdaEndpoint) -> None:
    client = boto3.client("lambda")
    asked: list[dict[str, Any]] = []
    known = {"QUESTION_ID": f"{CHANNEL}-made"}
    for request in cli_requests(**known):
        operation = request.get("operation", "ensure")
        if operation in ("await", "cancel"):
            request["question_id"] = asked[0]["question"]["id"]
        jsonschema.validate(request, schema(f"{operation}.request.json"))
        answer = json.load(client.invoke(FunctionName=ARN, Payload=json.dumps(request))["Payload"])
        jsonschema.validate(answer, schema(f"{operation}.answer.json"))
        asked += [answer] if operation == "ask" else []
    assert set(page_endpoint.operations()) == OPERATION_NAMES


def test_the_readmes_examples_run(page_endpoint: LambdaEndpoint, capsys: pytest.CaptureFixture[str]) -> None:
    page_endpoint.before_await = [press]
    for source in blocks(README, "python"):
        exec(compile(source, "README.md", "exec"), {"api_function_arn": ARN})
    printed = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("{")]
    assert printed[0].startswith("https://discord.com/channels/")
    assert printed[1:] == ["yes"]


def errors() -> Iterator[type[OnethreadError]]:
    """Every error that is somebody's answer: the others are raised."""
    waiting: list[type[OnethreadError]] = OnethreadError.__subclasses__()
    for error in waiting:
        waiting += error.__subclasses__()
        if error.kind not in (OnethreadError.kind, ConfigurationError.kind):
            yield error


def test_every_kind_of_error_stands_in_the_table_once_and_says_whether_to_retry() -> None:
    section = PAGE.read_text().partition("\n## Errors\n")[2].partition("\n## ")[0]
    rows = [row for row in re.findall(r"^\| (`.+?) \| (.+?) \|$", section, re.MULTILINE) if row[0] != "`kind`"]
    listed = {kind: text for names, text in rows for kind in re.findall(r"`(\w+)`", names)}
    assert set(listed) == {error.kind for error in errors()}
    assert sum(len(re.findall(r"`\w+`", names)) for names, _ in rows) == len(listed)
    retryable = {kind for kind, text in listed.items() if text.startswith("retryable: ")}
    assert retryable == {error.kind for error in errors() if error.retryable}


def test_each_operation_has_its_section_and_both_examples() -> None:
    sections = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
    described = {section.partition("`: ")[0].strip("`"): section for section in sections if section.startswith("`")}
    assert set(described) == OPERATION_NAMES
    assert all("```python\n" in section and "```sh\n" in section for section in described.values())


def test_an_hour_of_waiting_costs_what_the_page_says() -> None:
    memory = template()["Globals"]["Function"]["MemorySize"]
    (dollars, calls, seconds, megabytes) = map(
        float, re.findall(r"\$([\d.]+) an hour: (\d+) calls of (\d+) seconds with (\d+) MB", PAGE.read_text())[0]
    )
    assert (megabytes, calls * seconds) == (memory, 3600)
    assert dollars == pytest.approx(3600 * memory / 1024 * LAMBDA_GB_SECOND, rel=0.05)
