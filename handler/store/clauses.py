"""The named clauses of the Store's conditions, and what a session carries in each state. Pure.

`#x` is the attribute x, `:x` a value that the write gives.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from handler.store.items import Session, Status

VACANT_KEPT: Final = timedelta(days=30)  # far longer than any process can sleep and still remember the generation

ABSENT: Final = "attribute_not_exists(pk)"
IS_VACANT: Final = "#status = :vacant"
STILL_CREATING: Final = "#status = :creating"
SAME_GENERATION: Final = "#generation = :generation"
READ_GENERATION: Final = "#generation = :read_generation"  # for a write that also sets the generation
NOTHING_RECORDED: Final = "attribute_not_exists(#source_message_id) AND attribute_not_exists(#discord_thread_id)"
RECORDABLE: Final = f"{STILL_CREATING} AND {SAME_GENERATION} AND {NOTHING_RECORDED}"
# Creations without an anchor: none was attempted, or as many as were read.
NOT_ATTEMPTED: Final = "attribute_not_exists(#create_attempts)"
ATTEMPTS_AS_READ: Final = "#create_attempts = :read_attempts"
OWN_LEASE: Final = "#lease_owner = :owner"
# A claim without a whole lease: edited by hand, or half restored.
NO_LEASE: Final = "(attribute_not_exists(#lease_owner) OR attribute_not_exists(#lease_expires_at))"
LEASE_AS_READ: Final = "#lease_owner = :read_owner AND #lease_expires_at = :read_expiry"
SAME_SOURCE: Final = "#source_message_id = :source"
SAME_THREAD: Final = "#discord_thread_id = :thread"
NO_SOURCE: Final = "attribute_not_exists(#source_message_id)"
NO_TOPIC: Final = "attribute_not_exists(#topic) AND attribute_not_exists(#topic_to_show)"
SAME_TOPIC_TO_SHOW: Final = "#topic_to_show = :topic_to_show"
SAME_CLOSING: Final = "#closing_at = :read_closing_at"
NO_CLOSING: Final = "attribute_not_exists(#closing_at)"
ANOTHER_REQUEST: Final = "(attribute_not_exists(#close_request) OR #close_request <> :close_request)"
NO_THREAD: Final = "attribute_not_exists(#discord_thread_id)"
NOT_BEING_DELETED: Final = "attribute_not_exists(#deleting_at)"
NOT_MARKED: Final = "attribute_not_exists(#delete_marked_at)"
MARK_AS_READ: Final = "#delete_marked_at = :read_mark AND #delete_marked_message = :read_message"
# The pointer is absent, or names this very session, and its thread is not being discarded.
POINTER_OURS: Final = (
    "attribute_not_exists(pk) OR "
    "(#parent_channel_id = :parent AND #session_key = :key AND attribute_not_exists(#discarded_at))"
)
DISCARDED: Final = "attribute_exists(#discarded_at)"
POINTER_AS_READ: Final = "#parent_channel_id = :read_parent AND #session_key = :read_key"
# The session that a pointer named no longer has the thread.
THREAD_NOT_HELD: Final = (
    "(attribute_not_exists(#discord_thread_id) OR #discord_thread_id <> :thread)"
    " AND (attribute_not_exists(#source_message_id) OR #source_message_id <> :thread)"
)

# The thread on record is as it was read; an attribute may be absent where nothing was seen yet.
UNCHANGED: Final = " AND ".join(
    f"(#{name} = :read_{name} OR attribute_not_exists(#{name}))" for name in ("archived", "locked")
)
# Of a job: its messages have a number, and one of the highest number works on it at a time.
JOB_BELOW: Final = "#put_backs < :put_backs"
JOB_FREE: Final = "attribute_not_exists(#lease_owner) OR #lease_owner = :lease_owner OR #lease_expires_at <= :now"
JOB_CLAIMABLE: Final = (
    "attribute_not_exists(#finished_at) AND "
    f"(attribute_not_exists(#put_backs) OR {JOB_BELOW} OR (#put_backs = :put_backs AND ({JOB_FREE})))"
)
SAME_STATUS: Final = "#status = :read_status"
SAME_LOCKER: Final = "#locked_by = :read_locked_by"
NO_LOCKER: Final = "attribute_not_exists(#locked_by)"
SAME_OPENING: Final = "#opened_at = :read_opened_at"
NO_OPENING: Final = "attribute_not_exists(#opened_at)"


def vacant_attributes(generation: int, now: datetime) -> dict[str, Any]:
    """What a vacant session carries of its state, once GENERATION_ATTRIBUTES are removed."""
    expires_at = int((now + VACANT_KEPT).timestamp())
    return {"status": Status.VACANT, "generation": generation, "expires_at": expires_at}


def attempts_as_read(session: Session) -> str:
    """The condition that nobody has asked for a thread without an anchor since the session was read."""
    return ATTEMPTS_AS_READ if session.create_attempts else NOT_ATTEMPTED


def lease_as_read(session: Session) -> str:
    """The condition that nobody has taken over or renewed the lease since it was read."""
    return LEASE_AS_READ if session.lease.owner and session.lease.expires_at else NO_LEASE


def adoptable_as_read(session: Session | None) -> tuple[str, dict[str, Any]]:
    """The condition, and its values, that a session can take a thread, as when it was read. Raises ValueError if not."""
    if session is None:
        return ABSENT, {}
    values: dict[str, Any] = {"read_generation": session.generation}
    if session.status is Status.VACANT:
        return f"{IS_VACANT} AND {READ_GENERATION}", {**values, "vacant": Status.VACANT}
    if session.status is Status.CREATING:
        condition = f"{STILL_CREATING} AND {READ_GENERATION} AND {NOTHING_RECORDED}"
        return condition, {**values, "creating": Status.CREATING}
    raise ValueError(f"a session that is {session.status} has a thread already")
