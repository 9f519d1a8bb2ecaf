"""The benchmarks, in small: what an open takes beside the floor and beside others, and that the document says so."""

from xml.etree import ElementTree

import pytest

from infra.bench import __main__ as bench
from infra.bench import money, scenarios
from infra.bench.plot import Axis, plot
from infra.bench.scenarios import Taken
from infra.cost.counted_table import Use
from tests.kit.sam_template import ROOT

MAX_OF_THE_FLOOR = 1.05
DOCUMENT = ROOT / "docs" / "benchmarks.md"


def test_an_open_is_near_the_floor_and_the_document_has_these_figures() -> None:
    reused, created = scenarios.reuse(10), scenarios.creation(10)
    assert bench.ratio(reused) == pytest.approx(1.0)
    assert bench.ratio(created) <= MAX_OF_THE_FLOOR
    assert created["floor"].seconds == pytest.approx(4 * 0.080 + 0.005)
    assert reused["Onethread"].use == Use(discord=1, dynamodb=1, reads=1)
    assert bench.one_open(reused, created) in DOCUMENT.read_text(), "run `make bench`"


def test_an_open_takes_the_same_however_long_the_past_is_and_a_list_does_not() -> None:
    short, long = scenarios.creation(10), scenarios.creation(2_000)
    assert long["Onethread"].seconds == pytest.approx(short["Onethread"].seconds)
    assert long["Onethread"].use == short["Onethread"].use
    assert long["list-and-create"].seconds > 5 * short["list-and-create"].seconds
    assert long["defer-always"].seconds > long["list-and-create"].seconds


def test_ten_openers_of_one_name_make_one_thread_and_lists_make_ten() -> None:
    crowd = scenarios.crowd(10)
    assert (crowd["Onethread"].threads, crowd["list-and-create"].threads) == (1, 10)
    assert crowd["Onethread"].discord < crowd["list-and-create"].discord


def test_discords_limit_binds_above_ten_new_sessions_a_second() -> None:
    assert scenarios.stream(10.0, lasting=2.0) < 0.3
    assert scenarios.stream(20.0, lasting=2.0) > 0.5


def test_money_is_counted_from_the_requests() -> None:
    free = money.per_million(Taken(0.0, Use()))
    once = money.per_million(Taken(1.0, Use(dynamodb=2, reads=1, writes=1)))
    assert once["DynamoDB"] == pytest.approx(0.75)
    assert once["Lambda"] - free["Lambda"] == pytest.approx(23.03, abs=0.01)
    assert free["INIT"] == once["INIT"] == pytest.approx(0.16, abs=0.01)


def test_a_plot_is_a_picture_with_each_line_and_its_name() -> None:
    axis = Axis("a & b", (1, 10, 100))
    picture = ElementTree.fromstring(plot("Title <1>", axis, axis, {"one": [(1, 1), (100, 100)], "two": [(1, 0.5)]}))
    texts = [part.text for part in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Title <1>", "a & b", "one", "two", "100"} <= {*texts}
    dots = [(dot.get("cx"), dot.get("cy")) for dot in picture.iter("{http://www.w3.org/2000/svg}circle")]
    assert dots == [("64.0", "272.0"), ("490.0", "40.0"), ("64.0", "272.0")], "what is below the axis stands on it"


@pytest.mark.parametrize("name", ["bench-history.svg", "bench-crowd.svg", "bench-reconciler.svg"])
def test_the_pictures_of_the_document_are_there(name: str) -> None:
    assert f"(pictures/{name})" in DOCUMENT.read_text()
    ElementTree.parse(ROOT / "docs" / "pictures" / name)
