"""SQS events: how an entrance reads the messages of an event, works on them and answers which ones failed.

How a message ends:

    its work returns a result       SQS deletes it
    its work returns nothing        failed: SQS delivers it again or, after the last receive, moves it to the dead letters
    Malformed                       failed, each time
    another error of ours           failed
    an unexpected exception         failed; the other messages of the event do not suffer
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, ClassVar, Final, Protocol, TypeVar

import msgspec

from handler.errors import OnethreadError
from handler.runtime import telemetry
from handler.runtime.clock import of_timestamp

NO_ID: Final = ""  # reported for a message without an id: Lambda then takes the whole batch as failed

T = TypeVar("T")


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message as SQS delivers it. `receive_count` counts from 1; `sent_at` is None if the event does not say."""

    id: str
    body: str
    receive_count: int
    sent_at: datetime | None = None


class Malformed(Exception):
    """The body is no message of ours, or not of this version. The text says where, never what: it may hold a token."""

    kind: ClassVar = "malformed"


class Versioned(Protocol):
    """What a body is decoded to."""

    @property
    def version(self) -> int: ...


V = TypeVar("V", bound=Versioned)


def read_messages(event: Any) -> list[Message]:
    """The messages of an event; none if it is no event of SQS."""
    records = event.get("Records") if isinstance(event, dict) else None
    return [_read_message(r) for r in records if isinstance(r, dict)] if isinstance(records, list) else []


def _read_message(record: dict[str, Any]) -> Message:
    attributes = record.get("attributes")
    attributes = attributes if isinstance(attributes, dict) else {}
    count, sent = attributes.get("ApproximateReceiveCount"), attributes.get("SentTimestamp")
    return Message(
        id=record.get("messageId", NO_ID),
        body=str(record.get("body")),
        receive_count=int(count) if isinstance(count, str) and count.isdecimal() else 1,
        sent_at=of_timestamp(int(sent) / 1000) if isinstance(sent, str) and sent.isdecimal() else None,
    )


def decode_body(body: str, kind: type[V], version: int, dec_hook: Callable[[type, Any], Any] | None = None) -> V:
    """What is in a body. Raises Malformed."""
    try:
        decoded = msgspec.json.decode(body, type=kind, dec_hook=dec_hook)
    except msgspec.ValidationError as error:
        raise Malformed(str(error)) from None
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise Malformed("not JSON") from None
    if decoded.version != version:
        raise Malformed(f"version {decoded.version}, not {version}")
    return decoded


async def handle_messages(
    event: Any, work: Callable[[Message], Awaitable[T]], **fields: Any
) -> tuple[dict[str, Any], list[T]]:
    """Work on all messages of an event side by side, each in its own telemetry with these `fields`.

    Returns Lambda's answer, which names the failed messages, and the results of the others.
    """
    messages = read_messages(event)
    results = await asyncio.gather(*(_handle(message, work, fields) for message in messages))
    failed = [message.id for message, result in zip(messages, results, strict=True) if not result]
    answer = {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
    return answer, [result for result in results if result]


async def _handle(message: Message, work: Callable[[Message], Awaitable[T]], fields: dict[str, Any]) -> T | None:
    with telemetry.log_request(**fields, message_id=message.id, receive_count=message.receive_count):
        try:
            return await work(message)
        except (Malformed, OnethreadError) as error:
            log = telemetry.logger.error if isinstance(error, Malformed) else telemetry.logger.warning
            log("message failed", extra={"kind": error.kind, "detail": str(error)})
            telemetry.set_fields(outcome=error.kind)
        except Exception:
            telemetry.log_fault()
        return None
