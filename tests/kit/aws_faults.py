"""What goes wrong with a request to AWS: the same faults on each wire, whatever it leads to."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from tests.kit.hanging import Hanging

T = TypeVar("T")
Before = Literal["refused", "timeout_before", "500", "html", "throttled", "conflict", "in_progress", "access_denied"]
After = Literal["lost", "timeout_after", "500_after"]
What = Before | After | Literal["hang", "late"]

# The faults that botocore raises as an exception, and those that AWS answers with a status and a code.
EXCEPTIONS: Final[Mapping[str, Callable[..., Exception]]] = {
    "refused": EndpointConnectionError,
    "lost": ConnectionClosedError,
    "timeout_before": ReadTimeoutError,
    "timeout_after": ReadTimeoutError,
    "late": ReadTimeoutError,
}
ERRORS: Final = {
    "500": (500, "InternalServerError"),
    "500_after": (500, "InternalServerError"),
    "html": (502, "502"),
    "throttled": (400, "ThrottlingException"),
    "conflict": (400, "TransactionConflictException"),
    "in_progress": (400, "TransactionInProgressException"),
    "access_denied": (400, "AccessDeniedException"),
}


@dataclass(frozen=True)
class Fault:
    """What becomes of the `nth` request (from 1, counted by `FaultyWire.sent`) of an operation (``UpdateItem``). Once.

    `Before`: it has no effect
    `After`: it has its effect, and its answer does not come
    hang: its thread blocks until `FaultyWire.hanging.release`; then it has its effect and is answered
    late: its caller sees a time-out now, and it has its effect when `FaultyWire.hanging.land` is called
    """

    operation: str
    nth: int
    what: What


class FaultyWire:
    """`sent`: how many requests of each operation; `hanging`: the calls that hang, or land late."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = list(faults)
        self.sent: Counter[str] = Counter()
        self.hanging = Hanging()
        self._counting = threading.Lock()

    def fail(self, operation: str, *whats: What) -> None:
        """Let the next requests of that operation fail, one after another."""
        start = self.sent[operation] + 1
        self.faults += [Fault(operation, start + i, what) for i, what in enumerate(whats)]

    def send(self, operation: str, body: Mapping[str, Any], effect: Callable[[], T], refuse: Callable[..., T]) -> T:
        """One request, which meets its fault as in `meet`."""
        fault = self._take_fault(operation)
        if fault == "conflict" and "TransactItems" in body:
            reasons = [{"Code": "None"} for _ in body["TransactItems"][1:]]
            reasons.append({"Code": "TransactionConflict", "Message": "ongoing"})
            return refuse(400, "TransactionCanceledException", CancellationReasons=reasons)
        return meet(fault, self.hanging, effect, refuse)

    def _take_fault(self, operation: str) -> What | None:
        with self._counting:
            self.sent[operation] += 1
            nth = self.sent[operation]
            fault = next((fault for fault in self.faults if (fault.operation, fault.nth) == (operation, nth)), None)
            if fault is not None:
                self.faults.remove(fault)
        return None if fault is None else fault.what


def meet(fault: What | None, hanging: Hanging, effect: Callable[[], T], refuse: Callable[..., T]) -> T:
    """Return the effect's answer, or what `refuse` makes of the fault's status and code; or raise as botocore does."""
    if fault is None:
        return effect()
    if fault == "hang":
        return hanging.hold(effect)
    if fault == "late":
        hanging.put_off(lambda: _ignore_answer(effect))
    if fault in ("lost", "timeout_after", "500_after"):
        _ignore_answer(effect)
    if fault in EXCEPTIONS:
        raise EXCEPTIONS[fault](endpoint_url="injected")
    return refuse(*ERRORS[fault])


def _ignore_answer(effect: Callable[[], Any]) -> None:
    with suppress(ClientError):
        effect()
