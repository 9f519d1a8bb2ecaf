"""The functions and the local stack accept what ``python -m infra.events`` prints."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from handler import config
from handler.aws import http_api
from handler.commands import jobs
from handler.discord.interactions import parse
from handler.discord.signature import verify
from handler.programs.requests import Ensure, read
from infra.events.__main__ import main
from infra.events.containers import UNDECLARED, declare_variables, environment
from infra.interactions import development_key
from tests.kit.sam_template import environment_of, template

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PUBLIC_KEY = development_key().verify_key.encode()
OTHER_KEY = "11" * 32


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, **environ: str) -> Any:
    assert main(arguments, environ=environ, now=NOW) == 0
    return json.loads(capsys.readouterr().out)


def test_open_prints_an_event_that_the_webhook_accepts(capsys: pytest.CaptureFixture[str]) -> None:
    event = printed(capsys, "open", "--name", "1a06a43", "--topic", "login bug", "--user", "42", "--base64")
    found = parse(verify(http_api.read_request(event), PUBLIC_KEY, NOW))
    assert found is not None
    assert (found.name, found.options, found.user_id) == (
        "/session open",
        {"name": "1a06a43", "topic": "login bug"},
        "42",
    )


@pytest.mark.shows_made_up_secrets
def test_ping_is_signed_with_the_given_key(capsys: pytest.CaptureFixture[str]) -> None:
    for event in (
        printed(capsys, "--signing-key", OTHER_KEY, "ping"),
        printed(capsys, "ping", ONETHREAD_SIGNING_KEY=OTHER_KEY),
    ):
        main(["--signing-key", OTHER_KEY, "key"], environ={})
        public = capsys.readouterr().out.split()[-1]
        assert verify(http_api.read_request(event), bytes.fromhex(public), NOW)["type"] == 1


@pytest.mark.shows_made_up_secrets
def test_job_prints_a_message_that_the_worker_can_read(capsys: pytest.CaptureFixture[str]) -> None:
    event = printed(capsys, "job", "--name", "1a06a43", "--parent", "77", "--receive-count", "3")
    (record,) = event["Records"]
    job = jobs.decode(record["body"])
    assert record["attributes"]["ApproximateReceiveCount"] == "3"
    assert (job.interaction.name, job.interaction.parent_id) == ("/session open", "77")
    assert job.expiry > NOW


def test_ensure_prints_a_request_that_the_function_accepts(capsys: pytest.CaptureFixture[str]) -> None:
    asked = printed(capsys, "ensure", "--name", "1a06a43", "--unlock", "--request-id", "build-7")
    request = read(asked)
    assert isinstance(request, Ensure)
    assert (request.session_name, request.unlock, request.request_id, request.topic) == (
        "1a06a43",
        True,
        "build-7",
        None,
    )
    assert "unlock" not in printed(capsys, "ensure", "--name", "1a06a43")


def test_schedule_prints_an_event_without_records(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Records" not in printed(capsys, "schedule")


@pytest.mark.parametrize("key", ["zz" * 32, "1111", "11" * 33])
def test_a_malformed_key_is_refused_and_not_shown(key: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--signing-key", key, "ping"], environ={}) == 2
    shown = capsys.readouterr().err
    assert "must be 64 hexadecimal digits" in shown
    assert key not in shown


def test_a_job_with_malformed_ids_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.interactions.snowflake", lambda now: "no id")
    assert main(["job", "--name", "1a06a43"], environ={}) == 2
    assert "ids are strings of digits" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [config.WebhookConfig, config.WorkerConfig, config.ApiConfig, config.ReconcilerConfig])
def test_the_printed_variables_configure_every_function(
    kind: type[config.SessionsConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    variables = printed(capsys, "env", "--host", "127.0.0.1", "--aws-port", "4566", "--discord-port", "8787")[
        "Parameters"
    ]
    loaded = config.load(kind, variables)
    assert loaded.api_url == "http://127.0.0.1:8787/api/v10"
    assert variables["AWS_ENDPOINT_URL_DYNAMODB"] == "http://127.0.0.1:4566"


def test_the_printed_names_are_the_local_stacks() -> None:
    from infra.local.template import Template

    variables = environment("h", 1, 2, PUBLIC_KEY)
    assert {variables[name].rpartition("/")[2] for name in ("JOBS_QUEUE_URL", "RECONCILE_QUEUE_URL")} <= set(
        Template().queues()
    )
    assert variables["DISCORD_BOT_TOKEN_PARAMETER"] == environment_of("WebhookFunction")["DISCORD_BOT_TOKEN_PARAMETER"]


def test_the_printed_template_declares_all_variables_that_env_prints() -> None:
    given = set(environment("h", 1, 2, PUBLIC_KEY))
    declared = {name for function in ("WebhookFunction", "ReconcilerFunction") for name in environment_of(function)}
    assert given - declared == set(UNDECLARED)
    shared = declare_variables(template())["Globals"]["Function"]["Environment"]["Variables"]
    assert set(UNDECLARED) <= set(shared)
    assert "SESSIONS_TABLE" in shared


def test_template_reads_the_built_template_and_reports_a_missing_or_invalid_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = tmp_path / "template.yaml"
    assert main(["template", "--built", str(built)], environ={}) == 2
    assert "run `make build` first" in capsys.readouterr().err
    built.write_text("Globals: 5")
    assert main(["template", "--built", str(built)], environ={}) == 2
    assert "is not what `make build` writes" in capsys.readouterr().err
    built.write_text(yaml.safe_dump(template()))
    assert main(["template", "--built", str(built)], environ={}) == 0
    again = yaml.safe_load(capsys.readouterr().out)
    assert again["Resources"] == template()["Resources"]
    assert again["Globals"]["Function"]["Environment"]["Variables"]["DISCORD_API_URL"] == ""
