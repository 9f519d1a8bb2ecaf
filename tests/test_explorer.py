"""The slice of the explorer that runs with every suite; `make explore` runs all of it."""

import gc
from collections.abc import Iterator
from typing import Final

import pytest

from handler.sessions.protocol import Sessions
from tests.explorer import actor
from tests.explorer.scenarios import NEAR, RANDOM, RECONCILED_SLICE, SLICE, UNUSUAL
from tests.explorer.search import Scenario, Search
from tests.explorer.task import ALL
from tests.explorer_rules import EXPLORED
from tests.kit.mutation import Rule

MAX_STATES: Final = 8000  # enough for each of SMALL, and for each fault
MAX_STATES_OF_LARGE: Final = 500  # of each that only `make explore` explores to its end
SCHEDULES: Final = 8  # random ones, of each scenario with three actors

SMALL: Final = {**SLICE, **UNUSUAL, **NEAR, **RECONCILED_SLICE}


@pytest.fixture(autouse=True)
def no_garbage_collection() -> Iterator[None]:
    """A search makes very many objects that stay until its end: the collector would look at them again and again."""
    gc.disable()
    gc.freeze()
    yield
    gc.collect()
    gc.unfreeze()
    gc.enable()


@pytest.mark.parametrize("name", SMALL)
def test_every_schedule_leaves_one_thread(name: str) -> None:
    found = Search(SMALL[name]).exhaustive(states_most=MAX_STATES)
    assert found.violation is None, found.explained()
    assert found.ends
    assert found.complete


@pytest.mark.parametrize("name", [name for name in ALL if name not in SMALL])
def test_the_first_schedules_of_a_larger_scenario_leave_one_thread(name: str) -> None:
    found = Search(ALL[name]).exhaustive(states_most=MAX_STATES_OF_LARGE, shortest_first=True)
    assert found.violation is None, found.explained()


@pytest.mark.parametrize("scenario", RANDOM.values(), ids=RANDOM.keys())
def test_random_schedules_of_three_openers_leave_one_thread(scenario: Scenario) -> None:
    search = Search(scenario)
    worlds = set[int]()
    for seed in range(SCHEDULES):
        found = search.random(seed)
        assert found.violation is None, f"seed {seed}: {found.explained()}"
        worlds |= found.worlds
    assert len(worlds) > 2 * SCHEDULES


# Some with each kind of event; the whole search of the others takes too long for the suite.
COMPARED: Final = (
    "two openers, a lease that ends",
    "one opener, a person makes the thread",
    "one opener, the table is lost",
    "one 404 lies",
    "one opener, an answer is lost",
    "one opener is refused",
    "two openers import",
    "one opener, only the search has the thread",
    "one opener, half a list leaves the thread out",
    "the reconciler comes upon a claim that is over",
    "the reconciler and a deleted thread",
)


@pytest.mark.parametrize("name", COMPARED)
def test_the_reduced_search_meets_the_same_worlds_as_the_whole_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    search = Search(SMALL[name])
    reduced = search.exhaustive()
    monkeypatch.setattr(actor, "FORGETS_TIMES", False)
    whole = Search(SMALL[name])
    found = whole.exhaustive(reduced=False)
    assert found.complete
    assert reduced.violation == found.violation
    assert search.places.fingerprints(reduced.worlds) == whole.places.fingerprints(found.worlds)
    assert search.places.fingerprints(reduced.ends) == whole.places.fingerprints(found.ends)


@pytest.mark.parametrize("rule", EXPLORED, ids=lambda rule: rule.text)
def test_the_explorer_finds_the_fault_when_a_rule_is_taken_out(rule: Rule) -> None:
    name = rule.test.partition("[")[2].removesuffix("]")
    gc.unfreeze()  # the functions to change are looked for among the collector's objects
    with rule.mutation.applied():
        found = Search(ALL[name]).exhaustive(states_most=MAX_STATES, shortest_first=True)
    assert found.violation is not None


def test_an_opener_keeps_nothing_between_two_rounds_but_what_the_explorer_takes_for_its_memory() -> None:
    """`Execution.memory` reads `opener`; a round sets the others anew. `pause` only says how long one is."""
    assert set(Sessions.open.__code__.co_varnames) == {
        "self",
        "request",
        "opener",
        "pause",
        "_",
        "session",
        "step",
        "result",
        "channel_id",
    }
