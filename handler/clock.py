"""Time: the one place that reads it, deadlines, and the one format in which it is written down."""

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What code that waits is given, so that tests decide what time it is."""

    def now(self) -> datetime:
        """The wall clock, as an aware UTC datetime."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""
        ...


class SystemClock:
    """The real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment by which a piece of work has to be done."""

    at: datetime

    def remaining(self, now: datetime) -> float:
        """Seconds left, never negative."""
        return max(0.0, (self.at - now).total_seconds())

    @classmethod
    def after(cls, now: datetime, seconds: float) -> "Deadline":
        return cls(now + timedelta(seconds=seconds))


# The deadline of the work that is running: an invocation's, or a job's where jobs run side by side.
_deadline: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def set_deadline(deadline: Deadline | None) -> None:
    """Make `deadline` that of the current task and of the tasks it starts."""
    _deadline.set(deadline)


def remaining(now: datetime, default: float) -> float:
    """Seconds until the current task's deadline; `default` where there is none."""
    deadline = _deadline.get()
    return default if deadline is None else deadline.remaining(now)


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with ``Z`` and always three decimals, so that text order is time order."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def parse_iso(text: str) -> datetime:
    """The aware UTC datetime of an ISO 8601 text, ours or Discord's (microseconds, ``+00:00``)."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
