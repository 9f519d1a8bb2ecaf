"""Searching the schedules: all of them within the bounds, or random ones. What must hold is asked at each point.

A state is the world and each actor's node. A process that dies is an actor that is never scheduled again, so its death
at every point is part of every search; and from each world a lone newcomer must bring the session to its thread.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from handler.errors import OnethreadError
from tests.explorer.actor import Actor, Node, Opener, Question
from tests.explorer.events import events
from tests.explorer.world import Bounds, Violation, World, begin, finish_alone, session_item


@dataclass(frozen=True, slots=True)
class State:
    """One point of a schedule."""

    world: World
    nodes: tuple[Node, ...]

    def key(self) -> int:
        return hash((self.world.fingerprint(), tuple(map(id, self.nodes))))


@dataclass(frozen=True)
class Scenario:
    """Who opens what, and what else may happen. The first opener makes `head_start` calls before anything else does."""

    openers: tuple[Opener, ...]
    bounds: Bounds
    head_start: int = 0
    # The name that a newcomer opens from each world; by default the first opener's.
    newcomers: tuple[str, ...] = ()


@dataclass
class Found:
    """What a search has seen. `trace` leads to the violation, if there is one."""

    states: int = 0
    worlds: int = 0
    ended: int = 0
    violation: str | None = None
    trace: list[str] = field(default_factory=list)
    complete: bool = True


Step = tuple[str, Callable[[], State]]


class Search:
    """One scenario and everything that is remembered about it."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.found = Found()
        start = begin(scenario.bounds)
        self.actors = [Actor(opener) for opener in scenario.openers]
        self._worlds: set[int] = set()
        state = State(start, tuple(actor.beginning(start.now) for actor in self.actors))
        for _ in range(scenario.head_start):
            state = _answering(state, 0, min(state.nodes[0].pending))()
        self.start = state

    # All schedules.

    def exhaustive(self, *, states_most: int | None = None) -> Found:
        """Visit every state; stops at the first violation, or unfinished at `states_most`."""
        seen = {self.start.key()}
        path: list[str] = []
        stack = [self._entered(self.start, path)]
        while stack and self.found.violation is None:
            step = next(stack[-1], None)
            if step is None:
                stack.pop()
                del path[-1:]
                continue
            label, make = step
            path.append(label)
            state = self._made(make, path)
            if state is None:
                break
            key = state.key()
            if key in seen:
                path.pop()
                continue
            seen.add(key)
            if states_most is not None and len(seen) > states_most:
                self.found.complete = False
                break
            stack.append(self._entered(state, path))
        self.found.states = len(seen)
        self.found.worlds = len(self._worlds)
        return self.found

    def _entered(self, state: State, path: list[str]) -> Iterator[Step]:
        self._judge(state, path)
        return iter(self.steps(state)) if self.found.violation is None else iter(())

    # Random schedules.

    def random(self, seed: int, *, steps_most: int = 400) -> Found:
        """One schedule, chosen by `seed`."""
        choices = random.Random(seed)
        state, path = self.start, list[str]()
        for _ in range(steps_most):
            self._judge(state, path)
            steps = list(self.steps(state))
            if not steps or self.found.violation is not None:
                break
            label, make = choices.choice(steps)
            path.append(label)
            made = self._made(make, path)
            if made is None:
                break
            state = made
            self.found.states += 1
        return self.found

    # What may happen next.

    def steps(self, state: State) -> Iterator[Step]:
        for index, node in enumerate(state.nodes):
            for number, question in node.pending.items():
                if question.kind != "sleep" or _wakes(state.world, node):
                    yield f"{node.actor.opener.name}: {question}", _answering(state, index, number)
            if (again := node.actor.again) is not None and not node.pending:
                yield f"{node.actor.opener.name} asks again", _restart_opener(state, index, again)
            if state.world.left.cancels and node.pending and index == 0:
                yield f"{node.actor.opener.name} is cancelled", _cancelling(state, index)
        for opener, question in state.world.late:
            yield f"late: {opener.name}: {question}", _landing(state, opener, question)
        for label, change in events(state.world, self.scenario.bounds):
            yield label, _acting(state, change)

    # What must hold.

    def _made(self, make: Callable[[], State], path: list[str]) -> State | None:
        try:
            return make()
        except Violation as fault:
            self._fail(str(fault), path)
            return None

    def _judge(self, state: State, path: list[str]) -> None:
        try:
            state.world.check()
            self._judge_ends(state)
            fingerprint = hash(state.world.fingerprint())
            if fingerprint not in self._worlds:
                self._worlds.add(fingerprint)
                for name in self.scenario.newcomers or (self.scenario.openers[0].session,):
                    judge_newcomer(state.world, name, searches=self.scenario.openers[0].searches)
        except Violation as fault:
            self._fail(str(fault), path)

    def _judge_ends(self, state: State) -> None:
        for node in state.nodes:
            if isinstance(node.result, OnethreadError) and not state.world.may_fail():
                raise Violation(f"{node.actor.opener.name} failed: {node.result!r}")
        if not any(node.pending for node in state.nodes):
            self.found.ended += 1

    def _fail(self, text: str, path: list[str]) -> None:
        self.found.violation = text
        self.found.trace = list(path)


def judge_newcomer(world: World, session: str, *, searches: bool) -> None:
    """A newcomer, later, with nobody else about, ends linked to the one living thread."""
    world = world.fork()
    world.later()
    newcomer = Opener("newcomer", session, searches=searches)
    result = finish_alone(world, newcomer)
    world.check()
    world.check_linked(newcomer.session_key, result.thread_id)


def _changes(question: Question) -> bool:
    if question.kind == "discord":
        return bool(question.what.method != "GET")
    return question.what[0] not in ("get_item", "batch_get_item", "query")


def _wakes(world: World, node: Node) -> bool:
    """A pause ends when the item that was read has changed, or its lease is over: nothing else makes a difference."""
    item = session_item(world.table, node.actor.opener.session_key)
    return node.read != item.read or item.lease_is_over(world.now)


def _answering(state: State, index: int, number: int) -> Callable[[], State]:
    def make() -> State:
        world, node = state.world.fork(), state.nodes[index]
        child = node.after(number, world.apply(node.actor.opener, node.pending[number]))
        return State(world, (*state.nodes[:index], child, *state.nodes[index + 1 :]))

    return make


def _restart_opener(state: State, index: int, again: Actor) -> Callable[[], State]:
    def make() -> State:
        beginning = again.beginning(state.world.now)
        return State(state.world, (*state.nodes[:index], beginning, *state.nodes[index + 1 :]))

    return make


def _cancelling(state: State, index: int) -> Callable[[], State]:
    """The deadline cancels the actor: what it had sent may land later, and a successor of the same owner begins."""
    node = state.nodes[index]

    def make() -> State:
        world = state.world.fork()
        world.left = world.left.less("cancels")
        sent = [(node.actor.opener, q) for q in node.pending.values() if q.kind != "sleep" and _changes(q)]
        world.late = (*world.late, *sent)
        successor = node.actor.beginning(world.now)
        return State(world, (*state.nodes[:index], successor, *state.nodes[index + 1 :]))

    return make


def _landing(state: State, opener: Opener, question: Question) -> Callable[[], State]:
    def make() -> State:
        world = state.world.fork()
        world.late = tuple(late for late in world.late if late[1] is not question)
        world.apply(opener, question)
        return State(world, state.nodes)

    return make


def _acting(state: State, change: Callable[[World], None]) -> Callable[[], State]:
    def make() -> State:
        world = state.world.fork()
        change(world)
        return State(world, state.nodes)

    return make
