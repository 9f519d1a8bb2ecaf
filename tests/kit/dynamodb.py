"""DynamoDB for tests: the real boto3 over a wire that ends in moto, in this process, and fails when it is told to.

The wire takes the place of the network in botocore (its ``before-send`` event), so nothing ever leaves the process. moto
is not atomic under threads: it gets one request at a time. It also ignores a transaction's ClientRequestToken: the wire
remembers it, as DynamoDB does (AWS: "TransactWriteItems", Idempotency).
"""

import http.client
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from functools import cache, partial
from itertools import count
from typing import Any, Final, cast

import boto3
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

from handler.aws.dynamodb import DynamoDB, build, from_wire, to_wire
from handler.runtime.clock import Clock
from infra.table.schema import create_table_parameters
from tests.kit.aws_answers import answer, connect, error, operation_of
from tests.kit.aws_faults import Fault, FaultyWire

REGION: Final = "us-east-1"
LOCAL: Final = "ONETHREAD_DYNAMODB_LOCAL"  # the variable with DynamoDB Local's address: see `tests.dynamodb_local`
_MOTO: Final = BotocoreStubber()
_ONE_AT_A_TIME: Final = threading.Lock()  # moto's tables are the process's, whichever wire leads to them
_TABLE_NUMBERS: Final = count(1)
_EMPTY_TABLES: Final[list[str]] = []  # that no wire leads to at present: to make one takes longer than many a test


class DynamoWire(FaultyWire, AbstractContextManager["DynamoWire"]):
    """The wire, and a table of its own. `requests`: what was sent, with plain values."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults)
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self._tokens: dict[str, str] = {}
        self.client = _client_beside_the_wires()
        self.table = _EMPTY_TABLES.pop() if _EMPTY_TABLES else self._new_table()

    def __exit__(self, *_: object) -> None:
        self.clear()
        _EMPTY_TABLES.append(self.table)

    def _new_table(self) -> str:
        name = f"sessions-{next(_TABLE_NUMBERS)}"
        create_table(self.client, name)
        return name

    def session(self) -> "boto3.session.Session":
        """A boto3 session whose clients of DynamoDB are connected to this wire."""
        session = aws_session()
        connect(session, "dynamodb", self._send)
        return session

    def call(self, clock: Clock, *, jitter: Callable[[], float] = lambda: 0.5) -> DynamoDB:
        """The real seam over this wire."""
        return build(clock, self.session(), jitter=jitter)

    def apply(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Make a call beside the seam and the wire, in plain values. Not counted."""
        return from_wire(getattr(self.client, operation)(**to_wire(parameters)))

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
        return sorted((item for page in pages for item in page), key=lambda item: (item["pk"], item["sk"]))

    def _send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        operation, body = operation_of(request), json.loads(cast("bytes", request.body))
        self.requests.append((operation, from_wire(body)))
        effect = partial(self._effect, request, body)
        return self.send(operation, body, effect, partial(_refuse, request.url))

    def _effect(self, request: AWSPreparedRequest, body: Mapping[str, Any]) -> AWSResponse:
        with _ONE_AT_A_TIME:
            token, content = body.get("ClientRequestToken"), json.dumps(body, sort_keys=True)
            if token in self._tokens:
                return _repeated(request.url, self._tokens[token] == content)
            answered = _answer(request)
            if token is not None and answered.status_code == 200:
                self._tokens[token] = content
            return answered


@cache
def _client_beside_the_wires() -> Any:
    session = aws_session()
    connect(session, "dynamodb", _answer_beside)
    return session.client("dynamodb")


def _answer_beside(request: AWSPreparedRequest, **_: object) -> AWSResponse:
    with _ONE_AT_A_TIME:
        return _answer(request)


@contextmanager
def moto_in_place_of_aws() -> Iterator[None]:
    """For clients that no wire leads anywhere. The tables of the wires stay, which `mock_aws` by itself would drop."""
    moto = mock_aws()
    moto.start(reset=False)
    try:
        yield
    finally:
        moto.stop(remove_data=False)


def _answer(request: AWSPreparedRequest) -> AWSResponse:
    status, headers, text = _ask(request)
    return answer(request.url, status, text, headers)


def _ask(request: AWSPreparedRequest) -> tuple[int, Mapping[str, str], str | bytes]:
    """What moto answers, or DynamoDB Local where one serves."""
    if (address := os.environ.get(LOCAL)) is None:
        answered = _MOTO.process_request(request)
        if answered is None:
            raise AssertionError(f"moto does not know {request.url}: nothing else may answer")
        return answered
    connection = http.client.HTTPConnection(address)
    connection.request("POST", "/", cast("bytes", request.body), dict(request.headers.items()))
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, dict(response.getheaders()), text


def create_table(client: Any, name: str) -> None:
    """Create the template's table and wait until it can be used. Raises ResourceInUseException if it exists."""
    client.create_table(**create_table_parameters(name))
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})


def aws_session() -> "boto3.session.Session":
    """A boto3 session with made-up credentials, which the surroundings do not lead anywhere."""
    prototype = _prototype()
    handlers = copy(prototype.get_component("event_emitter"))
    core = botocore.session.Session(event_hooks=handlers, include_builtin_handlers=False)
    core.register_component("data_loader", prototype.get_component("data_loader"))
    core.set_credentials("fake", "fake")
    core.set_config_variable("ignore_configured_endpoint_urls", True)
    return boto3.session.Session(botocore_session=core, region_name=REGION)


@cache
def _prototype() -> botocore.session.Session:
    """A session whose reader of models and handlers are used by all: to make them takes the time."""
    return botocore.session.Session()


def _repeated(url: str, same: bool) -> AWSResponse:
    return answer(url, 200, "{}") if same else error(url, 400, "IdempotentParameterMismatchException")


def _refuse(url: str, status: int, code: str, **more: Any) -> AWSResponse:
    if status == 502:
        return answer(url, 502, "<html><h1>Bad Gateway</h1></html>", {"content-type": "text/html"})
    return error(url, status, code, **more)
