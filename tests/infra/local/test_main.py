"""The options of `make run`."""

import io
import threading

import pytest
from rich.console import Console

from infra.local.__main__ import main
from infra.local.event_sources import Schedule
from infra.local.functions import Result
from infra.local.screen import Screen

TICKS = ("0.01", "-5", "nan", "inf", "1e300", "often")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--port 4000 --lambda-port 4000", "port 4000 is given twice: each part needs one of its own"),
        ("--aws-port 4000 --discord-port 4000", "port 4000 is given twice: each part needs one of its own"),
        ("--port 65536", "argument --port: '65536' is no port"),
        ("--aws-port=-1", "argument --aws-port: '-1' is no port"),
        ("--discord-port http", "argument --discord-port: 'http' is no port"),
        *((f"--tick={text}", f"argument --tick: '{text}' is neither 0 nor from 1") for text in TICKS),
    ],
)
def test_an_option_that_makes_no_sense_is_refused_in_one_line(
    arguments: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments.split())
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"python -m infra.local: {said}")
    assert shown.err.count("\n") == 1


def test_an_event_that_comes_twice_is_shown_once() -> None:
    shown = io.StringIO()
    events = [
        {"detail-type": "SessionOpened", "detail": {"event_id": event_id, "session": {"session_name": "7"}}}
        for event_id in ("a", "b", "a")
    ]
    screen = Screen(Console(file=shown))
    screen.events(events)
    screen.events(events)
    assert shown.getvalue().count("SessionOpened  7") == 2


def test_a_schedule_of_0_seconds_never_fires() -> None:
    fired = threading.Event()

    def fire(event: object) -> Result:
        fired.set()
        return Result()

    schedule = Schedule(fire, 0)
    try:
        assert not fired.wait(0.05)
    finally:
        schedule.close()
