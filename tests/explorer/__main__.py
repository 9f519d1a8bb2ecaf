"""`python -m tests.explorer`: every scenario to its end, then random schedules; `--only TEXT` picks some by name.

Takes long (`make explore`); the suite runs a bounded slice of the same.
"""

import argparse
import gc
import sys
import time
from collections.abc import Callable
from functools import partial

from tests.explorer.scenarios import EXHAUSTIVE, RANDOM, RECONCILED
from tests.explorer.search import Found, Search


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.explorer", description="Explore the protocol's schedules.")
    parser.add_argument("--only", default="", help="only the scenarios whose name contains this")
    parser.add_argument("--states", type=int, default=None, help="stop a scenario at so many states")
    parser.add_argument(
        "--schedules", type=int, default=2000, help="random schedules for each scenario of three actors"
    )
    options = parser.parse_args()
    gc.freeze()
    bad = 0
    for name, scenario in {**EXHAUSTIVE, **RECONCILED}.items():
        if options.only in name:
            search = Search(scenario)
            bad += _report(name, partial(search.exhaustive, states_most=options.states))
    for name, scenario in RANDOM.items():
        if options.only in name:
            bad += _report(f"{name}, at random", partial(_random, Search(scenario), options.schedules))
    return 1 if bad else 0


def _random(search: Search, schedules: int) -> Found:
    all_found = Found()
    for seed in range(schedules):
        found = search.random(seed)
        if found.violation is not None:
            return found
        all_found.states += found.states
        all_found.worlds |= found.worlds
    return all_found


def _report(name: str, explore: Callable[[], Found]) -> bool:
    begun = time.perf_counter()
    found = explore()
    took = time.perf_counter() - begun
    verdict = found.violation or ("ok" if found.complete else "*unfinished*")
    print(f"{name:78} {found.states:>9,} states {len(found.worlds):>7,} worlds {took:7.1f} s  {verdict}", flush=True)
    for step in found.trace:
        print(f"    {step}")
    return found.violation is not None


if __name__ == "__main__":
    sys.exit(main())
