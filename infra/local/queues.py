"""SQS: moto in this process, without its web server, and one request at a time, for moto is not atomic under threads."""

import json
import threading
from collections.abc import Mapping
from typing import Any, Final

from botocore.awsrequest import AWSPreparedRequest
from moto.core.botocore_stubber import BotocoreStubber

from infra.lambda_events import ACCOUNT
from infra.local.aws_client import REGION
from infra.local.recursion import ATTRIBUTE, HEADER
from infra.local.template import Template
from infra.loopback import Response

_URL: Final = f"https://sqs.{REGION}.amazonaws.com/"
_moto: Final = BotocoreStubber()
_one_at_a_time: Final = threading.Lock()


def answer_sqs(headers: Mapping[str, str], body: bytes) -> Response:
    """What SQS answers to a signed request. It keeps the tracing header with a message that is sent."""
    if HEADER in headers and headers.get("x-amz-target", "").endswith(".SendMessage"):
        given = {ATTRIBUTE: {"DataType": "String", "StringValue": headers[HEADER]}}
        body = json.dumps({**json.loads(body), "MessageSystemAttributes": given}).encode()
        headers = {**headers, "content-length": str(len(body))}
    with _one_at_a_time:
        answered = _moto.process_request(AWSPreparedRequest("POST", _URL, dict(headers), body, False))  # type: ignore[arg-type]  # a dict does
    assert answered is not None  # moto knows this URL
    status, shown, text = answered
    return Response(status, shown, text if isinstance(text, bytes) else text.encode())


def create_queues(url: str) -> dict[str, str]:
    """Create the template's queues. Returns their URLs, which begin with `url`, by logical id."""
    template = Template()
    for name, attributes in template.queues().items():
        _ask("CreateQueue", QueueName=name, Attributes=attributes)
    for name, (dead_letters, receives) in template.dead_letters().items():
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{dead_letters}"
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": receives})
        _ask("SetQueueAttributes", QueueUrl=f"{_URL}{ACCOUNT}/{name}", Attributes={"RedrivePolicy": policy})
    return {name: f"{url}/{ACCOUNT}/{name}" for name in template.queues()}


def _ask(operation: str, **request: Any) -> None:
    headers = {"X-Amz-Target": f"AmazonSQS.{operation}", "Content-Type": "application/x-amz-json-1.0"}
    answered = answer_sqs(headers, json.dumps(request).encode())
    assert answered.status == 200, answered.body
