"""Accept only requests that Discord signed; tell a refused caller as little as possible.

Discord docs, "Receiving and Responding", Security and Authorization: the signature covers the timestamp and the raw
body, and a wrong one must be answered with 401. Discord sends wrong ones on purpose and drops endpoints that accept
them. It defines no maximum age; ours keeps a recorded request from being replayed later.
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
MAX_AGE: Final = timedelta(minutes=5)  # clocks differ by less, and Discord gives up after three seconds

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
    """The request is refused. `status`, `text` and `headers` are all that the caller gets."""

    def __init__(self, status: int, text: str, **headers: str) -> None:
        super().__init__(f"{status} {text}")
        self.status, self.text, self.headers = status, text, headers


def verify(request: HttpRequest, public_key: bytes, now: datetime) -> dict[str, Any]:
    """The signed payload: an object of a known ``type``. Raises RequestRefused."""
    if request.path != PATH:
        raise RequestRefused(404, "not found")
    if request.method != METHOD:
        raise RequestRefused(405, "method not allowed", allow=METHOD)
    if request.size > MAX_BODY_BYTES:
        raise RequestRefused(413, "too large")
    if request.body is None or not _is_signed_by_discord(request, request.body, public_key, now):
        raise RequestRefused(401, "invalid request signature")
    return _decode_payload(request.body)


def _is_signed_by_discord(request: HttpRequest, body: bytes, public_key: bytes, now: datetime) -> bool:
    if not _SIGNATURE.fullmatch(request.signature) or not _TIMESTAMP.fullmatch(request.timestamp):
        return False
    if abs(now.timestamp() - int(request.timestamp)) > MAX_AGE.total_seconds():
        return False
    try:
        VerifyKey(public_key).verify(request.timestamp.encode() + body, bytes.fromhex(request.signature))
    except BadSignatureError:
        return False
    return True


def _decode_payload(body: bytes) -> dict[str, Any]:
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
