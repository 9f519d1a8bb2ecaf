"""What a request leaves behind: one line, its metrics, and no secret. Read from standard output, as CloudWatch does."""

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handler.runtime import telemetry
from handler.runtime.metrics import Metric, Tally
from handler.runtime.secrets import Secret
from tests.kit.secrets import LIKE_A_BOT_TOKEN, LIKE_AN_INTERACTION_TOKEN, MARK, made_up

Read = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Read:
    """The lines of standard output since the last look."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    secrets = set(telemetry._secrets)
    handlers = [(handler, list(handler.filters)) for handler in logging.getLogger().handlers]
    yield
    telemetry._secrets.clear()
    telemetry._secrets.update(secrets)
    telemetry.configure("INFO")
    for handler, filters in handlers:
        handler.filters[:] = filters


def metrics(lines: list[dict[str, Any]]) -> Mapping[tuple[str, str], float]:
    """The sums of metrics, by name and the values of the dimensions."""
    found: dict[tuple[str, str], float] = defaultdict(float)
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == "Onethread"
            for names in directive["Dimensions"]:
                of = ",".join(line[name] for name in names)
                for metric in directive["Metrics"]:
                    found[metric["Name"], of] += sum(line[metric["Name"]])
    return found


def test_a_request_ends_with_one_line_of_its_fields_counts_and_duration(written: Read) -> None:
    with telemetry.log_request(request_id="r1"):
        telemetry.set_fields(session_key="1a06a43", outcome="created")
        telemetry.count("dynamodb_calls", 2)
        telemetry.count("dynamodb_calls")
    (line,) = written()
    assert line["level"] == "INFO"
    assert line["service"] == "onethread"
    assert (line["request_id"], line["session_key"], line["outcome"]) == ("r1", "1a06a43", "created")
    assert line["dynamodb_calls"] == 3
    assert line["duration_ms"] >= 0


def test_every_line_of_a_request_carries_its_fields(written: Read) -> None:
    with telemetry.log_request(request_id="r1"):
        telemetry.logger.warning("odd", extra={"route": "GET /channels/{channel}"})
    first, _ = written()
    assert (first["message"], first["request_id"], first["route"]) == ("odd", "r1", "GET /channels/{channel}")


async def test_requests_side_by_side_do_not_mix(written: Read) -> None:
    async def request(name: str) -> None:
        with telemetry.log_request(request_id=name):
            await asyncio.sleep(0)
            telemetry.count("dynamodb_calls")
            await asyncio.gather(part(name), part(name))
            assert telemetry.counts() == {"dynamodb_calls": 1, f"of_{name}": 2}
            telemetry.add_metric(Metric.OPENS, Outcome=name)

    async def part(name: str) -> None:
        await asyncio.sleep(0)
        telemetry.count(f"of_{name}")
        telemetry.set_fields(**{f"field_of_{name}": 1})

    await asyncio.gather(request("a"), request("b"))
    lines = written()
    for name, other in (("a", "b"), ("b", "a")):
        (line,) = [line for line in lines if line.get("request_id") == name]
        assert line[f"of_{name}"] == 2
        assert line[f"field_of_{name}"] == 1
        assert f"of_{other}" not in line
        assert f"field_of_{other}" not in line
    assert metrics(lines) == {("Opens", "a"): 1, ("Opens", "b"): 1}


def test_nothing_of_a_request_is_left_for_the_next_one_or_outside(written: Read) -> None:
    with telemetry.log_request(request_id="r1"):
        telemetry.count("dynamodb_calls")
        telemetry.add_metric(Metric.WAITS)
    telemetry.count("dynamodb_calls")
    telemetry.set_fields(session_key="k")
    telemetry.add_metric(Metric.WAITS)
    assert telemetry.counts() == {}
    written()
    with telemetry.log_request():
        pass
    telemetry.logger.info("outside")
    for line in written():
        assert not {"request_id", "session_key", "dynamodb_calls", "_aws"} & line.keys()


def test_metrics_are_summed_and_written_once_for_each_set_of_dimensions(written: Read) -> None:
    with telemetry.log_request():
        telemetry.add_metric(Metric.WAITS)
        telemetry.add_metric(Metric.WAITS)
        telemetry.add_metric(Metric.HAND_OVERS)
        telemetry.add_metric(Metric.OPENS, Outcome="created")
        for status in (200, 204, 404, 503, None):
            telemetry.count_discord_call("GET /channels/{channel}", status)
    lines = written()
    assert metrics(lines) == {
        ("Waits", ""): 2,
        ("HandOvers", ""): 1,
        ("Opens", "created"): 1,
        ("DiscordCalls", "200"): 1,
        ("DiscordCalls", "204"): 1,
        ("DiscordCalls", "404"): 1,
        ("DiscordCalls", "503"): 1,
        ("DiscordCalls", "none"): 1,
    }
    assert len([line for line in lines if "_aws" in line]) == 7
    line = lines[0]
    assert (line["discord_calls"], line["discord_calls_404"], line["discord_calls_unanswered"]) == (5, 1, 1)


def test_the_stack_and_the_function_are_dimensions_and_what_one_alarm_watches_is_counted_for_the_stack_too(
    written: Read,
) -> None:
    with telemetry.log_request(stack="prod", function="worker"):
        telemetry.add_metric(Metric.WAITS)
        telemetry.add_metric(Metric.FAULTS)
        telemetry.add_metric(Metric.AWS_FAULTS, 1, Service="ssm")
    assert metrics(written()) == {
        ("Waits", "prod,worker"): 1,
        ("Faults", "prod,worker"): 1,
        ("Faults", "prod"): 1,
        ("AwsFaults", "prod,worker,ssm"): 1,
        ("AwsFaults", "prod,ssm"): 1,
    }


def test_a_share_keeps_each_value_however_many_there_are(written: Read) -> None:
    with telemetry.log_request(stack="prod", function="worker"):
        for number in range(250):
            telemetry.add_metric(Metric.DISCORD_FAULTS, int(number % 10 == 0))
    values = [line["DiscordFaults"] for line in written() if "_aws" in line]
    assert [len(some) for some in values] == [99, 99, 52]  # CloudWatch takes at most 100 in a line
    assert sum(map(sum, values)) == 25


def test_a_request_can_end_without_a_line_but_not_without_its_metrics(written: Read) -> None:
    with telemetry.log_request(stack="prod", function="webhook"):
        telemetry.add_metric(Metric.REFUSED, 7)
        telemetry.leave_out_line()
    lines = written()
    assert [line for line in lines if "message" in line] == []
    assert metrics(lines) == {("Refused", "prod,webhook"): 7}


def test_what_happens_too_often_is_summed_up_every_ten_seconds() -> None:
    tally, start = Tally(), datetime(2026, 1, 1, tzinfo=UTC)
    moments = [0, 0.1, 5, 9.9, 10, 10.1, 40]
    assert [tally.add(start + timedelta(seconds=moment)) for moment in moments] == [1, 0, 0, 0, 4, 0, 2]


def test_an_exception_is_named_in_the_line_and_propagates(written: Read) -> None:
    with pytest.raises(KeyError), telemetry.log_request(request_id="r1"):
        raise KeyError("private")
    (line,) = written()
    assert line["failure"] == "KeyError"
    assert "private" not in json.dumps(line)


@pytest.mark.parametrize("name", ["name", "message", "level", "msg", "service"])
def test_a_field_cannot_take_the_place_of_the_loggers_own(name: str) -> None:
    with pytest.raises(ValueError, match=name), telemetry.log_request(**{name: 1}):
        pass


def test_the_level_is_as_configured(written: Read) -> None:
    telemetry.configure("WARNING")
    with telemetry.log_request():
        pass
    assert written() == []
    telemetry.configure("DEBUG")
    with telemetry.log_request():
        telemetry.count_discord_call("GET /channels/{channel}", 200)
    assert [line["message"] for line in written() if "message" in line] == ["discord call", "done"]


TEXTS = {
    "an interaction token": LIKE_AN_INTERACTION_TOKEN,
    "a bot token": LIKE_A_BOT_TOKEN,
    "a header": f"Authorization: Bot {made_up('x' * 40)}",
    "a webhook's URL": "https://discord.com/api/v10/webhooks/123/made-up/messages/@original",
    "a callback's URL": "POST https://discord.com/api/v10/interactions/123/made-up/callback",
    "a registered text": "made-up-secret",
    "a registered text with a quote": 'made-up-"quoted"-secret',
}
SECRETS = (MARK, "x" * 16, "quoted")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_no_line_shows_what_is_or_looks_like_a_secret(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.redact(Secret("made-up-secret"))
    telemetry.redact('made-up-"quoted"-secret')
    with telemetry.log_request(url=text):
        telemetry.logger.error("message %s", text, extra={"detail": {"deep": [text]}})
        try:
            raise RuntimeError(text)
        except RuntimeError:
            telemetry.logger.exception("went wrong")
    out = capsys.readouterr().out
    assert telemetry.REDACTED in out
    assert not any(secret in out for secret in SECRETS)
    assert all(json.loads(line) for line in out.splitlines())


def test_a_secret_of_a_request_is_redacted_in_it_and_not_kept(capsys: pytest.CaptureFixture[str]) -> None:
    with telemetry.log_request():
        telemetry.redact_in_request("made-up-token-of-this-request")
        telemetry.logger.info("made-up-token-of-this-request")
    assert "made-up-token" not in capsys.readouterr().out
    assert not any("of-this-request" in secret for secret in telemetry._secrets)


def test_a_short_text_is_no_secret_and_ordinary_lines_stay_readable() -> None:
    telemetry.redact("a")
    telemetry.redact("")
    line = "GET /webhooks/{application}/{token}/messages/@original Session 1a06a43 1000000000000000001 example.test"
    assert telemetry.redacted(line) == line


def test_lines_of_foreign_libraries_are_redacted_where_the_runtime_writes_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    telemetry.configure("INFO")
    telemetry.configure("INFO")
    try:
        raise RuntimeError(LIKE_AN_INTERACTION_TOKEN)
    except RuntimeError:
        logging.getLogger("foreign").exception("while asking %s", LIKE_A_BOT_TOKEN)
    assert len(caplog.records) == 1
    assert "RuntimeError" in caplog.text
    assert LIKE_AN_INTERACTION_TOKEN not in caplog.text
    assert LIKE_A_BOT_TOKEN not in caplog.text
    assert len(caplog.handler.filters) == 1


def test_silenced_libraries_log_nothing_below_a_warning() -> None:
    telemetry.silence("made-up-library")
    assert not logging.getLogger("made-up-library").isEnabledFor(logging.INFO)
    assert logging.getLogger("made-up-library").isEnabledFor(logging.WARNING)
