"""An AWS account for the setup: its wire ends here, and so do `sam build` and `sam deploy`."""

import functools
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast
from urllib.parse import parse_qs

import httpx
from boto3.session import Session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from infra.simulator.simulated_discord import SimulatedDiscord
from infra.simulator.transport import SimulatedTransport
from tests.infra.setup.resources import TABLE, Resources
from tests.infra.simulator.client import NOON
from tests.kit.aws_answers import answer, connect, error, operation_of
from tests.kit.aws_library import answer_calls

ENDPOINT = "https://abc.execute-api.eu-central-1.amazonaws.com/interactions"
Endpoint = Callable[[httpx.Request], Awaitable[httpx.Response]]
_XML = {"content-type": "text/xml"}


@dataclass
class Account:
    """`refusals`: the error code, or code and text, that an action is answered with. `sam`: every sam command."""

    stacks: dict[str, dict[str, str]] = field(default_factory=dict)  # the parameters of each
    status: str = "CREATE_COMPLETE"
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

    def call(self, name: str) -> Callable[..., dict[str, Any]] | None:
        """What answers a call of that name in place of the wire."""
        own = {"cloudformation.ListStackResources": self._list, "cloudformation.DeleteStack": self._delete}
        return own.get(name) or self.resources.answers().get(name)

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
        unchanged = self.stacks.get(stack) == given
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

    def answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        if "X-Amz-Target" in request.headers:
            return self._answer_ssm(request, operation_of(request), json.loads(body))
        if "account-settings" in str(request.url):
            if (refusal := self.refusals.get("GetAccountSettings")) is not None:
                return error(str(request.url), 403, refusal[0])
            return answer(
                str(request.url), 200, json.dumps({"AccountLimit": {"ConcurrentExecutions": self.concurrency}})
            )
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        action = form["Action"]
        if (refusal := self.refusals.get(action)) is not None:
            return answer(str(request.url), 400, _error(*refusal), _XML)
        return answer(str(request.url), *self._answer_query(action, form), _XML)

    def _answer_query(self, action: str, form: Mapping[str, str]) -> tuple[int, str]:
        match action:
            case "GetCallerIdentity":
                return 200, _result(action, "<Account>123456789012</Account>")
            case "DescribeStackEvents":
                members = "".join(
                    f"<member><LogicalResourceId>{name}</LogicalResourceId><ResourceType>AWS::X</ResourceType>"
                    f"<ResourceStatus>{status}</ResourceStatus><ResourceStatusReason>{reason}</ResourceStatusReason></member>"
                    for name, status, reason in self.events
                )
                return 200, _result(action, f"<StackEvents>{members}</StackEvents>")
            case _:
                assert action == "DescribeStacks"
        name = next((known for known in self.stacks if form["StackName"] == _id(known)), form["StackName"])
        if name in self._leaving:
            self._leaving[name] -= 1
            if not self._leaving[name]:  # only its id is known from then on
                self.stacks.pop(name)
                return 200, _result(
                    action,
                    f"<Stacks><member><StackName>{name}</StackName><StackId>{_id(name)}</StackId>"
                    "<StackStatus>DELETE_COMPLETE</StackStatus></member></Stacks>",
                )
        if name not in self.stacks:
            return 400, _error("ValidationError", f"Stack with id {name} does not exist")
        given = "".join(
            f"<member><ParameterKey>{k}</ParameterKey><ParameterValue>{v}</ParameterValue></member>"
            for k, v in self.stacks[name].items()
        )
        outputs = "".join(
            f"<member><OutputKey>{k}</OutputKey><OutputValue>{v}</OutputValue></member>"
            for k, v in {"InteractionsEndpoint": self.address, **self.resources.outputs()}.items()
        )
        stack = (
            f"<Stacks><member><StackName>{name}</StackName><StackId>{_id(name)}</StackId><StackStatus>{self.status}</StackStatus>"
            f"<Parameters>{given}</Parameters><Outputs>{outputs}</Outputs></member></Stacks>"
        )
        return 200, _result(action, stack)

    def _answer_ssm(self, request: AWSPreparedRequest, operation: str, body: dict[str, Any]) -> AWSResponse:
        url = str(request.url)
        if (refusal := self.refusals.get(operation)) is not None:
            return answer(url, 400, json.dumps({"__type": refusal[0], "message": refusal[1]}))
        if operation == "PutParameter":
            self.parameters[body["Name"]] = {"Type": body["Type"], "Value": body["Value"], "Key": body.get("KeyId", "")}
            return answer(url, 200, json.dumps({"Version": 1}))
        if operation == "DeleteParameter":
            if self.parameters.pop(body["Name"], None) is None:
                return error(url, 400, "ParameterNotFound")
            return answer(url, 200, "{}")
        assert operation == "GetParameter"
        found = self.parameters.get(body["Name"])
        if found is None:
            return error(url, 400, "ParameterNotFound")
        return answer(url, 200, json.dumps({"Parameter": {"Name": body["Name"], **found}}))


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
    for api in ("ssm", "sts", "cloudformation", "lambda"):
        connect(session, api, lambda request, **_: _Shared.current.answer(request))
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


def _result(action: str, content: str) -> str:
    return f"<{action}Response><{action}Result>{content}</{action}Result></{action}Response>"


def _error(code: str, text: str) -> str:
    return (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{text}</Message></Error></ErrorResponse>"
    )
