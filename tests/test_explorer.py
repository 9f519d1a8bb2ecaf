"""The bounded slice of the explorer that runs with every suite; `make explore` runs all of it."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.explorer import mutations
from tests.explorer.scenarios import EXHAUSTIVE, RANDOM, RECONCILED, RECONCILED_SLICE, SLICE
from tests.explorer.search import Scenario, Search

MAX_STATES = 1500  # of each larger scenario, so that the slice of all takes seconds
SCHEDULES = 60  # random ones, of each scenario with three actors

MUTATIONS: dict[str, tuple[Callable[[], AbstractContextManager[None]], Scenario]] = {
    "the deletion of the source message": (
        mutations.WITHOUT_THE_DELETION.applied,
        EXHAUSTIVE["a thread is deleted, and its message may have another"],
    ),
    "the second look": (
        mutations.WITHOUT_THE_SECOND_LOOK.applied,
        EXHAUSTIVE["a thread is deleted, another is renamed"],
    ),
    "the look-up before the anchor": (
        mutations.WITHOUT_THE_LOOK_UP.applied,
        EXHAUSTIVE["one opener, a person makes the thread"],
    ),
    "the search": (mutations.WITHOUT_THE_SEARCH.applied, EXHAUSTIVE["one opener, only the search has the thread"]),
    "the status in Record's condition": (mutations.WITHOUT_THE_STATUS.applied, EXHAUSTIVE["a dropped claim"]),
    "the pointer in Record": (
        mutations.without_the_early_pointer,
        EXHAUSTIVE["a thread is renamed to the other's name"],
    ),
}


SMALL = {**SLICE, **RECONCILED_SLICE}
ALL = {**EXHAUSTIVE, **RECONCILED}


@pytest.mark.parametrize("scenario", SMALL.values(), ids=SMALL.keys())
def test_every_schedule_of_a_small_scenario_leaves_one_thread(scenario: Scenario) -> None:
    found = Search(scenario).exhaustive()
    assert found.violation is None, "\n".join([found.violation, *found.trace])
    assert found.complete
    assert found.ended > 0


@pytest.mark.parametrize("name", [name for name in ALL if name not in SMALL])
def test_the_first_schedules_of_a_larger_scenario_leave_one_thread(name: str) -> None:
    found = Search(ALL[name]).exhaustive(states_most=MAX_STATES)
    assert found.violation is None, "\n".join([found.violation, *found.trace])


@pytest.mark.parametrize("scenario", RANDOM.values(), ids=RANDOM.keys())
def test_random_schedules_of_three_openers_leave_one_thread(scenario: Scenario) -> None:
    search = Search(scenario)
    for seed in range(SCHEDULES):
        found = search.random(seed)
        assert found.violation is None, "\n".join([f"seed {seed}: {found.violation}", *found.trace])
    assert search.found.ended > 0


@pytest.mark.parametrize(("taken_out", "scenario"), MUTATIONS.values(), ids=MUTATIONS.keys())
def test_the_explorer_finds_the_fault_when_a_safeguard_is_taken_out(
    taken_out: Callable[[], AbstractContextManager[None]], scenario: Scenario
) -> None:
    with taken_out():
        assert Search(scenario).exhaustive().violation is not None
