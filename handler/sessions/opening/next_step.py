"""What an opener does next, and the outcome that it reports. Pure."""

from datetime import datetime
from enum import Enum, auto

from handler.sessions.model import Outcome
from handler.store.items import Session, Status


class NextStep(Enum):
    """What an opener does next."""

    CLAIM = auto()  # nothing is on record, or the session is vacant
    RESUME = auto()  # the claim is this opener's: go on from what is on record
    TAKE_OVER = auto()  # the claim's lease has ended
    WAIT = auto()  # another opener is making the thread right now
    REUSE = auto()  # the session has its thread


def next_step(session: Session | None, *, owner: str, now: datetime) -> NextStep:
    """What the opener `owner` does with the session, which is as it was read."""
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
    """How the opener `owner` got the thread. Repeats of the request that created or adopted it get the same answer."""
    if adopted or session.adopted_by == owner:
        return Outcome.ADOPTED
    if session.lease.owner == owner:
        return Outcome.CREATED
    return Outcome.REOPENED if reopened else Outcome.REUSED
