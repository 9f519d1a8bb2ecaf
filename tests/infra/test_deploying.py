"""`sam deploy`: guided, as `make deploy` runs it the first time, and as the setup does."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

import pytest

from infra.deployment.errors import OperatorError
from infra.loopback import Loopback, Request, Response
from infra.setup.sam import Sam
from tests.kit.sam_template import ANSWERS, ROOT, parameter_values

SAM: Final = Path(sys.executable).with_name("sam")
# More than sam asks: each is an Enter.
ENTERS: Final = "\n" * 40
MANAGED_BUCKET: Final = """<DescribeStacksResponse><DescribeStacksResult><Stacks><member>
    <StackName>aws-sam-cli-managed-default</StackName><StackStatus>CREATE_COMPLETE</StackStatus>
    <CreationTime>2026-01-01T00:00:00Z</CreationTime>
    <Tags><member><Key>ManagedStackSource</Key><Value>AwsSamCli</Value></member></Tags>
    <Outputs><member><OutputKey>SourceBucket</OutputKey><OutputValue>bucket</OutputValue></member></Outputs>
    </member></Stacks></DescribeStacksResult></DescribeStacksResponse>"""
WHO: Final = """<GetCallerIdentityResponse><GetCallerIdentityResult>
    <Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""
REFUSED: Final = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>{}</Message></Error></ErrorResponse>"
)


class Aws:
    """As much of S3 and CloudFormation as sam needs to send a change set, which is then refused."""

    def __init__(self) -> None:
        self.change_sets: list[dict[str, str]] = []

    def answer(self, request: Request) -> Response:
        if request.method == "PUT":
            return Response(200, {"etag": '"0"'}, b"")
        if request.method != "POST":
            return Response(404, {}, b"")
        form = {name: values[0] for name, values in parse_qs(request.body.decode(), keep_blank_values=True).items()}
        status, text = self._answer(form)
        return Response(status, {"content-type": "text/xml"}, text.encode())

    def _answer(self, form: dict[str, str]) -> tuple[int, str]:
        match form["Action"], form.get("StackName"):
            case "GetCallerIdentity", _:
                return 200, WHO
            case "DescribeStacks", "aws-sam-cli-managed-default":
                return 200, MANAGED_BUCKET
            case "DescribeStacks", name:
                return 400, REFUSED.format(f"Stack with id {name} does not exist")
            case _:
                self.change_sets.append(form)
                return 400, REFUSED.format("that is all of it")


@pytest.fixture
def aws() -> Iterator[tuple[Aws, str]]:
    aws = Aws()
    listening = Loopback(aws.answer)
    yield aws, listening.url
    listening.close()


def parameters(change_set: dict[str, str]) -> dict[str, str]:
    numbers = range(1, len(parameter_values()) + 1)
    named = [f"Parameters.member.{number}.Parameter" for number in numbers]
    return {change_set[f"{name}Key"]: change_set[f"{name}Value"] for name in named}


def environment(home: Path, url: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "SAM_CLI_TELEMETRY": "0",
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "made-up",
        "AWS_SECRET_ACCESS_KEY": "made-up",
    }


@pytest.mark.long
def test_a_first_deployment_asks_for_nothing_that_has_no_good_default_but_the_applications_id_and_key(
    aws: tuple[Aws, str], tmp_path: Path
) -> None:
    if not SAM.exists():
        pytest.skip("aws-sam-cli is not installed in this environment")
    shutil.copy(ROOT / "template.yaml", tmp_path)
    asked = subprocess.run(
        [str(SAM), "deploy", "--guided", "--stack-name", "onethread", "--template", "template.yaml"],
        cwd=tmp_path,
        env=environment(tmp_path, aws[1]),
        input="\n\n" + "".join(f"{answer}\n" for answer in ANSWERS.values()) + ENTERS,
        capture_output=True,
        text=True,
    )
    assert "no authentication. Is this okay?" not in asked.stdout
    assert "that is all of it" in asked.stdout + asked.stderr
    (change_set,) = aws[0].change_sets
    assert change_set["StackName"] == "onethread"
    assert parameters(change_set) == {name: str(value) for name, value in parameter_values().items()}
    assert 'SessionNamePrefix=\\"Session \\"' in (tmp_path / "samconfig.toml").read_text()


@pytest.mark.long
def test_what_the_setup_deploys_with_reaches_cloudformation_as_it_was_given(
    aws: tuple[Aws, str], tmp_path: Path
) -> None:
    """Spaces, quotes, commas and colons, too. What sam builds is not built here, so the code is somewhere in S3."""
    if not SAM.exists():
        pytest.skip("aws-sam-cli is not installed in this environment")
    built = (ROOT / "template.yaml").read_text().replace("CodeUri: .", "CodeUri: s3://bucket/code")
    (tmp_path / "template.yaml").write_text(built)

    def run(command: Sequence[str], environ: Mapping[str, str]) -> tuple[int, str]:
        given = {**environment(tmp_path, aws[1]), **environ}
        done = subprocess.run(command, cwd=tmp_path, env=given, text=True, capture_output=True)
        return done.returncode, done.stdout + done.stderr

    settings = {
        "SessionNamePrefix": 'Ticket "x" ',
        "AllowedGuilds": "100000000000000000, 100000000000000001",
        "SessionsTableName": "restored",
        "SessionsTableStreamLabel": "2026-11-29T12:00:00.000",
        "AlarmTopicArn": "",
    }
    with pytest.raises(OperatorError, match="that is all of it"):
        Sam(run).deploy("mine", "eu-central-1", settings)
    (change_set,) = aws[0].change_sets
    assert (change_set["StackName"], change_set["Capabilities.member.1"]) == ("mine", "CAPABILITY_IAM")
    keys = {name: value for name, value in change_set.items() if name.endswith("ParameterKey")}
    assert {value: change_set[name.replace("Key", "Value")] for name, value in keys.items()} == settings
