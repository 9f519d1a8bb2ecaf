"""Tasks of Step Functions that wait for an answer, each known by its task token.

A token takes one answer. AWS docs, "SendTaskSuccess" and "SendTaskFailure": which errors there are, and how long an answer may be.
"""

from enum import StrEnum
from typing import Any, Final

from handler.aws.clients import CallFailed, ThreadedClient
from handler.runtime import telemetry
from handler.runtime.secrets import Secret

MAX_CALLS: Final = 1  # threads: the publisher answers one task after another
READ_TIMEOUT_SECONDS: Final = 2.0  # nobody waits, and Step Functions answers within tens of milliseconds
_GONE: Final = frozenset({"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"})
# A repeat does not help: the operator has to correct a policy or a key.
_REFUSED: Final = frozenset(
    {
        "AccessDeniedException",
        "KmsAccessDeniedException",
        "KmsInvalidStateException",
        "InvalidOutput",
        "ValidationException",
    }
)


class Taken(StrEnum):
    """What became of an answer to a task."""

    ACCEPTED = "accepted"
    GONE = "gone"  # the task does not wait any more, or has its answer: perhaps this one, sent before
    REFUSED = "refused"  # for good
    UNKNOWN = "unknown"  # throttled, or out of reach: it is to be sent again


class StepFunctions(ThreadedClient):
    """Step Functions, over its client of botocore. No token gets into a log: AWS's error texts are left out."""

    service = "stepfunctions"

    def __init__(self, client: Any) -> None:
        super().__init__(client, MAX_CALLS)

    async def succeed(self, token: Secret, output: str) -> Taken:
        """The task's state goes on with this output, which is JSON."""
        return await self._answer("send_task_success", token, output=output)

    async def fail(self, token: Secret, error: str, cause: str) -> Taken:
        """The task's state fails with this error, which a `Catch` can name."""
        return await self._answer("send_task_failure", token, error=error, cause=cause)

    async def _answer(self, operation: str, token: Secret, **answer: str) -> Taken:
        telemetry.redact_in_request(token)
        try:
            await self.call(operation, taskToken=token.reveal(), **answer)
        except CallFailed as error:
            taken = Taken.GONE if error.code in _GONE else Taken.REFUSED if error.code in _REFUSED else Taken.UNKNOWN
            log = telemetry.logger.warning if taken is Taken.GONE else telemetry.logger.error
            log("a task did not take its answer", extra={"error": error.code or "no answer"})
            return taken
        return Taken.ACCEPTED
