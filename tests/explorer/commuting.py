"""Partial-order reduction: a read whose answer cannot change any more is made at once, and alone.

A state's steps are all explored, unless one of them is a read that has the same answer in every world that can be reached
from there, that changes nothing, and after which it makes no difference to its actor whether time passes first. Such a read
commutes with each step of everybody else: what they do does not change its answer, and it changes nothing for them. So a
schedule in which it comes later differs from one in which it comes first in nothing that is judged, and only that one is
explored. Two provisos. The actor must go on within its round: so no cycle of states consists of such reads alone, and
nobody is put off for ever. And it must not end with the read: its end is judged in each world in which it can be.

Where answers can change is not known beforehand: it is assumed of no read, and learned. The search notes which world leads
to which; if one that can be reached has another answer after all, the read is not relied on there any more, and the search
begins again. What holds at the end is enough. Let a read be relied on in some state, and take a shortest schedule from
there, in all schedules, to a world with another answer. Its first step commutes with the read, so the reduced search takes
that step, after the read and perhaps others of its kind; the rest is shorter, and by induction it is met as well. So the
search would have met a world with another answer.
"""

from collections.abc import Sequence

from tests.explorer.actor import Node
from tests.explorer.execution import Opener, Question
from tests.explorer.places import Place, Places


class Commuting:
    """What is known of the reads of one scenario: where their answers can still change."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._reads: dict[bytes, tuple[Opener, Question]] = {}
        self._followers: dict[int, set[int]] = {}  # of each world, as searches have met them
        self._answers: dict[
            tuple[bytes, int], bytes | None
        ] = {}  # by the print of what is read; None: it changes something
        self._unsettled: dict[bytes, set[int]] = {}  # the worlds in which a read's answer may still change
        self._relied_on: dict[bytes, set[int]] = {}

    def begin(self) -> None:
        """A search begins."""
        self._relied_on = {}

    def note(self, place: Place, then: Place) -> None:
        """A step leads from that world to this one."""
        if then.kind != place.kind:
            self._followers.setdefault(place.kind, set()).add(then.kind)

    def alone(self, place: Place, nodes: Sequence[Node]) -> tuple[int, int] | None:
        """The one step that has to be explored: the actor's index and the number of its call."""
        left = place.world.left
        if left.cancels:
            return None  # a cancelled actor's next call may still land: so it matters how far it came
        for index, node in enumerate(nodes):
            for number, question in node.pending.items():
                if question.reads and place.kind not in self._unsettled.get(question.key, ()):
                    opener = node.actor.opener
                    there, answer = self._places.after(place, opener, question)
                    child = node.after(number, answer)
                    goes_on = child.pending and not child.begins_a_round and there is place
                    if goes_on and not (left.leases_end and node.heeds_the_time(number, answer)):
                        self._reads.setdefault(question.key, (opener, question))
                        self._relied_on.setdefault(question.key, set()).add(place.kind)
                        return index, number
        return None

    def holds(self) -> bool:
        """Whether all that this search has relied on is true of the worlds that it has met; if not, that is learned."""
        leaders: dict[int, set[int]] = {}
        for kind, followers in self._followers.items():
            for follower in followers:
                leaders.setdefault(follower, set()).add(kind)
        holds = True
        for key in self._relied_on:
            unsettled = self._unsettled[key] = self._where_unsettled(key, leaders)
            holds = holds and unsettled.isdisjoint(self._relied_on[key])
        return holds

    def _where_unsettled(self, key: bytes, leaders: dict[int, set[int]]) -> set[int]:
        """The worlds from which one can be reached in which the read has another answer."""
        reached = []
        for kind, followers in self._followers.items():
            answer = self._answer(kind, key)
            if any(self._answer(follower, key) != answer for follower in followers):
                reached.append(kind)
        unsettled = set(reached)
        while reached:
            for leader in leaders.get(reached.pop(), ()):
                if leader not in unsettled:
                    unsettled.add(leader)
                    reached.append(leader)
        return unsettled

    def _answer(self, kind: int, key: bytes) -> bytes | None:
        place = self._places.by_kind[kind]
        opener, question = self._reads[key]
        table, discord = place.prints
        looked_at = key, table if question.kind == "table" else discord
        if looked_at not in self._answers:
            there, answer = self._places.after(place, opener, question)
            self._answers[looked_at] = answer.key if there is place else None
        return self._answers[looked_at]
