"""Opens and reconciles of the same few sessions, call by call at random, with moderators in between, for thousands of steps."""

import random
from datetime import timedelta

import pytest

from handler.errors import OnethreadError
from handler.sessions.model import Opened
from infra.simulator.people import ImpossibleAction
from tests.explorer.bounds import Bounds
from tests.explorer.execution import CHANNEL, NAMES, Execution, Opener
from tests.explorer.world import World, begin

STEPS = 4000
SESSIONS = ("alpha", "beta", "gamma")
AT_ONCE = 3
A_STEP = timedelta(milliseconds=150)  # of Discord's time between two calls
CONFIRMED = timedelta(minutes=31)  # after which held deletions are carried out
ACTS = ("delete_thread", "rename", "archive", "unarchive", "lock", "unlock")


class Play:
    """The world, who is at work in it, and the chance that decides what happens next."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.world: World = begin(Bounds())
        self.world.discord.switch(keep_audit_log=True)
        self.executions: list[tuple[Opener, Execution]] = []
        self.number = 0
        self.opened = 0
        self.reconciled = 0

    def step(self) -> None:
        self.world.now += A_STEP
        chance = self.random.random()
        if chance < 0.02:
            self.moderate()
        elif chance < 0.1 and len(self.executions) < AT_ONCE:
            self.begin(reconciles=self.random.random() < 0.4)
        elif self.executions:
            self.advance(self.random.choice(self.executions))
        self.world.check()

    def begin(self, *, reconciles: bool) -> None:
        self.number += 1
        opener = Opener(f"{self.number}", self.random.choice(SESSIONS), reconciles=reconciles, dates=True)
        self.executions.append((opener, Execution(opener, self.world.now)))

    def advance(self, at_work: tuple[Opener, Execution]) -> None:
        opener, execution = at_work
        if execution.pending:
            number = self.random.choice(list(execution.pending))
            execution.answer(number, self.world.apply(opener, execution.pending[number][0]))
        if execution.task.done():
            self.executions.remove(at_work)
            self.ended(opener, execution)

    def ended(self, opener: Opener, execution: Execution) -> None:
        result = execution.result()
        assert not isinstance(result, OnethreadError) or result.retryable or result.kind == "locked", repr(result)
        if isinstance(result, Opened):
            self.opened += 1
            living = [t for t, key in self.world.ours.items() if key == opener.session_key and self.lives(t)]
            assert len(living) <= 1
        self.reconciled += opener.reconciles

    def lives(self, thread_id: str) -> bool:
        return thread_id in self.world.discord.state.threads

    def moderate(self) -> None:
        threads = [t for t in self.world.ours if self.lives(t)]
        if not threads:
            return
        act, thread_id = self.random.choice(ACTS), self.random.choice(threads)
        name = f"Session {self.random.choice(SESSIONS)}{self.random.choice(['', ': bug', ' II'])}"
        arguments = (thread_id, name) if act == "rename" else (thread_id,)
        try:
            getattr(self.world.discord.people, act)(*arguments, now=self.world.now)
        except ImpossibleAction:
            return

    def finish(self) -> None:
        while self.executions:
            self.world.now += A_STEP
            self.advance(self.random.choice(self.executions))
        for _ in range(3):  # the second carries out what the first held back, the third finds nothing to do
            self.world.now += CONFIRMED
            self.begin(reconciles=True)
            while self.executions:
                self.advance(self.executions[0])
                self.world.check()

    def on_record(self) -> list[dict[str, object]]:
        return [item for item in self.world.table.items() if str(item["sk"]).startswith("SESSION#")]


@pytest.mark.parametrize("seed", range(3))
def test_opens_and_reconciles_at_random_leave_one_thread_each_and_the_table_as_discord_is(seed: int) -> None:
    play = Play(seed)
    for _ in range(STEPS):
        play.step()
    play.finish()

    assert play.opened > 50
    assert play.reconciled > 20
    threads = play.world.discord.state.threads
    for item in play.on_record():
        if item["status"] == "vacant":
            key = str(item["session_key"])
            assert not [t for t, k in play.world.ours.items() if k == key and play.lives(t)]
            continue
        assert item["status"] in ("open", "closed")
        thread = threads[str(item["discord_thread_id"])]
        assert (thread.name, thread.archived, thread.locked) == (item["thread_name"], item["archived"], item["locked"])
        assert ("watch_guild_id" in item) == (not thread.archived)
    for thread in threads.values():
        named = NAMES.session_key_of(thread.name)
        assert thread.parent_id == CHANNEL
        if named is not None and play.world.ours[thread.id] != named:
            assert thread.id in str(play.world.table.items()), "a renamed thread is noted under its new name"
