"""One execution of the real code, as the explorer sees it: what it asks, and what it is answered."""

import functools
import math
from collections import Counter
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Final

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
from handler.sessions.opening.opener import Opener as OpenInProgress
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
BEGIN: Final = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LEASE_OVER: Final = timedelta(seconds=16)  # longer than a lease lasts
Memory = tuple[Any, ...]  # what an opener remembers between two rounds, but for the words of its answer alone
_WORDS: Final = frozenset({"after_deletion", "waited"})
_REMEMBERED: Final = tuple(f.name for f in fields(OpenInProgress) if f.name not in _WORDS | {"context"})

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

    @property
    def reads(self) -> bool:
        if self.kind == "discord":
            return bool(self.what.method == "GET")
        return self.kind == "table" and self.what[0] in ("get_item", "batch_get_item", "query")

    @property
    def changes(self) -> bool:
        return self.kind != "sleep" and not self.reads

    @property
    def creates(self) -> bool:
        """Whether it asks Discord for a message or a thread."""
        return (
            self.kind == "discord" and self.what.method == "POST" and self.what.path.endswith(("/messages", "/threads"))
        )

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
    """What came back, and when: `error` tells a lost condition from a value. The key leaves the time out."""

    value: Any
    error: Exception | None
    now: datetime
    key: bytes

    @classmethod
    def of(cls, value: Any, now: datetime) -> "Answer":
        if isinstance(value, Response):
            return cls(value, None, now, b"%d%s" % (value.status, value.body))
        if isinstance(value, ConditionFailed):
            return cls(None, value, now, b"lost" + _encode(value.item))
        if isinstance(value, TransactionFailed):
            return cls(None, value, now, b"failed" + _encode(value.reasons))
        if isinstance(value, Exception):
            return cls(None, value, now, repr(value).encode())
        return cls(value, None, now, _encode(value))


@dataclass(frozen=True)
class Opener:
    """Who opens what, and how many times over. `name` tells the actors of a scenario apart, and is the lease's owner.

    `slow`: its clock stands still, so that it takes its own lease for good for ever. `reconciles`: it is no opener but the
    reconciler, and `session` only says whose threads it is asked about. `searches`: Discord's thread search has its index.
    `dates`: Discord's own clock goes on, which only watermarks and the audit log go by; else it stands still, which makes
    more states equal.
    """

    name: str
    session: str
    times: int = 1
    slow: bool = False
    reconciles: bool = False
    searches: bool = False
    dates: bool = False

    @property
    def session_key(self) -> str:
        return _key(self.session)

    def request(self) -> OpenRequest:
        return OpenRequest(
            name=NAMES.parse(self.session),
            parent_channel_id=CHANNEL,
            requester=Requester(owner=self.name),
            guild_id=GUILD,
            kind=0,
        )


@functools.cache
def _key(session: str) -> str:
    return NAMES.parse(session).key


def remembered(item: dict[str, Any] | None) -> bytes:
    """A session's item, as a node remembers what it read."""
    return _encode(item)


class _StoppedClock:
    """Discord's clock where it makes no difference."""

    def now(self) -> datetime:
        return BEGIN

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("a request to Discord is sent once here")


class Execution:
    """One live execution of the real code, as the composition root builds it over the explorer's own seams."""

    def __init__(self, opener: Opener, now: datetime, *, memory: Memory | None = None) -> None:
        """At the begin of its life, or of a round of which it remembers that."""
        self.pending: dict[int, tuple[Question, Any]] = {}
        self.has_asked_the_time = False  # since the last answer
        self._now = now
        self._number = 0  # of its next call, in the round
        self._searches = opener.searches
        environment = Environment(_CONFIG, clock=self)
        environment.dynamodb = self._call  # type: ignore[assignment]  # nothing but the seam is used
        environment.discord = Discord(
            send=self._send,
            application_id=APPLICATION,
            clock=self if opener.dates else _StoppedClock(),
            limits=RateLimits(),
            retry=NO_RETRY,
            jitter=lambda: 0.5,
        )
        sessions = environment.sessions
        self.task = _loop.create_task(self._work(opener, sessions))
        _loop.run_ready()
        if memory is not None:
            self._remember(memory)

    def now(self) -> datetime:
        self.has_asked_the_time = True
        return self._now

    async def _work(self, opener: Opener, sessions: Sessions) -> Result:
        if opener.reconciles:
            return await run_once(sessions.context, GUILD, self.now(), pace=Pace(self, per_second=math.inf))
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
        self._now, self.has_asked_the_time = answer.now, False
        if not future.done():
            if answer.error is not None:
                future.set_exception(answer.error)
            else:
                future.set_result(answer.value)
        _loop.run_ready()
        # What was cancelled on the way waits for nothing any more.
        self.pending = {n: (q, f) for n, (q, f) in self.pending.items() if not f.done()}
        if self._opener_between_rounds() is not None:
            self.pending, self._number = dict(enumerate(self.pending.values())), 1

    def memory(self) -> Memory | None:
        """What an opener that begins a round remembers of the rounds before; None if it is not at such a point.

        A round begins with the read of the session, in `Sessions.open` itself. All that it keeps is in its `opener`: a test
        holds that it has no other variable that outlasts a round.
        """
        opener = self._opener_between_rounds()
        return None if opener is None else tuple(getattr(opener, name) for name in _REMEMBERED)

    def _remember(self, memory: Memory) -> None:
        opener = self._opener_between_rounds()
        for name, value in zip(_REMEMBERED, memory, strict=True):
            setattr(opener, name, value)

    def _opener_between_rounds(self) -> OpenInProgress | None:
        loop: Any = getattr(self.task.get_coro(), "cr_await", None)
        if getattr(getattr(loop, "cr_await", None), "__qualname__", "") != "Sessions._read":
            return None
        opener: OpenInProgress = loop.cr_frame.f_locals["opener"]
        return opener

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
