"""What the reconciler costs: it is measured as promised, and calculated as documented."""

from dataclasses import replace
from typing import Any

import pytest

from infra.cost.__main__ import BEGIN, GUILDS, report
from infra.cost.counted_table import Use
from infra.cost.cycle import DISCORDS_REQUESTS_PER_SECOND, MEMORY_GB, PERIOD_SECONDS, RUNS_AT_ONCE, cycle, most_guilds
from infra.cost.measure import CHANGES, Measured, measure
from infra.cost.units import read_units, write_units
from infra.marked_text import END, replace_between
from tests.kit.sam_template import ROOT, template

REQUESTS_PER_SECOND = 5.0

FEW, MANY = 20, 60


@pytest.fixture(scope="module")
def few() -> Measured:
    return measure(FEW)


@pytest.fixture(scope="module")
def many() -> Measured:
    return measure(MANY)


def test_a_run_with_nothing_changed_takes_two_requests_to_discord_and_one_query(few: Measured) -> None:
    assert few.quiet.discord == 2
    assert 1 <= few.quiet.dynamodb <= 1.2  # one run in six is written down


def test_without_the_audit_log_the_sweep_takes_five_more_requests(few: Measured) -> None:
    assert few.unaudited.discord <= 2 + 5


def test_the_number_of_sessions_makes_no_difference(few: Measured, many: Measured) -> None:
    assert many == few


def test_a_change_costs_a_few_calls_wherever_it_happens(few: Measured) -> None:
    assert set(few.changes) == set(CHANGES)
    for name, use in few.changes.items():
        assert 0 <= use.discord <= 12, name
        assert 1 < use.dynamodb <= 12, name


def test_one_guild_costs_cents_a_month(few: Measured) -> None:
    one = cycle(1, few)
    assert one.period == PERIOD_SECONDS
    assert 0.01 < one.dollars_a_month < 1


def test_the_shortest_period_follows_from_the_pace(few: Measured) -> None:
    most = most_guilds(few)
    assert cycle(most, few).period == PERIOD_SECONDS
    assert cycle(most + RUNS_AT_ONCE, few).period > PERIOD_SECONDS
    huge = cycle(100_000, few)
    assert huge.period >= huge.discord / (REQUESTS_PER_SECOND * RUNS_AT_ONCE)
    assert huge.seconds_at_full_limit == huge.discord / DISCORDS_REQUESTS_PER_SECOND
    assert huge.seconds_at_full_limit >= 100_000 * 2 / DISCORDS_REQUESTS_PER_SECOND


def test_more_changes_than_the_pace_can_follow_are_refused(few: Measured) -> None:
    storm = replace(few, changes={name: replace(use, discord=100.0) for name, use in few.changes.items()})
    with pytest.raises(ValueError, match="no round ever ends"):
        cycle(GUILDS[-1], storm)


def test_the_numbers_are_those_of_the_template() -> None:
    assert template()["Parameters"]["ReconcilerConcurrency"]["Default"] == RUNS_AT_ONCE
    assert template()["Globals"]["Function"]["MemorySize"] == MEMORY_GB * 1024
    assert template()["Parameters"]["ReconcileMinutes"]["Default"] * 60 == PERIOD_SECONDS


def test_the_documentation_has_a_row_for_each_run_and_each_round(few: Measured) -> None:
    document = (ROOT / "docs" / "reconciler.md").read_text()
    shown = document.partition(BEGIN)[2].partition(END)[0]
    titles = [line.split("|")[1].strip() for line in report(few, few).splitlines() if line.startswith("|")]
    assert [line.split("|")[1].strip() for line in shown.splitlines() if line.startswith("|")] == titles


def test_only_the_text_between_the_two_comments_is_replaced() -> None:
    assert replace_between(f"a {BEGIN} old {END} b", BEGIN, "new") == f"a {BEGIN}\n\nnew\n\n{END} b"
    with pytest.raises(ValueError, match="no <!--"):
        replace_between("a", BEGIN, "new")


def test_units_depend_on_size_consistency_and_transaction() -> None:
    item = {"pk": "x" * 5000}
    assert read_units("get_item", {}, {"Item": item}) == 2
    assert read_units("get_item", {}, {}) == 1
    assert read_units("query", {}, {"Items": [item, item]}) == 1.5
    assert read_units("query", {"ConsistentRead": True}, {"Items": []}) == 1
    asked: dict[str, Any] = {"RequestItems": {"t": {"Keys": [{}, {}]}}}
    assert read_units("batch_get_item", asked, {"Responses": {"t": [item]}}) == 3
    assert write_units("update_item", {}) == 4
    assert write_units("transact_write_items", {"TransactItems": [{}, {}]}) == 16
    assert write_units("query", {}) == 0


def test_uses_are_subtracted_and_averaged() -> None:
    assert Use(3, 4, 5, 6) - Use(1, 1, 1, 1) == Use(2, 3, 4, 5)
    assert Use(2, 4, 6, 8).over(2) == Use(1, 2, 3, 4)
