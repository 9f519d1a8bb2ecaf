"""docs/evidence.md from what was claimed and measured. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from tests.evidence.claims import Claim
from tests.evidence.history import Mended
from tests.evidence.measures import Measured
from tests.explorer.without import Counterexample

HELD: Final = "nothing"
_HEAD: Final = """\
# Evidence

What Onethread claims, what was tried to break it, and what that does not cover. This page is written by `make evidence`, so its numbers are those of one
run: the {kind} of {day}, version {version}, {minutes} minutes on {cores} cores. `make evidence ARGS="--short"` repeats it in five minutes, with less of everything.

## Claims
"""
_RULES: Final = """
## Rules taken out

Each rule of the protocol is taken out of the real code, and the explorer searches for the shortest schedule that shows what goes wrong. If it found nothing, it would be
blind there. A, B and C are openers, `+` is the same one again, a newcomer opens when all others have stopped. #1 is a message, and the thread that is started from it. A line
says who makes which call, and what came of it.
"""
_HISTORY: Final = """
## Faults that were found

What was once wrong, in the code or in the tests, and which test holds it now.

| fault | found by | held by |
|---|---|---|
"""


def render(
    rows: Sequence[tuple[Claim, Measured]],
    counterexamples: Sequence[Counterexample],
    history: Sequence[Mended],
    *,
    day: date,
    version: str,
    seconds: float,
    cores: int,
    short: bool,
) -> str:
    """The page. Claims that do not hold say what was found."""
    kind = "short run" if short else "run"
    head = _HEAD.format(kind=kind, day=day, version=version, minutes=max(1, round(seconds / 60)), cores=cores)
    parts = [
        head,
        *(_claim(claim, measured) for claim, measured in rows),
        _RULES,
        *map(_rule, counterexamples),
        _HISTORY,
    ]
    parts += [f"| {each.fault} | {each.found_by} | `tests/{each.test}` |\n" for each in history]
    return "".join(parts)


def _claim(claim: Claim, measured: Measured) -> str:
    tried = claim.tried.format_map(measured.numbers) if measured.holds else "it was not tried to the end"
    found = HELD if measured.holds else f"**it does not hold**: {_one_line(measured.found)}"
    return f"""
### {claim.claim}

- Tried: {tried}.
- Found: {found}.
- Not covered: {claim.not_covered}.
- Again: `{claim.command}`
"""


def _rule(found: Counterexample) -> str:
    steps = "\n".join(found.steps) or "     at once"
    fault = found.fault or "**nothing**"
    return f"""
### Without “{found.rule}”

Found: {fault} (scenario “{found.scenario}”, {found.states:,} states).

```text
{steps}
```
"""


def _one_line(text: str) -> str:
    return " ".join(text.replace("|", "/").split())
