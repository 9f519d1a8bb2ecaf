"""The list of rules is true of the code as it is: `make mutate` can run it."""

from pathlib import Path

import pytest

from tests.rules.every import RULES
from tests.rules.rule import Rule


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.text)
def test_every_rule_can_be_broken_and_names_a_test(rule: Rule) -> None:
    rule.mutation.source()
    name = rule.test.rpartition("::")[2].partition("[")[0]
    assert f"def {name}(" in Path(rule.file).read_text()


def test_no_rule_stands_twice() -> None:
    assert len({rule.text for rule in RULES}) == len({rule.mutation for rule in RULES}) == len(RULES)
