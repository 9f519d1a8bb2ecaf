"""The slice of the explorer that runs with every suite; `make explore` runs all of it."""

import gc
from collections.abc import Iterator
from typing import Final

import pytest

from handler.sessions.protocol import Sessions
from tests.explorer import actor
from tests.explorer.scenarios import NEAR, RANDOM, RECONCILED_SLICE, SLICE, UNUSUAL
from tests.explorer.search import Scenario, Search
from tests.explorer.task import ALL, Task, explore
from tests.explorer.without import without
from tests.rules.explorer import EXPLORED, scenario_of
from tests.rules.rule import Rule

MAX_STATES: Final = 8000  # enough for each of SMALL, and for each fault
MAX_STATES_OF_LARGE: Final = 350  # of each that only `make explore` explores to its end
SCHEDULES: Final = 6  # random ones, of each scenario with three actors

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
    gc.unfreeze()  # the functions to change are looked for among the collector's objects
    found = without(rule)
    assert found.fault
    assert [line[:3] for line in found.steps] == [f"{number:3}" for number in range(1, len(found.steps) + 1)]


def test_a_time_line_says_who_makes_which_call_and_what_comes_of_it() -> None:
    rule = next(rule for rule in EXPLORED if rule.text.startswith("The pointer"))
    gc.unfreeze()
    found = without(rule)
    assert (
        found.fault == "later, when a newcomer opens: thread #1 is on record for SESSION#1a06a43 and SESSION#login bug"
    )
    lines = [" ".join(step.split()) for step in found.steps]
    for line in (
        "1 A reads the session of 1a06a43 none",
        "3 A writes the session of 1a06a43 the session: status creating, generation 1, lease_owner A, session_key 1a06a43",
        "11 A starts the thread of message #1 201, #1",
        "13 #1 is renamed",
    ):
        assert line in lines


def test_a_search_stops_when_its_time_is_over_and_says_so() -> None:
    report = explore(Task("two openers", is_random=False, states_most=None, schedules=0, ends_at=0.0))
    assert "*unfinished* at" in report.line
    assert not report.is_finished
    report = explore(Task("two openers", is_random=False, states_most=None, schedules=0, ends_at=None))
    assert report.line.split("finished with")[1].split()[:2] == ["118", "states"]
    assert (report.is_finished, report.is_bad) == (True, False)


def test_a_search_that_finds_a_fault_shows_its_steps() -> None:
    rule = next(rule for rule in EXPLORED if "the other's name" in rule.test)
    gc.unfreeze()
    with rule.mutation.applied():
        report = explore(Task(scenario_of(rule), is_random=False, states_most=None, schedules=0, ends_at=None))
    assert report.is_bad
    assert "is on record for SESSION#1a06a43 and SESSION#login bug" in report.line
    assert "is renamed" in report.line


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
