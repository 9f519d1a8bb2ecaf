"""`make mutate`: the rules of docs/protocol.md and docs/reconciler.md, each with a change of the code that breaks it.

Each rule names the test that must fail then. `python -m tests.rules` runs them all, `-k words` some; it prints the rules
that no test missed, and ends with 1 if there are any.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Generator
from typing import Final

import pytest

from tests.chosen_message_rules import CHOICES
from tests.guild_rules import GUILDS
from tests.housekeeping_rules import HOUSEKEEPING_RULES
from tests.kit.mutation import HANDLER
from tests.limit_rules import LIMITS
from tests.protocol_rules import PROTOCOL
from tests.reading_rules import READING
from tests.reconciler_rules import RECONCILER
from tests.unanchored_rules import UNANCHORED

VARIABLE: Final = "ONETHREAD_BROKEN_RULE"  # for the pytest that is to run with a rule broken: the rule's number
FAILED: Final = 1  # pytest's exit status: tests ran, and some failed

RULES: Final = (*PROTOCOL, *UNANCHORED, *RECONCILER, *GUILDS, *HOUSEKEEPING_RULES, *READING, *LIMITS, *CHOICES)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop() -> Generator[None, object, object]:
    """As a plugin: run the tests with the rule broken."""
    with RULES[int(os.environ[VARIABLE])].mutation.applied():
        return (yield)


def is_caught(number: int) -> bool:
    """Whether the rule's test fails, and not for want of the test."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", "-p", "tests.rules"]
    environment = {**os.environ, VARIABLE: str(number)}
    run = subprocess.run(
        [*command, f"tests/{RULES[number].test}"], cwd=HANDLER.parent, env=environment, capture_output=True, check=False
    )
    return run.returncode == FAILED


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rules", description=__doc__)
    parser.add_argument("-k", metavar="WORDS", default="", help="only the rules whose text has these words")
    words = parser.parse_args().k.lower()
    survivors = 0
    for number, rule in enumerate(RULES):
        if words in rule.text.lower():
            caught = is_caught(number)
            survivors += not caught
            print(f"{'caught  ' if caught else 'SURVIVES'}  {rule.text}", flush=True)
    print(f"{survivors} rules can be broken and no test notices." if survivors else "Every rule is held by a test.")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
