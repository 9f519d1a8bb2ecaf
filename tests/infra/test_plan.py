"""The dry run of the reconciler: it prints each action, and changes nothing."""

import logging
from collections.abc import Callable

import httpx
import pytest

from handler.runtime import telemetry
from infra.plan import main
from infra.simulator.transport import SimulatedTransport
from infra.virtual_time import START, LoopClock, VirtualLoop
from tests.infra.deployment.operated import Operated, open_all
from tests.infra.simulator.client import ALICE, GUILD, TEXT


def plan(operated: Operated, transport: httpx.AsyncBaseTransport | None = None) -> int:
    clock = LoopClock(START)
    to_discord = transport or SimulatedTransport(operated.discord, clock.now)
    parts = {"clock": clock, "loop_factory": VirtualLoop}
    return operated.run(main, GUILD, parts=parts, transport=to_discord)


def everything(operated: Operated) -> object:
    return operated.items(), operated.discord.fingerprint()


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no network", request=request)


def test_each_action_is_printed_and_nothing_is_changed(operated: Operated) -> None:
    threads, people = open_all(operated, "old", "other"), operated.discord.people
    people.rename(threads["old"], "Session new: login bug", now=START, by=ALICE)
    people.archive(threads["other"], now=START, by=ALICE)
    people.create_thread(TEXT, "Session by hand", now=START, by=ALICE)
    before = everything(operated)
    assert plan(operated) == 0
    first, *lines, last = operated.out.splitlines()
    assert everything(operated) == before
    assert first.startswith("AdvanceWatermark ")
    namesake, renamed, archived = sorted(lines)  # an index does not order the sessions
    assert namesake.startswith("AddNamesake ")
    assert f"UpdateSession {TEXT}/old thread_name='Session new: login bug'" in renamed
    assert archived.startswith(f"UpdateSession {TEXT}/other ")
    assert "archived=True" in archived
    assert last.startswith("Settle ")
    assert "“Session by hand”" in last


def test_if_there_is_nothing_to_do_it_says_so(operated: Operated) -> None:
    open_all(operated, "1a06a43")
    assert plan(operated) == 0
    assert operated.out == "Nothing to do: the table agrees with Discord.\n"


def test_a_guild_that_cannot_be_read_and_a_failing_discord_are_reported(operated: Operated) -> None:
    operated.discord.people.remove_bot_from_guild(GUILD, now=START)
    assert plan(operated) == 1
    assert "would park it" in operated.err
    assert not operated.items()
    odd = httpx.MockTransport(lambda request: httpx.Response(400, json={"code": 50035, "message": "odd"}))
    assert plan(operated, odd) == 1
    assert "would park it" not in operated.err


@pytest.mark.parametrize("guild", ["abc", "", "12 34", "-1"])
def test_a_guild_that_is_no_id_is_refused_in_one_line(guild: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--", guild])
    said = capsys.readouterr().err
    assert said.startswith(f"python -m infra.plan: argument guild: {guild!r} is no id of Discord's")
    assert said.count("\n") == 1


def test_the_level_of_the_logs_is_the_same_afterwards(operated: Operated) -> None:
    telemetry.configure("WARNING")
    try:
        plan(operated)
        assert telemetry.logger.log_level == logging.WARNING
    finally:
        telemetry.configure("INFO")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda request: httpx.Response(401, json={"message": "401: Unauthorized", "code": 0}), "make setup"),
        (unreachable, "Stopped: "),
        (lambda request: httpx.Response(502, text="<html>"), "Stopped: "),
    ],
    ids=["refused token", "no network", "a proxy"],
)
def test_a_discord_that_does_not_answer_as_it_should_is_told_in_one_line(
    operated: Operated, answer: Callable[[httpx.Request], httpx.Response], said: str
) -> None:
    assert plan(operated, httpx.MockTransport(answer)) == 1
    assert operated.out == ""
    assert said in operated.err
    assert operated.err.count("\n") == 1
