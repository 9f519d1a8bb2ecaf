"""Every schedule of two answerers, an expiry and a cancel of one question: one outcome, and everybody is told that one.

Each actor is the real code over a table of its own view: its calls are carried out one by one, in the order that a schedule
says. Schedules that come to the same state are followed once. With the condition taken out, the fault is found.
"""

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from handler.questions.end import cancel, expire_if_due
from handler.questions.model import Answer, Spec, encode, question_id
from handler.questions.respond import Person, respond
from handler.runtime.clock import iso
from handler.sessions.context import Context
from handler.store.question_items import Question, QuestionState
from handler.store.store import Store
from infra.table.memory_table import MemoryTable
from infra.virtual_time import START
from tests.kit.guild import Guild
from tests.kit.table_view import CHANNEL, GUILD
from tests.rules.rule import Mutation

CLOSES = START + timedelta(hours=1)
NAME = question_id(CHANNEL, "1a06a43", "deploy-42")
QUESTION = Question(
    id=NAME,
    parent_channel_id=CHANNEL,
    session_key="1a06a43",
    guild_id=GUILD,
    discord_thread_id="77",
    spec=encode(Spec(question="Ship it?", choices=())),
    state=QuestionState.OPEN,
    asked_at=iso(START),
    closes_at=iso(CLOSES),
)
Told = tuple[str, str]  # whether the actor has decided, and the outcome that it knows of


@dataclass(frozen=True)
class FixedClock:
    """An actor's clock: those of two processes differ."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody sleeps here")


async def answer(context: Context, user: str) -> Told:
    def read(_: Spec) -> Answer:
        return Answer(text=user, by=user, at=iso(context.clock.now()))

    response = await respond(context, NAME, Person(user, frozenset(), via=user), read)
    assert response.question is not None
    return "refused" if response.refusal else "decided", outcome(response.question)


async def expire(context: Context) -> Told:
    question = await context.store.questions.get(CHANNEL, NAME)
    assert question is not None
    return "told", outcome(await expire_if_due(context, question))


async def withdraw(context: Context) -> Told:
    question = await context.store.questions.get(CHANNEL, NAME)
    assert question is not None
    return "told", outcome(await cancel(context, question))


def outcome(question: Question) -> str:
    return f"{question.state} {question.answered_in or ''}".strip()


BEFORE, AFTER = CLOSES - timedelta(milliseconds=1), CLOSES
ACTORS: dict[str, tuple[datetime, Callable[[Context], Coroutine[Any, Any, Told]]]] = {
    "mona": (BEFORE, lambda context: answer(context, "mona")),
    "omar": (BEFORE, lambda context: answer(context, "omar")),
    "reconciler": (AFTER, expire),
    "program": (BEFORE, withdraw),
}


class Execution:
    """The actors, each stopped at its next call to the table."""

    def __init__(self, context: Context, items: list[dict[str, Any]]) -> None:
        self.table = MemoryTable(items=items)
        self.seen: dict[str, list[str]] = {name: [] for name in ACTORS}
        self.waiting: dict[str, asyncio.Future[None]] = {}
        self.tasks = {name: asyncio.ensure_future(self._run(context, name)) for name in ACTORS}

    async def _run(self, context: Context, name: str) -> Told:
        at, act = ACTORS[name]

        async def call(operation: str, /, **parameters: Any) -> dict[str, Any]:
            await self._wait_for_turn(name)
            try:
                answered = self.table.apply(operation, parameters)
            except Exception as lost:
                self.seen[name].append(repr(vars(lost)))
                raise
            self.seen[name].append(repr(answered))
            return answered

        store = Store(call=call, table=self.table.name)
        return await act(dataclasses.replace(context, store=store, clock=FixedClock(at)))

    async def _wait_for_turn(self, name: str) -> None:
        self.waiting[name] = turn = asyncio.get_running_loop().create_future()
        await turn

    async def settle(self) -> list[str]:
        """Let all go on to their next call; who can be let go on now."""
        while any(not task.done() and name not in self.waiting for name, task in self.tasks.items()):  # noqa: ASYNC110 - turns
            await asyncio.sleep(0)
        return sorted(self.waiting)

    async def step(self, name: str) -> None:
        self.waiting.pop(name).set_result(None)

    @property
    def state(self) -> tuple[str, str]:
        return repr(sorted(map(repr, self.table.items()))), repr(self.seen)


async def explore(context: Context, items: list[dict[str, Any]]) -> Iterator[dict[str, Told]]:
    """What the actors are told at the end of each schedule."""
    ends: list[dict[str, Told]] = []
    known: set[tuple[str, str]] = set()
    open_schedules: list[tuple[str, ...]] = [()]
    while open_schedules:
        schedule = open_schedules.pop()
        execution = Execution(context, items)
        for name in schedule:
            await execution.settle()
            await execution.step(name)
        ready = await execution.settle()
        if execution.state not in known:
            known.add(execution.state)
            open_schedules += [(*schedule, name) for name in ready]
            if not ready:
                told = {name: task.result() for name, task in execution.tasks.items()}
                item = execution.table.items()[0]
                ends.append({**told, "table": ("table", outcome(Question.from_item(item)))})
        for task in execution.tasks.values():
            task.cancel()
        await asyncio.gather(*execution.tasks.values(), return_exceptions=True)
    assert len(known) > 50
    return iter(ends)


async def outcomes(guild: Guild) -> set[tuple[int, frozenset[str]]]:
    """Of each schedule's end: how many answers were taken, and the outcomes that somebody knows of."""
    await guild.store.questions.ask(QUESTION)
    found = set()
    for end in await explore(guild.context, guild.table.of_kind("QUESTION#")):
        taken = sum(how == "decided" for how, _ in end.values())
        found.add((taken, frozenset(told for _, told in end.values())))
    return found


async def test_every_schedule_has_one_outcome_and_each_outcome_is_possible(guild: Guild) -> None:
    assert await outcomes(guild) == {
        (1, frozenset({"answered mona"})),
        (1, frozenset({"answered omar"})),
        (0, frozenset({"expired"})),
        (0, frozenset({"cancelled"})),
    }


@pytest.mark.parametrize(
    "taken_out",
    [
        Mutation("store/questions", '_IS_OPEN: Final = "#state = :open"', '_IS_OPEN: Final = "attribute_exists(pk)"'),
        Mutation("store/questions", 'question, f"{_IS_OPEN} AND {_BEFORE_CLOSE}"', 'question, f"{_BEFORE_CLOSE}"'),
        Mutation("store/questions", 'question, f"{_IS_OPEN} AND {_AFTER_CLOSE}"', 'question, f"{_AFTER_CLOSE}"'),
    ],
)
async def test_without_the_condition_two_outcomes_are_found(guild: Guild, taken_out: Mutation) -> None:
    with taken_out.applied():
        assert any(taken > 1 or len(told) > 1 for taken, told in await outcomes(guild))
