"""DynamoDB, SQS and SSM on loopback: moto's server in a process of its own, with what the template puts there.

Started as a module it reads {"port", "table", "bot_token", "bot_token_parameter"} from its input, creates table, queues and
parameter, prints where they are as one line of JSON, and serves until its input ends.

moto is not atomic under threads, so a lock lets one request in at a time. Requests to DynamoDB are recorded and can be read
below `/_/`, where the table can also be emptied.
"""

import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable
from functools import partial
from io import BytesIO
from typing import Any, Final

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from infra.local.aws_client import REGION, arn, client
from infra.local.template import Template
from infra.table.schema import create_table

CONTROL: Final = "/_/"
DYNAMODB: Final = "DynamoDB_20120810."
# What a request is about: the ids in the keys of its items.
_IDS: Final = re.compile(rb"(?:CHANNEL|THREAD|GUILD)#([0-9]+)")

StartResponse = Callable[..., Any]
WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class SerialApp:
    """Lets one request at a time into `app`, and records those to DynamoDB: [operation, ids in its keys]."""

    def __init__(self, app: WsgiApp, empty: Callable[[], int]) -> None:
        self._app = app
        self._empty = empty
        self._lock = threading.Lock()
        self._requests: list[tuple[str, list[str]]] = []

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith(CONTROL):
            return self._control(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        with self._lock:
            if target.startswith(DYNAMODB):
                ids = [id.decode() for id in _IDS.findall(body)]
                self._requests.append((target.removeprefix(DYNAMODB), ids))
            return list(self._app(environ, start_response))

    def _control(self, environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        document: Any = []
        status = "200 OK"
        with self._lock:
            match environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix(CONTROL):
                case ("GET", "requests"):
                    document = self._requests[int(environ["QUERY_STRING"].removeprefix("since=") or 0) :]
                case ("DELETE", "items"):
                    document = self._empty()
                case _:
                    status = "404 Not Found"
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(document).encode()]


class _Connection(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two packets: without this the second one waits for the client's delayed ACK.
    disable_nagle_algorithm = True

    def log(self, *_: object) -> None:
        """Log nothing."""


def serve(port: int, table: str) -> BaseWSGIServer:
    """The server, listening; it answers once `serve_forever` runs. Raises OSError or SystemExit if the port is taken."""
    app = SerialApp(DomainDispatcherApplication(create_backend_app), partial(empty, table))
    return make_server("127.0.0.1", port, app, threaded=True, request_handler=_Connection)


def empty(table_name: str) -> int:
    """Delete every item, as if the table was lost. Returns how many there were."""
    from moto.dynamodb.models import dynamodb_backends

    table = dynamodb_backends["123456789012"][REGION].get_table(table_name)
    count = sum(len(items) for items in table.items.values())
    table.items.clear()
    return count


def create(url: str, table: str, bot_token: str, bot_token_parameter: str) -> dict[str, str]:
    """Create table, queues and parameter. Returns the queues' URLs by logical id."""
    template, sqs = Template(), client("sqs", url)
    create_table(client("dynamodb", url), table)
    urls = {
        name: sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        for name, attributes in template.queues().items()
    }
    for name, (dead_letters, receives) in template.dead_letters().items():
        policy = {"deadLetterTargetArn": arn(sqs, urls[dead_letters]), "maxReceiveCount": receives}
        sqs.set_queue_attributes(QueueUrl=urls[name], Attributes={"RedrivePolicy": json.dumps(policy)})
    client("ssm", url).put_parameter(Name=bot_token_parameter, Value=bot_token, Type="SecureString")
    return urls


def main() -> None:
    """Serve until the input ends, as it does when the process that started this one ends."""
    settings = json.loads(sys.stdin.readline())
    server = serve(settings.pop("port"), settings["table"])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    queues = create(url, **settings)
    print(json.dumps({"url": url, "queues": queues}), flush=True)
    sys.stdin.read()
    os._exit(0)  # without waiting for open connections


if __name__ == "__main__":
    main()
