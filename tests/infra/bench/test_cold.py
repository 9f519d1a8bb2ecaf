"""The measurement of cold starts: what it starts, and what it makes of the figures."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from infra.bench import cold
from infra.local.aws import EmulatedAws
from infra.loopback import Loopback, Request, Response, json_response
from infra.table.memory_table import MemoryTable
from tests.kit.sam_template import ROOT


@pytest.fixture
def outside() -> Iterator[Loopback]:
    aws = EmulatedAws(MemoryTable("sessions"), {})

    def answer(request: Request) -> Response:
        return aws.answer(request) if "x-amz-target" in request.headers else json_response(200, "{}")

    served = Loopback(answer)
    yield served
    served.close()


def test_a_cold_start_has_these_parts(outside: Loopback) -> None:
    command = [sys.executable, str(cold.CHILD), str(ROOT), "webhook"]
    done = subprocess.run(command, env=cold._variables(outside.url), capture_output=True, text=True, check=True)
    parts = json.loads(done.stdout.splitlines()[-1])
    assert list(parts) == [
        "imports",
        "clients",
        "first call to AWS",
        "second call to AWS",
        "first call to Discord",
        "second call to Discord",
    ]
    assert all(milliseconds > 0 for milliseconds in parts.values())


def test_the_floor_is_pinned_as_everything_else_is() -> None:
    requirements = cold.floor_requirements()
    for name in ("boto3", "botocore", "httpx", "pynacl", "s3transfer"):
        assert requirements.count(f"\n{name}==") == 1, name
    assert "moto==" not in requirements


def test_the_report_has_each_function_beside_the_floor() -> None:
    init = {"imports": 100.0, "clients": 10.0}
    aws, discord = ({f"first call to {to}": 9.0, f"second call to {to}": 2.0} for to in ("AWS", "Discord"))
    measured = {
        "floor": {"imports": 80.0, "clients": 20.0},
        "pruned floor": {"imports": 70.0, "clients": 10.0},
        **{name: {**init, **aws, **discord} for name in cold.FUNCTIONS},
        "publisher": {**init, **aws},
        "whole bundle": {**init, "first call to AWS": 30.0, "second call to AWS": 2.0},
    }
    text = cold.report(measured)
    assert "| webhook | 100 ms | 10 ms | 110 ms | 1.10 | 7.0 ms | 7.0 ms |" in text
    assert "| publisher | 100 ms | 10 ms | 110 ms | 1.10 | 7.0 ms | – |" in text
    assert "| *the floor* | 80 ms | 20 ms | 100 ms | 1.00 |  |  |" in text
    assert text.endswith("takes 28.0 ms, and so does each later one.")


def test_the_document_has_the_place_for_it_and_says_that_the_webhook_is_near_the_floor() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text()
    written = text.partition(cold.BEGIN)[2].partition("<!-- end -->")[0]
    (webhook,) = [line for line in written.splitlines() if line.startswith("| webhook |")]
    assert float(webhook.split("|")[5]) <= 1.10
