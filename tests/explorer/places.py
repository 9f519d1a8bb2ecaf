"""The worlds that a search has met: each one once, with what every call and every event makes of it.

Very many states share few worlds. So a call is made once in each world, however many states make it there.
"""

import functools
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from tests.explorer.bounds import Bounds, Violation
from tests.explorer.events import events
from tests.explorer.execution import Answer, Opener, Question
from tests.explorer.world import SessionItem, World, session_item

Moved = tuple["Place", Answer]


@dataclass(eq=False)
class Place:
    """A world that is never changed. Places of one `kind` differ at most in the ids still to come."""

    world: World
    kind: int
    moves: "dict[Hashable, Moved | Violation]" = field(default_factory=dict)
    events: "list[tuple[str, Place]] | None" = None
    later: "Place | None" = None
    sessions: dict[str, SessionItem] = field(default_factory=dict)

    def session(self, key: str) -> SessionItem:
        """The item of that session."""
        if key not in self.sessions:
            self.sessions[key] = session_item(self.world.table, key)
        return self.sessions[key]

    @functools.cached_property
    def prints(self) -> tuple[int, int]:
        """Of the table and of Discord: what a read's answer depends on."""
        return self.world.table.fingerprint, hash(self.world.discord.fingerprint())


class Places:
    """All places of one scenario."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._kinds: dict[Hashable, int] = {}
        self._places: dict[tuple[int, int], Place] = {}
        self.by_kind: list[Place] = []

    def place(self, world: World) -> Place:
        """The place of a world, which nobody changes from here on."""
        world.settle()
        kind = self._kinds.setdefault(world.fingerprint(), len(self._kinds))
        key = kind, world.discord.state.last_id
        if (known := self._places.get(key)) is not None:
            return known
        place = self._places[key] = Place(world, kind)
        if kind == len(self.by_kind):
            self.by_kind.append(place)
        return place

    def fingerprints(self, kinds: set[int]) -> set[Hashable]:
        """What these kinds of worlds are, in every search."""
        return {fingerprint for fingerprint, kind in self._kinds.items() if kind in kinds}

    def after(self, place: Place, opener: Opener, question: Question) -> Moved:
        """Make the call: where it leads, and its answer. Raises Violation."""
        key = opener.name, question.key
        if question.reads and not place.world.lies and key not in place.moves:
            place.moves[key] = place, place.world.apply(opener, question)  # which leaves the world as it is
        return self._move(place, key, lambda world: world.apply(opener, question))

    def refused(self, place: Place, opener: Opener, question: Question, refusal: Answer) -> Moved:
        """Discord refuses the call."""

        def refuse(world: World) -> Answer:
            world.left, world.refused = world.left.less("refusals"), True
            return refusal

        return self._move(place, ("refused", refusal.key), refuse)

    def unanswered(self, place: Place, opener: Opener, question: Question, error: Exception) -> Moved:
        """The call is made, and its answer is lost."""

        def lose(world: World) -> Answer:
            now = world.apply(opener, question).now
            world.left, world.lied = world.left.less("lost_answers"), True
            return Answer.of(error, now)

        return self._move(place, ("unanswered", opener.name, question.key), lose)

    def landed(self, place: Place, opener: Opener, question: Question) -> Moved:
        """A call that was given up is made after all."""

        def land(world: World) -> Answer:
            world.late = tuple(late for late in world.late if late[1] is not question)
            return world.apply(opener, question)

        return self._move(place, ("late", opener.name, question.key), land)

    def cancelled(self, place: Place, sent: tuple[tuple[Opener, Question], ...]) -> Place:
        """A deadline has cancelled an actor that had sent these calls."""

        def cancel(world: World) -> Answer:
            world.left, world.late = world.left.less("cancels"), (*world.late, *sent)
            return Answer.of(None, world.now)

        key = "cancelled", *((opener.name, question.key) for opener, question in sent)
        return self._move(place, key, cancel)[0]

    def events(self, place: Place) -> list[tuple[str, Place]]:
        """What else may happen there, and where it leads."""
        if place.events is None:
            place.events = [
                (label, self._changed(place, change)) for label, change in events(place.world, self._bounds)
            ]
        return place.events

    def later(self, place: Place) -> Place:
        """Much later, with nobody about."""
        if place.later is None:
            place.later = self._changed(place, World.later)
        return place.later

    def _changed(self, place: Place, change: Callable[[World], None]) -> Place:
        world = place.world.fork()
        change(world)
        return self.place(world)

    def _move(self, place: Place, key: Hashable, change: Callable[[World], Answer]) -> Moved:
        moved = place.moves.get(key)
        if moved is None:
            world = place.world.fork()
            try:
                answer = change(world)
                moved = self.place(world), answer
            except Violation as fault:
                moved = fault
            place.moves[key] = moved
        if isinstance(moved, Violation):
            raise moved
        return moved
