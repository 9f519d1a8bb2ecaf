"""Clients of AWS: how they are built, and how their blocking calls are made from the event loop."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ClassVar, Final, Protocol

from handler.errors import ConfigurationError
from handler.runtime import telemetry
from handler.runtime.metrics import Metric

CONNECT_TIMEOUT_SECONDS: Final = 0.5  # inside a region a connection takes milliseconds
# Too many requests at once: a repeat may succeed.
THROTTLED: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ThrottlingException",
    }
)
THROTTLED_REASONS: Final = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError"})  # within a transaction
# Nothing helps until whoever runs the stack has corrected it: permissions, credentials, or what the call is for is gone.
OPERATOR_CODES: Final = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredTokenException",
        "InvalidKeyId",
        "InvalidSignatureException",
        "ParameterNotFound",
        "ParameterVersionNotFound",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
        "UnrecognizedClientException",
    }
)
MAX_CONNECTIONS: Final = 10  # that a client keeps, botocore's own default: at least as many as threads for SQS and SSM


class AwsSession(Protocol):
    """What makes clients: `handler.aws.session` on Lambda, or a session of boto3's, which people's programs have."""

    @property
    def client(self) -> Callable[..., Any]:
        """Makes the client of the AWS service of that name."""
        ...


class CallFailed(Exception):
    """AWS refused a call or did not answer. `code` is AWS's error code, empty if there was no answer."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class ThreadedClient:
    """A client of botocore whose calls block threads of its own instead of the event loop.

    A cancelled call goes on in its thread, and may still have its effect. How calls end is counted here for all services.
    """

    service: ClassVar[str]  # as botocore calls it: a dimension of metrics

    def __init__(self, client: Any, max_threads: int) -> None:
        self.client = client
        self._threads = ThreadPoolExecutor(max_threads, thread_name_prefix=type(self).__name__)

    async def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Make a call that may be repeated, at most twice: a connection that died during a freeze fails the first time.

        Raises CallFailed.
        """
        from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

        try:
            try:
                return await self._call_once(operation, parameters)
            except (ConnectionError, HTTPClientError):  # refused, broken, or timed out
                pass
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                    raise
            return await self._call_once(operation, parameters)
        except ClientError as error:
            raise CallFailed(f"{type(error).__name__}: {error}", error.response["Error"].get("Code", "")) from error
        except BotoCoreError as error:
            raise CallFailed(f"{type(error).__name__}: {error}") from error

    async def _call_once(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Raises botocore's ClientError or BotoCoreError."""
        from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

        call = partial(getattr(self.client, operation), **parameters)
        try:
            answer: dict[str, Any] = await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except ClientError as error:
            self._count_refusal(operation, error.response)
            raise
        except (ConnectionError, HTTPClientError):
            self._count(1)
            raise
        self._count(0)
        return answer

    def _count_refusal(self, operation: str, response: Mapping[str, Any]) -> None:
        """Tell apart what the operator has to correct, what AWS is to blame for, and what is a normal answer."""
        code = response["Error"].get("Code", "")
        if code in OPERATOR_CODES:
            telemetry.logger.error("aws refuses this", extra={"aws_call": f"{self.service} {operation}", "code": code})
            telemetry.add_metric(Metric.OPERATOR_FAULTS)
            return
        reasons = {reason["Code"] for reason in response.get("CancellationReasons", [])}
        failed = response["ResponseMetadata"]["HTTPStatusCode"] >= 500 or code in THROTTLED
        self._count(int(failed or not reasons.isdisjoint(THROTTLED_REASONS)))

    def _count(self, fault: int) -> None:
        telemetry.add_metric(Metric.AWS_FAULTS, fault, Service=self.service)

    def close(self) -> None:
        """Close the connections. Threads at work end by themselves; calls that none has taken up are dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.client.close()


def build_client(
    session: AwsSession,
    name: str,
    *,
    read_timeout: float,
    connect_timeout: float = CONNECT_TIMEOUT_SECONDS,
    max_connections: int = MAX_CONNECTIONS,
) -> Any:
    """A client with short time-outs: botocore's own 60 s would block threads for good.

    Its own retries are off: they pause for up to a second. Raises ConfigurationError if the environment names no region.
    """
    from botocore.config import Config
    from botocore.exceptions import NoRegionError

    telemetry.silence("boto3", "botocore", "urllib3")  # at DEBUG they log all that is sent and answered
    config = Config(
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": 1},
        max_pool_connections=max_connections,
        tcp_keepalive=True,
        user_agent_extra="onethread",
    )
    try:
        return session.client(name, config=config)
    except NoRegionError:
        raise ConfigurationError(["AWS_DEFAULT_REGION is missing"]) from None
