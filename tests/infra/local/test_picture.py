"""The committed picture is one of today's tour."""

import html
import re

from infra.local.picture import PICTURED
from infra.local.scenarios import SCENARIOS
from tests.kit.sam_template import ROOT


def test_the_picture_has_the_titles_of_the_first_scenarios() -> None:
    svg = (ROOT / "docs" / "pictures" / "tour.svg").read_text()
    text = html.unescape(re.sub(r"<[^>]*>", "\n", svg)).replace("\N{NO-BREAK SPACE}", " ")
    titles = re.findall(r"^\d+  (.+?) *$", text, re.MULTILINE)
    assert titles == [scenario.title for scenario in PICTURED], "run `make picture`"
    assert tuple(PICTURED) == SCENARIOS[: len(PICTURED)]


def test_the_picture_is_small_and_loads_nothing_from_elsewhere() -> None:
    svg = (ROOT / "docs" / "pictures" / "tour.svg").read_text()
    assert len(svg.encode()) < 60_000
    assert "url(http" not in svg.replace('"', "")
