"""DynamoDB with its stream, SQS, SSM, EventBridge and the tasks of Step Functions, in a process of its own.

Started as a module it reads {"port", "table", "file", "bot_token", "bot_token_parameter", "values"} from its input, prints
where table and queues are as one line of JSON, and serves on loopback until its input ends. It has what the template puts
there. The table is the project's own; without a "file" it is gone when the process ends. moto does SQS. SSM has one parameter: moto's would import all of EC2 for it.

What a function sends is refused unless its role in the template allows it (`roles`).

Requests to DynamoDB are recorded, and can be read below `/_/`, as the table's stream and the events of the bus can. There
items can also be lost, and tasks begin and end.
"""

import json
import os
import re
import sys
import uuid
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from infra.local.bus import LocalBus
from infra.local.calls import Call, Stopwatch, split_environment
from infra.local.queues import answer_sqs, create_queues
from infra.local.recent import Recent
from infra.local.roles import Roles, needs_of, read_request, refusal
from infra.local.tasks import LocalTasks
from infra.local.template import Template
from infra.loopback import Loopback, Request, Response, json_response
from infra.table.memory_table import Change, MemoryTable
from infra.table.saved_rows import SavedRows, Unreadable
from infra.table.saved_table import open_table
from infra.table.stream import Stream
from infra.table.wire import Answer, TableWire, error

CONTROL: Final = "/_/"
DYNAMODB: Final = "DynamoDB_20120810."
SSM: Final = "AmazonSSM."
EVENTS: Final = "AWSEvents."
TASKS: Final = "AWSStepFunctions."
# What a request is about: the ids in the keys of its items.
_IDS: Final = re.compile(rb"(?:CHANNEL|THREAD|GUILD)#([0-9]+)")
_SORT_KEY: Final = re.compile(rb'"sk": ?\{"S": ?"([A-Z-]+)')
_ACCESS_KEY: Final = re.compile(r"Credential=(\w+)/")
_SERVICES: Final = {
    "DynamoDB_20120810": "dynamodb",
    "AmazonSQS": "sqs",
    "AmazonSSM": "ssm",
    "AWSEvents": "events",
    "AWSStepFunctions": "states",
}


class EmulatedAws:
    """Answers what is sent to the port. `parameters`: of SSM, by name. `roles`: what functions may do; None: everything."""

    def __init__(self, table: MemoryTable, parameters: Mapping[str, str], roles: Roles | None = None) -> None:
        self._roles = roles
        self._wire = TableWire(table)
        self._stream = Stream(table.name)
        self._bus, self._tasks = LocalBus(), LocalTasks()
        save = table.on_commit

        def commit(changes: Sequence[Change]) -> None:
            if save is not None:
                save(changes)
            self._stream.add(changes)

        table.on_commit = commit
        self._parameters = parameters
        self._recent: Recent[tuple[str, list[str]]] = Recent()  # operations, each with the ids in its keys
        self._calls: Recent[dict[str, Any]] = Recent()  # of environments

    def answer(self, request: Request) -> Response:
        url, target = urlsplit(request.target), request.headers.get("x-amz-target", "")
        environment, _ = split_environment(url.path)
        if environment is None:
            return self._answer(request, url, target)
        watch = Stopwatch()
        response = self._answer(request, url, target)
        service, _, operation = target.partition(".")
        what = f"{operation} {_describe_keys(request.body)}".strip()
        name = _SERVICES.get(service, service.lower())
        call = Call(environment, name, what, watch.began, watch.seconds, response.status)
        self._calls.add(asdict(call))
        return response

    def _answer(self, request: Request, url: SplitResult, target: str) -> Response:
        if url.path.startswith(CONTROL):
            return self._control(request.method, url.path.removeprefix(CONTROL), url.query, request.body)
        if (refused := self._refuse(request, target)) is not None:
            return refused
        if target.startswith(DYNAMODB):
            return self._ask_table(target.removeprefix(DYNAMODB), request.body)
        if target.startswith(SSM):
            return self._ask_parameters(target.removeprefix(SSM), request.body)
        if target.startswith(EVENTS):
            return _response(self._bus.answer(target.removeprefix(EVENTS), json.loads(request.body)))
        if target.startswith(TASKS):
            return _response(self._tasks.answer(target.removeprefix(TASKS), json.loads(request.body)))
        return answer_sqs(request.headers, request.body)

    def _refuse(self, request: Request, target: str) -> Response | None:
        """The answer to a function whose role does not allow the request. Its access key is its name."""
        signed = _ACCESS_KEY.search(request.headers.get("authorization", ""))
        if self._roles is None or signed is None or signed[1] not in self._roles.statements:
            return None
        service, _, operation = target.partition(".")
        needs = needs_of(_SERVICES[service], operation, read_request(request.body))
        need = self._roles.refuse(signed[1], needs)
        return None if need is None else _response(Answer(400, refusal(need)))

    def _ask_table(self, operation: str, body: bytes) -> Response:
        self._recent.add((operation, [id.decode() for id in _IDS.findall(body)]))
        try:
            return _response(self._wire.answer(operation, json.loads(body)))
        except ValueError:
            return _response(error("SerializationException", "the body is not JSON"))

    def _ask_parameters(self, operation: str, body: bytes) -> Response:
        name = json.loads(body).get("Name", "")
        if operation != "GetParameter":
            return _response(Answer(400, {"__type": "UnknownOperationException", "message": operation}))
        if name not in self._parameters:
            return _response(Answer(400, {"__type": "ParameterNotFound", "message": f"there is no {name}"}))
        parameter = {"Name": name, "Type": "SecureString", "Value": self._parameters[name], "Version": 1}
        return _response(Answer(200, {"Parameter": parameter}))

    def _control(self, method: str, path: str, query: str, body: bytes) -> Response:
        document: Any
        match method, path:
            case ("GET", "requests"):
                document = self._recent.since(int(query.removeprefix("since=")))
            case ("GET", "requests/count"):
                document = self._recent.count
            case ("GET", "calls"):
                document = {"count": self._calls.count, "calls": self._calls.since(int(query.removeprefix("since=")))}
            case ("GET", "events"):
                document = self._bus.since(int(query.removeprefix("since=")))
            case ("POST", "tasks"):
                document = self._tasks.begin()
            case ("GET", "tasks") if (token := query.removeprefix("token=")) in self._tasks.answers:
                document = self._tasks.answers[token]
            case ("DELETE", "tasks") if (token := query.removeprefix("token=")) in self._tasks.answers:
                self._tasks.end(token)
                document = None
            case ("GET", "stream"):
                asked = dict(parse_qsl(query))
                document = self._stream.read(int(asked["shard"]), int(asked["from"]), int(asked["most"]))
            case ("DELETE", "items"):
                document = self._wire.lose(json.loads(body) if body else None)
            case _:
                return json_response(404, "{}")
        return json_response(200, json.dumps(document))


def _describe_keys(body: bytes) -> str:
    """The kinds of item that a request names."""
    return ", ".join(dict.fromkeys(kind.decode() for kind in _SORT_KEY.findall(body)))


def _response(answer: Answer) -> Response:
    """The answer as AWS's JSON protocols send it: with an id, and a checksum that botocore looks at."""
    body = json.dumps(answer.document).encode()
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "x-amzn-requestid": str(uuid.uuid4()),
        "x-amz-crc32": str(zlib.crc32(body)),
    }
    return Response(answer.status, headers, body)


def main() -> None:
    """Serve until the input ends, as it does when the process that started this one ends."""
    settings = json.loads(sys.stdin.readline())
    try:
        file = settings.get("file")
        table = open_table(settings["table"], SavedRows(Path(file))) if file else MemoryTable(settings["table"])
        roles = Template().roles(settings["values"]) if "values" in settings else None  # None: nobody is held to one
        aws = EmulatedAws(table, {settings["bot_token_parameter"]: settings["bot_token"]}, roles)
        url = Loopback(aws.answer, port=settings["port"]).url
    except Unreadable as fault:
        sys.exit(f'{fault}. `make run ARGS="--fresh"` forgets the table.')
    print(json.dumps({"url": url, "queues": create_queues(url)}), flush=True)
    sys.stdin.read()
    os._exit(0)  # without waiting for open connections


if __name__ == "__main__":
    main()
