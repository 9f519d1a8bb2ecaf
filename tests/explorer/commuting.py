"""Partial-order reduction: a read whose answer cannot change any more is made at once, and alone.

A state's steps are all explored, unless one of them is a read that has the same answer in every world that can be reached
from there, that changes nothing, and after which it makes no difference to its actor whether time passes first. Such a read
commutes with each step of everybody else: what they do does not change its answer, and it changes nothing for them. So a
schedule in which it comes later differs from one in which it comes first in nothing that is judged, and only that one is
explored. Two provisos. The actor must go on within its round: so no cycle of states consists of such reads alone, and
nobody is put off for ever. And it must not end with the read: its end is judged in each world in which it can be.

Where answers can change is not known beforehand: it is assumed of no read, and learned. The search notes which world leads
to which; if one that can be reached has another answer after all, the read is not relied on there any more, and the states
in which it was are explored anew. What holds at the end is enough. Let a read be relied on in some state, and take a
shortest schedule from there, in all schedules, to a world with another answer. Its first step commutes with the read, so
the reduced search takes that step, after the read and perhaps others of its kind; the rest is shorter, and by induction it
is met as well. So the search would have met a world with another answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tests.explorer.actor import Node
from tests.explorer.execution import Opener, Question
from tests.explorer.places import Place, Places

State = TypeVar("State")


@dataclass
class _Read(Generic[State]):
    """What is known of one read."""

    opener: Opener
    question: Question
    answers: dict[int, bytes | None] = field(
        default_factory=dict
    )  # by the print of what it reads; None: it changes something
    unsettled: set[int] = field(default_factory=set)  # the worlds in which its answer may still change
    relied_on: dict[int, list[State]] = field(default_factory=dict)  # by world: the states in which it was made alone
    steps_seen: int = 0


class Commuting(Generic[State]):
    """What is known of the reads of one scenario: where their answers can still change, and where that was relied on."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._reads: dict[bytes, _Read[State]] = {}
        self._steps: dict[tuple[int, int], None] = {}  # from world to world, in the order in which they were met
        self._leaders: dict[int, list[int]] = {}  # of each world, those that lead to it

    def note(self, place: Place, then: Place) -> None:
        """A step leads from that world to this one."""
        step = place.kind, then.kind
        if then.kind != place.kind and step not in self._steps:
            self._steps[step] = None
            self._leaders.setdefault(then.kind, []).append(place.kind)

    def alone(self, state: State, place: Place, nodes: Sequence[Node]) -> tuple[int, int] | None:
        """The one step of the state that has to be explored: the actor's index and the number of its call."""
        left = place.world.left
        if left.cancels:
            return None  # a cancelled actor's next call may still land: so it matters how far it came
        for index, node in enumerate(nodes):
            for number, question in node.pending.items():
                if question.reads and self._may_be_settled(question, place):
                    opener = node.actor.opener
                    there, answer = self._places.after(place, opener, question)
                    child = node.after(number, answer)
                    goes_on = child.pending and not child.begins_a_round and there is place
                    if goes_on and not (left.leases_end and node.heeds_the_time(number, answer)):
                        read = self._reads.setdefault(question.key, _Read(opener, question))
                        read.relied_on.setdefault(place.kind, []).append(state)
                        return index, number
        return None

    def mistaken(self) -> list[State]:
        """The states in which a read was relied on that may have another answer after all. It is relied on no more."""
        steps = list(self._steps)
        states: list[State] = []
        for read in self._reads.values():
            self._learn(read, steps)
            for kind in read.unsettled.intersection(read.relied_on):
                states += read.relied_on.pop(kind)
        return states

    def _may_be_settled(self, question: Question, place: Place) -> bool:
        read = self._reads.get(question.key)
        return read is None or place.kind not in read.unsettled

    def _learn(self, read: _Read[State], steps: list[tuple[int, int]]) -> None:
        """From the steps that are new: the worlds from which one can be reached in which the read has another answer."""
        reached = []
        for kind, then in steps[read.steps_seen :]:
            if kind not in read.unsettled and (
                then in read.unsettled or self._answer(read, kind) != self._answer(read, then)
            ):
                read.unsettled.add(kind)
                reached.append(kind)
        read.steps_seen = len(steps)
        while reached:
            for leader in self._leaders.get(reached.pop(), ()):
                if leader not in read.unsettled:
                    read.unsettled.add(leader)
                    reached.append(leader)

    def _answer(self, read: _Read[State], kind: int) -> bytes | None:
        place = self._places.by_kind[kind]
        table, discord = place.prints
        looked_at = table if read.question.kind == "table" else discord
        if looked_at not in read.answers:
            there, answer = self._places.after(place, read.opener, read.question)
            read.answers[looked_at] = answer.key if there is place else None
        return read.answers[looked_at]
