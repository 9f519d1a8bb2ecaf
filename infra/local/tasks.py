"""Tasks of Step Functions that wait for an answer, as strict as AWS (AWS docs, "SendTaskSuccess" and "SendTaskFailure").

A task is begun below `/_/`; its token is what a state machine would give to `ask`. It takes one answer.
"""

import json
import secrets
import threading
from typing import Any, Final

from infra.table.wire import Answer

MAX_TOKEN: Final = 2048
# Bytes of UTF-8.
MAX_OUTPUT: Final = 262_144
MAX_ERROR: Final = 256
MAX_CAUSE: Final = 32_768
PREFIX: Final = "made-up-task-"  # what begins otherwise was never a token
_FIELDS: Final = {
    "SendTaskSuccess": {"output": MAX_OUTPUT},
    "SendTaskFailure": {"error": MAX_ERROR, "cause": MAX_CAUSE},
}


class LocalTasks:
    """`answers`: of each task, by its token; None while it waits."""

    def __init__(self) -> None:
        self.answers: dict[str, dict[str, Any] | None] = {}
        self._lock = threading.Lock()

    def begin(self) -> str:
        """A task waits from now on. Its token."""
        token = PREFIX + secrets.token_urlsafe(24)
        self.answers[token] = None
        return token

    def end(self, token: str) -> None:
        """The task's time is over, or its execution was stopped."""
        with self._lock:
            self.answers[token] = self.answers[token] or {"ended": True}

    def answer(self, operation: str, request: dict[str, Any]) -> Answer:
        if operation not in _FIELDS:
            return _refuse("UnknownOperationException", operation)
        if fault := _fault(operation, request):
            return _refuse("ValidationException", fault)
        token = request["taskToken"]
        if not token.startswith(PREFIX):
            return _refuse("InvalidToken", "Invalid Token")
        given = {name: request[name] for name in _FIELDS[operation] if name in request}
        if operation == "SendTaskSuccess" and not _is_json(given["output"]):
            return _refuse("InvalidOutput", "the output is not JSON")
        with self._lock:
            if token not in self.answers:
                return _refuse("TaskDoesNotExist", "Task does not exist")
            if self.answers[token] is not None:
                return _refuse("TaskTimedOut", "The task has its answer, or its time is over")
            self.answers[token] = given
        return Answer(200, {})


def _refuse(code: str, message: str) -> Answer:
    return Answer(400, {"__type": code, "message": message})


def _fault(operation: str, request: dict[str, Any]) -> str | None:
    """What is wrong with the form of a request."""
    limits = {"taskToken": MAX_TOKEN, **_FIELDS[operation]}
    needed = {"taskToken", "output"} & limits.keys()
    if missing := needed - request.keys():
        return f"{', '.join(sorted(missing))} is missing"
    if unknown := request.keys() - limits.keys():
        return f"{', '.join(sorted(unknown))} is unknown"
    for name, value in request.items():
        if not isinstance(value, str) or len(value.encode()) > limits[name] or (name == "taskToken" and not value):
            return f"{name} is malformed, or longer than {limits[name]}"
    return None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
