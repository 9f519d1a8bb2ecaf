"""What a step of the setup did, and the error that ends it."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["unchanged", "changed", "would change", "failed"]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the report."""

    name: str
    state: State
    text: str
    cure: str | None = None  # of a step that failed: what to do

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


class SetupError(Exception):
    """A step that cannot be done. The text says why; `cure` what to do. Everything before it stays done."""

    def __init__(self, text: str, cure: str) -> None:
        super().__init__(text)
        self.cure = cure


class NotAllowed(SetupError):
    """AWS does not allow the person this call."""
