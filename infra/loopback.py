"""A small HTTP server on 127.0.0.1: one function from request to response, in a thread for each connection."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

MAX_BODY_BYTES: Final = 10 * 1024 * 1024  # API Gateway docs, "Quotas for HTTP APIs": payload size
# Hundreds of people may press Enter together.
BACKLOG: Final = 512
# A connection that nobody uses is let go after this many seconds, so that its thread ends.
IDLE_SECONDS: Final = 60.0
NO_CONTENT: Final = 204  # the one status that bears no length


@dataclass(frozen=True)
class Request:
    """`target` is the path with its query; names of headers are in lower case, their values joined by commas."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    source_ip: str


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes


def json_response(status: int, text: str) -> Response:
    return Response(status, {"content-type": "application/json"}, text.encode())


class Listener(ThreadingHTTPServer):
    """Listens on 127.0.0.1."""

    daemon_threads = True
    request_queue_size = BACKLOG

    def __init__(self, port: int, connection: type["Connection"]) -> None:
        super().__init__(("127.0.0.1", port), connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of those who went away in the middle."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Connection(BaseHTTPRequestHandler):
    """HTTP/1.1, kept alive, and silent: paths may bear interaction tokens."""

    protocol_version = "HTTP/1.1"
    server_version = "Onethread"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    wbufsize = -1

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != NO_CONTENT:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Loopback:
    """Serves from its making until it is closed. Port 0 is any free one."""

    def __init__(self, answer: Callable[[Request], Response], *, port: int = 0) -> None:
        self._listener = _Answering(answer, port)
        self._thread = Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    def close(self) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


class _Answering(Listener):
    def __init__(self, answer: Callable[[Request], Response], port: int) -> None:
        self.answer = answer
        super().__init__(port, _Connection)


class _Connection(Connection):
    server: _Answering

    def _serve(self) -> None:
        length = self.headers.get("content-length") or "0"
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True  # its body stays unread
            large = length.isdecimal()
            text = '{"message":"Request Entity Too Large"}' if large else '{"message":"Bad Request"}'
            self._send(json_response(413 if large else 400, text))
            return
        body = self.rfile.read(int(length))
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            name = name.lower()
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        self._send(self.server.answer(Request(self.command, self.path, headers, body, self.client_address[0])))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815  # http.server's names

    def _send(self, response: Response) -> None:
        self.send(response.status, response.headers, response.body)
