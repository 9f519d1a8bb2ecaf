"""Measures: each runs a part of the project as a person would, and gives the numbers of that run.

A measure takes whether the run is the short one.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
EXPLORER_SECONDS: Final = (600, 60)  # of the whole run, and of the short one
RULES_OF_SHORT: Final = "thread is looked for"  # words of some rules
MAX_SHOWN: Final = 400  # characters of a failed run's last lines


@dataclass(frozen=True)
class Measured:
    """What a run gave. `found`: what went wrong; empty if all held."""

    numbers: Mapping[str, str]
    found: str = ""

    @property
    def holds(self) -> bool:
        return not self.found


Measure = Callable[[bool], Measured]


def of_tests(*paths: str, short: Sequence[str] | None = None) -> Measure:
    """Run tests, given as pytest names them below tests/; in the short run only those of `short`."""

    def measure(is_short: bool) -> Measured:
        chosen = paths if short is None or not is_short else short
        return result_of_tests(
            *_run("-m", "pytest", "-q", "-p", "no:cacheprovider", *(f"tests/{path}" for path in chosen))
        )

    return measure


def result_of_tests(status: int, output: str) -> Measured:
    """What a quiet pytest that ended with that status says."""
    number = sum(line.count(".") for line in re.findall(r"^([.sx]+)(?: +\[ *\d+%\])?$", output, re.MULTILINE))
    return Measured({"tests": f"{number:,}"}, "" if status == 0 and number else _end(output))


def of_explorer(is_short: bool) -> Measured:
    """Search the schedules of every scenario for a time."""
    budget = EXPLORER_SECONDS[is_short]
    status, output = _run("-m", "tests.explorer", "--budget", str(budget))
    states = sum(int(number.replace(",", "")) for number in re.findall(r"([\d,]+) states", output))
    total = re.search(r"(\d+) scenarios: (\d+) with a fault, (\d+) unfinished", output)
    if total is None:
        return Measured({}, _end(output))
    numbers = {"scenarios": total[1], "unfinished": total[3], "states": f"{states:,}"}
    return Measured(numbers, "" if status == 0 else _end(output))


def of_rules(is_short: bool) -> Measured:
    """Break each rule in the real code, and see that its test notices; in the short run some."""
    status, output = _run("-m", "tests.rules", *(["-k", RULES_OF_SHORT] if is_short else []))
    counted = re.search(r"(\d+) of these (\d+) rules", output)
    if counted is None:
        return Measured({}, _end(output))
    return Measured({"noticed": counted[1], "rules": counted[2]}, "" if status == 0 else _end(output))


def of_tour(is_short: bool) -> Measured:
    """Play the tour on the whole local stack, each function in processes of its own."""
    with tempfile.TemporaryDirectory() as cache:
        status, output = _run("-m", "infra.local", environment={"XDG_CACHE_HOME": cache})
    scenes, checks = re.findall(r"^\d+  \S", output, re.MULTILINE), output.count("✓")
    return Measured({"scenes": str(len(scenes)), "checks": str(checks)}, "" if status == 0 else _end(output))


def _run(*arguments: str, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    return done.returncode, done.stdout


def _end(output: str) -> str:
    return output.strip()[-MAX_SHOWN:] or "no output"
