"""Functions: a pool of execution environments each, that grows on demand, as on Lambda.

An environment takes one request at a time. Who finds none idle gets a new one, whose INIT is the cold start. A time-out,
an exit or a crash ends the environment, and whoever invoked the function is told as Lambda tells it.
"""

import logging
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from infra.local import framing
from infra.local.nursery import Nursery

# Lambda docs, "Understanding the Lambda execution environment lifecycle": INIT may take this long.
INIT_SECONDS: Final = 10.0

log: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Function:
    """What the template says of a function, with the values of this stack."""

    name: str
    handler: str
    timeout: float
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Result:
    """What became of an invocation: what the handler returned, or what Lambda says instead. `init` is in seconds."""

    payload: Any = None
    error: Mapping[str, Any] | None = None
    init: float | None = None


class Died(Exception):
    """An environment ended. `error` is what the invoker is told."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.error = {"errorType": kind, "errorMessage": message}


class Environment:
    """One execution environment: a process, and the channel to it."""

    def __init__(self, nursery: Nursery, function: Function) -> None:
        self.function = function
        self.event: Any = None  # of the invocation that is running
        self.pid, self._channel = nursery.fork(function.handler, function.variables)
        self._ended = threading.Lock()
        try:
            self.init = self._initialised()
        except Died:
            self.close()
            raise

    def _initialised(self) -> float:
        document = self._receive(INIT_SECONDS, f"INIT took longer than {INIT_SECONDS:.0f} seconds")
        if "failed" in document:
            raise Died(document["failed"]["errorType"], document["failed"]["errorMessage"])
        return float(document["ready"])

    def invoke(self, event: Any, request_id: str) -> Result:
        """Run one invocation to its end. Raises Died."""
        timeout, self.event = self.function.timeout, event
        try:
            deadline = time.time() + timeout
            framing.send(
                self._channel,
                {"event": event, "request_id": request_id, "deadline": deadline},
            )
        except OSError:
            self.kill()
            raise Died("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited") from None
        answered = self._receive(timeout, f"RequestId: {request_id} Error: Task timed out after {timeout:.2f} seconds")
        self.event = None
        return Result(answered.get("result"), answered.get("error"))

    def _receive(self, seconds: float, late: str) -> dict[str, Any]:
        self._channel.settimeout(seconds)
        try:
            document: dict[str, Any] = framing.receive(self._channel)
        except TimeoutError:
            self.kill()
            raise Died("Sandbox.Timedout", late) from None
        except (EOFError, OSError):
            self.kill()
            raise Died("Runtime.ExitError", "Runtime exited without providing a reason") from None
        return document

    def kill(self) -> None:
        """End it at once, wherever it is. Whoever waits for it learns that it exited."""
        if not self._ended.acquire(blocking=False):
            return
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.kill()
        self._channel.close()


@dataclass
class Pool:
    """The environments of one function. `starts` counts the cold starts."""

    function: Function
    nursery: Nursery
    starts: int = 0
    _idle: list[Environment] = field(default_factory=list)
    _busy: list[Environment] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closed: bool = False

    def invoke(self, event: Any, *, request_id: str | None = None) -> Result:
        """One invocation, in an idle environment or a new one. Never raises: faults are part of the result."""
        try:
            environment, init = self._take()
        except Died as died:
            return self._failed(died, None)
        try:
            result = environment.invoke(event, request_id or str(uuid.uuid4()))
        except Died as died:
            self._drop(environment)
            return self._failed(died, init)
        self._give_back(environment)
        return Result(result.payload, result.error, init)

    def warm(self, count: int) -> None:
        """Start environments until there are that many."""
        while self.size < count and not self._closed:
            try:
                self._give_back(self._start())
            except Died:
                return

    def shrink(self, count: int) -> None:
        """Let idle environments go until at most that many are left, as Lambda does after some minutes."""
        with self._lock:
            surplus, self._idle = self._idle[count:], self._idle[:count]
        for environment in surplus:
            environment.close()

    @property
    def size(self) -> int:
        with self._lock:
            return len(self._idle) + len(self._busy)

    def running(self) -> list[Environment]:
        """Those that are at work on an event."""
        with self._lock:
            return [environment for environment in self._busy if environment.event is not None]

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            busy = list(self._busy)
        for environment in idle:
            environment.close()
        for environment in busy:  # whose invokers close them
            environment.kill()

    def _failed(self, died: Died, init: float | None) -> Result:
        log.info("%s: %s", self.function.name, died)
        return Result(error=died.error, init=init)

    def _take(self) -> tuple[Environment, float | None]:
        with self._lock:
            if self._idle:
                environment = self._idle.pop()
                self._busy.append(environment)
                return environment, None
        environment = self._start()
        return environment, environment.init

    def _start(self) -> Environment:
        """A new environment, as a busy one. Raises Died."""
        try:
            environment = Environment(self.nursery, self.function)
        except (OSError, EOFError):
            raise Died("Runtime.ExitError", "the stack is closing") from None
        with self._lock:
            self.starts += 1
            self._busy.append(environment)
        if self._closed:
            environment.kill()
        return environment

    def _give_back(self, environment: Environment) -> None:
        with self._lock:
            self._busy.remove(environment)
            if not self._closed:
                self._idle.append(environment)
                return
        environment.close()

    def _drop(self, environment: Environment) -> None:
        with self._lock:
            self._busy.remove(environment)
        environment.close()
