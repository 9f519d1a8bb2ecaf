"""Faults planted in template.yaml: small patches, each with the check that must catch it (the golden translation catches all)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

Document = dict[str, Any]
Patch = Callable[[Document], None]
GONE: Final = object()
TOO_FEW: Final = "each_function_may_do_what_it_does"
TOO_MANY: Final = "each_permission_is_needed"
SIZE, FREE, LOGS = "functions_have_their_runtime_and_size", "functions_run_without_limits_and_costs_of_their_own", "functions_log_as_json_into_groups_that_expire"  # fmt: skip
VARIABLES, SOURCES, QUEUES = "variables_refer_to_what_they_name", "event_sources_wake_their_functions", "queues_have_their_times_and_dead_letters"  # fmt: skip
ROUTES, THROTTLE, CLOSED = "the_endpoint_has_two_routes_in_payload_format_two", "the_endpoint_is_throttled", "resources_are_those_of_the_list"  # fmt: skip
PUBLIC, TRUST, WIDE = (
    "nobody_else_may_invoke_or_send",
    "roles_are_assumed_by_those_who_run_them",
    "no_statement_is_wide",
)
TABLE, DEFAULTS, TAGS = "the_table_is_kept_and_can_be_restored", "defaults_destroy_nothing_and_cost_nothing", "everything_that_can_have_tags_has_them"  # fmt: skip
SCHEDULE, ALIAS, LOOP = "the_schedule_runs_every_five_minutes", "an_alias_points_at_the_version_of_each_deployment", "only_the_worker_may_recur"  # fmt: skip
OUTPUTS: Final = "outputs_lead_to_the_present_version"


def put(path: str, value: Any = GONE) -> Patch:
    """Set what is at a path below Resources (or, with a slash before it, anywhere); without a value, remove it."""

    def patch(document: Document) -> None:
        place: Any = document if path.startswith("/") else document["Resources"]
        *way, last = path.removeprefix("/").split(".")
        for step in way:
            place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
        if value is GONE:
            del place[last]
        else:
            place[int(last) if isinstance(place, list) else last] = value

    return patch


def statement(policy: str, sid: str, change: Mapping[str, Any] | None = None) -> Patch:
    """Change the statement of that Sid in a role or policy; without a change, remove it."""

    def patch(document: Document) -> None:
        properties = document["Resources"][policy]["Properties"]
        held = properties["Policies"][0] if "Policies" in properties else properties
        statements = held["PolicyDocument"]["Statement"]
        found = next(one for one in statements if one.get("Sid", (one.get("Fn::If") or [0, {}])[1].get("Sid")) == sid)
        if change is None:
            statements.remove(found)
        else:
            found.update(change)

    return patch


def swap(*names: str) -> Patch:
    """Give two roles each other's policies."""

    def patch(document: Document) -> None:
        one, other = (document["Resources"][name]["Properties"] for name in names)
        one["Policies"], other["Policies"] = other["Policies"], one["Policies"]

    return patch


def add(name: str, kind: str, **properties: Any) -> Patch:
    return put(name, {"Type": kind, "Properties": properties})


def both(*patches: Patch) -> Patch:
    def patch(document: Document) -> None:
        for one in patches:
            one(document)

    return patch


def arn(name: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, "Arn"]}


def each(path: str, value: Any = GONE) -> Patch:
    """The same for all functions: what Globals says."""
    return put(f"/Globals.Function.{path}", value)


W, K, A, R, P = (f"{name}Function.Properties." for name in ("Webhook", "Worker", "Api", "Reconciler", "Publisher"))
API, T, D = "InteractionsApi.Properties.", "SessionsTable.Properties.", "/Parameters."

FAULTS: Final[tuple[tuple[str, Patch, str], ...]] = (
    ("the token cannot be read", statement("SessionsPolicy", "BotToken"), TOO_FEW),
    ("another token is read", statement("SessionsPolicy", "BotToken", {"Resource": "arn:aws:ssm:us-east-1:123456789012:parameter/x"}), TOO_FEW),
    ("any parameter may be read", statement("SessionsPolicy", "BotToken", {"Resource": "*"}), WIDE),
    ("the token's key cannot be used", statement("SessionsPolicy", "BotTokenKey"), TOO_FEW),
    ("the token's key is used through another service", put("SessionsPolicy.Properties.PolicyDocument.Statement.3.Fn::If.1.Condition.StringEquals", {"kms:ViaService": "s3.us-east-1.amazonaws.com"}), TOO_FEW),
    ("the lists cannot be read", statement("SessionsPolicy", "Lists"), TOO_FEW),
    ("the reconciler's indexes cannot be read", statement("ReconcilerRole", "ReadWatched"), TOO_FEW),
    ("the webhook cannot read how it goes", statement("WebhookRole", "ReadStatus"), TOO_FEW),
    ("the worker cannot read how it goes", statement("WorkerRole", "ReadStatus"), TOO_FEW),
    ("the wrong index is read", statement("SessionsPolicy", "Lists", {"Resource": {"Fn::Sub": "${SessionsTable.Arn}/index/WatchIndex"}}), TOO_FEW),
    ("the table cannot be used", statement("SessionsPolicy", "Sessions"), TOO_FEW),
    ("another table is used", statement("SessionsPolicy", "Sessions", {"Resource": "arn:aws:dynamodb:us-east-1:123456789012:table/x"}), TOO_FEW),
    ("transactions are refused", statement("SessionsPolicy", "Sessions", {"Action": ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query", "dynamodb:BatchGetItem"]}), TOO_FEW),
    ("the table may be scanned", statement("SessionsPolicy", "Lists", {"Action": ["dynamodb:Query", "dynamodb:Scan"]}), WIDE),
    ("batches may be written", statement("SessionsPolicy", "Lists", {"Action": ["dynamodb:Query", "dynamodb:BatchWriteItem"]}), TOO_MANY),
    ("all of DynamoDB is allowed", statement("SessionsPolicy", "Sessions", {"Action": "dynamodb:*"}), WIDE),
    ("the webhook cannot hand over", statement("WebhookRole", "HandOver"), TOO_FEW),
    ("the webhook sends to the wrong queue", statement("WebhookRole", "HandOver", {"Resource": arn("ReconcileQueue")}), TOO_FEW),
    ("the webhook may read its queue", statement("WebhookRole", "HandOver", {"Action": ["sqs:SendMessage", "sqs:ReceiveMessage"]}), TOO_MANY),
    ("two stacks share their metrics", each("Environment.Variables.STACK_NAME", "onethread"), VARIABLES),
    ("a setting has no effect", each("Environment.Variables.LOG_LEVEL", "INFO"), VARIABLES),
    ("two settings are mixed up", each("Environment.Variables.UNLOCK_POLICY", {"Ref": "OpenPolicy"}), VARIABLES),
    ("requests are verified with the wrong key", put(W + "Environment.Variables.DISCORD_PUBLIC_KEY", {"Ref": "DiscordApplicationId"}), VARIABLES),
    ("threads are deleted unasked", put(R + "Environment.Variables.DELETE_MODE", "delete"), VARIABLES),
    ("the worker gets no jobs", statement("WorkerRole", "TakeJobs"), TOO_FEW),
    ("the worker cannot delete what is done", statement("WorkerRole", "TakeJobs", {"Action": ["sqs:ReceiveMessage", "sqs:GetQueueAttributes"]}), TOO_FEW),
    ("the worker cannot put back", statement("WorkerRole", "PutBack"), TOO_FEW),
    ("the schedule's messages cannot be sent", statement("ReconcilerRole", "SendGuilds"), TOO_FEW),
    ("the stream cannot be read", statement("PublisherRole", "ReadStream"), TOO_FEW),
    ("the stream's table is read instead", statement("PublisherRole", "ReadStream", {"Resource": arn("SessionsTable")}), TOO_FEW),
    ("events cannot be published", statement("PublisherRole", "Publish"), TOO_FEW),
    ("unpublished changes are lost", statement("PublisherRole", "SendDeadLetters"), TOO_FEW),
    ("the api writes no log", statement("ApiRole", "WriteOwnLog"), TOO_FEW),
    ("the worker writes into another's log", statement("WorkerRole", "WriteOwnLog", {"Resource": arn("ApiLogs")}), TOO_FEW),
    ("a log group may be made", statement("ApiRole", "WriteOwnLog", {"Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:CreateLogGroup"]}), TOO_MANY),
    ("two roles have each other's policies", swap("WebhookRole", "WorkerRole"), TOO_FEW),
    ("a function has another's role", put(A + "Role", arn("WorkerRole")), SIZE),
    ("the api's role lacks the common policy", put("ApiRole.Properties.ManagedPolicyArns"), TRUST),
    ("a role is an administrator's", put("ApiRole.Properties.ManagedPolicyArns", ["arn:aws:iam::aws:policy/AdministratorAccess"]), TRUST),
    ("the publisher has the common policy", put("PublisherRole.Properties.ManagedPolicyArns", [{"Ref": "SessionsPolicy"}]), TRUST),
    ("anybody may assume a role", put("ApiRole.Properties.AssumeRolePolicyDocument.Statement.0.Principal", "*"), TRUST),
    ("another account may assume a role", put("WorkerRole.Properties.AssumeRolePolicyDocument.Statement.0.Principal", {"AWS": "arn:aws:iam::999999999999:root"}), TRUST),
    ("lambda cannot assume a role", put("WorkerRole.Properties.AssumeRolePolicyDocument.Statement.0.Principal", {"Service": "ec2.amazonaws.com"}), TOO_FEW),
    ("programs may invoke every function", statement("ApiCallersPolicy", "Api", {"Resource": "*"}), WIDE),
    ("programs may invoke what is not published", statement("ApiCallersPolicy", "Api", {"Resource": arn("ApiFunction")}), PUBLIC),
    ("programs are told of what is not published", put("/Outputs.ApiFunctionArn.Value", arn("ApiFunction")), OUTPUTS),
    ("the worker's queue wakes nobody", put(K + "Events.Jobs.Properties.Enabled", False), SOURCES),
    ("the stream wakes nobody", put(P + "Events.Changes.Properties.Enabled", False), SOURCES),
    ("a thousand workers", put(K + "Events.Jobs.Properties.ScalingConfig.MaximumConcurrency", 1000), SOURCES),
    ("workers without a bound", put(K + "Events.Jobs.Properties.ScalingConfig"), SOURCES),
    ("the worker reads the wrong queue", put(K + "Events.Jobs.Properties.Queue", arn("ReconcileQueue")), SOURCES),
    ("ten jobs at once", put(K + "Events.Jobs.Properties.BatchSize", 10), SOURCES),
    ("one failed job fails its batch", put(K + "Events.Jobs.Properties.FunctionResponseTypes"), SOURCES),
    ("the first events are lost", put(P + "Events.Changes.Properties.StartingPosition", "LATEST"), SOURCES),
    ("one record blocks its shard", put(P + "Events.Changes.Properties.BisectBatchOnFunctionError", False), SOURCES),
    ("every write wakes the publisher", put(P + "Events.Changes.Properties.FilterCriteria.Filters", [{"Pattern": "{}"}]), SOURCES),
    ("anybody may send jobs", add("Open", "AWS::SQS::QueuePolicy", Queues=[{"Ref": "JobsQueue"}], PolicyDocument={"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}]}), CLOSED),
    ("jobs are not encrypted", put("JobsQueue.Properties.SqsManagedSseEnabled", False), QUEUES),
    ("a job returns while it is worked on", put("JobsQueue.Properties.VisibilityTimeout", 30), QUEUES),
    ("jobs have no dead letters", put("JobsQueue.Properties.RedrivePolicy"), QUEUES),
    ("tokens are kept for two weeks", put("JobsDeadLetters.Properties.MessageRetentionPeriod", 1209600), QUEUES),
    ("jobs wait", put("JobsQueue.Properties.DelaySeconds", 60), QUEUES),
    ("the webhook's queue is the wrong one", put(W + "Environment.Variables.JOBS_QUEUE_URL", {"Ref": "ReconcileQueue"}), VARIABLES),
    ("the worker puts back into the dead letters", put(K + "Environment.Variables.JOBS_QUEUE_URL", {"Ref": "JobsDeadLetters"}), VARIABLES),
    ("the table's name is made up", each("Environment.Variables.SESSIONS_TABLE", "sessions"), VARIABLES),
    ("the webhook checks no signature", put(W + "Environment.Variables.DISCORD_PUBLIC_KEY"), VARIABLES),
    ("the webhook is turned off", put(W + "ReservedConcurrentExecutions", 0), FREE),
    ("the api reserves concurrency", put(A + "ReservedConcurrentExecutions", 5), FREE),
    ("the webhook is always warm", put(W + "ProvisionedConcurrencyConfig", {"ProvisionedConcurrentExecutions": 1}), FREE),
    ("the webhook has snapshots", put(W + "SnapStart", {"ApplyOn": "PublishedVersions"}), FREE),
    ("a function has a log of its own", put(A + "LoggingConfig.LogGroup", {"Ref": "WorkerLogs"}), LOGS),
    ("logs are kept for ever", put("WorkerLogs.Properties.RetentionInDays"), LOGS),
    ("a log group is lost", both(put(A + "LoggingConfig"), put("ApiLogs"), put("ApiRole.Properties.Policies")), LOGS),
    ("logs are plain text", each("LoggingConfig.LogFormat", "Text"), LOGS),
    ("one function has an older runtime", put(R + "Runtime", "python3.12"), SIZE),
    ("one function has another processor", put(K + "Architectures", ["x86_64"]), SIZE),
    ("the webhook has 128 MB", put(W + "MemorySize", 128), SIZE),
    ("the default memory", each("MemorySize"), SIZE),
    ("the worker's time-out is short", put(K + "Timeout", 30), SIZE),
    ("the webhook's time-out is Discord's", put(W + "Timeout", 3), SIZE),
    ("a handler is another's", put(A + "Handler", "handler.worker.lambda_handler"), SIZE),
    ("a function has an address", put(A + "FunctionUrlConfig", {"AuthType": "NONE"}), CLOSED),
    ("anybody may invoke a function", add("Open", "AWS::Lambda::Permission", Action="lambda:InvokeFunction", FunctionName={"Ref": "ApiFunction"}, Principal="*"), PUBLIC),
    ("any API may invoke the webhook", add("WebhookFunctionInteractionsPermission2", "AWS::Lambda::Permission", Action="lambda:InvokeFunction", FunctionName={"Ref": "WebhookFunction"}, Principal="apigateway.amazonaws.com"), CLOSED),
    ("pages may send interactions", put(API + "CorsConfiguration", True), ROUTES),
    ("interactions need credentials of AWS", put(API + "Auth", {"EnableIamAuthorizer": True, "DefaultAuthorizer": "AWS_IAM"}), ROUTES),
    ("payload format one", put(W + "Events.Interactions.Properties.PayloadFormatVersion", "1.0"), ROUTES),
    ("the path is another one", put(W + "Events.Interactions.Properties.Path", "/interaction"), ROUTES),
    ("unknown paths reach nothing", put(W + "Events.EverythingElse"), ROUTES),
    ("no throttle", put(API + "DefaultRouteSettings"), THROTTLE),
    ("the throttle is misspelt", put(API + "DefaultRouteSettings", {"ThrottlingBurst": 200, "ThrottlingRate": 50}), THROTTLE),
    ("strangers are not slowed down", put(API + "RouteSettings"), THROTTLE),
    ("the schedule is off", put(R + "Events.Tick.Properties.State", "DISABLED"), SCHEDULE),
    ("the schedule is daily", put(R + "Events.Tick.Properties.ScheduleExpression", "rate(1 day)"), SCHEDULE),
    ("two stacks clash", both(put(R + "Events.Tick.Properties.OmitName"), put(R + "Events.Tick.Properties.Name", "tick")), SCHEDULE),
    ("a failed tick is repeated", put(R + "EventInvokeConfig.MaximumRetryAttempts", 2), SCHEDULE),
    ("long imports are stopped", put(K + "RecursiveLoop"), LOOP),
    ("every loop is allowed", put(R + "RecursiveLoop", "Allow"), LOOP),
    ("settings publish no version", put(K + "VersionDescription"), ALIAS),
    ("a changed time-out publishes no version", put(P + "AutoPublishAliasAllProperties"), ALIAS),
    ("old versions are deleted", put(A + "VersionDeletionPolicy", "Delete"), ALIAS),
    ("the table goes with the stack", put("SessionsTable.DeletionPolicy", "Delete"), TABLE),
    ("a failed deployment leaves a table", put("SessionsTable.DeletionPolicy", "Retain"), TABLE),
    ("a replaced table is lost", put("SessionsTable.UpdateReplacePolicy", "Delete"), TABLE),
    ("the table cannot be restored", put(T + "PointInTimeRecoverySpecification"), TABLE),
    ("nothing expires", put(T + "TimeToLiveSpecification.AttributeName", "expires"), TABLE),
    ("an index has keys only", put(T + "GlobalSecondaryIndexes.0.Projection.ProjectionType", "KEYS_ONLY"), TABLE),
    ("events have no images", put(T + "StreamSpecification.StreamViewType", "KEYS_ONLY"), TABLE),
    ("the table has a fixed name", put(T + "TableName", "sessions"), TABLE),
    ("old sessions are deleted by default", put(D + "DeleteAfterDays.Default", 30), DEFAULTS),
    ("deletion deletes threads by default", put(D + "DeleteMode.Default", "delete"), DEFAULTS),
    ("everybody may unlock by default", put(D + "UnlockPolicy.Default", "everyone"), DEFAULTS),
    ("members create without a bound", put(D + "MemberCreationsPerHour.Default", 0), DEFAULTS),
    ("another application's key by default", put(D + "DiscordPublicKey.Default", "0" * 64), DEFAULTS),
    ("a table without its stream is taken", put("/Rules.TableWithStream"), DEFAULTS),
    ("a queue has no tags", put("JobsQueue.Properties.Tags"), TAGS),
    ("functions have no stage", each("Tags", {"Application": "onethread"}), TAGS),
    ("a second bus", add("Bus", "AWS::Events::EventBus", Name="more"), CLOSED),
)  # fmt: skip
