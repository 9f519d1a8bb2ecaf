"""One scenario, explored in a process of its own kind: what `python -m tests.explorer` shares out."""

import gc
import logging
import time
from dataclasses import dataclass
from typing import Final, NamedTuple

from tests.explorer.scenarios import (
    EXHAUSTIVE,
    LONGEST,
    NEAR,
    RANDOM,
    RECONCILED,
    RECONCILED_SLICE,
    SLICE,
    UNUSUAL,
)
from tests.explorer.search import Found, Search

ALL: Final = {**EXHAUSTIVE, **RECONCILED, **LONGEST}
# Small ones and those with three actors first: a run that has to stop leaves large ones unfinished.
ORDER: Final = tuple(dict.fromkeys((*SLICE, *UNUSUAL, *NEAR, *RECONCILED_SLICE, *RANDOM, *ALL)))


@dataclass(frozen=True)
class Task:
    """One scenario to explore, with the moment at which the budget is over, as `time.time` has it."""

    name: str
    is_random: bool
    states_most: int | None
    schedules: int
    ends_at: float | None


class Report(NamedTuple):
    """What a task has found."""

    line: str
    is_bad: bool
    is_finished: bool


def prepare() -> None:
    """A search makes very many objects that stay until its end: the collector would look at them again and again."""
    gc.disable()
    gc.freeze()
    logging.disable()


def explore(task: Task) -> Report:
    """Explore the scenario, or random schedules of it."""
    begun = time.perf_counter()
    until = None if task.ends_at is None else begun + task.ends_at - time.time()
    if task.is_random:
        name, found = f"{task.name}, at random", _random(Search(RANDOM[task.name]), task.schedules, until)
    else:
        name, found = task.name, Search(ALL[task.name]).exhaustive(states_most=task.states_most, until=until)
    gc.collect()
    verdict = "finished with" if found.complete else "*unfinished* at"
    took = time.perf_counter() - begun
    line = f"{name:74} {verdict:>15} {found.states:>8,} states {len(found.worlds):>6,} worlds {took:6.1f} s"
    is_bad = found.violation is not None
    return Report(f"{line}\n{found.explained()}" if is_bad else line, is_bad, found.complete)


def _random(search: Search, schedules: int, until: float | None) -> Found:
    all_found = Found()
    for seed in range(schedules):
        if until is not None and time.perf_counter() > until:
            all_found.complete = False
            break
        found = search.random(seed)
        if found.violation is not None:
            return found
        all_found.states += found.states
        all_found.worlds |= found.worlds
    return all_found
