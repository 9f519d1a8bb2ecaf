"""`python -m tests.explorer`: every scenario to its end, then random schedules; `--only TEXT` picks some by name.

Two processes share the scenarios. With `--budget` they stop when that many seconds are over; a line says of each scenario
whether it was finished. Ends with 1 if something that must hold did not.
"""

import argparse
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from tests.explorer.scenarios import RANDOM
from tests.explorer.task import ALL, Task, explore, prepare

AT_ONCE: Final = 2  # processes: a developer's machine has two cores at least


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.explorer", description="Explore the protocol's schedules.")
    parser.add_argument("--only", default="", help="only the scenarios whose name contains this")
    parser.add_argument("--states", type=int, default=None, help="stop a scenario at so many states")
    parser.add_argument("--budget", type=float, default=None, help="stop after so many seconds, finished or not")
    parser.add_argument(
        "--schedules", type=int, default=2000, help="random schedules for each scenario of three actors"
    )
    options = parser.parse_args()
    ends_at = None if options.budget is None else time.time() + options.budget
    tasks = [
        Task(name, name in RANDOM, options.states, options.schedules, ends_at)
        for name in (*ALL, *RANDOM)
        if options.only in name
    ]
    bad = unfinished = 0
    with ProcessPoolExecutor(AT_ONCE, multiprocessing.get_context("spawn"), initializer=prepare) as processes:
        for report in processes.map(explore, tasks):
            print(report.line, flush=True)
            bad += report.is_bad
            unfinished += not report.is_finished
    print(f"{len(tasks)} scenarios: {bad} with a fault, {unfinished} unfinished.")
    return 1 if bad or not tasks else 0


if __name__ == "__main__":
    sys.exit(main())
