"""`make evidence`: measure each claim and write docs/evidence.md. Ends with 1 if a claim does not hold.

`--short` does less of everything, in five minutes instead of thirty; `--to FILE` writes elsewhere.
"""

import argparse
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from handler import __version__
from tests.evidence.claims import CLAIMS
from tests.evidence.history import HISTORY
from tests.evidence.page import render
from tests.explorer.without import without
from tests.rules.explorer import EXPLORED

PAGE: Final = Path(__file__).parents[2] / "docs" / "evidence.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.evidence", description=__doc__)
    parser.add_argument("--short", action="store_true", help="do less of everything")
    parser.add_argument("--to", type=Path, default=PAGE, metavar="FILE", help="where to write the page")
    options = parser.parse_args()
    began = time.perf_counter()
    rows = []
    for claim in CLAIMS:
        print(f"{claim.claim} … ", end="", flush=True)
        measured = claim.measure(options.short)
        print("holds" if measured.holds else f"DOES NOT HOLD:\n{measured.found}", flush=True)
        rows.append((claim, measured))
    counterexamples = [without(rule) for rule in EXPLORED]
    unseen = [each.rule for each in counterexamples if not each.fault]
    for rule in unseen:
        print(f"NO FAULT FOUND without: {rule}")
    page = render(
        rows,
        counterexamples,
        HISTORY,
        day=datetime.now(UTC).date(),
        version=__version__,
        seconds=time.perf_counter() - began,
        cores=os.cpu_count() or 1,
        short=options.short,
    )
    options.to.write_text(page)
    return 0 if not unseen and all(measured.holds for _, measured in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
