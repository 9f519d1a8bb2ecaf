"""What a person reads of a program that goes step by step, line by line; or one JSON object at the end."""

import json
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

from infra.doctor.result import Finding, conclude
from infra.setup.result import SetupError, Step

_MARKS: Final = {"unchanged": "=", "changed": "✓", "would change": "~", "failed": "✗"}


class Report:
    """`name`: of the program, which is to blame for what fails."""

    def __init__(self, name: str, *, as_json: bool) -> None:
        self._name, self._as_json = name, as_json
        self._steps: list[Step] = []
        self._findings: list[Finding] = []

    async def follow(self, steps: AsyncIterator[Step]) -> bool:
        """Show each step as it is done; whether all of them are."""
        try:
            async for step in steps:
                self._show(step)
        except SetupError as error:
            self._show(Step(self._name, "failed", str(error), error.cure))
            return False
        return True

    async def examine(self, findings: AsyncIterator[Finding]) -> None:
        """Look at what was set up. What is right needs no line here."""
        async for finding in findings:
            self._findings.append(finding)
            if finding.state != "ok" and not self._as_json:
                print(finding)
        if not self._as_json:
            print(f"  {'doctor':<12}{conclude(self._findings)}")

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

    def _show(self, step: Step) -> None:
        self._steps.append(step)
        if not self._as_json:
            print(f"{_MARKS[step.state]} {step.name:<12}{step.text}")
            if step.cure:
                print(f"  → {step.cure}")
