"""What the doctor found."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `cure`: of what is not ok, what to do."""

    name: str
    state: State
    text: str
    cure: str | None = None

    def __str__(self) -> str:
        line = f"{self.state:<5}{self.name:<13}{self.text}"
        return f"{line}\n     → {self.cure}" if self.cure else line

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


def conclude(findings: list[Finding]) -> str:
    """The last line of the report."""
    failed, warned = (sum(finding.state == state for finding in findings) for state in ("fail", "warn"))
    if not failed and not warned:
        return "All is well."
    parts = [f"{number} {what}" for number, what in ((failed, "to mend"), (warned, "to look at")) if number]
    return f"{' and '.join(parts)}; the arrows say what to do."
