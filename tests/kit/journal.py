"""What goes over the wires, call by call, and a process that dies right after one of them."""

from collections import Counter
from dataclasses import dataclass


class Died(BaseException):
    """The process died. Nothing catches it."""


@dataclass(frozen=True, order=True)
class Call:
    """A remote call by name: ``Call("dynamodb", "UpdateItem", 2)`` is the second one of that operation."""

    wire: str
    what: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.wire}: {self.what} #{self.nth}"


class Journal:
    """`calls`, in the order in which they began. With `dies_after`, Died is raised where that call had its effect."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.dies_after: Call | None = None
        self._dead = False
        self._so_far: Counter[tuple[str, str]] = Counter()

    def forget(self) -> None:
        """Count the calls anew from here."""
        self.calls.clear()
        self._so_far.clear()

    def live_again(self) -> None:
        """What is called from here on is another process's."""
        self._dead, self.dies_after = False, None

    def count(self, wire: str) -> int:
        """How many calls went over that wire, ``dynamodb`` or ``discord``."""
        return sum(call.wire == wire for call in self.calls)

    def begins(self, wire: str, what: str) -> Call:
        """Note a call that is about to be made. Raises Died if its process is dead."""
        if self._dead:
            raise Died
        self._so_far[wire, what] += 1
        call = Call(wire, what, self._so_far[wire, what])
        self.calls.append(call)
        return call

    def ends(self, call: Call) -> None:
        """The call had its effect. Raises Died if the process dies of it."""
        if self.dies_after == call:
            self._dead = True
            raise Died
