"""DynamoDB's seam: one call, ``call(operation, **parameters)``, and the one module that knows boto3.

`operation` is boto3's method name (``get_item``), `parameters` are botocore's, except that attribute values are plain
Python (str, int, bool) wherever botocore wants ``{"S": …}``. The answer is botocore's, plain again, without metadata.

How a call ends:

    an answer
    ConditionFailed, TransactionFailed   a condition was lost: a normal result, with the item that stood in the way.
                                         The Store turns both into values; nobody else meets them.
    StoreUnavailable                     out of reach, refused, or still throttled or in conflict after the last attempt
    InvalidCall                          the call itself is wrong: a fault of ours

All retries are made here, none by botocore: they then end with the deadline, a cancelled call makes no further
attempt, and what a repeat means can be thought through in one place. After a time-out, a dropped connection or a 5xx
nobody knows whether a write was applied, so an attempt may repeat one that was:

- A *transaction* carries one ClientRequestToken through all its attempts. DynamoDB remembers a token for ten minutes
  after the transaction succeeded and then answers success without applying it again (AWS: "TransactWriteItems",
  Idempotency). A transaction that was cancelled left nothing, and is tried anew under its token.
- A *plain conditional write* has no token: its repeat fails on the condition, with our own item in ConditionFailed.
  Only the Store can recognise that item as its own.
- A late attempt may land after its repeat: what was said of the two repeats holds there too.

Cancelling a call does not recall it: botocore blocks a thread, and that thread goes on and may still write, be it after
a freeze of minutes. Calls that no thread has taken up yet are never made.
"""

import asyncio
import math
import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import uuid4

from handler.aws import clients
from handler.errors import StoreUnavailable
from handler.runtime.clock import Clock
from handler.runtime.deadline import remaining
from handler.runtime.telemetry import count

if TYPE_CHECKING:
    from boto3.session import Session as Boto3Session

CONNECT_TIMEOUT_SECONDS: Final = 1.0  # inside a region a connection takes milliseconds
READ_TIMEOUT_SECONDS: Final = 1.5  # far above DynamoDB's answers; a second try still fits before Discord's 3 seconds
MAX_ATTEMPTS: Final = 5  # with the pauses below: about a second of conflicts or throttling is sat out
FIRST_PAUSE_SECONDS: Final = 0.05  # the longest first pause; a transaction in the way is over within that time
MAX_PAUSE_SECONDS: Final = 1.0  # and the longest of all: a user is waiting
MAX_CALLS: Final = 16  # threads and connections: the most calls of one request, and room for hanging ones

# What passes by itself. 5xx and connection errors do too.
_PASSING_CODES: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionConflictException",  # a plain write met a transaction on its item; the SDKs do not repeat it
        "TransactionInProgressException",  # an attempt of this very transaction is still at work
    }
)
_PASSING_REASONS: Final = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"})
_REASONS_OF_A_LOSS: Final = frozenset({"None", "ConditionalCheckFailed"})
_OUR_FAULTS: Final = frozenset(
    {
        "IdempotentParameterMismatchException",
        "ItemCollectionSizeLimitExceededException",
        "SerializationException",
        "ValidationException",
    }
)

# Where botocore's parameters and answers hold attribute values: as one map from names to values, or as a list of maps.
_MAPS: Final = frozenset(
    {"Attributes", "ExclusiveStartKey", "ExpressionAttributeValues", "Item", "Key", "LastEvaluatedKey"}
)
_LISTS: Final = frozenset({"Items", "Keys"})
_BY_TABLE: Final = frozenset({"RequestItems", "Responses", "UnprocessedKeys"})

Item = dict[str, Any]
Values = Callable[[Mapping[str, Any]], dict[str, Any]]


class Call(Protocol):
    """The seam under the Store."""

    async def __call__(self, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """Make one call; how it may end is told above."""
        ...


class ConditionFailed(Exception):
    """A plain write lost. `item`: what stood in the way, if ALL_OLD was asked for and there was an item."""

    def __init__(self, item: Item | None) -> None:
        super().__init__("the condition failed")
        self.item = item


class TransactionFailed(Exception):
    """A transaction lost. `reasons`, in the order of its items: ("None" or "ConditionalCheckFailed", item or None)."""

    def __init__(self, reasons: tuple[tuple[str, Item | None], ...]) -> None:
        super().__init__(f"the transaction failed: {', '.join(code for code, _ in reasons)}")
        self.reasons = reasons


class InvalidCall(Exception):
    """DynamoDB or botocore refuses the form of the call. Repeating it is useless, so it is no StoreUnavailable."""


class _Passing(Exception):
    """The attempt failed in a way that passes by itself; it may have been applied."""


class DynamoDB:
    """`Call` over a boto3 client whose own retries are off. `jitter` returns a number from 0 to 1."""

    def __init__(self, client: Any, clock: Clock, *, jitter: Callable[[], float] = random.random) -> None:
        self.client = client
        self._clock = clock
        self._jitter = jitter
        self._threads = ThreadPoolExecutor(MAX_CALLS, thread_name_prefix="dynamodb")

    async def __call__(self, operation: str, /, **parameters: Any) -> dict[str, Any]:
        request = to_wire(parameters)
        if operation == "transact_write_items":
            request.setdefault("ClientRequestToken", str(uuid4()))
        attempt = 1
        while True:
            try:
                return from_wire(await self._send(operation, request))
            except _Passing as fault:
                pause = self._jitter() * min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
                if attempt == MAX_ATTEMPTS or pause >= remaining(self._clock.now(), math.inf):
                    raise StoreUnavailable(f"{fault} (attempt {attempt} of {MAX_ATTEMPTS})") from fault.__cause__
            await self._clock.sleep(pause)
            attempt += 1

    def close(self) -> None:
        """Let the connections and the threads go; threads at work finish first, by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.client.close()

    async def _send(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        count("dynamodb_calls")
        attempt = partial(getattr(self.client, operation), **request)
        try:
            answer: dict[str, Any] = await asyncio.get_running_loop().run_in_executor(self._threads, attempt)
        except ClientError as error:
            raise _refusal(operation, error.response) from error
        except BotoCoreError as error:
            raise _failure(operation, error) from error
        answer.pop("ResponseMetadata", None)
        return answer


def build(
    clock: Clock, session: "Boto3Session | None" = None, *, jitter: Callable[[], float] = random.random
) -> DynamoDB:
    """The seam over a new client of `session` (boto3's default way to credentials and region, if there is none).

    Raises ConfigurationError if the environment names no region.
    """
    from boto3.session import Session

    client = clients.client(
        session or Session(),
        "dynamodb",
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        connections=MAX_CALLS,
    )
    return DynamoDB(client, clock, jitter=jitter)


def to_wire(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with plain values → botocore's. Raises TypeError for what DynamoDB cannot hold (a float, say)."""
    from boto3.dynamodb.types import TypeSerializer

    write = TypeSerializer().serialize
    return _converted(parameters, lambda item: {name: write(value) for name, value in item.items()})


def from_wire(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Botocore's answer → the same with plain values; whole numbers come as int."""
    from boto3.dynamodb.types import TypeDeserializer

    read = TypeDeserializer().deserialize
    return _converted(answer, lambda item: {name: _plain(read(value)) for name, value in item.items()})


def _converted(part: Mapping[str, Any], values: Values) -> dict[str, Any]:
    return {name: _field(name, value, values) for name, value in part.items()}


def _field(name: str, value: Any, values: Values) -> Any:
    if name in _MAPS:
        return values(value)
    if name in _LISTS:
        return [values(item) for item in value]
    if name in _BY_TABLE:  # a table's name is no field's, whatever it is
        return {table: _of_table(part, values) for table, part in value.items()}
    if name == "TransactItems":
        return [{action: _converted(part, values) for action, part in item.items()} for item in value]
    return value


def _of_table(part: Any, values: Values) -> Any:
    return [values(item) for item in part] if isinstance(part, list) else _converted(part, values)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value
    if isinstance(value, list):
        return [_plain(element) for element in value]
    if isinstance(value, dict):
        return {name: _plain(element) for name, element in value.items()}
    return value


def _refusal(operation: str, response: Mapping[str, Any]) -> Exception:
    """What DynamoDB's error answer means. Each text carries the operation and DynamoDB's own code and message."""
    code, message = response["Error"].get("Code", ""), response["Error"].get("Message", "")
    text = f"dynamodb {operation}: {code}: {message}"
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(_item_in(response))
    if code == "TransactionCanceledException":
        return _cancelled(text, response.get("CancellationReasons", []))
    if code in _PASSING_CODES or response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
        return _Passing(text)
    return InvalidCall(text) if code in _OUR_FAULTS else StoreUnavailable(text)


def _cancelled(text: str, reasons: list[dict[str, Any]]) -> Exception:
    """A conflict beside a lost condition is retried too: every reason of a TransactionFailed says what is the case."""
    codes = {reason["Code"] for reason in reasons}
    if codes & _PASSING_REASONS:
        return _Passing(text)
    if not codes or codes - _REASONS_OF_A_LOSS:
        return InvalidCall(text)
    return TransactionFailed(tuple((reason["Code"], _item_in(reason)) for reason in reasons))


def _item_in(part: Mapping[str, Any]) -> Item | None:
    item: Item | None = from_wire({"Item": part["Item"]})["Item"] if part.get("Item") else None
    return item


def _failure(operation: str, error: Exception) -> Exception:
    """What it means that there is no answer at all."""
    from botocore.exceptions import ConnectionError, HTTPClientError, ParamValidationError

    text = f"dynamodb {operation}: {type(error).__name__}: {error}"
    if isinstance(error, ParamValidationError):
        return InvalidCall(text)
    passing = (ConnectionError, HTTPClientError)  # refused connections and connect time-outs are the former
    return _Passing(text) if isinstance(error, passing) else StoreUnavailable(text)
