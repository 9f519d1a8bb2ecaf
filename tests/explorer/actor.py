"""An opener as a tree of nodes: a pure function from what it was answered so far to what it asks next.

A coroutine cannot be copied, so a node is made by running the real code with the recorded answers: on from where its
parent's execution stands, which the first child takes over, or from the beginning, of an opener's round. Nodes are kept by their history. The
order in which calls side by side were answered is no part of it, and neither is the time of an answer unless the code
asked for the time before its next call.
"""

import functools
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from datetime import datetime

from handler.discord.rest import Response
from handler.errors import OnethreadError
from handler.sessions.model import Opened
from tests.explorer.bounds import Violation
from tests.explorer.execution import LEASE_OVER, Answer, Execution, Memory, Opener, Question, Result, remembered

# An opener that has asked for the time shows what came of it by what it asks next, and keeps no time from one call to the
# next. False: nodes that differ in the times that they saw alone are told apart, as those of the reconciler always are.
FORGETS_TIMES = True


@dataclass(frozen=True, slots=True)
class History:
    """What happened to an actor since `began`: the answers, in order, each with the number and the key of its call.

    An opener's is only that of its round, which began with the `memory` of the rounds before. `times` are those that it
    saw: after so many answers, that time.
    """

    began: datetime
    answers: tuple[tuple[int, bytes, Answer], ...] = ()
    times: tuple[tuple[int, datetime], ...] = ()
    memory: Memory | None = None

    def shows(self, thread_id: str) -> bool:
        """Whether an answer has shown that thread."""
        shown = f'"id":"{thread_id}"'.encode()
        return any(
            isinstance(answer.value, Response) and answer.value.status < 300 and shown in answer.value.body
            for _, key, answer in self.answers
            if not key.startswith(b"POST") or b"/threads" in key  # the source message has the thread's id, too
        )

    def identity(self, pending: dict[int, Question]) -> Hashable:
        answers = {number: (key, answer.key) for number, key, answer in self.answers}
        asked = {number: (question.key, None) for number, question in pending.items()}
        times = () if FORGETS_TIMES and self.memory is not None else self.times
        return self.memory, times, tuple(sorted((answers | asked).items()))


@dataclass(eq=False, slots=True)
class Node:
    """An actor at one point of its life. Identity is equality: nodes are interned by `Actor`."""

    actor: "Actor"
    history: History
    pending: dict[int, Question]
    result: Result | OnethreadError | None
    read: bytes = b""  # the last answer about the session's own item: a pause ends when it changes
    execution: Execution | None = None  # until a child goes on with it
    # By the call and its answer: the child, or one for each time if the time makes a difference.
    children: "dict[tuple[int, bytes], Node | dict[datetime, Node]]" = field(default_factory=dict)

    def after(self, number: int, answer: Answer) -> "Node":
        child = self.children.get((number, answer.key))
        if isinstance(child, dict):
            child = child.get(answer.now)
        return child or self.actor.extend(self, number, answer)

    def heeds_the_time(self, number: int, answer: Answer) -> bool:
        """Whether it makes a difference that time passes before that answer."""
        child = self.after(number, answer)
        if not isinstance(self.children[number, answer.key], dict):
            return False
        return self.after(number, replace(answer, now=answer.now + LEASE_OVER)) is not child

    def asks(self) -> list[bytes]:
        return sorted(question.key for question in self.pending.values())

    @property
    def begins_a_round(self) -> bool:
        return not self.history.answers


def _end(result: Result | OnethreadError) -> Hashable:
    """What makes a difference of how an actor has ended."""
    return type(result), result.thread_id if isinstance(result, Opened) else None


class Actor:
    """All the lives of one opener, shared by all schedules.

    An opener that begins another round reads its session again: it is the same node as one that begins a round with the
    same memory at any other moment. This is what keeps the search finite.
    """

    def __init__(self, opener: Opener) -> None:
        self.opener = opener
        self._nodes: dict[Hashable, Node] = {}
        self._beginnings: dict[datetime, Node] = {}
        self._first: bytes | None = None  # what an opener's round asks first

    def beginning(self, now: datetime) -> Node:
        """At the begin of its life."""
        node = self._beginnings.get(now)
        if node is None:
            execution = Execution(self.opener, now)
            times = ((0, now),) if execution.has_asked_the_time else ()
            node = self._beginnings[now] = self._node(History(now, times=times, memory=execution.memory()), execution)
        return node

    def extend(self, node: Node, number: int, answer: Answer) -> Node:
        """The child of a node; one that nobody has asked for before."""
        execution, node.execution = node.execution or self._repeated(node.history), None
        question, history = node.pending[number], node.history
        execution.answer(number, answer)
        memory, asked = execution.memory(), execution.has_asked_the_time
        read = remembered(answer.value.get("Item")) if question.key == self._first else node.read
        if memory is not None:
            history = History(answer.now, memory=memory)
        else:
            answers = (*history.answers, (number, question.key, answer))
            seen = ((len(history.answers), answer.now),) if asked else ()
            history = replace(history, answers=answers, times=(*history.times, *seen))
        child = self._node(history, execution, read)
        if memory is None and asked:
            by_time = node.children.setdefault((number, answer.key), {})
            assert isinstance(by_time, dict), "whether the time makes a difference depends on the time"
            by_time[answer.now] = child
        else:
            node.children[number, answer.key] = child
        return child

    def _node(self, history: History, execution: Execution, read: bytes = b"") -> Node:
        pending = {number: question for number, (question, _) in execution.pending.items()}
        result = execution.result()
        identity = history.identity(pending) if result is None else _end(result)
        if isinstance(result, Opened) and not history.shows(result.thread_id):
            raise Violation(f"{self.opener.name} links {result.thread_id}, which no answer of its last round has shown")
        node = self._nodes.get(identity)
        if node is None:
            self._first = self._first or next(question.key for question in pending.values())
            node = Node(self, history, pending, result, read, execution)
            self._nodes[identity] = node
        else:
            assert node.asks() == sorted(q.key for q in pending.values()), "the order of answers made a difference"
            if node.execution is None and pending:
                node.execution = execution
            else:
                execution.close()
        return node

    def _repeated(self, history: History) -> Execution:
        execution = Execution(self.opener, history.began, memory=history.memory)
        for number, _, answer in history.answers:
            execution.answer(number, answer)
        return execution

    def close(self) -> None:
        """End the executions that no child has taken over."""
        for node in self._nodes.values():
            if node.execution is not None:
                node.execution.close()
                node.execution = None
        if (again := self.__dict__.get("again")) is not None:
            again.close()

    @functools.cached_property
    def again(self) -> "Actor | None":
        """The same user's next request, when this one is answered."""
        opener = self.opener
        if opener.times < 2:
            return None
        return Actor(replace(opener, name=opener.name + "+", times=opener.times - 1))

    @property
    def size(self) -> int:
        return len(self._nodes) + (self.again.size if self.again else 0)
