"""`python -m tests.explorer`: every scenario to its end, then random schedules; `--only TEXT` picks some by name.

Two processes share the scenarios. With `--budget` they stop when that many seconds are over; a line says of each scenario
whether it was finished. Ends with 1 if something that must hold did not. `--without WORDS` takes rules out of the code
instead, and shows for each the shortest schedule that leads to a fault.
"""

import argparse
import logging
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from tests.explorer.scenarios import RANDOM
from tests.explorer.task import ORDER, Task, explore, prepare
from tests.explorer.without import without
from tests.rules.explorer import EXPLORED

AT_ONCE: Final = 2  # processes: a developer's machine has two cores at least


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.explorer", description="Explore the protocol's schedules.")
    parser.add_argument("--only", default="", help="only the scenarios whose name contains this")
    parser.add_argument("--states", type=int, default=None, help="stop a scenario at so many states")
    parser.add_argument("--budget", type=float, default=None, help="stop after so many seconds, finished or not")
    parser.add_argument(
        "--schedules", type=int, default=2000, help="random schedules for each scenario of three actors"
    )
    parser.add_argument(
        "--without", metavar="WORDS", help="take out each rule whose text has these words, and stop there"
    )
    options = parser.parse_args()
    if options.without is not None:
        return take_out(options.without)
    ends_at = None if options.budget is None else time.time() + options.budget
    tasks = [
        Task(name, name in RANDOM, options.states, options.schedules, ends_at) for name in ORDER if options.only in name
    ]
    bad = unfinished = 0
    with ProcessPoolExecutor(AT_ONCE, multiprocessing.get_context("spawn"), initializer=prepare) as processes:
        for report in processes.map(explore, tasks):
            print(report.line, flush=True)
            bad += report.is_bad
            unfinished += not report.is_finished
    print(f"{len(tasks)} scenarios: {bad} with a fault, {unfinished} unfinished.")
    return 1 if bad or not tasks else 0


def take_out(words: str) -> int:
    """Take rules out, one at a time: the fault that is found, and the shortest schedule that leads to it."""
    logging.disable()
    found = [without(rule) for rule in EXPLORED if words.lower() in rule.text.lower()]
    for each in found:
        print(
            f"Without: {each.rule}\nIn: {each.scenario}",
            *each.steps,
            f"Fault: {each.fault or 'none is found'}\n",
            sep="\n",
        )
    return 0 if found and all(each.fault for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
