"""JSON over a stream socket: each document after its length, four bytes, big-endian."""

import json
import socket
import struct
from typing import Any, Final

_LENGTH: Final = struct.Struct(">I")


def pack(document: Any) -> bytes:
    """The bytes of one document. Raises TypeError or ValueError for what JSON cannot say."""
    body = json.dumps(document).encode()
    return _LENGTH.pack(len(body)) + body


def send(channel: socket.socket, document: Any) -> None:
    channel.sendall(pack(document))


def receive(channel: socket.socket) -> Any:
    """The next document. Raises EOFError when the other side has gone, be it in the middle of one."""
    return complete(channel, b"")


def complete(channel: socket.socket, data: bytes) -> Any:
    """The document that begins with `data`, which was read from the channel already."""
    data += _exactly(channel, _LENGTH.size - len(data))
    (length,) = _LENGTH.unpack_from(data)
    return json.loads(data[_LENGTH.size :] + _exactly(channel, _LENGTH.size + length - len(data)))


def _exactly(channel: socket.socket, size: int) -> bytes:
    parts = []
    while size > 0:
        part = channel.recv(min(size, 1 << 16))
        if not part:
            raise EOFError("the other side has gone")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
