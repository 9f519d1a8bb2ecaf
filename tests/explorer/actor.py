"""An opener, as the explorer sees it: a pure function from what it was answered so far to what it asks next.

A coroutine cannot be copied, so a node of the tree is made by running the real code from its beginning with the recorded
answers. Nodes are kept by their history; the order in which calls side by side were answered is no part of it.
"""

import functools
import math
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec

from handler import config
from handler.aws.dynamodb import ConditionFailed, TransactionFailed
from handler.bootstrap import Environment
from handler.config import ApiConfig
from handler.discord.http import Request, encode_body
from handler.discord.rate_limits import RateLimits
from handler.discord.rest import NO_RETRY, Discord, Response
from handler.errors import OnethreadError
from handler.sessions.model import Opened, OpenRequest, Requester
from handler.sessions.names import Names
from handler.sessions.protocol import Sessions
from handler.sessions.reconcile.pace import Pace
from handler.sessions.reconcile.run import run_once
from tests.explorer.loop import StepLoop
from tests.kit.secrets import BOT_TOKEN

TABLE = "sessions"
APPLICATION = "1000"
GUILD = "1"
CHANNEL = "10"
NAMES = Names("Session ")

Result = Opened | Counter[str]  # of an opener, of the reconciler

_encode = msgspec.json.Encoder(order="deterministic").encode
_CONFIG = config.load(
    ApiConfig,
    {
        "SESSIONS_TABLE": TABLE,
        "DISCORD_APPLICATION_ID": APPLICATION,
        "DISCORD_BOT_TOKEN": BOT_TOKEN,
        "AUTO_ARCHIVE_MINUTES": "1440",
    },
)
_loop = StepLoop()  # type: ignore[abstract]  # typeshed calls abstract what asyncio leaves to be implemented if needed


@dataclass(frozen=True, slots=True)
class Question:
    """What an actor waits for: a call of the table, a request to Discord, or a pause."""

    kind: str  # "table", "discord", "sleep"
    what: Any
    key: bytes

    def __str__(self) -> str:
        if self.kind == "table":
            return f"{self.what[0]} {_shown(self.what[1])}"
        return self.what.route if self.kind == "discord" else "pause"


def _shown(parameters: dict[str, Any]) -> str:
    parts = parameters.get("TransactItems")
    expression = parameters.get("ConditionExpression", "") if parts is None else f"{len(parts)} writes"
    return str(expression)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `error` tells a lost condition from a value."""

    value: Any
    error: Exception | None
    now: datetime
    key: bytes

    @classmethod
    def of(cls, value: Any, now: datetime) -> "Answer":
        stamp = now.isoformat().encode()
        if isinstance(value, Response):
            return cls(value, None, now, b"%d%s%s" % (value.status, value.body, stamp))
        if isinstance(value, ConditionFailed):
            return cls(None, value, now, b"lost" + _encode(value.item) + stamp)
        if isinstance(value, TransactionFailed):
            return cls(None, value, now, b"failed" + _encode(value.reasons) + stamp)
        if isinstance(value, Exception):
            return cls(None, value, now, repr(value).encode() + stamp)
        return cls(value, None, now, _encode(value) + stamp)


@dataclass(frozen=True)
class Opener:
    """Who opens what, and how many times over. `name` tells the actors of a scenario apart, and is the lease's owner.

    `slow`: its clock stands still, so that it takes its own lease for good for ever. `reconciles`: it is no opener but the
    reconciler, and `session` only says whose threads it is asked about. `searches`: Discord's thread search has its index.
    """

    name: str
    session: str
    times: int = 1
    slow: bool = False
    reconciles: bool = False
    searches: bool = False

    @property
    def session_key(self) -> str:
        return NAMES.parse(self.session).key

    def request(self) -> OpenRequest:
        return OpenRequest(
            name=NAMES.parse(self.session),
            parent_channel_id=CHANNEL,
            requester=Requester(owner=self.name),
            guild_id=GUILD,
            kind=0,
        )


def remembered(item: dict[str, Any] | None) -> bytes:
    """A session's item, as a node remembers what it read."""
    return _encode(item)


class Execution:
    """One live execution of the real code, as the composition root builds it over the explorer's own seams."""

    def __init__(self, opener: Opener, now: datetime) -> None:
        self.pending: dict[int, tuple[Question, Any]] = {}
        self._now = now
        self._number = 0
        self._searches = opener.searches
        environment = Environment(_CONFIG, clock=self)
        environment.dynamodb = self._call  # type: ignore[assignment]  # nothing but the seam is used
        environment.discord = Discord(
            send=self._send,
            application_id=APPLICATION,
            clock=self,
            limits=RateLimits(),
            retry=NO_RETRY,
            jitter=lambda: 0.5,
        )
        sessions = environment.sessions
        self.task = _loop.create_task(self._work(opener, sessions))
        _loop.run_ready()

    def now(self) -> datetime:
        return self._now

    async def _work(self, opener: Opener, sessions: Sessions) -> Result:
        if opener.reconciles:
            return await run_once(sessions.context, GUILD, self._now, pace=Pace(self, per_second=math.inf))
        return await sessions.open(opener.request())

    async def sleep(self, seconds: float) -> None:
        await self._ask(Question("sleep", seconds, b"sleep"))

    async def _call(self, operation: str, /, **parameters: Any) -> dict[str, Any]:
        key = operation.encode() + _encode(parameters)
        answer: dict[str, Any] = await self._ask(Question("table", (operation, parameters), key))
        return answer

    async def _send(self, request: Request) -> Response:
        if request.hint and not self._searches:
            return Response(202)  # the index is not ready; no call of its own, which would only make more states
        key = f"{request.method} {request.path} {request.query}".encode() + (encode_body(request) or b"")
        response: Response = await self._ask(Question("discord", request, key))
        return response

    def _ask(self, question: Question) -> Any:
        future = _loop.create_future()
        self.pending[self._number] = (question, future)
        self._number += 1
        return future

    def answer(self, number: int, answer: Answer) -> None:
        _, future = self.pending.pop(number)
        self._now = answer.now
        if not future.done():
            if answer.error is not None:
                future.set_exception(answer.error)
            else:
                future.set_result(answer.value)
        _loop.run_ready()
        # What was cancelled on the way waits for nothing any more.
        self.pending = {n: (q, f) for n, (q, f) in self.pending.items() if not f.done()}

    def has_dropped(self, number: int) -> bool:
        """Whether that call was made and nobody waits for it any more."""
        return number < self._number and number not in self.pending

    def asks(self) -> bytes | None:
        """What it waits for, if that is one thing."""
        questions = [question.key for question, _ in self.pending.values()]
        return questions[0] if len(questions) == 1 else None

    def close(self) -> None:
        """Let it die where it is."""
        self.task.cancel()
        _loop.run_ready()

    def result(self) -> Result | OnethreadError | None:
        """How it ended; None while it goes on. Anything but our own errors is a fault of the code: raised."""
        if not self.task.done():
            return None
        failure = self.task.exception()
        if failure is None:
            return self.task.result()
        if isinstance(failure, OnethreadError):
            return failure
        raise failure


History = tuple[tuple[int, bytes, Answer], ...]


@dataclass(eq=False, slots=True)
class Node:
    """An actor at one point of its life. Identity is equality: nodes are interned by `Actor`."""

    actor: "Actor"
    began: datetime
    history: History
    pending: dict[int, Question]
    result: Result | OnethreadError | None
    read: bytes = b""  # the last answer about the session's own item: a pause ends when it changes
    children: dict[tuple[int, bytes], "Node"] = field(default_factory=dict)

    def after(self, number: int, answer: Answer) -> "Node":
        child = self.children.get((number, answer.key))
        if child is None:
            question = self.pending[number]
            history = tuple(sorted((*self.history, (number, question.key, answer)), key=lambda entry: entry[0]))
            child = self.children[number, answer.key] = self.actor.node(self.began, history)
        return child


class Actor:
    """All the lives of one opener, shared by all schedules.

    An opener that starts over reads its session again and remembers nothing but words for the answer: it is the same
    node as one that begins at that moment. This is what keeps the search finite.
    """

    def __init__(self, opener: Opener) -> None:
        self.opener = opener
        self._nodes: dict[tuple[datetime, tuple[tuple[int, bytes], ...]], Node] = {}

    def beginning(self, now: datetime) -> Node:
        return self.node(now, ())

    def node(self, began: datetime, history: History) -> Node:
        identity = (began, tuple((number, answer.key) for number, _, answer in history))
        if (known := self._nodes.get(identity)) is not None:
            return known
        node = self._nodes[identity] = self._lived(began, history)
        return node

    def _lived(self, began: datetime, history: History) -> Node:
        execution = Execution(self.opener, began)
        first = execution.asks()
        read = b""
        for number, key, answer in history:
            if execution.has_dropped(number):
                continue  # a call beside it failed, which in this order came first: the answer made no difference
            question, _ = execution.pending[number]
            assert question.key == key, "the order in which calls side by side were answered made a difference"
            if question.kind == "table" and question.key == first:
                read = remembered(answer.value.get("Item"))
            execution.answer(number, answer)
        try:
            if history and execution.asks() == first:
                return self.beginning(execution.now())
            pending = {number: question for number, (question, _) in execution.pending.items()}
            return Node(self, began, history, pending, execution.result(), read)
        finally:
            execution.close()

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
