"""Which threads may be a session's, which one is best, and which archived pages to read. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from handler.discord import snowflakes
from handler.discord.models import Channel, ChannelType
from handler.runtime.clock import iso, parse_iso
from handler.sessions.names import Names
from handler.store.items import Pointer, Session

OVERLAP: Final = timedelta(milliseconds=1)  # of archived pages: several threads may be archived in one millisecond
ATTEMPT_MARGIN: Final = timedelta(minutes=1)  # our clock and Discord's may differ
ARCHIVE_TIME_MARGIN: Final = timedelta(minutes=1)  # our clock and Discord's may differ, and records are cut to the ms


def is_match(names: Names, thread: Channel, parent_channel_id: str, session_key: str) -> bool:
    """Whether a thread bears the name of this channel's session, and is no private thread."""
    return thread.parent_id == parent_channel_id and is_public_thread(thread) and names.bears(thread.name, session_key)


def best_first(threads: Iterable[Channel]) -> list[Channel]:
    """Several threads of one name: most messages first, then the latest activity, then the smallest id."""
    return sorted(threads, key=lambda t: (-(t.message_count or 0), -t.last_activity.timestamp(), int(t.id)))


def is_better(found: Channel, session: Session) -> bool:
    """Whether a thread comes before the one that an import has given the session, in the order of `best_first`."""
    if session.discord_thread_id is None or session.thread.last_activity_at is None:
        return False
    on_record = (
        -(session.settlement.messages or 0),
        _negative(session.thread.last_activity_at),
        int(session.discord_thread_id),
    )
    return (-(found.message_count or 0), _negative(iso(found.last_activity)), int(found.id)) < on_record


def _negative(at: str) -> float:
    return -parse_iso(at).timestamp()


def is_public_thread(thread: Channel) -> bool:
    """Whether a thread may be a session's by its type: private threads never are."""
    return thread.type in (ChannelType.PUBLIC_THREAD, ChannelType.ANNOUNCEMENT_THREAD)


def is_adoptable(pointer: Pointer | None, owner: Session | None, parent_channel_id: str, session_key: str) -> bool:
    """Whether a thread with that pointer may be adopted. `owner` is the session that the pointer names, as read."""
    if pointer is not None and pointer.discarded_at is not None:
        return False
    if pointer is None or pointer.names(parent_channel_id, session_key):
        return True
    if pointer.merged_into is not None:
        return False
    return owner is None or not owner.has(pointer.thread_id)


def was_attempted(session: Session, thread: Channel) -> bool:
    """Whether the thread is young enough to come from an attempt of the session's generation."""
    attempted_at = session.create_attempted_at
    return attempted_at is not None and snowflakes.time_of(thread.id) >= parse_iso(attempted_at) - ATTEMPT_MARGIN


def may_be_extra(session: Session, thread: Channel, pointer: Pointer | None, *, came_late: bool = False) -> bool:
    """Whether the thread, if it is the bot's own, comes from an attempt of a session that has another thread now.

    `came_late`: it comes from the source message of a generation that had ended.
    """
    is_nobodys = pointer is None or (pointer.discarded_at is not None and pointer.names(*session.pair))
    has_another = session.discord_thread_id not in (None, thread.id)
    return is_nobodys and has_another and (came_late or was_attempted(session, thread)) and is_unused(thread)


def is_unused(thread: Channel) -> bool:
    """Whether the thread is known to have no message but, if it is a post, the first one."""
    return thread.message_count == 0 and thread.last_message_id in (None, thread.id)


def next_page_before(page: Sequence[Channel], new: Sequence[Channel]) -> datetime | None:
    """The archive time before which the next page begins; None if there is none.

    Pages overlap, unless that brought no new thread.
    """
    times = [t.archive_time for t in page if t.archive_time is not None]
    if not times:
        return None
    return min(times) + OVERLAP if new else min(times)


def archived_window(session: Session, thread_id: str) -> tuple[datetime | None, datetime]:
    """The archive times between which to search for a missing thread: (before, since); None: from the newest down."""
    if session.thread.archived and session.thread.archived_at is not None:
        at = parse_iso(session.thread.archived_at)
        return at + ARCHIVE_TIME_MARGIN, at - ARCHIVE_TIME_MARGIN
    seen_active_at = session.thread.seen_active_at
    since = parse_iso(seen_active_at) if seen_active_at else snowflakes.time_of(thread_id)
    return None, since - ARCHIVE_TIME_MARGIN
