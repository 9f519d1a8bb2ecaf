"""Answers of AWS's JSON protocols, as botocore gets them from its connection."""

import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSResponse


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
