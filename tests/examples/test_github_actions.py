"""The workflow that approves a deployment: its script, run as a runner does, and the times that must fit together."""

import json
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.examples.acts import nothing, press
from tests.handler.questions.acts import cards
from tests.kit.lambda_endpoint import Act, LambdaEndpoint
from tests.kit.pages import blocks
from tests.kit.sam_template import ROOT

PAGE: Final = ROOT / "examples" / "github_actions.md"
WORKFLOW: Final[dict[str, Any]] = yaml.safe_load(blocks(PAGE, "yaml")[0])
APPROVE: Final = WORKFLOW["jobs"]["approve"]
STEP: Final = next(step for step in APPROVE["steps"] if step.get("name") == "Ask in Discord")
RUN: Final = {
    "GITHUB_RUN_ID": "70001",
    "GITHUB_RUN_NUMBER": "42",
    "GITHUB_SHA": "1a06a43f00d",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "mona/shop",
    "COMMIT": 'Fix the login\n\n$(touch injected) `touch injected` "quoted"',
}


def run_step(checkout: Path, endpoint: LambdaEndpoint) -> subprocess.CompletedProcess[str]:
    """Run the step's script as GitHub's runner does (GitHub docs, "Workflow syntax", `shell`)."""
    (checkout / ".github").mkdir(exist_ok=True)
    shutil.copy(ROOT / "examples" / "ask.py", checkout / ".github")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environ = {**endpoint.variables, **RUN, "PATH": path, "HOME": str(checkout)}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEP["run"]]
    return subprocess.run(command, cwd=checkout, env=environ, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("acts", "status", "printed"),
    [
        ([nothing, press], 0, "The answer is yes.\n"),
        ([partial(press, label="no")], 1, "The answer is no.\n"),
    ],
)
def test_only_a_yes_lets_the_deployment_run(
    endpoint: LambdaEndpoint, tmp_path: Path, acts: list[Act], status: int, printed: str
) -> None:
    endpoint.before_await = acts
    done = run_step(tmp_path, endpoint)
    assert (done.returncode, done.stdout) == (status, printed), done.stderr
    (asked,) = [event for event in endpoint.events if event["operation"] == "ask"]
    assert (asked["session_name"], asked["request_id"]) == ("deploy 42", "deploy-70001")
    assert cards(endpoint.deployment)[0].content.startswith("Ship `1a06a43` to production? Fix the login\n")
    assert "https://github.com/mona/shop/actions/runs/70001" in asked["question"]
    assert not (tmp_path / "injected").exists()


def test_the_steps_variables_are_those_that_its_script_reads() -> None:
    assert set(STEP["env"]) == {"ONETHREAD_FUNCTION", "ONETHREAD_CHANNEL", "COMMIT"}
    assert "${{" not in STEP["run"]  # what a person writes must not become part of the script


def test_the_job_outlives_the_question_and_so_do_its_credentials() -> None:
    (seconds,) = map(int, re.findall(r"--expires-in (\d+)", STEP["run"]))
    (role,) = [step["with"] for step in APPROVE["steps"] if "role-to-assume" in step.get("with", {})]
    assert 60 <= seconds < role["role-duration-seconds"] - 300
    assert seconds < APPROVE["timeout-minutes"] * 60 - 300


def test_the_role_can_be_assumed_by_the_jobs_environment_only() -> None:
    (statement,) = json.loads(blocks(PAGE, "json")[0])["Statement"]
    subject = statement["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
    assert subject.endswith(f":environment:{APPROVE['environment']}")
    assert APPROVE["permissions"]["id-token"] == "write"
    assert WORKFLOW["jobs"]["deploy"]["needs"] == "approve"
