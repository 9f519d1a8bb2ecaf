"""HTTP requests to the local stack, each on a connection of its own."""

import http.client
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

# Longer than Discord waits for a first answer, so that a late answer can be told from none.
TIMEOUT_SECONDS: Final = 15.0


class Refused(Exception):
    """The control path refused; the text says why."""


def call(method: str, url: str, document: Any = None) -> Any:
    """Send JSON and return the JSON answered. Raises Refused for a status other than 200, OSError if there is no answer."""
    body = b"" if document is None else json.dumps(document).encode()
    status, answered = send(method, url, body, {"content-type": "application/json"})
    decoded = json.loads(answered) if answered else None
    if status != 200:
        raise Refused(decoded["error"] if isinstance(decoded, dict) and "error" in decoded else f"HTTP {status}")
    return decoded


def invoke_function(lambda_url: str, name: str, event: Any) -> Any:
    """Invoke a function through Lambda's own API, as a program does. Returns what the function returned, or its error."""
    return call("POST", f"{lambda_url}/2015-03-31/functions/{name}/invocations", event)


def send(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Send a request; return the status and the body. Raises OSError if there is no answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, dict(headers))
        response = connection.getresponse()
        return response.status, response.read()
    except http.client.HTTPException as fault:
        raise ConnectionError(str(fault)) from fault
    finally:
        connection.close()
