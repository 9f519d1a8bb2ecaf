"""The picture in the README: the tour's first scenarios as SVG, without what differs from one run to the next."""

import io
import re
import sys
from pathlib import Path
from typing import Final

from rich.console import Console

from infra.local.scenarios import SCENARIOS
from infra.local.screen import MAX_WIDTH, Screen
from infra.local.stack import Stack
from infra.local.tour import THINKING, Tour

PICTURED: Final = SCENARIOS[:4]
_WEB_FONTS: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # the reader's own monospace font will do


def draw(stack: Stack, path: Path) -> bool:
    """Play the scenarios and write the file. Returns whether all checks passed on a machine that was quick enough."""
    console = Console(record=True, file=io.StringIO(), width=MAX_WIDTH, highlight=False)
    passed = Tour(stack, Screen(console, is_picture=True)).play(PICTURED, warm_first=True)
    text = console.export_text(clear=False)
    is_slow = THINKING in text or "ask twice" in text
    if is_slow:
        print("This machine is busy: some answers came late. Try again when it is idle.", file=sys.stderr)
    if is_slow or not passed:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_WEB_FONTS.sub("", console.export_svg(title="make run", unique_id="tour")))
    return True
