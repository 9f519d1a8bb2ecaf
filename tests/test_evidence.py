"""docs/evidence.md says what `make evidence` would say now, but for its numbers; and the run fails when a claim fails."""

import re
from datetime import date
from pathlib import Path
from typing import Final

import pytest

from tests.evidence.claims import CLAIMS
from tests.evidence.history import HISTORY
from tests.evidence.measures import Measured, result_of_tests
from tests.evidence.page import render
from tests.rules.explorer import EXPLORED

TESTS: Final = Path(__file__).parent
PAGE: Final = TESTS.parent / "docs" / "evidence.md"
NUMBERS: Final = dict.fromkeys(
    ("tests", "scenarios", "states", "unfinished", "scenes", "checks", "noticed", "rules"), "1"
)


def text_of(measured: Measured) -> str:
    rows = [(claim, measured) for claim in CLAIMS]
    return render(rows, [], HISTORY, day=date(2026, 11, 1), version="0", seconds=60, cores=2, short=False)


def without_numbers(text: str) -> list[str]:
    """The lines of the claims and of the history; numbers and dates differ from one run to the next."""
    claims, _, rest = text.partition("## Rules taken out")
    _, _, history = rest.partition("## Faults that were found")
    return [re.sub(r"\d[\d,.-]*", "0", line) for line in (claims + history).splitlines()]


def test_the_page_is_that_of_these_claims_and_this_history() -> None:
    expected = without_numbers(text_of(Measured(NUMBERS)))
    found = without_numbers(PAGE.read_text())
    assert found[6:] == expected[6:], "it is stale: make evidence"


def test_the_page_has_each_rule_of_the_explorer_with_its_schedule() -> None:
    page = PAGE.read_text()
    for rule in EXPLORED:
        _, _, after = page.partition(f"### Without “{rule.text}”")
        shown = after.partition("\n### ")[0]
        assert re.search(r"^(  1|   )  \S+", shown, re.MULTILINE), f"it is stale: make evidence ({rule.text})"


def test_a_claim_that_does_not_hold_says_what_was_found() -> None:
    text = text_of(Measured({}, "FAILED\nhere"))
    assert text.count("**it does not hold**: FAILED here.") == len(CLAIMS)


@pytest.mark.parametrize("mended", HISTORY, ids=lambda mended: str(mended.test))
def test_a_fault_of_the_past_is_held_by_a_test_that_exists(mended: object) -> None:
    file, _, name = str(getattr(mended, "test", "")).partition("::")
    assert f"def {name}" in (TESTS / file).read_text()


def test_a_failing_test_is_a_claim_that_does_not_hold() -> None:
    assert result_of_tests(0, "......s  [ 50%]\n.....  [100%]\n") == Measured({"tests": "11"})
    assert "FAILED x" in result_of_tests(1, ".F  [100%]\nFAILED x\n").found
    assert not result_of_tests(5, "").holds  # nothing was run
