"""What an opener does next and the outcome that it reports, as tables of all cases."""

import itertools
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from handler.runtime.clock import iso
from handler.sessions.model import Outcome
from handler.sessions.opening.next_step import NextStep, next_step, outcome
from handler.store.items import Session, Status
from tests.kit.samples import NOW, session

CLOCKS_DIFFER = timedelta(seconds=5)
LEASE_SECONDS = 10.0

ME, OTHER = "interaction-1", "interaction-2"
# A lease that ends later was written by a clock that is wrong.
MAX_LEASE = timedelta(seconds=LEASE_SECONDS) + CLOCKS_DIFFER
LEASES: dict[str, str | None] = {
    "none": None,
    "running": iso(NOW + timedelta(milliseconds=1)),
    "ending now": iso(NOW),
    "over": iso(NOW - timedelta(hours=1)),
    "longest": iso(NOW + MAX_LEASE),
    "too long": iso(NOW + MAX_LEASE + timedelta(milliseconds=1)),
}


def test_with_nothing_on_record_the_session_is_claimed() -> None:
    assert next_step(None, owner=ME, now=NOW) is NextStep.CLAIM


EXPECTED: dict[tuple[Status, str | None, str], NextStep] = {
    **{(Status.VACANT, owner, lease): NextStep.CLAIM for owner in (None, ME, OTHER) for lease in LEASES},
    **{(Status.OPEN, owner, lease): NextStep.REUSE for owner in (None, ME, OTHER) for lease in LEASES},
    **{(Status.CLOSED, owner, lease): NextStep.REUSE for owner in (None, ME, OTHER) for lease in LEASES},
    **{(Status.CREATING, ME, lease): NextStep.RESUME for lease in LEASES},
    **{(Status.CREATING, owner, lease): NextStep.WAIT for owner in (None, OTHER) for lease in ("running", "longest")},
    **{
        (Status.CREATING, owner, lease): NextStep.TAKE_OVER
        for owner in (None, OTHER)
        for lease in ("none", "ending now", "over", "too long")
    },
}


@pytest.mark.parametrize(
    ("status", "owner", "lease"), list(itertools.product(Status, (None, ME, OTHER), LEASES)), ids=str
)
def test_the_next_step_for_every_status_owner_and_lease(status: Status, owner: str | None, lease: str) -> None:
    read = session(status=status, lease_owner=owner, lease_expires_at=LEASES[lease])
    assert next_step(read, owner=ME, now=NOW) is EXPECTED[status, owner, lease]


def test_an_unknown_status_raises() -> None:
    unknown = cast("Session", SimpleNamespace(status="archived"))
    with pytest.raises(ValueError, match="archived"):
        next_step(unknown, owner=ME, now=NOW)


@pytest.mark.parametrize(
    ("lease_owner", "adopted", "reopened", "expected"),
    [
        (None, False, False, Outcome.REUSED),
        (OTHER, False, False, Outcome.REUSED),
        (ME, False, False, Outcome.CREATED),
        (None, False, True, Outcome.REOPENED),
        (OTHER, False, True, Outcome.REOPENED),
        (ME, False, True, Outcome.CREATED),
        *((owner, True, reopened, Outcome.ADOPTED) for owner in (None, ME, OTHER) for reopened in (True, False)),
    ],
)
def test_the_outcome_for_every_way_to_get_the_thread(
    lease_owner: str | None, adopted: bool, reopened: bool, expected: Outcome
) -> None:
    read = session(lease_owner=lease_owner)
    assert outcome(read, owner=ME, adopted=adopted, reopened=reopened) is expected
