"""Functions for the tests to invoke, each with one behaviour."""

import os
import signal
import sys
import time
from typing import Any

COUNT = 0


def echo(event: Any, context: Any) -> Any:
    return event


def who(event: Any, context: Any) -> dict[str, Any]:
    """Which environment this is, and how often it was invoked."""
    global COUNT
    COUNT += 1
    return {"pid": os.getpid(), "count": COUNT}


def meet(event: Any, context: Any) -> dict[str, Any]:
    """Wait until as many environments as expected have written their file: one alone would wait for ever."""
    mine = os.path.join(event["folder"], str(os.getpid()))
    with open(mine, "w"):
        pass
    while len(os.listdir(event["folder"])) < event["expected"]:
        time.sleep(0.005)
    return {"pid": os.getpid()}


def surroundings(event: Any, context: Any) -> dict[str, Any]:
    return {
        "variables": dict(os.environ),
        "context": [name for name in dir(context) if not name.startswith("_")],
        "request_id": context.aws_request_id,
        "remaining": context.get_remaining_time_in_millis(),
    }


def modules(event: Any, context: Any) -> list[str]:
    return sorted(sys.modules)


def fail(event: Any, context: Any) -> Any:
    raise ValueError("a fault")


def die(event: Any, context: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def hang(event: Any, context: Any) -> Any:
    time.sleep(60)


def return_an_object(event: Any, context: Any) -> Any:
    return {"object": object()}


def odd_only(event: Any, context: Any) -> dict[str, Any]:
    """A queue's function that fails for even numbers."""
    failed = [record["messageId"] for record in event["Records"] if int(record["body"]) % 2 == 0]
    return {"batchItemFailures": [{"itemIdentifier": failure} for failure in failed]}
