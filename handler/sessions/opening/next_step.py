"""What an opener does next with what is on record, and how its answer calls what happened. Pure."""

from datetime import datetime
from enum import Enum, auto

from handler.sessions.model import Outcome
from handler.store.items import Session, Status


class NextStep(Enum):
    """What an opener does next with what is on record."""

    CLAIM = auto()
    RESUME = auto()  # the claim is our own: go on from what is recorded
    TAKE_OVER = auto()  # the claim's lease has ended
    WAIT = auto()  # somebody else is making the thread right now
    REUSE = auto()


def next_step(session: Session | None, *, owner: str, now: datetime) -> NextStep:
    """What the opener `owner` does with the session as it was read."""
    if session is None:
        return NextStep.CLAIM
    match session.status:
        case Status.VACANT:
            return NextStep.CLAIM
        case Status.OPEN | Status.CLOSED:
            return NextStep.REUSE
        case Status.CREATING:
            if session.lease.owner == owner:
                return NextStep.RESUME
            return NextStep.WAIT if session.lease.is_live(now) else NextStep.TAKE_OVER
    raise ValueError(f"unknown status {session.status!r}")


def outcome(session: Session, *, owner: str, adopted: bool = False, reopened: bool = False) -> Outcome:
    """How to call it. Who created or adopted the thread is told so, however often he asks."""
    if adopted or session.adopted_by == owner:
        return Outcome.ADOPTED
    if session.lease.owner == owner:
        return Outcome.CREATED
    return Outcome.REOPENED if reopened else Outcome.REUSED
