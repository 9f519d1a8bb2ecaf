"""What a deployed stack consists of, as AWS's APIs show it, and how it can be broken."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from infra import cloudformation
from infra.table.memory_table import MemoryTable
from infra.table.wire import TableWire
from tests.kit.aws_library import Answers, Refused

TABLE: Final = "onethread-SessionsTable-1"
QUEUES: Final = ("JobsQueue", "JobsDeadLetters", "PublisherDeadLetters", "ReconcileQueue", "ReconcileDeadLetters")
SOURCES: Final = {f"00000000-0000-4000-8000-00000000000{n}": name for n, name in enumerate(("Jobs", "Guilds"))}
FUNCTIONS: Final = ("Webhook", "Worker", "Api", "Reconciler", "Publisher")
STREAM: Final = "2026-11-23T12:00:00.000"  # the label of the table's stream
POLICY: Final = "arn:aws:iam::123456789012:policy/onethread-ApiCallersPolicy-1"
_READS_AND_WRITES: Final = [
    "GetItem",
    "BatchGetItem",
    "Query",
    "Scan",
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "BatchWriteItem",
    "TransactWriteItems",
]


@dataclass
class Resources:
    """The functions, queues and the rest of one stack. All is well until a test changes it.

    `policies`: who has the policy of programs, as (kind, name). `deleted`: what was deleted, in order.
    """

    variables: dict[str, str] = field(default_factory=dict)  # of the reconciler
    functions: dict[str, dict[str, Any]] = field(default_factory=dict)  # what differs from a healthy one
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)  # likewise, of what wakes them
    waiting: dict[str, int] = field(default_factory=dict)
    schedule: str | None = "ENABLED"
    alarms: dict[str, str] = field(default_factory=dict)
    table: dict[str, Any] = field(default_factory=dict)  # what differs from a healthy one
    recovery: str = "ENABLED"
    expiry: str = "ENABLED"
    memory: MemoryTable = field(default_factory=lambda: MemoryTable(TABLE))
    policies: list[tuple[str, str]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    def outputs(self) -> dict[str, str]:
        declared = cloudformation.read()["Outputs"]
        urls = {f"{name}Url": f"https://sqs.eu-central-1.amazonaws.com/123456789012/{name}" for name in QUEUES}
        version = {"Version": str(declared["Version"]["Value"])}
        names = {
            "SessionsTableName": self.memory.name,
            "ReconcilerFunctionName": "Reconciler",
            "ApiCallersPolicyArn": POLICY,
        }
        return {**urls, **version, **names}

    def listed(self) -> list[tuple[str, str]]:
        """Types and physical ids."""
        schedules = [] if self.schedule is None else [("AWS::Scheduler::Schedule", "onethread-Tick-1")]
        return [
            *(("AWS::Lambda::Function", name) for name in FUNCTIONS),
            *(("AWS::Lambda::Version", f"arn:aws:lambda:eu-central-1:123456789012:function:{n}:7") for n in FUNCTIONS),
            *(("AWS::Lambda::EventSourceMapping", uuid) for uuid in SOURCES),
            *schedules,
            *(("AWS::CloudWatch::Alarm", name) for name in self.alarms),
            ("AWS::DynamoDB::Table", TABLE),
        ]

    def answers(self) -> Answers:
        described: dict[str, Callable[..., dict[str, Any]]] = {
            "lambda.GetFunctionConfiguration": self._function,
            "lambda.GetEventSourceMapping": self._source,
            "sqs.GetQueueAttributes": self._queue,
            "scheduler.GetSchedule": lambda **_: {"State": self.schedule, "ScheduleExpression": "rate(5 minutes)"},
            "cloudwatch.DescribeAlarms": self._alarms,
            "dynamodb.DescribeTable": self._describe,
            "dynamodb.DescribeContinuousBackups": lambda **_: {
                "ContinuousBackupsDescription": {
                    "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": self.recovery}
                }
            },
            "dynamodb.DescribeTimeToLive": lambda **_: {"TimeToLiveDescription": {"TimeToLiveStatus": self.expiry}},
            "dynamodb.UpdateTable": self._update,
            "dynamodb.DeleteTable": self._delete,
            "iam.ListEntitiesForPolicy": self._holders,
            **{f"iam.Detach{kind}Policy": partial(self._detach, kind) for kind in ("Role", "User", "Group")},
        }
        wire = TableWire(self.memory)
        return described | {f"dynamodb.{name}": partial(_in_memory, wire, name) for name in _READS_AND_WRITES}

    def _function(self, FunctionName: str, Qualifier: str = "$LATEST") -> dict[str, Any]:  # noqa: N803 - AWS's names
        healthy = {
            "Version": "7" if Qualifier == "live" else "$LATEST",
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "Runtime": "python3.13",
        }
        variables = {"Environment": {"Variables": self.variables}}
        return {**healthy, **variables, **self.functions.get(FunctionName, {})}

    def _source(self, UUID: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        healthy = {"State": "Enabled", "EventSourceArn": f"arn:aws:sqs:eu-central-1:123456789012:{SOURCES[UUID]}"}
        return {**healthy, **self.sources.get(SOURCES[UUID], {})}

    def _queue(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # noqa: N803 - AWS's names
        name = QueueUrl.rpartition("/")[2]
        return {"Attributes": {asked: str(self.waiting.get(name, 0)) for asked in AttributeNames}}

    def _alarms(self, AlarmNames: list[str], StateValue: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - AWS's names
        found = [name for name in AlarmNames if self.alarms[name] == StateValue]
        return {"MetricAlarms": [{"AlarmName": name, "StateReason": "Threshold Crossed"} for name in found]}

    def _holders(self, PolicyArn: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - AWS's name
        assert PolicyArn == POLICY
        held = {kind: [{f"{kind}Name": n} for k, n in self.policies if k == kind] for kind in ("Role", "User", "Group")}
        return {f"Policy{kind}s": names for kind, names in held.items()}

    def _detach(self, kind: str, PolicyArn: str, **holder: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        assert PolicyArn == POLICY
        self.policies.remove((kind, holder[f"{kind}Name"]))
        self.deleted.append("attachment")
        return {}

    def _update(self, TableName: str, DeletionProtectionEnabled: bool) -> dict[str, Any]:  # noqa: N803 - AWS's names
        self.table = {**self.table, "DeletionProtectionEnabled": DeletionProtectionEnabled}
        return {}

    def _delete(self, TableName: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        if self._describe(TableName)["Table"]["DeletionProtectionEnabled"]:
            raise Refused("ValidationException", "Resource cannot be deleted as it is currently protected")
        self.table = {"TableStatus": "GONE"}
        self.deleted.append("table")
        return {}

    def _describe(self, TableName: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        if self.table.get("TableStatus") == "GONE" or TableName != self.memory.name:
            raise Refused("ResourceNotFoundException", "Requested resource not found")
        indices = ("WatchIndex", "DueIndex", "ActivityIndex")
        healthy = {
            "TableName": TableName,
            "LatestStreamLabel": STREAM,
            "TableStatus": "ACTIVE",
            "DeletionProtectionEnabled": True,
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
            "GlobalSecondaryIndexes": [{"IndexName": name, "IndexStatus": "ACTIVE"} for name in indices],
        }
        return {"Table": {**healthy, **self.table}}


def _in_memory(wire: TableWire, operation: str, **request: Any) -> dict[str, Any]:
    status, document = wire.answer(operation, json.loads(json.dumps(request)))
    if status != 200:
        raise Refused(document["__type"].rpartition("#")[2], document["message"])
    return document
