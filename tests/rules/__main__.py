"""`make mutate`: the rules of docs/protocol.md and docs/reconciler.md, each with a change of the code that breaks it.

Each rule names the test that must fail then. `python -m tests.rules` runs them all, `-k words` some; it prints the rules
whose breach no test notices and those that cannot be broken (the changed code does not compile, or its test is missing),
and ends with 1 if there are any.
"""

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Final

from tests.rules import every
from tests.rules.every import RULES, VARIABLE
from tests.rules.rule import HANDLER

PASSED, FAILED = 0, 1  # pytest's exit status: tests ran, and all passed or some failed
AT_ONCE: Final = 2  # pytests: a developer's machine has two cores at least


class Verdict(StrEnum):
    """What became of a rule's breach."""

    CAUGHT = "caught"
    SURVIVES = "SURVIVES"
    UNTESTED = "NOT RUN"  # the changed code does not compile, or pytest did not get to a test


def verdict(number: int) -> Verdict:
    """Whether the rule's test fails, and not for want of the test or of code that can run."""
    try:
        RULES[number].mutation.code()
    except (SyntaxError, ValueError):
        return Verdict.UNTESTED
    pytest = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", "-p", every.__name__]
    environment = {**os.environ, VARIABLE: str(number)}
    run = subprocess.run(
        [*pytest, f"tests/{RULES[number].test}"], cwd=HANDLER.parent, env=environment, capture_output=True, check=False
    )
    return {PASSED: Verdict.SURVIVES, FAILED: Verdict.CAUGHT}.get(run.returncode, Verdict.UNTESTED)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rules", description=__doc__)
    parser.add_argument("-k", metavar="WORDS", default="", help="only the rules whose text has these words")
    words = parser.parse_args().k.lower()
    chosen = [number for number, rule in enumerate(RULES) if words in rule.text.lower()]
    caught = 0
    with ThreadPoolExecutor(AT_ONCE) as at_work:
        for number, result in zip(chosen, at_work.map(verdict, chosen), strict=True):
            caught += result is Verdict.CAUGHT
            print(f"{result:8}  {RULES[number].text}", flush=True)
    print(f"{caught} of these {len(chosen)} rules are held by a test; there are {len(RULES)} in all.")
    return 0 if chosen and caught == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
