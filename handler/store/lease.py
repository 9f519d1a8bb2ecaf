"""Leases: for how long a claim keeps others from making the same thread. Pure."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from handler.runtime.clock import iso

LEASE_SECONDS: Final = 10.0  # several times what a creation takes, short enough to wait for a dead one
CLOCKS_DIFFER: Final = timedelta(seconds=5)  # between two machines of ours, at most


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The lease of a session's claim. After the commit the owner stays: a repeat of its request gets the same answer."""

    owner: str | None = msgspec.field(default=None, name="lease_owner")  # the id of the interaction or of the request
    expires_at: str | None = msgspec.field(default=None, name="lease_expires_at")

    def is_live(self, now: datetime) -> bool:
        """Whether the lease still runs. One that ends later than any lease can was written by a wrong clock."""
        latest = now + timedelta(seconds=LEASE_SECONDS) + CLOCKS_DIFFER
        return self.expires_at is not None and iso(now) < self.expires_at <= iso(latest)
