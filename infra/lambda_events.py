"""Build the events with which AWS invokes the functions.

Shapes: API Gateway docs, "payload format version 2.0"; Lambda docs, "Using Lambda with Amazon SQS"; EventBridge
Scheduler docs, "Invoking a Lambda function". ``now`` is an aware UTC datetime.
"""

import base64 as base64_codec
import hashlib
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

UNIX_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
REGION: Final = "us-east-1"
ACCOUNT: Final = "123456789012"


def unix_milliseconds(now: datetime) -> int:
    """A time as API Gateway and SQS write it."""
    return (now - UNIX_EPOCH) // timedelta(milliseconds=1)


def api_gateway_event(
    body: bytes,
    headers: Mapping[str, str],
    *,
    now: datetime,
    method: str = "POST",
    path: str = "/interactions",
    base64: bool = False,
    stage: str = "$default",
) -> dict[str, Any]:
    """The event of an HTTP API (payload format 2.0) for a request received at ``now``."""
    route = f"{method} {path}" if (method, path) == ("POST", "/interactions") else "$default"
    # The path of a named stage begins with the stage's name.
    raw_path = path if stage == "$default" else f"/{stage}{path}"
    lowered = {name.lower(): value for name, value in headers.items()}
    domain = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
    event = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": raw_path,
        "rawQueryString": "",
        "headers": {"content-length": str(len(body)), "host": domain, "x-forwarded-proto": "https", **lowered},
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "a1b2c3d4e5",
            "domainName": domain,
            "domainPrefix": "a1b2c3d4e5",
            "http": {
                "method": method,
                "path": raw_path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": lowered.get("user-agent", ""),
            },
            "requestId": secrets.token_hex(8),
            "routeKey": route,
            "stage": stage,
            "time": now.astimezone(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": unix_milliseconds(now),
        },
        "isBase64Encoded": base64,
    }
    if body:
        event["body"] = base64_codec.b64encode(body).decode() if base64 else body.decode()
    return event


def sqs_record(
    body: str,
    *,
    now: datetime,
    message_id: str | None = None,
    receipt_handle: str | None = None,
    receive_count: int = 1,
    sent_at: datetime | None = None,
    queue_arn: str = "arn:aws:sqs:us-east-1:123456789012:onethread-jobs",
) -> dict[str, Any]:
    """One queue message, sent at ``sent_at``, received at ``now`` for the ``receive_count``-th time."""
    return {
        "messageId": message_id or secrets.token_hex(16),
        "receiptHandle": receipt_handle or secrets.token_hex(16),
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": str(receive_count),
            "SentTimestamp": str(unix_milliseconds(sent_at or now)),
            "SenderId": "AROAEXAMPLE:onethread",
            "ApproximateFirstReceiveTimestamp": str(unix_milliseconds(now)),
        },
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": REGION,
    }


def sqs_event(*records: Mapping[str, Any]) -> dict[str, Any]:
    """The event with these ``sqs_record``s."""
    return {"Records": [dict(record) for record in records]}


def schedule_event(now: datetime) -> dict[str, Any]:
    """The event of EventBridge Scheduler for a schedule without an input."""
    return {
        "version": "0",
        "id": secrets.token_hex(16),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT,
        "time": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": ["arn:aws:scheduler:us-east-1:123456789012:schedule/default/onethread-reconcile"],
        "detail": "{}",
    }
