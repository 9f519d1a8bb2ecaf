"""docs/operations.md has one run book for each alarm, and what the template says of alarms, dashboard and queries is uniform."""

import json
import re
from collections import Counter
from typing import Any, Final

import pytest

from handler.runtime.metrics import OF_STACK, Metric
from tests.kit.running import RunningDeployment
from tests.kit.sam_template import ROOT, of_type, template

PAGE: Final = (ROOT / "docs" / "operations.md").read_text()
TOPIC: Final = "arn:aws:sns:us-east-1:123456789012:alarms"


ALARMS: Final = of_type("AWS::CloudWatch::Alarm")


def run_books() -> dict[str, str]:
    section = PAGE.partition("## Alarms\n")[2].partition("\n## ")[0]
    parts = re.split(r"^### (\w+)\n", section, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_each_alarm_and_the_budget_have_one_run_book_and_nothing_else_has() -> None:
    headings = re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)
    assert Counter(headings) == Counter([*ALARMS, *of_type("AWS::Budgets::Budget")])
    assert len(headings) == 30


@pytest.mark.parametrize(("name", "book"), run_books().items())
def test_a_run_book_says_what_it_means_what_users_see_and_what_to_do(name: str, book: str) -> None:
    for part in ("**Means**:", "**Users see**:", "**Do**:"):
        assert book.count(part) == 1, part
    assert (
        re.search(r"^    \w", book, re.MULTILINE) or name == "HeldDeletionsAlarm"
    )  # what is done there is done in Discord


def test_the_commands_of_the_run_books_name_outputs_and_parameters_that_exist() -> None:
    assert set(re.findall(r"\$\(output (\w+)\)", PAGE)) <= set(template()["Outputs"])
    assert set(re.findall(r"--set (\w+)=", PAGE)) <= set(template()["Parameters"])
    links = re.findall(r"\]\(#([\w-]+)\)", PAGE)
    anchors = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)}
    assert links
    assert set(links) <= anchors


# The statistic, the period in seconds, how many of them, and from which number on.
BOUNDS: Final = {
    "SlowAnswersAlarm": ("p95", 300, 3, 2700),
    "NotHandedOverAlarm": ("Sum", 300, 1, 3),
    "UntoldAlarm": ("Sum", 900, 1, 5),
    "ServerErrorsAlarm": ("Sum", 300, 1, 5),
    "JobsQueueAgeAlarm": ("Maximum", 60, 1, 300),
    "JobsDeadLettersAlarm": ("Maximum", 60, 1, 1),
    "DiscordOutAlarm": ("Average", 300, 2, 0.5),
    "TokenRefusedAlarm": ("Sum", 300, 1, 3),
    "BanNearAlarm": ("Sum", 600, 1, 5000),
    "TableOutAlarm": ("Average", 300, 2, 0.5),
    "OperatorFaultsAlarm": ("Sum", 300, 1, 1),
    "FaultsAlarm": ("Sum", 300, 1, 1),
    "WebhookErrorsAlarm": ("Sum", 300, 1, 1),
    "WorkerErrorsAlarm": ("Sum", 300, 1, 1),
    "ApiErrorsAlarm": ("Sum", 300, 1, 1),
    "ReconcilerErrorsAlarm": ("Sum", 300, 1, 1),
    "PublisherErrorsAlarm": ("Sum", 300, 1, 1),
    "ThrottlesAlarm": ("Sum", 300, 1, 1),
    "ConcurrencyAlarm": ("Maximum", 60, 3, 80),
    "RecursionAlarm": ("Sum", 300, 1, 1),
    "ForgedRequestsAlarm": ("Sum", 300, 1, 600),
    "ReconcilerSilentAlarm": ("SampleCount", 180, 5, 1),
    "ReconcilerLateAlarm": ("Maximum", 300, 1, 1800),
    "ReconcilerFailingAlarm": ("Sum", 900, 1, 5),
    "HeldDeletionsAlarm": ("Maximum", 300, 1, 1),
    "ReconcileQueueAgeAlarm": ("Maximum", 300, 1, 3600),
    "ReconcileDeadLettersAlarm": ("Maximum", 3600, 2, 1),
    "PublisherLateAlarm": ("Maximum", 300, 1, 600_000),
    "PublisherDeadLettersAlarm": ("Maximum", 60, 1, 1),
}


def test_the_bounds_of_the_alarms_are_these() -> None:
    def bound(alarm: dict[str, Any]) -> tuple[str, int, int, float]:
        stat = alarm["Metrics"][0]["MetricStat"] if "Metrics" in alarm else alarm
        statistic = stat.get("Stat") or stat.get("Statistic") or stat["ExtendedStatistic"]
        return str(statistic), stat["Period"], int(alarm["EvaluationPeriods"]), alarm["Threshold"]

    assert {name: bound(alarm) for name, alarm in ALARMS.items()} == BOUNDS


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_names_its_run_book_and_tells_the_topic_if_there_is_one(name: str) -> None:
    without, given = ALARMS[name], of_type("AWS::CloudWatch::Alarm", AlarmTopicArn=TOPIC)[name]
    assert without["AlarmDescription"].endswith(f". See docs/operations.md#{name.lower()}")
    assert without["AlarmActions"] == without["OKActions"] == []
    assert given["AlarmActions"] == given["OKActions"] == [TOPIC]
    assert {tag["Key"] for tag in without["Tags"]} == {"Application", "Stage"}
    assert without["TreatMissingData"] == ("breaching" if name == "ReconcilerSilentAlarm" else "notBreaching")


def test_an_alarm_looks_back_at_most_a_day_for_each_period_of_the_schedule() -> None:
    allowed = template()["Parameters"]["ReconcileMinutes"]
    for minutes in (allowed["MinValue"], allowed["MaxValue"]):
        silent = of_type("AWS::CloudWatch::Alarm", ReconcileMinutes=minutes)["ReconcilerSilentAlarm"]
        looks_back = int(silent["EvaluationPeriods"]) * silent["Period"]
        assert looks_back == 3 * 60 * minutes <= 86_400  # CloudWatch docs, "PutMetricAlarm", EvaluationPeriods


def test_the_page_says_what_the_alarms_cost() -> None:
    watched = sum(
        sum("MetricStat" in query for query in alarm["Metrics"]) if "Metrics" in alarm else 1
        for alarm in ALARMS.values()
    )
    assert f"The alarms watch {watched} metrics" in PAGE
    assert (
        f"| ${watched / 10:.2f} for {watched} metrics | ten of them, so that ${(watched - 10) / 10:.2f} are left |"
        in PAGE
    )
    assert f"costs about ${(watched - 10) / 10:.2f} a month" in (ROOT / "docs" / "settings.md").read_text()


def test_each_metric_is_explained() -> None:
    pages = PAGE + (ROOT / "docs" / "reconciler.md").read_text() + (ROOT / "docs" / "events.md").read_text()
    assert not [metric for metric in Metric if f"`{metric}`" not in pages]


def query(name: str) -> str:
    text: str = of_type("AWS::Logs::QueryDefinition")[name]["QueryString"]
    return text


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    """What all functions log while a session lives: it is opened, answered about, renamed by hand, and published."""

    async def life(deployed: RunningDeployment) -> None:
        await deployed.ask(old=2.9)
        await deployed.operate(2)
        await deployed.ask()
        await deployed.ensure()
        await deployed.program("ask", request_id="q", question="Go on?", choices=[{"id": "y", "label": "Yes"}])
        deployed.people.rename(next(iter(deployed.discord.threads)), "Session 1a06a43: login")
        await deployed.operate(5)
        deployed.wire.fail("GetItem", "access_denied")
        await deployed.program("get")

    with RunningDeployment(imported=True) as deployed:
        deployed.run(life(deployed))
    return [line for line in deployed.lines if "_aws" not in line]


@pytest.mark.parametrize("name", ["SessionQuery", "InteractionQuery", "ProblemsQuery"])
def test_a_saved_query_names_fields_that_the_log_has_and_reads_all_logs(name: str, lines: list[dict[str, Any]]) -> None:
    definition, text = of_type("AWS::Logs::QueryDefinition")[name], query(name)
    assert len(definition["LogGroupNames"]) == 5
    named = set(re.findall(r"[a-z_]+", re.sub(r"/.*?/|\[.*?\]|\".*?\"|\w+\(.*?\)|as \w+", "", text)))
    fields = named - {"fields", "filter", "sort", "limit", "stats", "by", "asc", "desc", "like", "in", "times"}
    assert len(fields) >= 5
    assert fields <= {field for line in lines for field in line}


def test_the_query_of_a_session_finds_the_lines_of_all_functions(lines: list[dict[str, Any]]) -> None:
    (pattern,) = re.findall(r"session_key like /(.+)/", query("SessionQuery"))
    pattern = pattern.replace("SESSION_KEY", "1a06a43")
    found = [line for line in lines if re.search(pattern, line.get("session_key", ""))]
    assert {line["function"] for line in found} == {"webhook", "worker", "api", "reconciler", "publisher"}
    assert {line.get("event") for line in found} >= {"SessionOpened"}
    assert {line.get("action") for line in found} >= {"UpdateSession"}
    for key in ("PRIVATE#1a06a43#7", "1a06a43#7"):  # of a private session
        assert re.search(pattern, key)
    assert not re.search(pattern, "1a06a43-2")


def test_the_query_of_an_interaction_finds_the_webhook_and_each_receive(lines: list[dict[str, Any]]) -> None:
    assert 'interaction_id = "INTERACTION_ID"' in query("InteractionQuery")
    first = next(line["interaction_id"] for line in lines if "interaction_id" in line)
    found = [line for line in lines if line.get("interaction_id") == first and line["message"] == "done"]
    assert [(line["function"], line["outcome"]) for line in found] == [
        ("webhook", "handed_over"),
        ("worker", "created"),
    ]


def test_the_filters_of_the_run_books_name_fields_and_messages_that_the_code_logs(lines: list[dict[str, Any]]) -> None:
    named = set(re.findall(r"\$\.(\w+)", PAGE))
    assert len(named) >= 4
    fields = {field for line in lines for field in line} | {"discord_calls_403", "discord_calls_429"}  # by status
    assert named <= fields
    code = "".join(path.read_text() for path in (ROOT / "handler").rglob("*.py"))
    messages = re.findall(r'\$\.message = "([^"]+)"', PAGE)
    assert len(messages) >= 4
    assert not [message for message in messages if f'"{message}"' not in code]


def test_the_query_of_problems_finds_warnings_and_errors(lines: list[dict[str, Any]]) -> None:
    found = [line for line in lines if line["level"] in ("WARNING", "ERROR", "CRITICAL")]
    assert {line["aws_call"] for line in found if line["message"] == "aws refuses this"} == {"dynamodb get_item"}


def test_the_dashboard_is_json_and_shows_metrics_that_exist() -> None:
    (dashboard,) = of_type("AWS::CloudWatch::Dashboard").values()
    assert template()["Resources"]["Dashboard"]["Condition"] == "HasDashboard"
    widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    assert len({(widget["x"], widget["y"]) for widget in widgets}) == len(widgets) == 12
    shown = json.dumps(widgets)
    ours = set(re.findall(r'"Onethread", "(\w+)"', shown)) | set(re.findall(r'MetricName=\\+"(\w+)', shown))
    assert ours <= set(Metric)
    of_stack = {name for name, rest in re.findall(r'"Onethread", "(\w+)"([^\]]+)', shown) if "Function" not in rest}
    assert of_stack <= OF_STACK
    assert {"AnswerMilliseconds", "Untold", "DiscordCalls", "Faults", "OperatorFaults", "ReconcileLag"} <= ours
