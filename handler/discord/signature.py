"""The door: only what Discord signed gets in, and who is refused learns nothing about the inside.

Discord docs, "Receiving and Responding", Security and Authorization: the signature covers timestamp and raw body, and
a bad one is answered 401; Discord sends bad ones on purpose and drops endpoints that let them in. It states no window
for the timestamp; ours keeps a recorded request from being played again later.
"""

import re
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from discord_interactions import InteractionType
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from handler.aws.http_api import MAX_BODY_BYTES, HttpRequest

PATH: Final = "/interactions"
METHOD: Final = "POST"
FRESH_FOR: Final = timedelta(minutes=5)  # clocks differ by less, and Discord gives up after three seconds

_SIGNATURE: Final = re.compile(r"[0-9a-fA-F]{128}")
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")
_TYPES: Final = frozenset(
    {
        InteractionType.PING,
        InteractionType.APPLICATION_COMMAND,
        InteractionType.MESSAGE_COMPONENT,
        InteractionType.APPLICATION_COMMAND_AUTOCOMPLETE,
        InteractionType.MODAL_SUBMIT,
    }
)


class RequestRefused(Exception):
    """The request goes no further. `status` and `text` are all that the outside is told."""

    def __init__(self, status: int, text: str, **headers: str) -> None:
        super().__init__(f"{status} {text}")
        self.status, self.text, self.headers = status, text, headers


def verify(arrival: HttpRequest, public_key: bytes, now: datetime) -> dict[str, Any]:
    """The signed payload: an object whose ``type`` is known. Raises RequestRefused."""
    if arrival.path != PATH:
        raise RequestRefused(404, "not found")
    if arrival.method != METHOD:
        raise RequestRefused(405, "method not allowed", allow=METHOD)
    if arrival.size > MAX_BODY_BYTES:
        raise RequestRefused(413, "too large")
    if arrival.body is None or not _is_genuine(arrival, arrival.body, public_key, now):
        raise RequestRefused(401, "invalid request signature")
    return _payload(arrival.body)


def _is_genuine(arrival: HttpRequest, body: bytes, public_key: bytes, now: datetime) -> bool:
    if not _SIGNATURE.fullmatch(arrival.signature) or not _TIMESTAMP.fullmatch(arrival.timestamp):
        return False
    if abs(now.timestamp() - int(arrival.timestamp)) > FRESH_FOR.total_seconds():
        return False
    try:
        VerifyKey(public_key).verify(arrival.timestamp.encode() + body, bytes.fromhex(arrival.signature))
    except BadSignatureError:
        return False
    return True


def _payload(body: bytes) -> dict[str, Any]:
    try:
        payload = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise RequestRefused(400, "not JSON") from None
    if not isinstance(payload, dict):
        raise RequestRefused(400, "not an object")
    kind = payload.get("type")
    if type(kind) is not int or kind not in _TYPES:  # JSON's `true` and `1.0` equal 1 in Python
        raise RequestRefused(400, "unknown type")
    return payload
