"""The rules of the protocol taken out of the real code, one at a time, each with a shortest schedule that shows the fault."""

from dataclasses import dataclass
from typing import Final

from tests.explorer.search import Search
from tests.explorer.task import ALL
from tests.explorer.timeline import timeline
from tests.rules.explorer import scenario_of
from tests.rules.rule import Rule

MAX_STATES: Final = 8000  # each fault lies nearer


@dataclass(frozen=True)
class Counterexample:
    """What the explorer found without a rule. `fault` is empty if it found nothing; `steps` lead to it."""

    rule: str
    scenario: str
    states: int
    fault: str
    steps: tuple[str, ...]


def without(rule: Rule) -> Counterexample:
    """Search for the fault that the rule prevents. No schedule that the search knows shows one in fewer steps."""
    name = scenario_of(rule)
    with rule.mutation.applied():
        search = Search(ALL[name])
        found = search.exhaustive(states_most=MAX_STATES, shortest_first=True)
        steps, fault = timeline(search, found)
    return Counterexample(rule.text, name, found.states, fault, steps)
