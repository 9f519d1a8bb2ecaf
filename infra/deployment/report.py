"""What a person reads of a program that goes line by line; or one JSON object at the end."""

import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from infra.deployment.errors import OperatorError

# Of a step, and of what the doctor looked at.
State = Literal["unchanged", "changed", "would change", "failed", "ok", "warn", "fail"]
_MARKS: Final = {"unchanged": "=", "changed": "✓", "would change": "~", "failed": "✗", "ok": "ok  "}


@dataclass(frozen=True, slots=True)
class Line:
    """What a step did, or what the doctor found. `cure`: of what is not well, what to do."""

    name: str
    state: State
    text: str
    cure: str | None = None

    def __str__(self) -> str:
        mark = _MARKS.get(self.state, self.state)
        line = f"{mark} {self.name:<13}{self.text}"
        return f"{line}\n{' ' * len(mark)} → {self.cure}" if self.cure else line

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


def conclude(findings: list[Line]) -> str:
    """The last line of what the doctor says."""
    failed, warned = (sum(finding.state == state for finding in findings) for state in ("fail", "warn"))
    if not failed and not warned:
        return "All is well."
    parts = [f"{number} {what}" for number, what in ((failed, "to mend"), (warned, "to look at")) if number]
    return f"{' and '.join(parts)}; the arrows say what to do."


class Report:
    """`name`: of the program, which is to blame for what fails."""

    def __init__(self, name: str, *, as_json: bool) -> None:
        self._name, self._as_json = name, as_json
        self._steps: list[Line] = []
        self._findings: list[Line] = []

    async def follow(self, steps: AsyncIterator[Line]) -> bool:
        """Show each step as it is done; whether all of them are."""
        try:
            async for step in steps:
                self._show(step)
        except OperatorError as error:
            self._show(Line(self._name, "failed", str(error), error.cure))
            return False
        return True

    async def examine(self, findings: AsyncIterator[Line]) -> None:
        """Look at what was set up. What is right needs no line here."""
        async for finding in findings:
            self._findings.append(finding)
            if finding.state != "ok" and not self._as_json:
                print(finding)
        if not self._as_json:
            print(f"  {'doctor':<13}{conclude(self._findings)}")

    def conclude(self, last: Callable[[set[str]], Iterable[str]]) -> int:
        """The report's end; the exit status. `last`: what to say at the end, from the states of the steps."""
        states = {str(step.state) for step in self._steps}
        failed = "failed" in states or any(finding.state == "fail" for finding in self._findings)
        if self._as_json:
            steps, findings = ([part.as_json() for part in parts] for parts in (self._steps, self._findings))
            print(json.dumps({"ok": not failed, "steps": steps, "findings": findings}, indent=2))
        elif "failed" not in states:
            print("\n".join(last(states)))
        return int(failed)

    def _show(self, step: Line) -> None:
        self._steps.append(step)
        if not self._as_json:
            print(step)
