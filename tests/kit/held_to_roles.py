"""A deployment whose functions are held to their roles, and what they needed of AWS."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError

from handler.config import Config
from infra.cloudformation import PSEUDO_PARAMETERS
from infra.local.iam import Need
from infra.local.roles import Roles, needs_of, read_request, refusal
from tests.kit.aws_answers import answer, operation_of
from tests.kit.deployment import Deployment
from tests.kit.dynamodb import REGION
from tests.kit.recorded_calls import operation_name
from tests.kit.sam_template import CONFIGS, parameter_values, template

NAMES: Final = {kind: name for name, kind in CONFIGS.items()}
TOKEN_KEY: Final = f"arn:aws:kms:{REGION}:123456789012:key/made-up"
# In the tests' deployment all queues have one URL; here each function's have the names of the template.
_QUEUES: Final = {
    "WebhookFunction": "JobsQueue",
    "WorkerFunction": "JobsQueue",
    "ReconcilerFunction": "ReconcileQueue",
    "PublisherFunction": "PublisherDeadLetters",
}


def deployed_roles(document: Mapping[str, Any] | None = None, **parameters: str) -> Roles:
    """The roles of a deployment that encrypts its token with a key of its own. `document`: another template."""
    chosen = {"EventBus": "onethread-events", "DiscordBotTokenKeyArn": TOKEN_KEY, "StepFunctionsCallbacks": "true"}
    return Roles(document or template(), {**PSEUDO_PARAMETERS, **parameter_values(), **chosen, **parameters})


class HeldToRoles(Deployment):
    """`needed`: what each function's requests needed. A request that its role does not allow is refused."""

    def __init__(self, roles: Roles, **options: Any) -> None:
        super().__init__(parameter=True, **options)
        self.roles = roles
        self.memory.on_commit = self.stream.add
        self.needed: dict[str, set[Need]] = {name: set(roles.needs_of_lambda(name)) for name in roles.functions()}

    def aws_session(self, kind: type[Config]) -> Any:
        return _Session(super().aws_session(kind), lambda *asked: self._check(NAMES[kind], *asked))

    def _check(self, function: str, api: str, operation: str, request: Mapping[str, Any]) -> Need | None:
        """The first need that is not allowed."""
        api = "states" if api == "stepfunctions" else api
        given = {**request, "QueueUrl": _QUEUES.get(function)} if "QueueUrl" in request else dict(request)
        if "Name" in given and api == "ssm":
            given["Name"] = "/onethread/onethread/discord-bot-token"
        needs = [self._in_the_template(need) for need in needs_of(api, operation, given, token_key=TOKEN_KEY)]
        self.needed[function].update(needs)
        return self.roles.refuse(function, needs)

    def _in_the_template(self, need: Need) -> Need:
        """The table of the tests has a number."""
        return Need(need.action, need.resource.replace(f"table/{self.wire.table}", "table/SessionsTable"), need.context)


class _Session:
    """A boto3 session whose requests are checked before they go out."""

    def __init__(self, session: Any, check: Callable[[str, str, Mapping[str, Any]], Need | None]) -> None:
        self._session, self._check = session, check

    def client(self, name: str, **options: Any) -> Any:
        client = self._session.client(name, **options)
        if name == "dynamodb":
            return _Table(client, self._check)
        client.meta.events.register_first("before-send", lambda request, **_: self._meet(name, request))
        return client

    def _meet(self, api: str, request: AWSPreparedRequest) -> AWSResponse | None:
        body = request.body if isinstance(request.body, bytes) else b""
        need = self._check(api, operation_of(request), read_request(body))
        return None if need is None else answer(str(request.url), 400, json.dumps(refusal(need)))


class _Table:
    """The client of the table."""

    def __init__(self, client: Any, check: Callable[[str, str, Mapping[str, Any]], Need | None]) -> None:
        self._client, self._check = client, check

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if name == "close":
            return call

        def checked(**request: Any) -> Any:
            need = self._check("dynamodb", operation_name(name), request)
            if need is not None:
                response: Any = {
                    "Error": {"Code": "AccessDeniedException"},
                    "ResponseMetadata": {"HTTPStatusCode": 400},
                }
                raise ClientError(response, name)
            return call(**request)

        return checked
