"""Lambda's Invoke on loopback, in front of a deployment in this process: what programs with boto3 or the AWS CLI meet.

Requests are answered one after the other, in virtual time. What people do meanwhile is said before: `before_await`.
"""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final, TypeVar, cast

from infra.local.functions import Pool, Result
from infra.local.gateway import lambda_api
from infra.loopback import Loopback, Request, Response, json_response
from infra.virtual_time import VirtualLoop
from tests.kit.deployment import Deployment
from tests.kit.secrets import made_up
from tests.kit.table_view import CHANNEL

T = TypeVar("T")
Act = Callable[[Deployment], Awaitable[Any]]

FUNCTION: Final = "ApiFunction"
ARN: Final = f"arn:aws:lambda:eu-central-1:123456789012:function:{FUNCTION}"
THROTTLED: Final = Response(
    429,
    {"content-type": "application/json", "x-amzn-errortype": "TooManyRequestsException"},
    b'{"Type": "User", "message": "Rate Exceeded.", "Reason": "ConcurrentInvocationLimitExceeded"}',
)
LOST: Final = "its answer is lost"
MAX_EVENTS: Final = 100  # a program that waits for an answer which nobody gives would wait for ever


class LambdaEndpoint:
    """`events`: what the function got. `before_await`: what people do, one act before each `await`.

    `faults`: one for each coming request: THROTTLED, LOST, or what the function returns, a Result, in place of its answer.
    """

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.events: list[dict[str, Any]] = []
        self.before_await: list[Act] = []
        self.faults: list[Response | Result | str | None] = []
        self._runner = asyncio.Runner(loop_factory=VirtualLoop)
        self._lock = threading.Lock()
        self._server = Loopback(self._answer)

    def close(self) -> None:
        """Wait for requests that a program has given up, and end."""
        self._server.close()
        with self._lock:
            self._runner.close()

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment of a program."""
        return {
            "AWS_ENDPOINT_URL_LAMBDA": self._server.url,
            "AWS_ACCESS_KEY_ID": "made-up",
            "AWS_SECRET_ACCESS_KEY": made_up("key"),
            "AWS_DEFAULT_REGION": "eu-central-1",
            "ONETHREAD_FUNCTION": ARN,
            "ONETHREAD_CHANNEL": CHANNEL,
        }

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the deployment."""
        with self._lock:
            return self._runner.run(work)

    def operations(self) -> list[str]:
        return [event.get("operation", "ensure") for event in self.events]

    def invoke(self, event: Any, *, request_id: str | None = None) -> Result:
        """One invocation, as the local stack's pools have it."""
        return Result(self.run(self._invoke(event)))

    async def _invoke(self, event: dict[str, Any]) -> Any:
        self.events.append(event)
        if event.get("operation") == "await" and self.before_await:
            await self.before_await.pop(0)(self.deployment)
        return await self.deployment.invoke(event)

    def _answer(self, request: Request) -> Response | None:
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Response):
            return fault
        if len(self.events) >= MAX_EVENTS:
            return json_response(400, '{"message": "The test has gone wrong: nobody answers."}')
        if isinstance(fault, Result):
            failed = {"x-amz-function-error": "Unhandled"} if fault.error is not None else {}
            answer = json_response(200, json.dumps(fault.error or fault.payload))
            return Response(200, {**answer.headers, **failed}, answer.body)
        answer = lambda_api({FUNCTION: cast("Pool", self), ARN: cast("Pool", self)}, request)
        return None if fault == LOST else answer
