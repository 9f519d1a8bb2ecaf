"""DynamoDB for tests: the real boto3 over a wire that ends in moto, in this process, and fails when it is told to.

The wire takes the place of the network in botocore (its ``before-send`` event), so nothing ever leaves the process. moto
is not atomic under threads: it gets one request at a time. It also ignores a transaction's ClientRequestToken: the wire
remembers it, as DynamoDB does (AWS: "TransactWriteItems", Idempotency).
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any, Final, Literal, cast

import boto3
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from moto.core.botocore_stubber import BotocoreStubber

from handler.aws.dynamodb import DynamoDB, build, from_wire, to_wire
from handler.runtime.clock import Clock
from infra.local.table import create_table
from tests.kit.aws_answers import answer, error
from tests.kit.hanging import Hanging

REGION: Final = "us-east-1"
_MOTO: Final = BotocoreStubber()
_ONE_AT_A_TIME: Final = threading.Lock()  # moto's tables are the process's, whichever wire leads to them
_TABLE_NUMBERS: Final = count(1)

Before = Literal["refused", "timeout_before", "500", "html", "throttled", "conflict", "in_progress", "access_denied"]
After = Literal["lost", "timeout_after", "500_after"]
What = Before | After | Literal["hang", "late"]


@dataclass(frozen=True)
class Fault:
    """What becomes of the `nth` request (from 1, counted by `DynamoWire.sent`) of an operation (``UpdateItem``). Once.

    refused, timeout_before, 500, html, throttled, conflict, in_progress, access_denied: it has no effect
    lost, timeout_after, 500_after: it has its effect, and its answer does not come
    hang: its thread blocks until `DynamoWire.hanging.release`; then it has its effect and is answered
    late: its caller sees a time-out now, and it has its effect when `DynamoWire.hanging.land` is called
    """

    operation: str
    nth: int
    what: What


class DynamoWire(AbstractContextManager["DynamoWire"]):
    """The wire, and a table of its own. `requests`: what was sent, with plain values; `sent`: how many of each operation.

    `hanging`: the calls that hang, or land late.
    """

    def __init__(self, *faults: Fault) -> None:
        self.faults = list(faults)
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.sent: Counter[str] = Counter()
        self._tokens: dict[str, str] = {}
        self.hanging = Hanging()
        self._noting = threading.Lock()
        self.table = f"sessions-{next(_TABLE_NUMBERS)}"
        self.client = self.session().client("dynamodb")
        create_table(self.client, self.table)
        self.forget()

    def __exit__(self, *_: object) -> None:
        self.hanging.release()
        self.faults.clear()
        self.client.delete_table(TableName=self.table)
        self.client.close()

    def session(self) -> "boto3.session.Session":
        """A boto3 session whose clients of DynamoDB are connected to this wire."""
        session = aws_session()
        session.events.register("before-send.dynamodb", self._send)  # type: ignore[arg-type]  # this event is answered
        return session

    def call(self, clock: Clock, *, jitter: Callable[[], float] = lambda: 0.5) -> DynamoDB:
        """The real seam over this wire."""
        return build(clock, self.session(), jitter=jitter)

    def apply(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Make a call beside the seam, in plain values."""
        return from_wire(getattr(self.client, operation)(**to_wire(parameters)))

    def fail(self, operation: str, *whats: What) -> None:
        """Let the next requests of that operation fail, one after another."""
        start = self.sent[operation] + 1
        self.faults += [Fault(operation, start + i, what) for i, what in enumerate(whats)]

    def clear(self) -> None:
        """Start anew: no item, no fault, nothing hanging, nothing counted."""
        self.faults.clear()
        self.hanging.release()
        self.hanging.land()
        for item in self.items():
            self.apply("delete_item", {"TableName": self.table, "Key": {name: item[name] for name in ("pk", "sk")}})
        self.forget()

    def forget(self) -> None:
        """Count anew from here."""
        self.requests.clear()
        self.sent.clear()

    def items(self, table: str | None = None) -> list[dict[str, Any]]:
        """The content of the wire's own table, or of another one, by key. Not counted."""
        scan = self.client.get_paginator("scan")
        pages = [from_wire(page)["Items"] for page in scan.paginate(TableName=table or self.table, ConsistentRead=True)]
        self.sent.pop("Scan")
        self.requests = [sent for sent in self.requests if sent[0] != "Scan"]
        return sorted((item for page in pages for item in page), key=lambda item: (item["pk"], item["sk"]))

    def _send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        operation = _header(request, "X-Amz-Target").partition(".")[2]
        body = json.loads(cast("bytes", request.body))
        with self._noting:
            self.requests.append((operation, from_wire(body)))
            self.sent[operation] += 1
            nth = self.sent[operation]
            fault = next((fault for fault in self.faults if (fault.operation, fault.nth) == (operation, nth)), None)
            if fault is not None:
                self.faults.remove(fault)
        if fault is None:
            return self._effect(request, operation, body)
        return self._fail(fault.what, request, operation, body)

    def _fail(self, what: What, request: AWSPreparedRequest, operation: str, body: Mapping[str, Any]) -> AWSResponse:
        if what == "late":
            self.hanging.put_off(lambda: self._effect(request, operation, body))
        if what == "hang":
            return self.hanging.hold(lambda: self._effect(request, operation, body))
        if what in ("lost", "timeout_after", "500_after"):
            self._effect(request, operation, body)
        return _failure(what, request.url, operation, body)

    def _effect(self, request: AWSPreparedRequest, operation: str, body: Mapping[str, Any]) -> AWSResponse:
        with _ONE_AT_A_TIME:
            token, content = body.get("ClientRequestToken"), json.dumps(body, sort_keys=True)
            if token in self._tokens:
                return _repeated(request.url, self._tokens[token] == content)
            answered = _MOTO.process_request(request)
            if answered is None:
                raise AssertionError(f"moto does not know {request.url}: nothing else may answer")
            status, headers, text = answered
            if token is not None and status == 200:
                self._tokens[token] = content
            return answer(request.url, status, text, headers)


def aws_session() -> "boto3.session.Session":
    """A boto3 session with made-up credentials, which the surroundings do not lead anywhere."""
    core = botocore.session.Session()
    core.register_component("data_loader", _loader())
    core.set_credentials("fake", "fake")
    core.set_config_variable("ignore_configured_endpoint_urls", True)
    return boto3.session.Session(botocore_session=core, region_name=REGION)


@cache
def _loader() -> Any:
    """Botocore's reader of its models, shared, for it is what takes the time when a client is built."""
    return botocore.session.Session().get_component("data_loader")


def _header(request: AWSPreparedRequest, name: str) -> str:
    value = request.headers[name]
    return value.decode() if isinstance(value, bytes) else str(value)


def _repeated(url: str, same: bool) -> AWSResponse:
    return answer(url, 200, "{}") if same else error(url, 400, "IdempotentParameterMismatchException")


def _conflict(url: str, body: Mapping[str, Any]) -> AWSResponse:
    items = body.get("TransactItems")
    if items is None:
        return error(url, 400, "TransactionConflictException")
    reasons = [{"Code": "None"} for _ in items[1:]] + [{"Code": "TransactionConflict", "Message": "ongoing"}]
    return error(url, 400, "TransactionCanceledException", CancellationReasons=reasons)


def _failure(what: str, url: str, operation: str, body: Mapping[str, Any]) -> AWSResponse:
    """Raise what botocore would raise, or return what DynamoDB would answer."""
    match what:
        case "refused":
            raise EndpointConnectionError(endpoint_url=url, error="connection refused")
        case "lost":
            raise ConnectionClosedError(endpoint_url=url, error="reset by peer")
        case "timeout_before" | "timeout_after" | "late":
            raise ReadTimeoutError(endpoint_url=url, error="timed out")
        case "500" | "500_after":
            return error(url, 500, "InternalServerError")
        case "html":
            return answer(url, 502, "<html><h1>Bad Gateway</h1></html>", {"content-type": "text/html"})
        case "throttled":
            return error(url, 400, "ThrottlingException")
        case "conflict":
            return _conflict(url, body)
        case "in_progress":
            return error(url, 400, "TransactionInProgressException")
        case "access_denied":
            return error(url, 400, "AccessDeniedException")
    raise AssertionError(f"{what} of {operation} is no fault that is known")
