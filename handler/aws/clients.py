"""Clients of AWS: how they are built, and how their blocking calls are made from the event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from handler.errors import ConfigurationError
from handler.runtime import telemetry

if TYPE_CHECKING:
    from boto3.session import Session

CONNECT_TIMEOUT_SECONDS: Final = 0.5  # inside a region a connection takes milliseconds
MAX_CONNECTIONS: Final = 10  # that a client keeps, botocore's own default: at least as many as threads for SQS and SSM


class CallFailed(Exception):
    """AWS refused a call or did not answer. `code` is AWS's error code, empty if there was no answer."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class ThreadedClient:
    """A boto3 client whose calls block threads of its own instead of the event loop.

    A cancelled call goes on in its thread, and may still have its effect.
    """

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
        call = partial(getattr(self.client, operation), **parameters)
        answer: dict[str, Any] = await asyncio.get_running_loop().run_in_executor(self._threads, call)
        return answer

    def close(self) -> None:
        """Close the connections. Threads at work end by themselves; calls that none has taken up are dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.client.close()


def build_client(
    session: "Session",
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
        return session.client(name, config=config)  # type: ignore[call-overload]  # its overloads want literal names
    except NoRegionError:
        raise ConfigurationError(["AWS_DEFAULT_REGION is missing"]) from None
