"""Leases: for how long a claim keeps others from making the same thread. Pure."""

from datetime import datetime, timedelta
from typing import Final

from handler.runtime.clock import iso
from handler.store.clauses import LEASE_SECONDS

CLOCKS_DIFFER: Final = timedelta(seconds=5)  # between two machines of ours, at most


def is_live(lease_expires_at: str | None, now: datetime) -> bool:
    """Whether a lease still runs. One that ends later than any lease can was written by a wrong clock."""
    latest = now + timedelta(seconds=LEASE_SECONDS) + CLOCKS_DIFFER
    return lease_expires_at is not None and iso(now) < lease_expires_at <= iso(latest)
