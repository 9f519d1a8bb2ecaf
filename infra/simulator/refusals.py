"""Discord's errors."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from infra.simulator.exchange import Response, json_response


class Error(Enum):
    """HTTP status, Discord's code, Discord's message (Discord docs, "Opcodes and Status Codes")."""

    UNAUTHORIZED = (401, 0, "401: Unauthorized")
    NOT_FOUND = (404, 0, "404: Not Found")
    METHOD_NOT_ALLOWED = (405, 0, "405: Method Not Allowed")
    UNKNOWN_CHANNEL = (404, 10003, "Unknown Channel")
    UNKNOWN_GUILD = (404, 10004, "Unknown Guild")
    UNKNOWN_MEMBER = (404, 10007, "Unknown Member")
    UNKNOWN_MESSAGE = (404, 10008, "Unknown Message")
    UNKNOWN_WEBHOOK = (404, 10015, "Unknown Webhook")
    NOT_YOUR_APPLICATION = (403, 20012, "You are not authorized to perform this action on this application")
    TOO_MANY_MEMBERS = (400, 30033, "Maximum number of thread participants has been reached (1000)")
    FORUM_CHANNEL = (400, 40058, "Cannot send messages in a forum channel")
    TAG_REQUIRED = (400, 40067, "A tag is required to create a forum post in this channel")
    NOT_A_BOT_CLIENT = (403, 40333, "internal network error")
    MISSING_ACCESS = (403, 50001, "Missing Access")
    NOT_THE_AUTHOR = (403, 50005, "Cannot edit a message authored by another user")
    EMPTY_MESSAGE = (400, 50006, "Cannot send an empty message")
    MISSING_PERMISSIONS = (403, 50013, "Missing Permissions")
    WRONG_CHANNEL_TYPE = (400, 50024, "Cannot execute action on this channel type")
    INVALID_WEBHOOK_TOKEN = (401, 50027, "Invalid Webhook Token")
    INVALID_FORM = (400, 50035, "Invalid Form Body")
    THREAD_ARCHIVED = (400, 50083, "Thread is archived")
    INVALID_JSON = (400, 50109, "The request body contains invalid JSON.")
    THREAD_EXISTS = (400, 160004, "A thread has already been created for this message")
    THREAD_LOCKED = (403, 160005, "Thread is locked")
    TOO_MANY_THREADS = (400, 160006, "Maximum number of active threads reached")
    TOO_MANY_ANNOUNCEMENT_THREADS = (400, 160007, "Maximum number of active announcement threads reached")
    MESSAGE_BLOCKED = (400, 200000, "Message was blocked by automatic moderation")
    TITLE_BLOCKED = (400, 200001, "Title was blocked by automatic moderation")


class Refusal(Exception):
    """Ends a request with one of Discord's errors. Raised before anything has changed."""

    def __init__(self, error: Error, errors: Mapping[str, Any] | None = None) -> None:
        super().__init__(error.name)
        status, code, message = error.value
        faults = {} if errors is None else {"errors": errors}
        self.response = json_response(status, {"message": message, "code": code, **faults})


class RateLimited(Exception):
    """Ends a request with a 429. `retry_after` is seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"retry after {retry_after} s")
        self.response = too_many_requests(retry_after)


def too_many_requests(retry_after: float, scope: str = "user") -> Response:
    """A 429. `scope` is `user`, `shared` or `global`; `retry_after` is seconds (Discord docs, "Rate Limits")."""
    # The header has whole seconds, rounded up; the body has the exact number.
    headers = {"retry-after": str(-int(-retry_after // 1)), "x-ratelimit-scope": scope}
    if scope == "global":
        headers["x-ratelimit-global"] = "true"
    document = {"message": "You are being rate limited.", "retry_after": retry_after, "global": scope == "global"}
    return json_response(429, document, headers)


def invalid(path: str, code: str, message: str) -> Refusal:
    """Invalid Form Body for one field. `path` has dots between nested names."""
    errors: dict[str, Any] = {"_errors": [{"code": code, "message": message}]}
    for name in reversed(path.split(".")):
        errors = {name: errors}
    return Refusal(Error.INVALID_FORM, errors)
