"""The dry run of the reconciler: it prints each action, and changes nothing."""

import logging
import os
from collections.abc import Callable

import httpx
import pytest

from handler.runtime import telemetry
from infra.plan import main
from infra.simulator.transport import SimulatedTransport
from infra.virtual_time import START
from tests.kit.deployment import USER, Deployment
from tests.kit.table_view import CHANNEL, GUILD


def plan(deployment: Deployment, **environ: str) -> int:
    return main(
        [GUILD],
        environ={**deployment.environ(), **environ},
        aws=deployment.wire.session(),
        transport=SimulatedTransport(deployment.discord, lambda: START),
    )


def everything(deployment: Deployment) -> object:
    return deployment.wire.items(), deployment.discord.fingerprint()


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no network", request=request)


def test_each_action_is_printed_and_nothing_is_changed(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scenario() -> None:
        await deployment.ask("old")
        await deployment.ask("other")
        (old, other) = deployment.discord.threads
        people, now = deployment.discord.people, deployment.clock.now()
        people.rename(old, "Session new: login bug", now=now, by=USER)
        people.archive(other, now=now, by=USER)
        people.create_thread(CHANNEL, "Session by hand", now=now, by=USER)

    deployment.run(scenario())
    before = everything(deployment)
    capsys.readouterr()
    assert plan(deployment) == 0
    first, *lines, last = capsys.readouterr().out.splitlines()
    assert everything(deployment) == before
    assert first.startswith("AdvanceWatermark ")
    namesake, renamed, archived = sorted(lines)  # an index does not order the sessions
    assert namesake.startswith("AddNamesake ")
    assert f"UpdateSession {CHANNEL}/old thread_name='Session new: login bug'" in renamed
    assert archived.startswith(f"UpdateSession {CHANNEL}/other ")
    assert "archived=True" in archived
    assert last.startswith("Settle ")
    assert "“Session by hand”" in last


def test_if_there_is_nothing_to_do_it_says_so(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    deployment.run(deployment.ask())
    capsys.readouterr()
    assert plan(deployment) == 0
    assert capsys.readouterr().out == "Nothing to do: the table agrees with Discord.\n"


def test_a_guild_that_cannot_be_read_and_a_failing_discord_are_reported(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.discord.people.remove_bot_from_guild(GUILD, now=START)
    assert plan(deployment) == 1
    assert "would park it" in capsys.readouterr().err
    assert not deployment.wire.items()
    down = httpx.MockTransport(lambda request: httpx.Response(400, json={"code": 50035, "message": "odd"}))
    assert main([GUILD], environ=deployment.environ(), aws=deployment.wire.session(), transport=down) == 1
    assert "would park it" not in capsys.readouterr().err


def test_missing_variables_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([GUILD], environ={"SESSIONS_TABLE": "sessions"}) == 1
    said = capsys.readouterr().err
    assert "DISCORD_APPLICATION_ID is missing" in said
    assert "RECONCILE_QUEUE_URL" not in said


@pytest.mark.parametrize("guild", ["abc", "", "12 34", "-1"])
def test_a_guild_that_is_no_id_is_refused_in_one_line(guild: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--", guild], environ={})
    said = capsys.readouterr().err
    assert said.startswith(f"python -m infra.plan: argument guild: {guild!r} is no id of Discord's")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("aws", "said"),
    [
        ({}, "AWS_DEFAULT_REGION is missing\n"),
        (
            {"AWS_PROFILE": "nobody", "AWS_REGION": "eu-central-1"},
            "There is no plan: The config profile (nobody) could not",
        ),
        ({"AWS_REGION": "eu-central-1"}, "There is no plan: dynamodb query: NoCredentialsError"),
    ],
)
def test_without_a_region_or_credentials_it_says_so_in_one_line(
    aws: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    nowhere = {"AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere"}
    for name, value in {**nowhere, "AWS_EC2_METADATA_DISABLED": "true", **aws}.items():
        monkeypatch.setenv(name, value)
    variables = {"SESSIONS_TABLE": "sessions", "DISCORD_APPLICATION_ID": "1", "DISCORD_BOT_TOKEN_PARAMETER": "/token"}
    assert main([GUILD], environ=variables | aws) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(said)
    assert shown.err.count("\n") == 1


def test_a_table_that_is_not_there_is_named(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan(deployment, SESSIONS_TABLE="another") == 1
    said = capsys.readouterr().err
    assert "ResourceNotFoundException" in said
    assert said.count("\n") == 1


def test_the_level_of_the_logs_is_the_same_afterwards(deployment: Deployment) -> None:
    telemetry.configure("WARNING")
    try:
        plan(deployment)
        assert telemetry.logger.log_level == logging.WARNING
    finally:
        telemetry.configure("INFO")


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: httpx.Response(401, json={"message": "401: Unauthorized", "code": 0}),
        unreachable,
        lambda request: httpx.Response(502, text="<html>"),
    ],
    ids=["refused token", "no network", "a proxy"],
)
def test_a_discord_that_does_not_answer_as_it_should_is_told_in_one_line(
    deployment: Deployment,
    answer: Callable[[httpx.Request], httpx.Response],
    capsys: pytest.CaptureFixture[str],
) -> None:
    transport = httpx.MockTransport(answer)
    assert main([GUILD], environ=deployment.environ(), aws=deployment.wire.session(), transport=transport) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("There is no plan: ")
    assert shown.err.count("\n") == 1
