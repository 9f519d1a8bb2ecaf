"""A small HTTP server on 127.0.0.1: one function from request to response, called in a thread for each connection."""

import socket
import ssl
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import trustme

MAX_BODY_BYTES: Final = 10 * 1024 * 1024  # API Gateway docs, "Quotas for HTTP APIs": payload size
# Connections that wait to be accepted: hundreds of people may press Enter together.
BACKLOG: Final = 512
# An unused connection is closed after this many seconds, so that its thread ends.
IDLE_SECONDS: Final = 60.0
NO_CONTENT: Final = 204  # the one status without a content-length
# With this value of SO_LINGER, closing resets the connection instead of ending it in an orderly way.
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Request:
    method: str
    target: str  # the path with its query
    headers: Mapping[str, str]  # names in lower case, repeated values joined by commas
    body: bytes
    source_ip: str


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes


def json_response(status: int, text: str) -> Response:
    return Response(status, {"content-type": "application/json"}, text.encode())


class Loopback:
    """Serves from construction until `close`. Port 0 is any free port. If `answer` returns None, the connection is reset.

    `authority`: it serves HTTPS, with a certificate that this one made.
    """

    def __init__(
        self,
        answer: Callable[[Request], Response | None],
        *,
        port: int = 0,
        idle_seconds: float = IDLE_SECONDS,
        authority: "trustme.CA | None" = None,
    ) -> None:
        self._listener = _Listener(answer, port, idle_seconds)
        self._scheme = "http" if authority is None else "https"
        if authority is not None:  # each connection's own thread does its handshake
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert("127.0.0.1").configure_cert(tls)
            self._listener.socket = tls.wrap_socket(
                self._listener.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._listener.server_address[1]}"

    def close(self) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = BACKLOG

    def __init__(self, answer: Callable[[Request], Response | None], port: int, idle_seconds: float) -> None:
        self.answer = answer
        self.idle_seconds = idle_seconds
        super().__init__(("127.0.0.1", port), _Connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing about clients that disconnect in the middle of a request."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Connection(BaseHTTPRequestHandler):
    """HTTP/1.1, kept alive, and silent: paths may contain interaction tokens."""

    server: _Listener
    protocol_version = "HTTP/1.1"
    server_version = "Onethread"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(self.server.idle_seconds)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""

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
        response = self.server.answer(Request(self.command, self.path, headers, body, self.client_address[0]))
        if response is None:
            self._reset()
        else:
            self._send(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815  # http.server's names

    def _send(self, response: Response) -> None:
        self.send_response_only(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status != NO_CONTENT:
            self.send_header("content-length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
