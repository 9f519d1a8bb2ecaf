"""The dry run of the reconciler: it prints each action, and changes nothing."""

import httpx
import pytest

from infra.plan import main
from infra.simulator.transport import SimulatedTransport
from tests.kit.deployment import USER, Deployment
from tests.kit.table_view import CHANNEL, GUILD
from tests.kit.virtual_time import START


def plan(deployment: Deployment, **environ: str) -> int:
    return main(
        [GUILD],
        environ={**deployment.environ(), **environ},
        aws=deployment.dynamo.session(),
        transport=SimulatedTransport(deployment.discord, lambda: START),
    )


def everything(deployment: Deployment) -> object:
    return deployment.dynamo.items(), deployment.discord.fingerprint()


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
    lines = capsys.readouterr().out.splitlines()
    assert everything(deployment) == before
    assert [line.split(maxsplit=1)[0] for line in lines] == [
        "AdvanceWatermark",
        "AddNamesake",
        "UpdateSession",
        "UpdateSession",
        "Settle",
    ]
    assert f"UpdateSession {CHANNEL}/old thread_name='Session new: login bug'" in lines[2]
    assert "archived=True" in lines[3]
    assert "“Session by hand”" in lines[4]


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
    assert not deployment.dynamo.items()
    down = httpx.MockTransport(lambda request: httpx.Response(400, json={"code": 50035, "message": "odd"}))
    assert main([GUILD], environ=deployment.environ(), aws=deployment.dynamo.session(), transport=down) == 1
    assert "would park it" not in capsys.readouterr().err


def test_missing_variables_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([GUILD], environ={"SESSIONS_TABLE": "sessions"}) == 1
    said = capsys.readouterr().err
    assert "DISCORD_APPLICATION_ID is missing" in said
    assert "RECONCILE_QUEUE_URL" not in said
