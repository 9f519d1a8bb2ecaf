"""template.yaml: numbers that fit together, each function's own variables, narrow permissions."""

import re
from collections.abc import Mapping
from typing import Any, Final

import pytest

from handler import config
from handler.sessions.reconcile.observe import MAX_AUDIT_PAGES, MAX_FETCHES
from handler.sessions.reconcile.pace import REQUESTS_PER_SECOND
from tests.kit.held_to_roles import deployed_roles
from tests.kit.sam_template import CONFIGS, ROOT, environment_of, template
from tests.kit.translation import translated

MINUTE: Final = 60
DAY: Final = 24 * 60 * MINUTE
DISCORDS_REQUESTS_PER_SECOND: Final = 50  # Discord docs, "Rate Limits", Global Rate Limit
NEW_ACCOUNTS_CONCURRENCY: Final = 10  # AWS docs, "Lambda quotas": a new account has less than the 1000 of an old one
ROOM_FOR_THE_WEBHOOK: Final = 4  # and for programs
QUIET_REQUESTS: Final = 2  # the active list and the audit log, for a guild with nothing changed
TOKEN_LIFE: Final = 15 * MINUTE  # Discord docs, "Receiving and Responding": an interaction token's validity

NOT_GIVEN: Final = {
    "DISCORD_BOT_TOKEN",
    "DISCORD_API_URL",
}  # for local runs: a deployed function gets the parameter's name


def resources(kind: str) -> dict[str, dict[str, Any]]:
    return {name: resource for name, resource in template()["Resources"].items() if resource["Type"] == kind}


def properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = template()["Resources"][name]["Properties"]
    return found


# ---------------------------------------------------------------- functions


def test_there_are_four_functions_and_each_is_built_by_the_makefile() -> None:
    functions = resources("AWS::Serverless::Function")
    handlers = {name: function["Properties"]["Handler"] for name, function in functions.items()}
    assert handlers == {name: f"handler.{name.removesuffix('Function').lower()}.lambda_handler" for name in CONFIGS}
    makefile = (ROOT / "Makefile").read_text()
    for name, function in functions.items():
        assert function["Metadata"] == {"BuildMethod": "makefile"}
        assert f"build-{name}" in makefile


@pytest.mark.parametrize("function", CONFIGS)
def test_a_function_gets_exactly_the_variables_that_it_reads(function: str) -> None:
    class Recording(dict[str, str]):
        def __init__(self, given: Mapping[str, str]) -> None:
            super().__init__(given)
            self.read: set[str] = set()

        def get(self, key: str, default: Any = None) -> Any:
            self.read.add(key)
            return super().get(key, default)

    environ = Recording(environment_of(function))
    loaded = config.load(CONFIGS[function], environ)
    if not isinstance(
        loaded, config.SessionsConfig
    ):  # the publisher is given what all others read, and reads none of it
        assert environ.read < set(environ)
        return
    assert set(environ) == environ.read - NOT_GIVEN
    assert loaded.bot_token is None
    assert loaded.bot_token_parameter == "/onethread/onethread/discord-bot-token"


@pytest.mark.parametrize("function", CONFIGS)
def test_the_defaults_of_the_template_are_those_of_the_code(function: str) -> None:
    environ = environment_of(function)
    optional = {
        "SESSION_NAME_PREFIX",
        "AUTO_ARCHIVE_MINUTES",
        "UNLOCK_POLICY",
        "OPEN_POLICY",
        "ALLOWED_GUILDS",
        "MEMBER_CREATIONS_PER_HOUR",
        "LOG_LEVEL",
    }
    bare = {name: value for name, value in environ.items() if name not in optional}
    assert config.load(CONFIGS[function], environ) == config.load(CONFIGS[function], bare)


@pytest.mark.parametrize("name", ["AutoArchiveMinutes", "UnlockPolicy", "OpenPolicy", "LogLevel"])
def test_the_code_takes_every_value_that_the_template_allows(name: str) -> None:
    variable = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()
    for value in template()["Parameters"][name]["AllowedValues"]:
        config.load(config.WebhookConfig, {**environment_of("WebhookFunction"), variable: str(value)})


def test_the_template_refuses_a_prefix_that_the_code_would_refuse() -> None:
    assert template()["Parameters"]["SessionNamePrefix"]["MaxLength"] == config.MAX_PREFIX_UNITS
    assert template()["Parameters"]["AutoArchiveMinutes"]["AllowedValues"] == list(config.AUTO_ARCHIVE_CHOICES)


def test_the_artifact_is_built_for_the_runtime_of_the_template() -> None:
    from infra.artifact.build import LAMBDA_PLATFORM, RUNTIME

    common = template()["Globals"]["Function"]
    assert common["Runtime"] == f"python{RUNTIME[0]}.{RUNTIME[1]}"
    assert common["Architectures"] == ["arm64"]
    assert all("aarch64" in option for option in LAMBDA_PLATFORM if option.startswith("--platform"))


# ---------------------------------------------------------------- queues


def test_a_job_is_tried_three_times_well_within_its_tokens_life() -> None:
    queue, worker = properties("JobsQueue"), properties("WorkerFunction")
    mapping = worker["Events"]["Jobs"]["Properties"]
    assert mapping["BatchSize"] == 1
    assert worker["Timeout"] == 60
    assert queue["VisibilityTimeout"] == 90
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 3
    assert queue["MessageRetentionPeriod"] == TOKEN_LIFE
    assert queue["RedrivePolicy"]["maxReceiveCount"] * queue["VisibilityTimeout"] <= TOKEN_LIFE / 3


@pytest.mark.parametrize(
    ("queue", "function", "event"),
    [("JobsQueue", "WorkerFunction", "Jobs"), ("ReconcileQueue", "ReconcilerFunction", "Guilds")],
)
def test_a_message_returns_after_its_worker_has_ended_and_before_it_expires(
    queue: str, function: str, event: str
) -> None:
    numbers, mapping = properties(queue), properties(function)["Events"][event]["Properties"]
    assert numbers["VisibilityTimeout"] > properties(function)["Timeout"]
    assert (
        numbers["RedrivePolicy"]["maxReceiveCount"] * numbers["VisibilityTimeout"] < numbers["MessageRetentionPeriod"]
    )
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": function.replace("Function", "Concurrency")}}


def test_dead_letters_with_tokens_or_names_are_kept_for_four_days_and_others_for_fourteen() -> None:
    queues = resources("AWS::SQS::Queue")
    dead = {
        queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for queue in queues.values()
        if "RedrivePolicy" in queue["Properties"]
    }
    assert dead == {"JobsDeadLetters", "ReconcileDeadLetters"}
    kept = {name: queues[name]["Properties"]["MessageRetentionPeriod"] for name in dead | {"PublisherDeadLetters"}}
    assert kept == {"JobsDeadLetters": 4 * DAY, "PublisherDeadLetters": 4 * DAY, "ReconcileDeadLetters": 14 * DAY}
    assert all(queue["Properties"]["SqsManagedSseEnabled"] for queue in queues.values())


def test_the_reconciler_uses_at_most_a_fifth_of_discords_requests() -> None:
    mapping = properties("ReconcilerFunction")["Events"]["Guilds"]["Properties"]
    assert mapping["BatchSize"] == 1  # a guild gets the whole time-out
    allowed = template()["Parameters"]["ReconcilerConcurrency"]
    assert allowed["Default"] * REQUESTS_PER_SECOND <= DISCORDS_REQUESTS_PER_SECOND / 5
    assert allowed["MaxValue"] * REQUESTS_PER_SECOND < DISCORDS_REQUESTS_PER_SECOND  # people's commands go on


def test_workers_and_reconcilers_leave_room_for_the_webhook_in_a_new_account() -> None:
    allowed = [template()["Parameters"][name] for name in ("WorkerConcurrency", "ReconcilerConcurrency")]
    assert sum(number["Default"] for number in allowed) <= NEW_ACCOUNTS_CONCURRENCY - ROOM_FOR_THE_WEBHOOK
    # What Lambda takes as MaximumConcurrency of a queue.
    assert all(2 == number["MinValue"] <= number["Default"] <= number["MaxValue"] <= 1000 for number in allowed)
    assert template()["Parameters"]["WebhookReserved"]["Default"] == 0


def test_a_round_of_guilds_does_not_grow_too_old_in_the_queue() -> None:
    per_second = template()["Parameters"]["ReconcilerConcurrency"]["Default"] * REQUESTS_PER_SECOND
    assert properties("ReconcileQueue")["MessageRetentionPeriod"] >= 100_000 * QUIET_REQUESTS / per_second


def test_the_requests_of_one_run_fit_into_the_time_out() -> None:
    asked = (MAX_FETCHES + MAX_AUDIT_PAGES + QUIET_REQUESTS) / REQUESTS_PER_SECOND
    assert asked < properties("ReconcilerFunction")["Timeout"] / 2  # as much again is left to apply the plan


def test_a_failed_tick_is_not_repeated() -> None:
    spec = properties("ReconcilerFunction")
    assert spec["EventInvokeConfig"]["MaximumRetryAttempts"] == 0
    assert spec["Events"]["Tick"]["Properties"]["RetryPolicy"]["MaximumRetryAttempts"] == 0
    assert spec["Events"]["Tick"]["Properties"]["ScheduleExpression"] == {
        "Fn::Sub": "rate(${ReconcileMinutes} minutes)"
    }


# ---------------------------------------------------------------- table


def test_the_table_survives_the_stack_and_can_be_restored() -> None:
    table = template()["Resources"]["SessionsTable"]
    assert table["DeletionPolicy"] == "RetainExceptOnCreate"  # a first deployment that fails leaves no empty table
    assert table["UpdateReplacePolicy"] == "Retain"
    spec = table["Properties"]
    assert "DeletionProtectionEnabled" not in spec  # it would keep that one; the setup turns it on
    assert spec["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert spec["SSESpecification"] == {"SSEEnabled": True}
    assert spec["BillingMode"] == "PAY_PER_REQUEST"
    assert spec["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert "TableName" not in spec  # the retained table would block the next stack


def test_tasks_are_answered_only_where_the_parameter_says_so() -> None:
    declared = template()
    assert declared["Parameters"]["StepFunctionsCallbacks"]["Default"] == "false"
    assert declared["Conditions"]["AnswersTasks"] == {"Fn::Equals": [{"Ref": "StepFunctionsCallbacks"}, "true"]}
    policy = declared["Resources"]["CallbacksPolicy"]
    assert (policy["Condition"], policy["Properties"]["RoleName"]) == ("AnswersTasks", {"Ref": "PublisherRole"})
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["states:SendTaskSuccess", "states:SendTaskFailure"]
    assert statement["Resource"] == {
        "Fn::Sub": "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:*"
    }
    assert "states:" not in str(deployed_roles(StepFunctionsCallbacks="false").statements["PublisherFunction"])
    assert "states:" in str(deployed_roles(StepFunctionsCallbacks="true").statements["PublisherFunction"])


# ---------------------------------------------------------------- the whole


def test_sam_leaves_the_alarms_as_they_are() -> None:
    for name, resource in resources("AWS::CloudWatch::Alarm").items():
        assert translated()["Resources"][name] == resource


def test_the_outputs_name_what_people_need_next() -> None:
    assert {"InteractionsEndpoint", "SessionsTableName", "ApiFunctionArn", "ApiCallersPolicyArn"} <= set(
        template()["Outputs"]
    )
    assert {f"{name}Name" for name in CONFIGS} <= set(template()["Outputs"])
