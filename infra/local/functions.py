"""Functions: each is a pool of execution environments that grows on demand, as on Lambda.

An environment takes one request at a time. A request that finds none idle gets a new one, whose INIT is the cold start. A
time-out, an exit or a crash ends the environment, and the invoker gets the error that Lambda gives.
"""

import logging
import multiprocessing
import signal
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from multiprocessing import forkserver
from pathlib import Path
from typing import Any, Final

from infra.local.calls import with_number
from infra.local.environment import serve_invocations
from infra.local.recursion import MAX_TURNS, STOPPED, enter

# Lambda docs, "Understanding the Lambda execution environment lifecycle": INIT may take this long.
MAX_INIT_SECONDS: Final = 10.0

log: Final = logging.getLogger(__name__)
_processes: Final = multiprocessing.get_context("forkserver")
_starting: Final = threading.Lock()  # multiprocessing keeps its list of children without one
_numbers: Final = count(1)


def start_fork_server() -> None:
    """Start the process from which environments are forked, unless it runs already. It imports after this has returned.

    It ends with this process. Call this in the main thread.
    """
    _processes.set_forkserver_preload(["infra.local.preload"])
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # environments inherit this: on Ctrl-C the stack ends them
    try:
        forkserver.ensure_running()
    finally:
        signal.signal(signal.SIGINT, handler)


@dataclass(frozen=True)
class Function:
    """What the template says of a function, with the values of this stack.

    `may_recur`: Lambda's guard against endless loops (`recursion`) is off.
    """

    name: str
    handler: str
    timeout: float
    variables: Mapping[str, str]
    may_recur: bool = False


@dataclass(frozen=True)
class Result:
    """The outcome of an invocation: what the handler returned, or Lambda's error. `init` is in seconds."""

    payload: Any = None
    error: Mapping[str, Any] | None = None
    init: float | None = None


@dataclass(frozen=True)
class Invocation:
    """An invocation, when it begins and again when it ends. Times are epoch seconds, `init` is in seconds."""

    request_id: str
    function: str
    environment: int  # 0: its INIT failed
    event: Any
    began: float
    init: float | None
    ended: float | None = None
    error: Mapping[str, Any] | None = None


class Died(Exception):
    """An environment ended. `error` is what the invoker gets."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.error = {"errorType": kind, "errorMessage": message}


class Environment:
    """One execution environment: a process, and the channel to it. Raises Died if its INIT fails."""

    def __init__(self, function: Function, log: Path | None) -> None:
        self.function = function
        self.number = next(_numbers)
        self.event: Any = None  # of the invocation that is running
        self._channel, theirs = _processes.Pipe()
        arguments = (theirs, function.handler, with_number(function.variables, self.number), log)
        self._process = _processes.Process(target=serve_invocations, args=arguments, daemon=True)
        with theirs, _starting:
            self._process.start()
        try:
            self.init = self._receive_init()
        except Died:
            self.close()
            raise

    @property
    def pid(self) -> int:
        assert self._process.pid is not None  # it was started
        return self._process.pid

    def _receive_init(self) -> float:
        document = self._receive(MAX_INIT_SECONDS, f"INIT took longer than {MAX_INIT_SECONDS:.0f} seconds")
        if "failed" in document:
            raise Died(document["failed"]["errorType"], document["failed"]["errorMessage"])
        return float(document["ready"])

    def invoke(self, event: Any, request_id: str, trace: str) -> Result:
        """Run one invocation to its end. `trace`: its tracing header. Raises Died."""
        timeout, self.event = self.function.timeout, event
        try:
            self._channel.send((event, request_id, time.time() + timeout, trace))
        except OSError:
            raise Died("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited") from None
        answered = self._receive(timeout, f"RequestId: {request_id} Error: Task timed out after {timeout:.2f} seconds")
        self.event = None
        return Result(answered.get("result"), answered.get("error"))

    def _receive(self, seconds: float, late: str) -> dict[str, Any]:
        try:
            if not self._channel.poll(seconds):
                raise Died("Sandbox.Timedout", late)
            document: dict[str, Any] = self._channel.recv()
        except (EOFError, OSError):
            raise Died("Runtime.ExitError", "Runtime exited without providing a reason") from None
        return document

    def kill(self) -> None:
        """End it at once, whatever it is doing. A waiting invoker then learns that it exited."""
        self._process.kill()

    def close(self) -> None:
        self.kill()
        self._channel.close()


@dataclass
class Pool:
    """The environments of one function. `log`: where they write; None: to stderr. `starts` counts the cold starts.

    `observe` gets each invocation twice: when it begins, and when it has ended.
    """

    function: Function
    log: Path | None = None
    observe: Callable[[Invocation], None] = lambda _: None
    starts: int = 0
    _idle: list[Environment] = field(default_factory=list)
    _busy: list[Environment] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closed: bool = False

    def invoke(self, event: Any, *, request_id: str | None = None) -> Result:
        """One invocation, in an idle environment or a new one. Never raises: faults are part of the result."""
        turns, trace = enter(event, self.function.name)
        if turns > MAX_TURNS and not self.function.may_recur:
            log.info("%s: stopped after %d turns", self.function.name, MAX_TURNS)
            return Result(error=STOPPED)
        began = Invocation(request_id or str(uuid.uuid4()), self.function.name, 0, event, time.time(), None)
        try:
            environment, init = self._take()
        except Died as died:
            return self._ended(began, self._failed(died, None))
        began = replace(began, environment=environment.number, init=init)
        self.observe(began)
        try:
            result = environment.invoke(event, began.request_id, trace)
        except Died as died:
            self._drop(environment)
            return self._ended(began, self._failed(died, init))
        self._give_back(environment)
        return self._ended(began, Result(result.payload, result.error, init))

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

    def _ended(self, began: Invocation, result: Result) -> Result:
        self.observe(replace(began, ended=time.time(), error=result.error))
        return result

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
            environment = Environment(self.function, self.log)
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
