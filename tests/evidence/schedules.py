"""The rules of the protocol taken out of the real code, one at a time, each with a shortest schedule that shows the fault."""

import re
from dataclasses import dataclass
from typing import Final

from tests.explorer.search import Label, Search
from tests.explorer.task import ALL
from tests.explorer_rules import EXPLORED
from tests.kit.mutation import Rule

MAX_STATES: Final = 60_000
MAX_LINE: Final = 90  # characters of a call: conditions are longer
_SCENARIO: Final = re.compile(r"\[(.+)\]")


@dataclass(frozen=True)
class Counterexample:
    """What the explorer found without a rule. `fault` is empty if it found nothing; `steps` lead to it."""

    rule: str
    scenario: str
    states: int
    fault: str
    steps: tuple[str, ...]


def scenario_of(rule: Rule) -> str:
    """The scenario in which the rule's test notices that it is missing."""
    found = _SCENARIO.search(rule.test)
    assert found is not None, rule.test
    return found[1]


def without(rule: Rule) -> Counterexample:
    """Search for the fault that the rule prevents. No schedule that shows a fault has fewer steps than the one found."""
    name = scenario_of(rule)
    with rule.mutation.applied():
        found = Search(ALL[name]).exhaustive(states_most=MAX_STATES, shortest_first=True)
    return Counterexample(rule.text, name, found.states, found.violation or "", tuple(map(_line, found.path)))


def all_without() -> list[Counterexample]:
    return [without(rule) for rule in EXPLORED]


def _line(label: Label) -> str:
    who, *what = map(str, label)
    done = ": ".join(what)
    return f"{who:4} {done if len(done) <= MAX_LINE else done[:MAX_LINE] + '…'}".rstrip()
