"""The alarms of the tests are evaluated as CloudWatch does it."""

from datetime import timedelta
from typing import Any

import pytest

from infra.virtual_time import START
from tests.kit.cloudwatch import Metrics, read_line

KEY = ("Onethread", "Faults", frozenset({("Stack", "prod")}))
PLAIN = {
    "Namespace": "Onethread",
    "MetricName": "Faults",
    "Dimensions": [{"Name": "Stack", "Value": "prod"}],
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 3,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "TreatMissingData": "notBreaching",
}


def on_at(minute: float, alarm: dict[str, Any], *points: tuple[float, float], **quotas: float) -> bool:
    """Whether the alarm is on at that minute, after these points: (minute, value)."""
    metrics = Metrics(**quotas)
    for at, value in points:
        metrics.put(KEY, START + timedelta(minutes=at), value)
    end = START + timedelta(minutes=minute)
    return bool(metrics.gone_off({"it": alarm}, end, end))


@pytest.mark.parametrize(
    ("statistic", "is_on"), [("Sum", True), ("Average", False), ("Maximum", False), ("SampleCount", False)]
)
def test_a_statistic_adds_up_the_points_of_a_period(statistic: str, is_on: bool) -> None:
    assert on_at(1, {**PLAIN, "Statistic": statistic}, (0.2, 1), (0.4, 2)) is is_on
    assert not on_at(2, {**PLAIN, "Statistic": statistic}, (0.2, 1), (0.4, 2))


def test_a_percentile_is_the_value_that_so_many_do_not_exceed() -> None:
    alarm = {**PLAIN, "ExtendedStatistic": "p95", "Threshold": 19}
    assert on_at(0, alarm, *[(0, value) for value in range(1, 21)])
    assert not on_at(0, alarm, *[(0, value) for value in [*range(1, 19), 18.5, 20]])


def test_other_dimensions_are_another_metric() -> None:
    other = {**PLAIN, "Statistic": "Sum", "Dimensions": []}
    assert not on_at(0, other, (0, 9))


def test_without_data_only_silence_is_a_failure() -> None:
    alarm = {**PLAIN, "Statistic": "SampleCount", "ComparisonOperator": "LessThanThreshold", "Threshold": 1}
    assert not on_at(5, alarm)
    assert on_at(5, {**alarm, "TreatMissingData": "breaching"})
    assert not on_at(5, {**alarm, "TreatMissingData": "breaching", "EvaluationPeriods": 3}, (3, 1))


def test_some_of_the_periods_are_enough_if_it_says_so() -> None:
    alarm = {**PLAIN, "Statistic": "Sum", "EvaluationPeriods": 3}
    points = ((1, 3), (3, 3))
    assert not on_at(3, alarm, *points)
    assert on_at(3, {**alarm, "DatapointsToAlarm": 2}, *points)


def math(expression: str, threshold: float, *, periods: int = 1) -> dict[str, Any]:
    metric = {name: PLAIN[name] for name in ("Namespace", "MetricName", "Dimensions")}
    stats = [
        {"Id": name, "ReturnData": False, "MetricStat": {"Metric": shown, "Period": 60, "Stat": "Sum"}}
        for name, shown in (("one", metric), ("two", {**metric, "MetricName": "Silent"}))
    ]
    rest = {name: PLAIN[name] for name in ("ComparisonOperator", "TreatMissingData")}
    metrics = [*stats, {"Id": "it", "Expression": expression}]
    return {**rest, "Metrics": metrics, "Threshold": threshold, "EvaluationPeriods": periods}


def test_metric_math_fills_sums_compares_with_the_quota_and_takes_differences() -> None:
    assert on_at(1, math("SUM(FILL(METRICS(), 0))", 4), (1, 4))
    assert not on_at(1, math("SUM(FILL(METRICS(), 0))", 5), (1, 4))
    assert on_at(1, math("100 * one / SERVICE_QUOTA(one)", 40), (1, 4), Faults=10)
    assert not on_at(1, math("100 * one / SERVICE_QUOTA(one)", 41), (1, 4), Faults=10)
    growing = ((1, 1), (2, 2), (3, 3))
    assert on_at(3, math("DIFF(one)", 1, periods=2), *growing)
    assert not on_at(3, math("DIFF(one)", 1, periods=2), *growing[1:])
    assert not on_at(3, math("DIFF(two)", 1), *growing)


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="ANOMALY"):
        on_at(1, math("ANOMALY(one)", 1), (1, 1))


def test_a_line_counts_for_each_set_of_its_dimensions_and_each_environment() -> None:
    directive = {"Namespace": "N", "Dimensions": [["A", "B"], ["A"]], "Metrics": [{"Name": "M", "Unit": "Count"}]}
    metrics = Metrics()
    metrics.take({"_aws": {"CloudWatchMetrics": [directive]}, "A": "a", "B": "b", "M": [1.0, 2.0]}, START, times=2)
    assert metrics.written() == {
        ("N", "M", frozenset({("A", "a"), ("B", "b")})),
        ("N", "M", frozenset({("A", "a")})),
    }
    alarm = {
        **PLAIN,
        "Namespace": "N",
        "MetricName": "M",
        "Dimensions": [{"Name": "A", "Value": "a"}],
        "Statistic": "Sum",
    }
    assert metrics.gone_off({"it": {**alarm, "Threshold": 6}}, START, START) == {"it"}
    assert not metrics.gone_off({"it": {**alarm, "Threshold": 7}}, START, START)


@pytest.mark.parametrize("text", ["not JSON", "[1]", ""])
def test_what_is_no_object_is_no_line(text: str) -> None:
    assert read_line(text) == {}
