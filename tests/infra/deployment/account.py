"""An AWS account for the operator's programs: its calls end here, and so do `sam build` and `sam deploy`."""

import functools
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, cast

import httpx
from boto3.session import Session

from infra.simulator.simulated_discord import SimulatedDiscord
from infra.simulator.transport import SimulatedTransport
from tests.infra.deployment.resources import TABLE, Resources
from tests.infra.simulator.client import NOON
from tests.kit.aws_library import Answers, Refused, answer_calls

ENDPOINT = "https://abc.execute-api.eu-central-1.amazonaws.com/interactions"
Endpoint = Callable[[httpx.Request], Awaitable[httpx.Response]]


@dataclass
class Account:
    """`refusals`: the error code, or code and text, that an action is answered with. `sam`: every sam command."""

    stacks: dict[str, dict[str, str]] = field(default_factory=dict)  # the parameters of each
    status: str = "CREATE_COMPLETE"
    created: datetime = datetime(2026, 11, 1, 12, tzinfo=UTC)
    events: list[tuple[str, str, str]] = field(default_factory=list)  # resource, status, reason; the newest first
    parameters: dict[str, dict[str, str]] = field(default_factory=dict)
    concurrency: int = 10
    refusals: dict[str, tuple[str, str]] = field(default_factory=dict)
    sam: list[list[str]] = field(default_factory=list)
    build_fails: str | None = None  # what a failing `sam build` prints
    sam_fails: str | None = None  # what a failing `sam deploy` prints
    answers: list[int] = field(default_factory=list)  # of the endpoint, one after another; then 401
    address: str = ENDPOINT  # of the endpoint of every stack
    endpoint: Endpoint | None = None  # what answers there instead
    resources: Resources = field(default_factory=Resources)  # of every stack
    _leaving: dict[str, int] = field(default_factory=dict)  # for how many more looks a deleted stack is there

    def session(self, *, region: str | None = "eu-central-1") -> Session:
        """The place of boto3's session: its clients, which all tests share, end here from now on."""
        return cast("Session", _Shared(self, region))

    def call(self, name: str) -> Callable[..., dict[str, Any]]:
        """What answers a call of that name."""
        operation = name.partition(".")[2]
        if operation in self.refusals:
            return partial(_refuse, *self.refusals[operation])
        own: Answers = {
            "sts.GetCallerIdentity": lambda: {"Account": "123456789012"},
            "lambda.GetAccountSettings": lambda: {"AccountLimit": {"ConcurrentExecutions": self.concurrency}},
            "cloudformation.DescribeStacks": self._describe,
            "cloudformation.DescribeStackEvents": self._describe_events,
            "cloudformation.ListStackResources": self._list,
            "cloudformation.DeleteStack": self._delete,
            "ssm.GetParameter": self._get_parameter,
            "ssm.PutParameter": self._put_parameter,
            "ssm.DeleteParameter": self._delete_parameter,
        }
        return own.get(name) or self.resources.answers()[name]

    def run_sam(self, command: Sequence[str], environ: Mapping[str, str]) -> tuple[int, str]:
        assert "DISCORD_BOT_TOKEN" not in environ
        self.sam.append(list(command[1:]))
        if command[1] == "build":
            return (0, "") if self.build_fails is None else (1, self.build_fails)
        if self.sam_fails is not None:
            return 1, self.sam_fails
        stack = command[command.index("--stack-name") + 1]
        overrides = command[command.index("--parameter-overrides") + 1 :]
        given = {m[1]: m[2] for o in overrides if (m := re.fullmatch(r'(\w+)="(.*)"', o))}
        assert len(given) == len(overrides)
        before = self.stacks.get(stack, {})
        given = {**before, **given}  # sam keeps the parameters that are not given
        unchanged = before == given
        self.stacks[stack] = given
        self.resources.variables = {
            "SESSIONS_TABLE": given.get("SessionsTableName") or TABLE,
            "RECONCILE_QUEUE_URL": self.resources.outputs()["ReconcileQueueUrl"],
            "DISCORD_APPLICATION_ID": given["DiscordApplicationId"],
            "DISCORD_BOT_TOKEN_PARAMETER": given["DiscordBotTokenParameter"],
        }
        return 0, "No changes to deploy. Stack is up to date" if unchanged else "Successfully created/updated stack"

    def transport(self, discord: SimulatedDiscord) -> httpx.AsyncBaseTransport:
        return _Web(self, SimulatedTransport(discord, lambda: NOON))

    def _list(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        assert StackName in self.stacks
        listed = [{"ResourceType": kind, "PhysicalResourceId": name} for kind, name in self.resources.listed()]
        return {"StackResourceSummaries": listed}

    def _delete(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        if self.resources.policies:  # a managed policy that a role has cannot be deleted
            self.status = "DELETE_FAILED"
            self.events = [("ApiCallersPolicy", "DELETE_FAILED", "Cannot delete a policy attached to entities.")]
        else:
            self.resources.deleted.append("stack")
            self._leaving = dict.fromkeys([name for name in self.stacks if StackName == _id(name)], 2)
            self.status = "DELETE_IN_PROGRESS"
        return {}

    def _describe(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        name = next((known for known in self.stacks if StackName == _id(known)), StackName)
        if name not in self.stacks:
            raise Refused("ValidationError", f"Stack with id {name} does not exist")
        described: dict[str, Any] = {
            "StackName": name,
            "StackId": _id(name),
            "StackStatus": self.status,
            "CreationTime": self.created,
        }
        if name in self._leaving:
            self._leaving[name] -= 1
            if not self._leaving[name]:  # only its id is known from then on
                self.stacks.pop(name)
                return {"Stacks": [{**described, "StackStatus": "DELETE_COMPLETE"}]}
        outputs = {"InteractionsEndpoint": self.address, **self.resources.outputs()}
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in self.stacks[name].items()]
        shown = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
        return {"Stacks": [{**described, "Parameters": given, "Outputs": shown}]}

    def _describe_events(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        names = ("LogicalResourceId", "ResourceStatus", "ResourceStatusReason")
        return {
            "StackEvents": [{"ResourceType": "AWS::X", **dict(zip(names, event, strict=True))} for event in self.events]
        }

    def _get_parameter(self, Name: str, WithDecryption: bool) -> dict[str, Any]:  # noqa: N803 - AWS's names
        assert WithDecryption
        if Name not in self.parameters:
            raise Refused("ParameterNotFound")
        return {"Parameter": {"Name": Name, **self.parameters[Name]}}

    def _put_parameter(self, Name: str, Type: str, Value: str, KeyId: str = "", **_: Any) -> dict[str, Any]:  # noqa: N803 - AWS's names
        self.parameters[Name] = {"Type": Type, "Value": Value, "Key": KeyId}
        return {}

    def _delete_parameter(self, Name: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        if self.parameters.pop(Name, None) is None:
            raise Refused("ParameterNotFound")
        return {}


class _Shared:
    """A session whose clients are made once for all tests: to make one takes longer than a test."""

    current: ClassVar[Account]

    def __init__(self, account: Account, region: str | None) -> None:
        self._account, self.region_name = account, region

    def client(self, name: str, **_: object) -> Any:
        _Shared.current = self._account
        return _client(name)


@functools.cache
def _client(name: str) -> Any:
    return _prototype().client(name)  # type: ignore[call-overload]  # its overloads want literal names


@functools.cache
def _prototype() -> Session:
    session = Session(aws_access_key_id="x", aws_secret_access_key="y", region_name="eu-central-1")
    answer_calls(session, lambda name: _Shared.current.call(name))
    return session


class _Web(httpx.AsyncBaseTransport):
    """Discord below its own host, and the endpoint anywhere else."""

    def __init__(self, account: Account, discord: SimulatedTransport) -> None:
        self._account, self._discord = account, discord

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "discord.com":
            return await self._discord.handle_async_request(request)
        assert str(request.url) == self._account.address
        assert request.headers["x-signature-ed25519"] == "00" * 64
        if self._account.endpoint is not None:
            return await self._account.endpoint(request)
        status = self._account.answers.pop(0) if self._account.answers else 401
        if status == 0:
            raise httpx.ConnectError("not there yet")
        return httpx.Response(status)


def _id(stack: str) -> str:
    return f"arn:aws:cloudformation:eu-central-1:123456789012:stack/{stack}/1"


def _refuse(code: str, text: str, **_: Any) -> dict[str, Any]:
    raise Refused(code, text)
