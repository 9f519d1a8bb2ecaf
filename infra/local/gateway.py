"""API Gateway and Lambda's own API: HTTP requests become events, results become responses.

AWS docs, "Working with AWS Lambda proxy integrations for HTTP APIs" and Lambda API reference, "Invoke".
"""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from infra.lambda_events import api_gateway_event
from infra.local.functions import Pool, Result
from infra.loopback import Request, Response, json_response

# What API Gateway passes on as text; everything else is in base64.
_TEXT_TYPES: Final = ("text/", "application/json", "application/javascript", "application/xml")
_FUNCTIONS: Final = "/2015-03-31/functions/"
_INVOCATIONS: Final = "/invocations"
_BEFORE_NAME: Final = ":function:"  # in a function's ARN, whole or without its beginning


def to_event(request: Request, now: datetime) -> dict[str, Any]:
    """The event (payload format 2.0) of a request received at `now`."""
    url = urlsplit(request.target)
    event = api_gateway_event(
        request.body,
        request.headers,
        now=now,
        method=request.method,
        path=unquote(url.path),
        base64=not _is_text(request),
    )
    event["rawQueryString"] = url.query
    event["requestContext"]["http"]["sourceIp"] = request.source_ip
    if url.query:
        given: dict[str, list[str]] = {}
        for name, value in parse_qsl(url.query, keep_blank_values=True):
            given.setdefault(name, []).append(value)
        event["queryStringParameters"] = {name: ",".join(values) for name, values in given.items()}
    return event


def to_response(result: Result) -> Response:
    """The HTTP API's response. A function that failed or returned nothing is an internal error."""
    payload = result.payload
    if result.error is not None or payload is None:
        return json_response(500, '{"message":"Internal Server Error"}')
    if not isinstance(payload, dict) or "statusCode" not in payload:
        return json_response(200, json.dumps(payload))
    body = str(payload.get("body") or "")
    encoded = base64.b64decode(body) if payload.get("isBase64Encoded") else body.encode()
    headers = {str(name).lower(): str(value) for name, value in (payload.get("headers") or {}).items()}
    return Response(int(payload["statusCode"]), headers, encoded)


def http_api(pool: Pool, request: Request) -> Response:
    """The HTTP API: every path and method leads to the one function."""
    return to_response(pool.invoke(to_event(request, datetime.now(UTC))))


def lambda_api(pools: Mapping[str, Pool], request: Request) -> Response:
    """Lambda's Invoke, which boto3 and the AWS CLI use."""
    path = unquote(urlsplit(request.target).path)
    name = path.removeprefix(_FUNCTIONS).removesuffix(_INVOCATIONS)
    pool = pools.get(name.rpartition(_BEFORE_NAME)[2])
    if request.method != "POST" or pool is None:
        return _refuse(404, "ResourceNotFoundException", f"Function not found: {name}")
    try:
        event = json.loads(request.body or b"{}")
    except ValueError:
        return _refuse(400, "InvalidRequestContentException", "Could not parse request body into json")
    if request.headers.get("x-amz-invocation-type") == "Event":
        Thread(target=pool.invoke, args=(event,), daemon=True).start()
        return Response(202, {}, b"")
    result = pool.invoke(event)
    if result.error is not None:
        text = json.dumps(dict(result.error))
        return Response(200, {"x-amz-function-error": "Unhandled", "content-type": "application/json"}, text.encode())
    return json_response(200, json.dumps(result.payload))


def _refuse(status: int, kind: str, message: str) -> Response:
    """An error of Lambda's own API, which boto3 raises under that name."""
    refusal = json_response(status, json.dumps({"Type": "User", "Message": message}))
    return Response(status, {**refusal.headers, "x-amzn-errortype": kind}, refusal.body)


def _is_text(request: Request) -> bool:
    if not request.headers.get("content-type", "text/plain").startswith(_TEXT_TYPES):
        return False
    try:
        request.body.decode()
    except UnicodeDecodeError:
        return False
    return True
