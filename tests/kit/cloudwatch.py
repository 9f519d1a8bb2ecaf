"""CloudWatch for tests: it takes data points, log lines in its embedded metric format, and the template's alarms.

CloudWatch docs, "Using Amazon CloudWatch alarms" (evaluation, missing data), "Using metric math", "Embedded metric format
specification". An alarm is looked at every minute, over the periods that end then.
"""

import ast
import json
import math
import operator
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

Key = tuple[str, str, frozenset[tuple[str, str]]]  # namespace, name, and dimensions
Series = Mapping[int, float]  # by period: 0 is the latest one, 1 the one before; a period without data is missing
Properties = Mapping[str, Any]

MINUTE: Final = timedelta(minutes=1)
COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
}
OPERATORS: Final[Mapping[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class Metrics:
    """Data points. `quotas`: of the account, by the metric that is limited."""

    def __init__(self, **quotas: float) -> None:
        self.quotas = quotas
        self._points: dict[Key, list[tuple[datetime, float]]] = defaultdict(list)

    def put(self, key: Key, at: datetime, *values: float) -> None:
        self._points[key] += [(at, value) for value in values]

    def take(self, line: Mapping[str, Any], at: datetime, times: int = 1) -> None:
        """Take a log line, as so many environments wrote it. One without the format has no metrics."""
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", ()):
            for names in directive["Dimensions"]:
                dimensions = frozenset((name, line[name]) for name in names)
                for metric in directive["Metrics"]:
                    key = directive["Namespace"], metric["Name"], dimensions
                    self.put(key, at, *line[metric["Name"]] * times)

    def written(self) -> set[Key]:
        """Which metrics there are."""
        return set(self._points)

    def series(self, metric: Properties, statistic: str, period: int, end: datetime, periods: int) -> Series:
        """The metric's statistic for each of the last periods that has data."""
        dimensions = frozenset((part["Name"], str(part["Value"])) for part in metric.get("Dimensions", ()))
        values: dict[int, list[float]] = defaultdict(list)
        for at, value in self._points.get((metric["Namespace"], metric["MetricName"], dimensions), ()):
            age = (end - at).total_seconds()
            if 0 <= age < period * periods:
                values[int(age // period)].append(value)
        return {number: _add_up(statistic, found) for number, found in values.items()}

    def gone_off(self, alarms: Mapping[str, Properties], begin: datetime, end: datetime) -> set[str]:
        """The alarms that go off at any minute of that time."""
        return {name for name, alarm in alarms.items() if any(self._is_on(alarm, at) for at in _minutes(begin, end))}

    def _is_on(self, alarm: Properties, at: datetime) -> bool:
        periods = int(alarm["EvaluationPeriods"])
        series = self._series_of(alarm, at, periods)
        compare, threshold = COMPARISONS[alarm["ComparisonOperator"]], float(alarm["Threshold"])
        missing: bool = alarm["TreatMissingData"] == "breaching"
        breaching = [compare(series[n], threshold) if n in series else missing for n in range(periods)]
        return sum(breaching) >= int(alarm.get("DatapointsToAlarm", periods))

    def _series_of(self, alarm: Properties, at: datetime, periods: int) -> Series:
        if "Metrics" not in alarm:
            statistic = alarm.get("Statistic") or alarm["ExtendedStatistic"]
            return self.series(alarm, statistic, alarm["Period"], at, periods)
        given: dict[str, Series] = {}
        quotas: dict[str, float] = {}
        for query in alarm["Metrics"]:
            if "MetricStat" in query:
                stat = query["MetricStat"]
                given[query["Id"]] = self.series(stat["Metric"], stat["Stat"], stat["Period"], at, periods + 1)
                quotas[query["Id"]] = self.quotas.get(stat["Metric"]["MetricName"], math.nan)
        (expression,) = (query["Expression"] for query in alarm["Metrics"] if "Expression" in query)
        found = _Expression(given, quotas, periods + 1).evaluate(ast.parse(str(expression), mode="eval").body)
        assert isinstance(found, Mapping)
        return found


class _Expression:
    """Metric math, as far as the template uses it. `periods`: how many periods have a place in a series."""

    def __init__(self, given: Mapping[str, Series], quotas: Mapping[str, float], periods: int) -> None:
        self._given, self._quotas, self._periods = given, quotas, periods

    def evaluate(self, node: ast.expr) -> Any:
        """A number, a series, or a list of series."""
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self._given[name]
            case ast.BinOp(left=left, op=op, right=right):
                return self._combine(OPERATORS[type(op)], self.evaluate(left), self.evaluate(right))
            case ast.Call(func=ast.Name(id="METRICS"), args=[]):
                return list(self._given.values())
            case ast.Call(func=ast.Name(id="FILL"), args=[filled, ast.Constant(value=value)]):
                blank = dict.fromkeys(range(self._periods), value)
                return [{**blank, **series} for series in self.evaluate(filled)]
            case ast.Call(func=ast.Name(id="SUM"), args=[summed]):
                return {n: sum(series[n] for series in self.evaluate(summed)) for n in range(self._periods)}
            case ast.Call(func=ast.Name(id="DIFF"), args=[of]):
                series = self.evaluate(of)
                return {n: series[n] - series[n + 1] for n in series if n + 1 in series}
            case ast.Call(func=ast.Name(id="SERVICE_QUOTA"), args=[ast.Name(id=name)]):
                return self._quotas[name]
        raise ValueError(f"not known here: {ast.unparse(node)}")

    def _combine(self, compute: Callable[[float, float], float], left: Any, right: Any) -> dict[int, float]:
        """A number counts as a series that has it in each period."""
        sides = [
            side if isinstance(side, Mapping) else dict.fromkeys(range(self._periods), side) for side in (left, right)
        ]
        return {n: compute(sides[0][n], sides[1][n]) for n in sides[0].keys() & sides[1].keys()}


def read_line(text: str) -> dict[str, Any]:
    """A log line. One that is not JSON is empty."""
    try:
        line = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return line if isinstance(line, dict) else {}


def _add_up(statistic: str, values: list[float]) -> float:
    match statistic:
        case "Sum":
            return sum(values)
        case "Average":
            return sum(values) / len(values)
        case "Maximum":
            return max(values)
        case "SampleCount":
            return len(values)
    assert statistic.startswith("p")
    return sorted(values)[math.ceil(float(statistic[1:]) / 100 * len(values)) - 1]


def _minutes(begin: datetime, end: datetime) -> Iterator[datetime]:
    at = begin
    while at <= end:
        yield at
        at += MINUTE
