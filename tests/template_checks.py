"""What the deployed template must be, as checks with names. Each says why it fails.

They look at one deployment as CloudFormation makes it (`tests.kit.translation`). `tests.template_faults` plants faults for them.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final

from tests.kit.translation import deployed, translate_quickly

DAY: Final = 86400
FUNCTIONS: Final = ("Webhook", "Worker", "Api", "Reconciler", "Publisher")
LAMBDA: Final = "AWS::Lambda::Function"
# Of each function: memory in MB, and its time-out in seconds.
SIZES: Final = {
    "Webhook": (1769, 10),
    "Worker": (512, 60),
    "Api": (512, 60),
    "Reconciler": (512, 120),
    "Publisher": (512, 30),
}
# What variables refer to, where another resource would do as well.
REFERENCES: Final = {
    "SESSIONS_TABLE": "SessionsTable",
    "JOBS_QUEUE_URL": "JobsQueue",
    "RECONCILE_QUEUE_URL": "ReconcileQueue",
    "EVENT_BUS_NAME": "EventBus",
    "PUBLISHER_DEAD_LETTERS_URL": "PublisherDeadLetters",
    "DISCORD_BOT_TOKEN_PARAMETER": "/onethread/onethread/discord-bot-token",
}
# The retention of each queue in seconds, its visibility time-out, and where messages go after three receives.
QUEUES: Final[Mapping[str, tuple[int, int | None, str | None]]] = {
    "JobsQueue": (900, 90, "JobsDeadLetters"),
    "JobsDeadLetters": (4 * DAY, None, None),
    "ReconcileQueue": (DAY, 150, "ReconcileDeadLetters"),
    "ReconcileDeadLetters": (14 * DAY, None, None),
    "PublisherDeadLetters": (4 * DAY, None, None),
}
# How many of each kind there are, by their names: what a function or a role brings with it follows from it.
CLOSED: Final[Mapping[str, str]] = {
    LAMBDA: r"(Webhook|Worker|Api|Reconciler|Publisher)Function",
    "AWS::Lambda::Version": r"(Webhook|Worker|Api|Reconciler|Publisher)FunctionVersion",
    "AWS::Lambda::Alias": r"(Webhook|Worker|Api|Reconciler|Publisher)FunctionAliaslive",
    "AWS::Lambda::Permission": r"WebhookFunction(Interactions|EverythingElse)Permission",
    "AWS::Lambda::EventSourceMapping": r"WorkerFunctionJobs|ReconcilerFunctionGuilds|PublisherFunctionChanges",
    "AWS::Lambda::EventInvokeConfig": r"ReconcilerFunctionEventInvokeConfig",
    "AWS::Scheduler::Schedule": r"ReconcilerFunctionTick",
    "AWS::IAM::Role": r"(Webhook|Worker|Api|Reconciler|Publisher)Role|ReconcilerFunctionTickRole",
    "AWS::IAM::ManagedPolicy": r"ApiCallersPolicy|SessionsPolicy",
    "AWS::Logs::LogGroup": r"(Webhook|Worker|Api|Reconciler|Publisher)Logs",
    "AWS::Logs::QueryDefinition": r"(Session|Interaction|Problems)Query",
    "AWS::SQS::Queue": "|".join(QUEUES),
    "AWS::DynamoDB::Table": "SessionsTable",
    "AWS::Events::EventBus": "EventBus",
    "AWS::ApiGatewayV2::Api": "InteractionsApi",
    "AWS::ApiGatewayV2::Stage": "InteractionsApiApiGatewayDefaultStage",
    "AWS::CloudWatch::Alarm": r"\w+Alarm",
}
# They make things only if somebody asks for them.
OFF: Final = {"AccessLogs", "CallbacksPolicy", "Budget", "Dashboard"}
TAGS: Final = {"Application": "onethread", "Stage": "production"}
UNTAGGED: Final = (  # CloudFormation takes no tags for these, or SAM does not pass them on
    "AWS::Lambda::Version",
    "AWS::Lambda::Alias",
    "AWS::Lambda::Permission",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Scheduler::Schedule",
    "AWS::IAM::ManagedPolicy",
    "AWS::Logs::QueryDefinition",
    "AWS::ApiGatewayV2::Api",  # its tags are in its body
)


class View:
    """A template as a deployment has it. `parameters`: instead of the defaults."""

    def __init__(self, document: Mapping[str, Any], **parameters: Any) -> None:
        self.document = document
        self._parameters = parameters

    @cached_property
    def translation(self) -> dict[str, Any]:
        return translate_quickly(self.document)

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        return deployed(self.translation, **self._parameters)

    def __getitem__(self, name: str) -> dict[str, Any]:
        """A resource's properties."""
        found: dict[str, Any] = self.resources[name].get("Properties", {})
        return found

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        return {name: self[name] for name, resource in self.resources.items() if resource["Type"] == kind}


def resources_are_those_of_the_list(view: View) -> None:
    unknown = {
        name: resource["Type"]
        for name, resource in view.resources.items()
        if not re.fullmatch(CLOSED.get(resource["Type"], "-"), name)
    }
    assert not unknown, f"not on the list: {unknown}"
    missing = [kind for kind in CLOSED if not view.of(kind)]
    assert not missing, f"none of {missing}"
    conditional = set(view.translation["Resources"]) - set(view.resources)
    assert conditional == OFF, "what is made only on request has changed"


def functions_have_their_runtime_and_size(view: View) -> None:
    assert set(view.of(LAMBDA)) == {f"{name}Function" for name in FUNCTIONS}
    for name, (memory, seconds) in SIZES.items():
        function = view[f"{name}Function"]
        assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"]), name
        assert (function["MemorySize"], function["Timeout"]) == (memory, seconds), f"{name}: memory, time-out"
        assert function["Handler"] == f"handler.{name.lower()}.lambda_handler", name
        assert function["Role"] == f"{name}Role.Arn", f"{name} has another's role"


def functions_run_without_limits_and_costs_of_their_own(view: View) -> None:
    for name, function in view.of(LAMBDA).items():
        assert "ReservedConcurrentExecutions" not in function, f"{name} reserves (0 turns it off)"
        assert function.get("SnapStart", {"ApplyOn": "None"}) == {"ApplyOn": "None"}, name
        assert not {"VpcConfig", "Layers", "DeadLetterConfig", "FileSystemConfigs", "TracingConfig"} & set(function), (
            name
        )
        assert "ProvisionedConcurrencyConfig" not in view[f"{name}Aliaslive"], name


def variables_refer_to_what_they_name(view: View) -> None:
    for name, function in view.of(LAMBDA).items():
        given = function["Environment"]["Variables"]
        wrong = {key: value for key, value in given.items() if REFERENCES.get(key, value) != value}
        assert not wrong, f"{name}: {wrong}"
    declared, parameters = view.document["Globals"]["Function"]["Environment"]["Variables"], view.document["Parameters"]
    for name in FUNCTIONS:
        own = view.document["Resources"][f"{name}Function"]["Properties"].get("Environment", {}).get("Variables", {})
        for variable, value in {**declared, **own}.items():
            setting = variable.title().replace("_", "")
            if setting in parameters and variable not in REFERENCES:
                assert value == {"Ref": setting}, f"{name}: {variable} is {value}"
    assert declared["STACK_NAME"] == {"Ref": "AWS::StackName"}, "two stacks share their metrics"
    webhook, worker = (view[f"{name}Function"]["Environment"]["Variables"] for name in ("Webhook", "Worker"))
    assert {"JOBS_QUEUE_URL", "DISCORD_PUBLIC_KEY"} <= set(webhook)
    assert "JOBS_QUEUE_URL" in worker


def functions_log_as_json_into_groups_that_expire(view: View) -> None:
    for name in FUNCTIONS:
        wanted = {
            "LogFormat": "JSON",
            "SystemLogLevel": "WARN",
            "ApplicationLogLevel": "INFO",
            "LogGroup": f"{name}Logs",
        }
        assert view[f"{name}Function"]["LoggingConfig"] == wanted, name
        group = view[f"{name}Logs"]
        assert group["RetentionInDays"] == 30, f"{name}Logs are kept for ever, or for too short a time"
        assert group["LogGroupName"] == f"/onethread/onethread/{name.lower()}"


def an_alias_points_at_the_version_of_each_deployment(view: View) -> None:
    settings = {function["Description"] for function in view.of(LAMBDA).values()}
    assert len(settings) == 1
    changed = {"LogLevel": "DEBUG", "OpenPolicy": "everyone", "Revision": "2", "SnapStart": "on", "DeleteAfterDays": 9}
    for name, value in changed.items():
        again = deployed(view.translation, **{name: value})["ApiFunctionVersion"]["Properties"]
        assert again["Description"] not in settings, f"a change of {name} publishes no version"
    for name in FUNCTIONS:
        alias, version = view[f"{name}FunctionAliaslive"], view[f"{name}FunctionVersion"]
        assert alias["FunctionVersion"] == f"{name}FunctionVersion.Version", name
        assert version["Description"] in settings, f"{name}: Lambda would refuse the version"
        resource = view.resources[f"{name}FunctionVersion"]
        assert resource["DeletionPolicy"] == "Retain", f"{name}: there is no going back"
        function = view.document["Resources"][f"{name}Function"]
        assert function["Properties"].get("AutoPublishAliasAllProperties"), (
            f"{name}: a new time-out publishes no version"
        )


def queues_have_their_times_and_dead_letters(view: View) -> None:
    for name, (kept, hidden, letters) in QUEUES.items():
        queue = view[name]
        assert queue["MessageRetentionPeriod"] == kept, f"{name} keeps messages for another time"
        assert queue.get("VisibilityTimeout") == hidden, name
        redrive = {"deadLetterTargetArn": f"{letters}.Arn", "maxReceiveCount": 3} if letters else None
        assert queue.get("RedrivePolicy") == redrive, name
        assert queue["SqsManagedSseEnabled"] is True, f"{name} is not encrypted"
        assert not {"FifoQueue", "DelaySeconds", "RedriveAllowPolicy"} & set(queue), name


def event_sources_wake_their_functions(view: View) -> None:
    wanted = {
        "WorkerFunctionJobs": ("JobsQueue.Arn", 1, 4),
        "ReconcilerFunctionGuilds": ("ReconcileQueue.Arn", 1, 2),
        "PublisherFunctionChanges": ("SessionsTable.StreamArn", 100, None),
    }
    for name, (source, batch, most) in wanted.items():
        mapping = view[name]
        assert mapping.get("Enabled", True) is True, f"{name} is off"
        assert (mapping["EventSourceArn"], mapping["BatchSize"]) == (source, batch), name
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], f"{name}: one failure fails all"
        assert mapping.get("ScalingConfig", {}).get("MaximumConcurrency") == most, f"{name} uses up Discord's limits"
        assert mapping["FunctionName"] == f"{re.split('(?<=Function)', name)[0]}Aliaslive", f"{name} invokes no version"
    changes = view["PublisherFunctionChanges"]
    assert changes["StartingPosition"] == "TRIM_HORIZON", "events of the first moments are lost"
    assert changes["BisectBatchOnFunctionError"] is True, "one record blocks its shard"
    assert changes["MaximumRecordAgeInSeconds"] == DAY
    assert changes["DestinationConfig"]["OnFailure"] == {"Destination": "PublisherDeadLetters.Arn"}
    assert len(changes["FilterCriteria"]["Filters"]) == 4, "each write of any item wakes the publisher"


def only_the_worker_may_recur(view: View) -> None:
    loops = {name: function.get("RecursiveLoop", "Terminate") for name, function in view.of(LAMBDA).items()}
    assert {name for name, loop in loops.items() if loop == "Allow"} == {"WorkerFunction"}, (
        "an import of 14 000 threads ends"
    )


def the_schedule_runs_every_five_minutes(view: View) -> None:
    tick = view["ReconcilerFunctionTick"]
    assert tick.get("State", "ENABLED") == "ENABLED", "nothing is reconciled"
    assert tick["ScheduleExpression"] == "rate(5 minutes)"
    assert (tick["Target"]["Arn"], tick["Target"]["RetryPolicy"]["MaximumRetryAttempts"]) == (
        "ReconcilerFunctionAliaslive",
        0,
    )
    assert not {"StartDate", "EndDate", "Name", "ScheduleExpressionTimezone"} & set(tick)
    config = view["ReconcilerFunctionEventInvokeConfig"]
    assert (config["Qualifier"], config["MaximumRetryAttempts"]) == ("live", 0), "of the alias, which is invoked"


def the_endpoint_has_two_routes_in_payload_format_two(view: View) -> None:
    paths = view["InteractionsApi"]["Body"]["paths"]
    routes = {(path, method): spec for path, methods in paths.items() for method, spec in methods.items()}
    assert set(routes) == {("/interactions", "post"), ("/$default", "x-amazon-apigateway-any-method")}
    for route, spec in routes.items():
        integration = spec["x-amazon-apigateway-integration"]
        assert integration["payloadFormatVersion"] == "2.0", f"{route}: the webhook reads no other"
        assert "WebhookFunctionAliaslive" in integration["uri"]
        assert not spec.get("security"), f"{route}: Discord signs, and has no other credentials"
    assert "CorsConfiguration" not in view["InteractionsApi"], "no page may send interactions"
    assert "x-amazon-apigateway-cors" not in view["InteractionsApi"]["Body"]


def the_endpoint_is_throttled(view: View) -> None:
    stage = view["InteractionsApiApiGatewayDefaultStage"]
    assert stage["DefaultRouteSettings"] == {"ThrottlingBurstLimit": 200, "ThrottlingRateLimit": 50}
    assert stage["RouteSettings"] == {"$default": {"ThrottlingBurstLimit": 10, "ThrottlingRateLimit": 5}}
    assert "AccessLogSettings" not in stage, "it costs, and is off by default"
    assert stage["StageName"] == "$default"


def nobody_else_may_invoke_or_send(view: View) -> None:
    for name, permission in view.of("AWS::Lambda::Permission").items():
        assert permission["Principal"] == "apigateway.amazonaws.com", f"{name} is for anybody"
        assert ":InteractionsApi/" in permission["SourceArn"], f"{name} is for every API"
        assert permission["FunctionName"] == "WebhookFunctionAliaslive"
    open_to_all = [name for name, resource in view.resources.items() if re.search("Policy$|::Url$", resource["Type"])]
    assert [n for n in open_to_all if view.resources[n]["Type"] != "AWS::IAM::ManagedPolicy"] == [], (
        "a policy on a resource"
    )
    callers = view["ApiCallersPolicy"]["PolicyDocument"]["Statement"]
    assert [(s["Action"], s["Resource"]) for s in callers] == [("lambda:InvokeFunction", "ApiFunctionAliaslive")]


def roles_are_assumed_by_those_who_run_them(view: View) -> None:
    for name, role in view.of("AWS::IAM::Role").items():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        who = "scheduler.amazonaws.com" if name == "ReconcilerFunctionTickRole" else "lambda.amazonaws.com"
        assert statement["Principal"] in ({"Service": who}, {"Service": [who]}), f"{name}: {statement['Principal']}"
        managed = ["SessionsPolicy"] if name in ("WebhookRole", "WorkerRole", "ApiRole", "ReconcilerRole") else []
        assert role.get("ManagedPolicyArns", []) == managed, f"{name} has another policy"
        assert not {"PermissionsBoundary", "Path"} & set(role)


def no_statement_is_wide(view: View) -> None:
    for name, resource in view.resources.items():
        documents = [policy["PolicyDocument"] for policy in resource.get("Properties", {}).get("Policies", ())]
        documents += [view[name]["PolicyDocument"]] if "PolicyDocument" in resource.get("Properties", {}) else []
        for statement in (one for document in documents for one in document["Statement"]):
            assert statement["Effect"] == "Allow"
            assert "*" not in json.dumps([statement["Action"], statement["Resource"]]), f"{name}: {statement}"
            assert not {"dynamodb:Scan", "dynamodb:DeleteTable", "sqs:PurgeQueue"} & set(statement["Action"])


def the_table_is_kept_and_can_be_restored(view: View) -> None:
    resource, table = view.resources["SessionsTable"], view["SessionsTable"]
    assert resource["DeletionPolicy"] == "RetainExceptOnCreate", (
        "lost with the stack, or left by a failed first deployment"
    )
    assert resource["UpdateReplacePolicy"] == "Retain", "lost when it is replaced"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert (table["BillingMode"], table.get("TableName")) == ("PAY_PER_REQUEST", None)
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}, "events need both images"
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    indexes = {
        index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
        for index in table["GlobalSecondaryIndexes"]
    }
    assert indexes == {
        "WatchIndex": ["watch_guild_id", "pk"],
        "DueIndex": ["due_in", "due_at"],
        "ActivityIndex": ["listed_in", "activity"],
    }
    assert {index["Projection"]["ProjectionType"] for index in table["GlobalSecondaryIndexes"]} == {"ALL"}


def defaults_destroy_nothing_and_cost_nothing(view: View) -> None:
    wanted: dict[str, Any] = {
        "IdleArchiveHours": 0,
        "DeleteAfterDays": 0,
        "DeleteMode": "archive",
        "OpenPolicy": "permitted",
        "UnlockPolicy": "moderators",
        "MemberCreationsPerHour": 120,
        "AllowedGuilds": "",
        "ReconcileMinutes": 5,
        "StepFunctionsCallbacks": "false",
        "SnapStart": "off",
        "ProvisionedWebhooks": 0,
        "MonthlyBudget": 0,
        "WebhookReserved": 0,
        "DashboardEnabled": "off",
        "AccessLog": "off",
        "LogLevel": "INFO",
        "Stage": "production",
    }
    given = view.document["Parameters"]
    assert {name: given[name].get("Default") for name in wanted} == wanted
    assert "Default" not in given["DiscordPublicKey"], "requests of another application would be taken"
    rules = view.document["Rules"]
    assert set(rules) == {"TableWithStream", "OneWayToBeFast"}


def everything_that_can_have_tags_has_them(view: View) -> None:
    for name, resource in view.resources.items():
        if resource["Type"] in UNTAGGED:
            continue
        tags = view[name].get("Tags", {})
        found = tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}
        assert found.items() >= TAGS.items(), f"{name} has the tags {found}"


def outputs_lead_to_the_present_version(view: View) -> None:
    outputs = {name: output["Value"] for name, output in view.translation["Outputs"].items()}
    assert outputs["ApiFunctionArn"] == {"Ref": "ApiFunctionAliaslive"}
    assert str(outputs["InteractionsEndpoint"]).count("/interactions") == 1


CHECKS: Final[Mapping[str, Callable[[View], None]]] = {
    check.__name__: check
    for check in (
        resources_are_those_of_the_list, functions_have_their_runtime_and_size,
        functions_run_without_limits_and_costs_of_their_own, variables_refer_to_what_they_name,
        functions_log_as_json_into_groups_that_expire, an_alias_points_at_the_version_of_each_deployment,
        queues_have_their_times_and_dead_letters, event_sources_wake_their_functions, only_the_worker_may_recur,
        the_schedule_runs_every_five_minutes, the_endpoint_has_two_routes_in_payload_format_two,
        the_endpoint_is_throttled, nobody_else_may_invoke_or_send, roles_are_assumed_by_those_who_run_them,
        no_statement_is_wide, the_table_is_kept_and_can_be_restored, defaults_destroy_nothing_and_cost_nothing,
        everything_that_can_have_tags_has_them, outputs_lead_to_the_present_version,
    )
}  # fmt: skip
