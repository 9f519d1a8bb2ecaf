"""What happens inside an execution environment: import the handler's module (INIT), then one invocation after another.

An environment is an operating system's process of its own, forked by `infra.local.nursery`. It ends when the other side
of its channel does.
"""

import importlib
import json
import os
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from infra.local import framing

Handler = Callable[[Any, Any], Any]


class Context:
    """What the handlers may rely on, and no more (Lambda docs, "Using the Lambda context object in Python")."""

    def __init__(self, request_id: str, deadline: float) -> None:
        self.aws_request_id = request_id
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.time()) * 1000))


def live(channel: socket.socket, handler: str, variables: Mapping[str, str]) -> None:
    """Be that handler's environment: say when INIT is over, then answer until the channel ends.

    A module that was imported before the fork is imported anew if it is the handler's own: that is its INIT.
    """
    os.environ.clear()
    os.environ.update(variables)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a text stream, here
    began = time.perf_counter()
    try:
        function = _load(handler)
    except BaseException as fault:
        framing.send(channel, {"failed": _described(fault)})
        return
    framing.send(channel, {"ready": time.perf_counter() - began})
    try:
        while True:
            framing.send(channel, _answer(function, framing.receive(channel)))
    except (EOFError, OSError):
        return


def _load(handler: str) -> Handler:
    module, _, name = handler.rpartition(".")
    sys.modules.pop(module, None)
    function: Handler = getattr(importlib.import_module(module), name)
    return function


def _answer(function: Handler, invocation: Mapping[str, Any]) -> dict[str, Any]:
    context = Context(invocation["request_id"], invocation["deadline"])
    try:
        result = function(invocation["event"], context)
    except Exception as fault:
        traceback.print_exc()
        return {"error": _described(fault)}
    try:
        json.dumps(result)
    except (TypeError, ValueError) as fault:
        return {"error": {"errorType": "Runtime.MarshalError", "errorMessage": str(fault)}}
    return {"result": result}


def _described(fault: BaseException) -> dict[str, Any]:
    """A fault as Lambda shows it to whoever invoked the function."""
    trace = traceback.format_tb(fault.__traceback__)
    return {"errorType": type(fault).__name__, "errorMessage": str(fault), "stackTrace": trace}
