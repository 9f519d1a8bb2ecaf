"""Searching the schedules: all of them within the bounds, or random ones. What must hold is asked at each point.

A state is a place and each actor's node. A process that dies is an actor that is never scheduled again, so its death
at every point is part of every search; and from each world a lone newcomer must bring the session to its thread.
"""

import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Final

from handler.discord.rest import Response
from handler.errors import OnethreadError, OutcomeUnknown, StoreUnavailable
from handler.sessions.model import Opened
from tests.explorer.actor import Actor, Node
from tests.explorer.bounds import Bounds, Violation
from tests.explorer.commuting import Commuting
from tests.explorer.execution import Answer, Opener, Question
from tests.explorer.places import Place, Places
from tests.explorer.world import MAX_LONE_CALLS, begin

JUDGED_EACH: Final = 4  # worlds of a random schedule: newcomers take most of its time
REFUSALS: Final = (
    Response(403, {}, b'{"code":50013,"message":"Missing Permissions"}'),
    Response(400, {}, b'{"code":200000,"message":"Message was blocked by automatic moderation"}'),
)


Label = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class State:
    """One point of a schedule."""

    place: Place
    nodes: tuple[Node, ...]

    def key(self) -> int:
        return hash((self.place.kind, self.nodes))

    def with_node(self, index: int, node: Node, place: Place) -> "State":
        return State(place, (*self.nodes[:index], node, *self.nodes[index + 1 :]))


@dataclass(frozen=True)
class Scenario:
    """Who opens what, and what else may happen. First the first opener makes `head_start` calls, then `prelude` happens."""

    openers: tuple[Opener, ...]
    bounds: Bounds
    head_start: int = 0
    prelude: tuple[str, ...] = ()  # events, by the ends of their labels
    # The name that a newcomer opens from each world; by default the first opener's.
    newcomers: tuple[str, ...] = ()


@dataclass
class Found:
    """What a search has seen. `path` leads to the violation, if there is one. Worlds are told apart by kind."""

    states: int = 0
    worlds: set[int] = field(default_factory=set)
    ends: set[int] = field(default_factory=set)  # the worlds in which every actor has ended
    violation: str | None = None
    path: list[Label] = field(default_factory=list)
    complete: bool = True

    def explained(self) -> str:
        """The violation, and the steps that lead to it, one a line."""
        return "\n".join([self.violation or "", *(": ".join(map(str, label)) for label in self.path)])


Step = tuple[Label, Callable[[], State]]
Arrival = tuple[int, Label]  # by which step from which state, by its key, a search came to another one first


class Search:
    """One scenario and everything that is remembered about it."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.places = Places(scenario.bounds)
        self.commuting = Commuting[State](self.places)
        self.actors = [Actor(opener) for opener in scenario.openers]
        searches = scenario.openers[0].searches
        names = scenario.newcomers or (scenario.openers[0].session,)
        self._newcomers = [Actor(Opener("newcomer", name, searches=searches)) for name in names]
        self._judged: set[int] = set()
        self._judged_later: set[tuple[Place, Actor]] = set()
        place = self.places.place(begin(scenario.bounds))
        self.beginning = state = State(place, tuple(actor.beginning(place.world.now) for actor in self.actors))
        self.head: list[Label] = []  # the steps that every schedule begins with
        for _ in range(scenario.head_start):
            label, make = self._answering(state, 0, min(state.nodes[0].pending))
            self.head.append(label)
            state = make()
        for event in scenario.prelude:
            name, place = next((name, then) for name, then in self.places.events(state.place) if name.endswith(event))
            self.head.append((name,))
            state = State(place, state.nodes)
        self.start = state

    # All schedules.

    def exhaustive(
        self,
        *,
        states_most: int | None = None,
        until: float | None = None,
        reduced: bool = True,
        shortest_first: bool = False,
    ) -> Found:
        """Visit every state; stops at the first violation, or unfinished at `states_most` or at `until`, of `perf_counter`.

        `reduced`: leave out the schedules that differ from others only in when a call was made that commutes with
        everything; see `commuting`. `shortest_first`: no schedule that leads to a violation is shorter than the one found.
        """
        found = Found()
        arrivals: dict[int, Arrival | None] = {self.start.key(): None}
        frontier = deque([self.start])
        while frontier and found.violation is None:
            if (states_most is not None and len(arrivals) > states_most) or (
                until is not None and perf_counter() > until
            ):
                found.complete = False
                break
            state = frontier.popleft() if shortest_first else frontier.pop()
            frontier.extend(self._explored(found, state, arrivals, reduced=reduced))
            if not frontier and reduced:
                frontier.extend(self.commuting.mistaken())
        found.states = len(arrivals)
        self._close()
        return found

    def _close(self) -> None:
        for actor in (*self.actors, *self._newcomers):
            actor.close()

    def _explored(
        self, found: Found, state: State, arrivals: "dict[int, Arrival | None]", *, reduced: bool
    ) -> Iterator[State]:
        """The states to which the steps of this one lead, and to which none has led before."""
        key = state.key()
        self._judge(found, state)
        if found.violation is not None:
            found.path = _path(arrivals, key)
            return
        for label, make in self._to_explore(state, reduced=reduced):
            then = self._made(found, make)
            if then is None:
                found.path = [*_path(arrivals, key), label]
                return
            self.commuting.note(state.place, then.place)
            if (known := then.key()) not in arrivals:
                arrivals[known] = key, label
                yield then

    def _to_explore(self, state: State, *, reduced: bool) -> Iterator[Step]:
        if reduced and (alone := self.commuting.alone(state, state.place, state.nodes)) is not None:
            return iter([self._answering(state, *alone)])
        return self.steps(state)

    # Random schedules.

    def random(self, seed: int, *, steps_most: int = 400) -> Found:
        """One schedule, chosen by `seed`."""
        choices = random.Random(seed)
        found, state = Found(), self.start
        for number in range(steps_most):
            steps = list(self.steps(state))
            self._judge(found, state, newcomers=not steps or number % JUDGED_EACH == 0)
            if not steps or found.violation is not None:
                break
            label, make = choices.choice(steps)
            found.path.append(label)
            made = self._made(found, make)
            if made is None:
                break
            state = made
            found.states += 1
        self._close()
        return found

    # What may happen next.

    def steps(self, state: State) -> Iterator[Step]:
        for index in range(len(state.nodes)):
            yield from self._steps_of(state, index)
        for opener, question in state.place.world.late:
            yield ("late", opener.name, question), partial(self._landed, state, opener, question)
        for label, then in self.places.events(state.place):
            yield (label,), partial(State, then, state.nodes)

    def _steps_of(self, state: State, index: int) -> Iterator[Step]:
        node, left = state.nodes[index], state.place.world.left
        name = node.actor.opener.name
        for number, question in node.pending.items():
            if question.kind != "sleep" or _wakes(state.place, node):
                yield self._answering(state, index, number)
            if left.lost_answers and question.changes:
                yield (name, question, "no answer"), partial(self._unanswered, state, index, number)
            if left.refusals and question.creates:
                for refusal in REFUSALS:
                    yield (name, question, refusal.status), partial(self._refused, state, index, number, refusal)
        if not node.pending and (successor := _successor(node)) is not None:
            yield (name, "asks again"), partial(self._begun, state, index, successor)
        if left.cancels and node.pending:
            yield (name, "is cancelled"), partial(self._cancelled, state, index)

    def _answering(self, state: State, index: int, number: int) -> Step:
        node = state.nodes[index]
        label = node.actor.opener.name, node.pending[number]
        return label, partial(self._answered, state, index, number)

    def _answered(self, state: State, index: int, number: int) -> State:
        node = state.nodes[index]
        place, answer = self.places.after(state.place, node.actor.opener, node.pending[number])
        child = node.after(number, answer)
        if isinstance(child.result, Opened):
            place.world.check_beside(node.actor.opener.session_key, child.result.thread_id)
        return state.with_node(index, child, place)

    def _unanswered(self, state: State, index: int, number: int) -> State:
        node = state.nodes[index]
        question = node.pending[number]
        error = StoreUnavailable("no answer") if question.kind == "table" else OutcomeUnknown("no answer")
        place, answer = self.places.unanswered(state.place, node.actor.opener, question, error)
        return state.with_node(index, node.after(number, answer), place)

    def _refused(self, state: State, index: int, number: int, refusal: Response) -> State:
        node = state.nodes[index]
        answer = Answer.of(refusal, state.place.world.now)
        place, answer = self.places.refused(state.place, node.actor.opener, node.pending[number], answer)
        return state.with_node(index, node.after(number, answer), place)

    def _landed(self, state: State, opener: Opener, question: Question) -> State:
        return State(self.places.landed(state.place, opener, question)[0], state.nodes)

    def _begun(self, state: State, index: int, actor: Actor) -> State:
        return state.with_node(index, actor.beginning(state.place.world.now), state.place)

    def _cancelled(self, state: State, index: int) -> State:
        """The deadline cancels the actor: what it had sent may land later, and a successor of the same owner begins."""
        node = state.nodes[index]
        sent = tuple((node.actor.opener, question) for question in node.pending.values() if question.changes)
        place = self.places.cancelled(state.place, sent)
        return state.with_node(index, node.actor.beginning(place.world.now), place)

    # What must hold.

    def _made(self, found: Found, make: Callable[[], State]) -> State | None:
        try:
            return make()
        except Violation as fault:
            found.violation = str(fault)
            return None

    def _judge(self, found: Found, state: State, *, newcomers: bool = True) -> None:
        try:
            if state.place.kind not in found.worlds:
                found.worlds.add(state.place.kind)
                state.place.world.check()
            if newcomers and state.place.kind not in self._judged:
                self._judged.add(state.place.kind)
                self._judge_newcomers(state.place)
            for node in state.nodes:
                if isinstance(node.result, OnethreadError):
                    state.place.world.check_failure(node.actor.opener.name, node.result)
            if not any(node.pending for node in state.nodes):
                found.ends.add(state.place.kind)
        except Violation as fault:
            found.violation = str(fault)

    def _judge_newcomers(self, place: Place) -> None:
        try:
            for newcomer in self._newcomers:
                self._judge_newcomer(place, newcomer)
        except Violation as fault:
            raise Violation(f"later, when a newcomer opens: {fault}") from fault

    def _judge_newcomer(self, place: Place, newcomer: Actor) -> None:
        """A newcomer, later, with nobody else about, ends linked to the one living thread."""
        place = self.places.later(place)
        if (place, newcomer) in self._judged_later:
            return
        self._judged_later.add((place, newcomer))
        node = newcomer.beginning(place.world.now)
        for _ in range(MAX_LONE_CALLS):
            if not node.pending:
                break
            number = min(node.pending)
            place, answer = self.places.after(place, newcomer.opener, node.pending[number])
            node = node.after(number, answer)
        if not isinstance(node.result, Opened):
            raise Violation(f"the newcomer, alone, did not finish: {node.result!r}")
        place.world.check()
        place.world.check_linked(newcomer.opener.session_key, node.result.thread_id)


def _path(arrivals: "dict[int, Arrival | None]", key: int) -> list[Label]:
    """The steps that lead to a state."""
    path = list[Label]()
    while (arrival := arrivals[key]) is not None:
        key, label = arrival
        path.append(label)
    return path[::-1]


def _successor(node: Node) -> Actor | None:
    """Who asks next, when that one has ended: its job is repeated after an error; else the same user may ask again."""
    if isinstance(node.result, OnethreadError) and node.result.retryable:
        return node.actor
    return node.actor.again


def _wakes(place: Place, node: Node) -> bool:
    """A pause ends when the item that was read has changed, or its lease is over: nothing else makes a difference."""
    item = place.session(node.actor.opener.session_key)
    return node.read != item.read or item.lease_is_over(place.world.now)
