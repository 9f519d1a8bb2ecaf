"""What ends a program of an operator, and what to do about it."""


class OperatorError(Exception):
    """Something that cannot be done. The text says why; `cure` what to do. Everything before it stays done."""

    def __init__(self, text: str, cure: str) -> None:
        super().__init__(text)
        self.cure = cure


class NotAllowed(OperatorError):
    """AWS does not allow the person this call."""
