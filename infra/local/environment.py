"""What runs inside an execution environment: import the handler's module (INIT), then one invocation after another.

An environment is a process of its own, forked by multiprocessing's fork server. It ends with the stack that started it.
"""

import importlib
import json
import multiprocessing
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from infra.local.recursion import VARIABLE

Handler = Callable[[Any, Any], Any]


class Context:
    """What the handlers may rely on, and no more (Lambda docs, "Using the Lambda context object in Python")."""

    def __init__(self, request_id: str, deadline: float) -> None:
        self.aws_request_id = request_id
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.time()) * 1000))


def serve_invocations(
    channel: "Connection[Any, Any]", handler: str, variables: Mapping[str, str], log: Path | None
) -> None:
    """Send how long INIT took, then a result for each invocation received. `log`: where output goes; None: to stderr."""
    threading.Thread(target=_exit_with_stack, daemon=True).start()
    _redirect_output(log)
    os.environ.clear()
    os.environ.update(variables)
    began = time.perf_counter()
    try:
        function = _load(handler)
    except BaseException as fault:
        channel.send({"failed": _describe(fault)})
        return
    channel.send({"ready": time.perf_counter() - began})
    with suppress(EOFError, OSError):  # the stack has closed its end
        while True:
            event, request_id, deadline, trace = channel.recv()
            os.environ[VARIABLE] = trace
            channel.send(_invoke(function, event, Context(request_id, deadline)))


def _exit_with_stack() -> None:
    """End, even in the middle of an invocation, when the stack's process was killed."""
    stack = multiprocessing.parent_process()
    assert stack is not None
    stack.join()
    os._exit(1)


def _redirect_output(log: Path | None) -> None:
    output = 2 if log is None else os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for standard in (1, 2):
        os.dup2(output, standard)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a text stream, here


def _load(handler: str) -> Handler:
    """Import the module anew if the fork server has imported it already: this is its INIT."""
    module, _, name = handler.rpartition(".")
    sys.modules.pop(module, None)
    function: Handler = getattr(importlib.import_module(module), name)
    return function


def _invoke(function: Handler, event: Any, context: Context) -> dict[str, Any]:
    try:
        result = function(event, context)
    except Exception as fault:
        traceback.print_exc()
        return {"error": _describe(fault)}
    try:
        return {"result": json.loads(json.dumps(result))}
    except (TypeError, ValueError) as fault:
        return {"error": {"errorType": "Runtime.MarshalError", "errorMessage": str(fault)}}


def _describe(fault: BaseException) -> dict[str, Any]:
    """A fault as Lambda shows it to whoever invoked the function."""
    trace = traceback.format_tb(fault.__traceback__)
    return {"errorType": type(fault).__name__, "errorMessage": str(fault), "stackTrace": trace}
