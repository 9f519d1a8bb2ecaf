"""Who placed a lock, and for whom it is lifted, as tables of all cases."""

from datetime import datetime, timedelta
from typing import Final

import pytest

from handler.config import UnlockPolicy
from handler.discord.models import Channel, ThreadMetadata
from handler.runtime.clock import iso
from handler.sessions.model import Requester
from handler.sessions.threads.locks import may_unlock
from tests.kit.samples import NOW, session


@pytest.mark.parametrize("policy", ["moderators", "everyone"])
@pytest.mark.parametrize("moderator", [True, False])
@pytest.mark.parametrize("locked_by", [None, "app", "user"])
def test_a_lock_is_lifted_for_moderators_by_policy_or_if_this_app_placed_it(
    policy: UnlockPolicy, moderator: bool, locked_by: str | None
) -> None:
    requester = Requester(owner="interaction-1", may_unlock=moderator)
    expected = policy == "everyone" or moderator or locked_by == "app"
    assert may_unlock(session(locked_by=locked_by), Channel(id="5", type=11), requester, policy, "app") is expected


SOON: Final = NOW + timedelta(minutes=1)
LONG_AFTER: Final = NOW + timedelta(minutes=6)


@pytest.mark.parametrize(
    ("marked", "locked_by", "archived_at", "ours"),
    [
        (True, None, None, True),  # nobody has cleared the mark: the deletion goes on
        (True, "app", None, True),
        (True, "user", None, False),  # the audit log names a moderator
        (False, None, SOON, True),  # archived with the lock, soon after that was recorded
        (False, "app", LONG_AFTER, True),
        (False, None, LONG_AFTER, False),
        (False, None, None, False),  # active again: the lock was placed afterwards
        (False, "user", SOON, False),
    ],
)
def test_only_the_lock_of_an_abandoned_deletion_counts_as_ours(
    marked: bool, locked_by: str | None, archived_at: datetime | None, ours: bool
) -> None:
    record = session(locked_by=locked_by, delete_locking_at=iso(NOW), delete_marked_at=iso(NOW) if marked else None)
    metadata = ThreadMetadata(
        archived=archived_at is not None, locked=True, archive_timestamp=iso(archived_at) if archived_at else None
    )
    thread = Channel(id="5", type=11, thread_metadata=metadata)
    assert may_unlock(record, thread, Requester(owner="interaction-1"), "moderators", "app") is ours
