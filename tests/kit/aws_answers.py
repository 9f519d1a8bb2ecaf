"""AWS's JSON protocols in place of botocore's connection: how a client is led here, and what it is answered."""

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse


class _Raw(BytesIO):
    """What urllib3 would give botocore."""

    def stream(self, **_: object) -> Any:
        yield self.read()


def answer(url: str, status: int, body: str | bytes, headers: Mapping[str, str] | None = None) -> AWSResponse:
    raw = _Raw(body.encode() if isinstance(body, str) else body)
    return AWSResponse(url, status, headers or {"content-type": "application/x-amz-json-1.0"}, raw)  # type: ignore[arg-type]  # a stand-in for urllib3's response


def error(url: str, status: int, code: str, **more: Any) -> AWSResponse:
    body = {"__type": f"com.amazonaws#{code}", "message": f"injected {code}", **more}
    return answer(url, status, json.dumps(body))


def connect(session: Any, name: str, send: Callable[..., AWSResponse]) -> None:
    """Let the clients of the AWS service of that name that this session makes end in `send`."""
    session.events.register(f"before-send.{name}", send)


def operation_of(request: AWSPreparedRequest) -> str:
    target = request.headers["X-Amz-Target"]
    return str(target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
