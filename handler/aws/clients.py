"""Clients of AWS, and single calls that may be repeated: to SQS and SSM. Calls to DynamoDB are in `handler.aws.dynamodb`."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, Final, TypeVar

from handler.errors import ConfigurationError
from handler.runtime import telemetry

if TYPE_CHECKING:
    from boto3.session import Session

T = TypeVar("T")

CONNECT_TIMEOUT_SECONDS: Final = 0.5  # inside a region a connection takes milliseconds
CONNECTIONS: Final = 10  # kept by a client, as botocore does: more than there are threads for SQS and SSM


def client(
    session: "Session",
    name: str,
    *,
    read_timeout: float,
    connect_timeout: float = CONNECT_TIMEOUT_SECONDS,
    connections: int = CONNECTIONS,
) -> Any:
    """A client that gives up in time: botocore's own 60 s would keep threads for good.

    Its own retries are off: they pause for up to a second. Raises ConfigurationError if the environment names no region.
    """
    from botocore.config import Config
    from botocore.exceptions import NoRegionError

    telemetry.silence("boto3", "botocore", "urllib3")  # at DEBUG they log all that is sent and answered
    config = Config(
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": 1},
        max_pool_connections=connections,
        tcp_keepalive=True,
        user_agent_extra="onethread",
    )
    try:
        return session.client(name, config=config)  # type: ignore[call-overload]  # its overloads want literal names
    except NoRegionError:
        raise ConfigurationError(["AWS_DEFAULT_REGION is missing"]) from None


async def at_most_twice(threads: Executor, call: Callable[[], T]) -> T:
    """The answer to a call that may be made twice: a connection that died during a freeze fails at first.

    Raises botocore's ClientError or BotoCoreError. A cancelled call goes on in its thread.
    """
    from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

    loop = asyncio.get_running_loop()
    try:
        return await loop.run_in_executor(threads, call)
    except (ConnectionError, HTTPClientError):  # refused, broken, or timed out
        pass
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
            raise
    return await loop.run_in_executor(threads, call)
