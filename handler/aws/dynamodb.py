"""DynamoDB's seam: one call, ``call(operation, **parameters)``.

`operation` is the name of botocore's method (``get_item``), `parameters` are botocore's, except that attribute values are
plain Python (str, int, bool) where botocore wants ``{"S": …}``. The answer is botocore's, also with plain values and
without metadata.

How a call ends:

    an answer
    ConditionFailed, TransactionFailed   a condition was not met: a normal result, with the item that stood in the way.
                                         The Store turns both into values; nothing above it sees them.
    StoreUnavailable                     out of reach, refused, or still throttled or in conflict after the last attempt
    InvalidCall                          the call itself is wrong: a fault of ours

All retries are made here, none by botocore: so they end with the deadline, a cancelled call makes no further attempt,
and what a repeat means is reasoned about in one place. After a time-out, a dropped connection or a 5xx it is unknown
whether a write was applied, so an attempt may repeat one that was:

- A *transaction* carries one ClientRequestToken through all its attempts. DynamoDB remembers a token for ten minutes
  after the transaction succeeded and then answers success without applying it again (AWS: "TransactWriteItems",
  Idempotency). A transaction that was cancelled changed nothing, and is tried again under its token.
- A *plain conditional write* has no token: its repeat fails on the condition, with our own item in ConditionFailed.
  Only the Store can recognise that item as its own.
- A late attempt may be applied after its repeat. The same holds for the two then.

Cancelling a call does not recall it: botocore blocks a thread, which goes on and may still write, even minutes later if
the environment was frozen. Calls that no thread has taken up yet are never made.
"""

import math
import random
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol
from uuid import uuid4

from handler.aws.attribute_values import from_attribute, to_attribute
from handler.aws.clients import THROTTLED, THROTTLED_REASONS, AwsSession, ThreadedClient, build_client
from handler.aws.session import open_session
from handler.errors import StoreUnavailable
from handler.runtime.clock import Clock
from handler.runtime.deadline import remaining
from handler.runtime.telemetry import count

CONNECT_TIMEOUT_SECONDS: Final = 1.0  # inside a region a connection takes milliseconds
READ_TIMEOUT_SECONDS: Final = 1.5  # far above DynamoDB's answers; a second try still fits before Discord's 3 seconds
MAX_ATTEMPTS: Final = 5  # with the pauses below: about a second of conflicts or throttling is waited out
FIRST_PAUSE_SECONDS: Final = 0.05  # the longest first pause; a transaction in the way is over within that time
MAX_PAUSE_SECONDS: Final = 1.0  # and the longest of all: a user is waiting
MAX_CALLS: Final = 16  # threads and connections: the most calls of one request, and room for hanging ones

# A repeat may succeed after these, as after a 5xx and a connection error.
_TRANSIENT_CODES: Final = THROTTLED | frozenset(
    {
        "TransactionConflictException",  # a plain write met a transaction on its item; the SDKs do not repeat it
        "TransactionInProgressException",  # an attempt of this very transaction is still at work
    }
)
_TRANSIENT_REASONS: Final = THROTTLED_REASONS | {"TransactionConflict"}
_CONDITION_REASONS: Final = frozenset({"None", "ConditionalCheckFailed"})
_INVALID_CALL_CODES: Final = frozenset(
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
ConvertItem = Callable[[Mapping[str, Any]], dict[str, Any]]


class Call(Protocol):
    """The seam under the Store."""

    async def __call__(self, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """Make one call. The module's docstring says how it may end."""
        ...


class ConditionFailed(Exception):
    """The condition of a plain write was not met. `item`: what stood in the way, if ALL_OLD was given and there was one."""

    def __init__(self, item: Item | None) -> None:
        super().__init__("the condition failed")
        self.item = item


class TransactionFailed(Exception):
    """A transaction's condition was not met. `reasons`, in item order: ("None" or "ConditionalCheckFailed", item or None)."""

    def __init__(self, reasons: tuple[tuple[str, Item | None], ...]) -> None:
        super().__init__(f"the transaction failed: {', '.join(code for code, _ in reasons)}")
        self.reasons = reasons


class InvalidCall(Exception):
    """DynamoDB or botocore refuses the form of the call. A repeat is useless, so this is not StoreUnavailable."""


class _TransientError(Exception):
    """The attempt failed, a repeat may succeed. It may have been applied."""


class DynamoDB(ThreadedClient):
    """`Call` over a client of botocore without retries. `jitter` returns a number from 0 to 1."""

    service = "dynamodb"

    def __init__(self, client: Any, clock: Clock, *, jitter: Callable[[], float] = random.random) -> None:
        super().__init__(client, MAX_CALLS)
        self._clock = clock
        self._jitter = jitter

    async def __call__(self, operation: str, /, **parameters: Any) -> dict[str, Any]:
        request = to_wire(parameters)
        if operation == "transact_write_items":
            request.setdefault("ClientRequestToken", str(uuid4()))
        attempt = 1
        while True:
            try:
                return from_wire(await self._send(operation, request))
            except _TransientError as error:
                pause = self._jitter() * min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
                if attempt == MAX_ATTEMPTS or pause >= remaining(self._clock.now(), math.inf):
                    raise StoreUnavailable(f"{error} (attempt {attempt} of {MAX_ATTEMPTS})") from error.__cause__
            await self._clock.sleep(pause)
            attempt += 1

    async def _send(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        count("dynamodb_calls")
        try:
            answer = await self._call_once(operation, request)
        except ClientError as error:
            raise _translate_refusal(operation, error.response) from error
        except BotoCoreError as error:
            raise _translate_failure(operation, error) from error
        answer.pop("ResponseMetadata", None)
        return answer


def build(clock: Clock, session: AwsSession | None = None, *, jitter: Callable[[], float] = random.random) -> DynamoDB:
    """The seam over a new client of `session`; without one, botocore finds credentials and region in its default way.

    Raises ConfigurationError if the environment names no region.
    """
    client = build_client(
        session or open_session(),
        "dynamodb",
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        max_connections=MAX_CALLS,
    )
    return DynamoDB(client, clock, jitter=jitter)


def to_wire(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with plain values → botocore's. Raises TypeError for what DynamoDB cannot hold (a float, say)."""
    return _convert(parameters, lambda item: {name: to_attribute(value) for name, value in item.items()})


def from_wire(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Botocore's answer → the same with plain values; whole numbers come as int."""
    return _convert(answer, read_item)


def read_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item in plain values. A record of a stream has it as the wire does, too."""
    return {name: from_attribute(value) for name, value in item.items()}


def _convert(part: Mapping[str, Any], convert_item: ConvertItem) -> dict[str, Any]:
    return {name: _convert_field(name, value, convert_item) for name, value in part.items()}


def _convert_field(name: str, value: Any, convert_item: ConvertItem) -> Any:
    if name in _MAPS:
        return convert_item(value)
    if name in _LISTS:
        return [convert_item(item) for item in value]
    if name in _BY_TABLE:  # a table's name is no field's, whatever it is
        return {table: _convert_table(part, convert_item) for table, part in value.items()}
    if name == "TransactItems":
        return [{action: _convert(part, convert_item) for action, part in item.items()} for item in value]
    return value


def _convert_table(part: Any, convert_item: ConvertItem) -> Any:
    return [convert_item(item) for item in part] if isinstance(part, list) else _convert(part, convert_item)


def _translate_refusal(operation: str, response: Mapping[str, Any]) -> Exception:
    """What DynamoDB's error answer means. Each text carries the operation and DynamoDB's own code and message."""
    code, message = response["Error"].get("Code", ""), response["Error"].get("Message", "")
    text = f"dynamodb {operation}: {code}: {message}"
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(_item_of(response))
    if code == "TransactionCanceledException":
        return _translate_cancellation(text, response.get("CancellationReasons", []))
    if code in _TRANSIENT_CODES or response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
        return _TransientError(text)
    return InvalidCall(text) if code in _INVALID_CALL_CODES else StoreUnavailable(text)


def _translate_cancellation(text: str, reasons: list[dict[str, Any]]) -> Exception:
    """A conflict beside a failed condition is retried too, so that a TransactionFailed gives the true reason of each item."""
    codes = {reason["Code"] for reason in reasons}
    if codes & _TRANSIENT_REASONS:
        return _TransientError(text)
    if not codes or codes - _CONDITION_REASONS:
        return InvalidCall(text)
    return TransactionFailed(tuple((reason["Code"], _item_of(reason)) for reason in reasons))


def _item_of(part: Mapping[str, Any]) -> Item | None:
    return read_item(part["Item"]) if part.get("Item") else None


def _translate_failure(operation: str, error: Exception) -> Exception:
    """What a missing answer means."""
    from botocore.exceptions import ConnectionError, HTTPClientError, ParamValidationError

    text = f"dynamodb {operation}: {type(error).__name__}: {error}"
    if isinstance(error, ParamValidationError):
        return InvalidCall(text)
    transient = (ConnectionError, HTTPClientError)  # refused connections and connect time-outs are the former
    return _TransientError(text) if isinstance(error, transient) else StoreUnavailable(text)
