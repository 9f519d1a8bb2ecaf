"""Opens and reconciles of the same few sessions, call by call at random, with moderators in between, for thousands of steps."""

import random
from datetime import timedelta

import pytest

from handler.errors import OnethreadError
from handler.sessions.model import Opened
from infra.simulator.people import ImpossibleAction
from tests.explorer.actor import CHANNEL, NAMES, Opener, Run
from tests.explorer.world import Bounds, World, begin

STEPS = 4000
SESSIONS = ("alpha", "beta", "gamma")
AT_ONCE = 3
A_STEP = timedelta(milliseconds=150)  # of Discord's time between two calls
CONFIRMED = timedelta(minutes=31)  # after which held deletions are carried out
ACTS = ("delete_thread", "rename", "archive", "unarchive", "lock", "unlock")


class Town:
    """The world, who is at work in it, and a pair of dice."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.world: World = begin(Bounds())
        self.world.discord.switch(keep_audit_log=True)
        self.runs: list[tuple[Opener, Run]] = []
        self.number = 0
        self.opened = 0
        self.reconciled = 0

    def step(self) -> None:
        self.world.now += A_STEP
        chance = self.dice.random()
        if chance < 0.02:
            self.moderate()
        elif chance < 0.1 and len(self.runs) < AT_ONCE:
            self.begin(reconciles=self.dice.random() < 0.4)
        elif self.runs:
            self.advance(self.dice.choice(self.runs))
        self.world.check()

    def begin(self, *, reconciles: bool) -> None:
        self.number += 1
        opener = Opener(f"{self.number}", self.dice.choice(SESSIONS), reconciles=reconciles)
        self.runs.append((opener, Run(opener, self.world.now)))

    def advance(self, running: tuple[Opener, Run]) -> None:
        opener, run = running
        if run.pending:
            number = self.dice.choice(list(run.pending))
            run.answer(number, self.world.apply(opener, run.pending[number][0]))
        if run.task.done():
            self.runs.remove(running)
            self.ended(opener, run)

    def ended(self, opener: Opener, run: Run) -> None:
        result = run.result()
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
        act, thread_id = self.dice.choice(ACTS), self.dice.choice(threads)
        name = f"Session {self.dice.choice(SESSIONS)}{self.dice.choice(['', ': bug', ' II'])}"
        arguments = (thread_id, name) if act == "rename" else (thread_id,)
        try:
            getattr(self.world.discord.people, act)(*arguments, now=self.world.now)
        except ImpossibleAction:
            return

    def finish(self) -> None:
        while self.runs:
            self.world.now += A_STEP
            self.advance(self.dice.choice(self.runs))
        for _ in range(3):  # the second carries out what the first held back, the third finds nothing to do
            self.world.now += CONFIRMED
            self.begin(reconciles=True)
            while self.runs:
                self.advance(self.runs[0])
                self.world.check()

    def on_record(self) -> list[dict[str, object]]:
        return [item for item in self.world.table.items() if str(item["sk"]).startswith("SESSION#")]


@pytest.mark.parametrize("seed", range(3))
def test_opens_and_reconciles_at_random_leave_one_thread_each_and_the_table_as_discord_is(seed: int) -> None:
    town = Town(seed)
    for _ in range(STEPS):
        town.step()
    town.finish()

    assert town.opened > 50
    assert town.reconciled > 20
    threads = town.world.discord.state.threads
    for item in town.on_record():
        if item["status"] == "vacant":
            key = str(item["session_key"])
            assert not [t for t, k in town.world.ours.items() if k == key and town.lives(t)]
            continue
        assert item["status"] in ("open", "closed")
        thread = threads[str(item["discord_thread_id"])]
        assert (thread.name, thread.archived, thread.locked) == (item["thread_name"], item["archived"], item["locked"])
        assert ("watch_guild_id" in item) == (not thread.archived)
    for thread in threads.values():
        named = NAMES.session_key_of(thread.name)
        assert thread.parent_id == CHANNEL
        if named is not None and town.world.ours[thread.id] != named:
            assert thread.id in str(town.world.table.items()), "a renamed thread is noted under its new name"
