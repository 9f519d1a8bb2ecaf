"""The named clauses of the Store's conditions, and what a session carries in each state. Pure.

`#x` is the attribute x, `:x` a value that the write gives.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from handler.table.items import Session, Status

LEASE_SECONDS: Final = 10.0  # several times what a creation takes, short enough to wait for a dead one
VACANT_KEPT: Final = timedelta(days=30)  # far longer than any process can sleep and still remember the generation

ABSENT: Final = "attribute_not_exists(pk)"
IS_VACANT: Final = "#status = :vacant"
STILL_CREATING: Final = "#status = :creating"
SAME_GENERATION: Final = "#generation = :generation"
READ_GENERATION: Final = "#generation = :read_generation"  # for a write that sets the generation, too
NOTHING_RECORDED: Final = "attribute_not_exists(#source_message_id) AND attribute_not_exists(#discord_thread_id)"
RECORDABLE: Final = f"{STILL_CREATING} AND {SAME_GENERATION} AND {NOTHING_RECORDED}"
OWN_LEASE: Final = "#lease_owner = :owner"
# A claim without a whole lease: by hand, or by half a restore.
NO_LEASE: Final = "(attribute_not_exists(#lease_owner) OR attribute_not_exists(#lease_expires_at))"
LEASE_AS_READ: Final = "#lease_owner = :read_owner AND #lease_expires_at = :read_expiry"
SAME_SOURCE: Final = "#source_message_id = :source"
SAME_THREAD: Final = "#discord_thread_id = :thread"
NO_SOURCE: Final = "attribute_not_exists(#source_message_id)"
NO_THREAD: Final = "attribute_not_exists(#discord_thread_id)"
# The pointer is nobody's yet, or names this very session.
POINTER_OURS: Final = "attribute_not_exists(pk) OR (#parent_channel_id = :parent AND #session_key = :key)"
POINTER_AS_READ: Final = "#parent_channel_id = :read_parent AND #session_key = :read_key"
# The former owner of a pointer that is taken over has the thread no more, at the very moment it is taken.
HAS_IT_NO_MORE: Final = (
    "(attribute_not_exists(#discord_thread_id) OR #discord_thread_id <> :thread)"
    " AND (attribute_not_exists(#source_message_id) OR #source_message_id <> :thread)"
)

# What ends with a generation.
OF_A_LIFE: Final = [
    "discord_thread_id",
    "source_message_id",
    "lease_owner",
    "lease_expires_at",
    "adopted_by",
    "thread_name",
    "archived",
    "locked",
    "locked_by",
    "archived_at",
    "seen_active_at",
    "created_at",
    "created_by",
    "last_activity_at",
    "watch_guild_id",
]


def vacant(generation: int, now: datetime) -> dict[str, Any]:
    """What a vacant session carries; with OF_A_LIFE removed, all it carries of its state."""
    expires_at = int((now + VACANT_KEPT).timestamp())
    return {"status": Status.VACANT, "generation": generation, "expires_at": expires_at}


def free_as_read(session: Session | None) -> tuple[str, dict[str, Any]]:
    """The condition, and its values, that a session is as free to take a thread as it was when it was read."""
    if session is None:
        return ABSENT, {}
    values: dict[str, Any] = {"read_generation": session.generation}
    same = "#generation = :read_generation"
    if session.status is Status.VACANT:
        return f"{IS_VACANT} AND {same}", {**values, "vacant": Status.VACANT}
    if session.status is Status.CREATING:
        return f"{STILL_CREATING} AND {same} AND {NOTHING_RECORDED}", {**values, "creating": Status.CREATING}
    raise ValueError(f"a session that is {session.status} has a thread already")
