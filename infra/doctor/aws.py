"""What the doctor looks at in AWS. Each check yields its lines; OperatorError says what could not be looked at, and why."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from handler import __version__
from infra import cloudformation
from infra.deployment.account import explained, functions_at_once
from infra.deployment.deployed import ALIAS, Deployed
from infra.deployment.report import Line

MANY_WAITING: Final = 100  # messages: more than a busy minute's
VERSION_OUTPUT: Final = "Version"
_SILENT: Final = "ReconcilerSilentAlarm"
_TICKS: Final = 3  # that the alarm waits for
_DEPLOYMENT: Final = timedelta(minutes=15)  # which a stack's first one takes at most
_AGAIN: Final = "Run: make setup."
_GOOD_STATES: Final = frozenset({"Enabled", "Enabling", "Updating"})  # of an event source mapping (Lambda docs)
_MAX_ALARMS: Final = 100  # that one DescribeAlarms may name (CloudWatch docs)


class AwsChecks:
    """The stack and what it consists of."""

    def __init__(self, deployed: Deployed, now: datetime) -> None:
        self._deployed, self._now = deployed, now
        self._client = deployed.account.client

    def stack(self) -> Iterator[Line]:
        stack = self._deployed.stack
        stack.require_deployable()
        yield Line("stack", "ok", f"{stack.name} in {self._deployed.account.region}: {stack.status}")

    def version(self) -> Iterator[Line]:
        deployed = self._deployed.stack.outputs.get(VERSION_OUTPUT)
        if deployed == __version__:
            yield Line("version", "ok", __version__)
        else:
            what = f"{deployed} is deployed" if deployed else "What is deployed names no version"
            yield Line("version", "warn", f"{what}, and this tree is {__version__}.", _AGAIN)

    def token(self) -> Iterator[Line]:
        kept = self._deployed.token
        kept.require_encrypted()
        yield Line("token", "ok", f"{kept.parameter}, encrypted")

    def functions(self) -> Iterator[Line]:
        """Whether what is invoked, the alias, can run, and is what was deployed last."""
        wanted = cloudformation.read()["Globals"]["Function"]["Runtime"]
        versions = dict(_function_and_version(arn) for arn in self._of_type("AWS::Lambda::Version"))
        functions, bad = self._of_type("AWS::Lambda::Function"), 0
        for name in functions:
            with explained("lambda", "GetFunctionConfiguration"):
                found = self._client("lambda").get_function_configuration(FunctionName=name, Qualifier=ALIAS)
            state, update = found.get("State", "Active"), found.get("LastUpdateStatus", "Successful")
            newest = versions.get(name, found["Version"])
            if (state, update) != ("Active", "Successful"):
                reason = found.get("StateReason") or found.get("LastUpdateStatusReason") or "no reason given"
                yield Line("functions", "fail", f"{name} is {state}, its last update {update}: {reason}", _AGAIN)
            elif found["Runtime"] != wanted:
                yield Line("functions", "warn", f"{name} runs on {found['Runtime']}, not on {wanted}.", _AGAIN)
            elif found["Version"] != newest:
                text = f"{name} runs version {found['Version']}, not {newest}, which was deployed last."
                cure = "If you went back on purpose, leave it. Else docs/deploy.md, 'Versions'."
                yield Line("functions", "warn", text, cure)
            else:
                continue
            bad += 1
        if not bad:
            yield Line("functions", "ok", f"{len(functions)} on {wanted}")

    def event_sources(self) -> Iterator[Line]:
        """Whether the queues and the table's stream wake their functions."""
        sources, bad = self._of_type("AWS::Lambda::EventSourceMapping"), 0
        for uuid in sources:
            with explained("lambda", "GetEventSourceMapping"):
                found = self._client("lambda").get_event_source_mapping(UUID=uuid)
            name = found["EventSourceArn"].rpartition(":")[2]
            if found["State"] not in _GOOD_STATES:
                cure = f"Run: aws lambda update-event-source-mapping --uuid {uuid} --enabled --region {self._deployed.account.region}"
                yield Line("sources", "fail", f"{name} wakes no function: it is {found['State']}.", cure)
            elif found.get("LastProcessingResult", "").startswith("PROBLEM"):
                text = f"{name}: {found['LastProcessingResult']}"
                yield Line("sources", "warn", text, "Look at the function's role and log.")
            else:
                continue
            bad += 1
        if not bad:
            yield Line("sources", "ok", f"{len(sources)} enabled")

    def table(self) -> Iterator[Line]:
        name, client = self._deployed.table_name, self._client("dynamodb")
        with explained("dynamodb", "DescribeTable"):
            found = client.describe_table(TableName=name)["Table"]
        with explained("dynamodb", "DescribeContinuousBackups"):
            backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        with explained("dynamodb", "DescribeTimeToLive"):
            expiry = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        where = f"{name} --region {self._deployed.account.region}"
        faults = [*_table_faults(name, where, found, backups, expiry), *self._stream_faults(found)]
        yield from faults
        if not faults:
            yield Line("table", "ok", f"{name}: recovery, stream, expiry and protection are on")

    def _stream_faults(self, table: Any) -> Iterator[Line]:
        """Whether the label of an adopted table's stream is the present one: it changes when the stream is turned off and on."""
        given, label = self._deployed.stack.parameters.get("SessionsTableStreamLabel"), table.get("LatestStreamLabel")
        if given and given != label:
            text = f"The stream of {table['TableName']} is {label} now, and the stack reads {given}."
            cure = f'Run: make setup ARGS="--set SessionsTableStreamLabel={label}"'
            yield Line("table", "fail", text, cure)

    def queues(self) -> Iterator[Line]:
        bad = 0
        for output, url in sorted(self._deployed.stack.outputs.items()):
            if not output.endswith(("QueueUrl", "DeadLettersUrl")):
                continue
            with explained("sqs", "GetQueueAttributes"):
                attributes = self._client("sqs").get_queue_attributes(
                    QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
                )["Attributes"]
            waiting, name = int(attributes["ApproximateNumberOfMessages"]), output.removesuffix("Url")
            if name.endswith("DeadLetters") and waiting:
                cure = f"docs/operations.md#{name.lower()}alarm: find the reason, then delete them."
                yield Line("queues", "warn", f"{name} has {waiting}.", cure)
            elif name == "JobsQueue" and waiting > MANY_WAITING:  # a tick fills the other with all servers that are due
                cure = "See whether its function fails or is throttled."
                yield Line("queues", "warn", f"In {name} {waiting} are waiting.", cure)
            else:
                continue
            bad += 1
        if not bad:
            yield Line("queues", "ok", "nothing is stuck, and no dead letters")

    def schedule(self) -> Iterator[Line]:
        names = self._of_type("AWS::Scheduler::Schedule")
        if not names:
            yield Line("schedule", "fail", "The stack has no schedule: nothing compares the table.", _AGAIN)
        for name in names:
            with explained("scheduler", "GetSchedule"):
                found = self._client("scheduler").get_schedule(Name=name)
            if found["State"] == "ENABLED":
                yield Line("schedule", "ok", found["ScheduleExpression"])
            else:
                cure = "Enable it in the console of EventBridge Scheduler."
                yield Line("schedule", "fail", f"The schedule {name} is {found['State']}.", cure)

    def alarms(self) -> Iterator[Line]:
        names = self._of_type("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
        rung: list[Any] = []
        early = False
        for first in range(0, len(names), _MAX_ALARMS):
            with explained("cloudwatch", "DescribeAlarms"):
                found = self._client("cloudwatch").describe_alarms(
                    AlarmNames=names[first : first + _MAX_ALARMS],
                    StateValue="ALARM",
                    AlarmTypes=["MetricAlarm", "CompositeAlarm"],
                )
            rung += [*found.get("MetricAlarms", ()), *found.get("CompositeAlarms", ())]
        if self._is_new():  # without a single tick yet it is on: silence is what it tells of
            early = any(_SILENT in alarm["AlarmName"] for alarm in rung)
            rung = [alarm for alarm in rung if _SILENT not in alarm["AlarmName"]]
        for alarm in rung:
            cure = "docs/operations.md has what to do about each alarm."
            yield Line("alarms", "fail", f"{alarm['AlarmName']}: {alarm.get('StateReason', '')}".strip(), cure)
        if not rung:
            text = f"none of {len(names)} has gone off" if names else "the stack has none"
            yield Line("alarms", "ok", f"{text}; {_SILENT} is on until the schedule's first run" if early else text)

    def _is_new(self) -> bool:
        """Whether the schedule may not have run yet."""
        created, stack = self._deployed.stack.created, self._deployed.stack
        period = timedelta(minutes=int(stack.parameters.get("ReconcileMinutes", "5")))
        return created is not None and self._now - created < _DEPLOYMENT + _TICKS * period

    def concurrency(self) -> Iterator[Line]:
        limit = self._deployed.account.concurrency()
        asked = functions_at_once(self._deployed.stack.parameters)
        if asked <= limit:
            yield Line("concurrency", "ok", f"the account runs {limit} functions at once, these settings need {asked}")
        else:
            text = f"The account runs {limit} functions at once, and these settings need {asked}."
            cure = "Ask AWS for more (service quota 'Concurrent executions')."
            yield Line("concurrency", "warn", text, cure)

    def _of_type(self, *types: str) -> list[str]:
        """The physical ids of the stack's resources of these types."""
        return [name for kind, name in self._deployed.resources if kind in types]


def _function_and_version(arn: str) -> tuple[str, str]:
    """arn:aws:lambda:REGION:ACCOUNT:function:NAME:VERSION"""
    name, version = arn.split(":")[-2:]
    return name, version


def _table_faults(name: str, where: str, table: Any, backups: Any, expiry: Any) -> Iterator[Line]:
    """What is wrong with the table. A restored one has neither stream, expiry, recovery nor protection (DynamoDB docs)."""
    update = f"Run: aws dynamodb update-table --table-name {where}"
    if table["TableStatus"] != "ACTIVE":
        yield Line("table", "fail", f"{name} is {table['TableStatus']}.", "Wait, then run this again.")
    wanted = cloudformation.read()["Resources"]["SessionsTable"]["Properties"]["GlobalSecondaryIndexes"]
    built = {i["IndexName"] for i in table.get("GlobalSecondaryIndexes", ()) if i["IndexStatus"] == "ACTIVE"}
    for index in sorted({i["IndexName"] for i in wanted} - built):
        yield Line("table", "fail", f"{name} has no index {index} that is ready.", "docs/upgrading.md: indices.")
    stream = table.get("StreamSpecification") or {}
    if not stream.get("StreamEnabled") or stream.get("StreamViewType") != "NEW_AND_OLD_IMAGES":
        how = "--stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"
        yield Line("table", "fail", f"{name} has no stream, so there are no events.", f"{update} {how}")
    if not table.get("DeletionProtectionEnabled"):
        yield Line("table", "warn", f"{name} can be deleted by mistake.", f"{update} --deletion-protection-enabled")
    recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    if recovery != "ENABLED":
        how = "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
        cure = f"Run: aws dynamodb update-continuous-backups --table-name {where} {how}"
        yield Line("table", "warn", f"{name} has no point-in-time recovery.", cure)
    if expiry.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING"):
        how = "--time-to-live-specification Enabled=true,AttributeName=expires_at"
        cure = f"Run: aws dynamodb update-time-to-live --table-name {where} {how}"
        yield Line("table", "warn", f"In {name} nothing expires.", cure)
