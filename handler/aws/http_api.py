"""HTTP APIs of API Gateway: their event, payload format 2.0, as a request; and their response.

AWS: "Working with AWS Lambda proxy integrations for HTTP APIs". An event of any other shape becomes a request without
a path and a signature, so it is refused.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

MAX_BODY_BYTES: Final = 1024 * 1024  # an interaction has a few KiB
# An older event was not received just now: it is a canned one, as `sam local invoke` sends.
MAX_EVENT_AGE: Final = timedelta(seconds=30)
MAX_ENCODED_LENGTH: Final = 4 * -(-MAX_BODY_BYTES // 3)  # of a body of the most bytes, in base64
DEFAULT_STAGE: Final = "$default"


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An unverified request. `body` is None if it could not be decoded; `size` is in bytes."""

    method: str
    path: str
    size: int
    body: bytes | None
    signature: str
    timestamp: str


def read_request(event: Any) -> HttpRequest:
    """The request in an event. Its path is without the stage that API Gateway puts in front."""
    event = event if isinstance(event, dict) else {}
    context = _object(event, "requestContext")
    headers = {name.lower(): value for name, value in _object(event, "headers").items() if isinstance(name, str)}
    body, size = _body(event)
    return HttpRequest(
        method=_text(_object(context, "http"), "method"),
        path=_path(_text(event, "rawPath"), _text(context, "stage")),
        size=size,
        body=body,
        signature=_text(headers, "x-signature-ed25519"),
        timestamp=_text(headers, "x-signature-timestamp"),
    )


def read_receipt_time(event: Any, now: datetime) -> datetime:
    """When API Gateway received the request and Discord's 3 seconds began; `now` for a canned event."""
    context = _object(event, "requestContext") if isinstance(event, dict) else {}
    epoch = context.get("timeEpoch")
    if not isinstance(epoch, int | float) or isinstance(epoch, bool):
        return now
    try:
        received = datetime.fromtimestamp(epoch / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return now
    return received if now - MAX_EVENT_AGE <= received <= now else now


def response(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A response in JSON."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", **(headers or {})},
        "body": msgspec.json.encode(body).decode(),
        "isBase64Encoded": False,
    }


def _path(raw_path: str, stage: str) -> str:
    if stage and stage != DEFAULT_STAGE and raw_path.startswith(f"/{stage}/"):
        return raw_path.removeprefix(f"/{stage}")
    return raw_path


def _body(event: Mapping[str, Any]) -> tuple[bytes | None, int]:
    """The bytes that were sent (None if undecodable) and how many. A body that is too large is not decoded."""
    text = _text(event, "body")
    if event.get("isBase64Encoded") is not True:
        if len(text) > MAX_BODY_BYTES:
            return None, len(text)
        body = text.encode("utf-8", "surrogatepass")
        return body, len(body)
    if len(text) > MAX_ENCODED_LENGTH:
        return None, MAX_BODY_BYTES + 1
    try:
        body = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None, 0
    return body, len(body)


def _object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def _text(parent: Mapping[str, Any], name: str) -> str:
    value = parent.get(name)
    return value if isinstance(value, str) else ""
