"""Duplicates: session names that several threads bear, and which of the threads to keep. Pure.

One thread is kept: the one on record, else the best in the order of adoption. Each other one is merged: its pointer says
so, a message in it links the kept one, and it is renamed so that it bears no session's name, archived and locked. The
own thread of another session, which was only renamed, is left alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from handler.config import MERGE_MARK
from handler.discord import markdown
from handler.discord.messages import message_body, message_nonce
from handler.discord.models import Channel
from handler.discord.permissions import Permission
from handler.sessions.names import MAX_THREAD_NAME_UNITS
from handler.sessions.threads.match import best_first, is_adoptable
from handler.store.items import Pointer, Session

MERGED_PREFIX: Final = MERGE_MARK + " "  # of the name of a merged thread, so that it no longer bears a session's name

# What finding and merging need, in the order in which to grant it.
NEEDED_TO_MERGE: Final = (
    Permission.VIEW_CHANNEL,
    Permission.READ_MESSAGE_HISTORY,
    Permission.MANAGE_THREADS,
    Permission.SEND_MESSAGES_IN_THREADS,
)


class OtherThread(msgspec.Struct, frozen=True):
    """A thread to be merged."""

    thread: Channel
    pointer: Pointer | None  # as it was read


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """One session name with several threads."""

    session_key: str
    session: Session | None  # as it was read
    kept: Channel
    on_record: bool  # the kept thread is the session's; else the session is to adopt it
    others: tuple[OtherThread, ...]  # to be merged, in this order

    def first(self, most: int) -> list[tuple[Channel, bool]]:
        """The kept thread and so many others, each with whether it may be kept: none whose merge was begun."""
        others = [(other.thread, not _is_half_merged(other.pointer)) for other in self.others]
        return [(self.kept, True), *others[:most]]


class Duplicates(msgspec.Struct, frozen=True):
    """The duplicates of a channel."""

    groups: tuple[Group, ...]
    unread: int = 0  # further threads that may be duplicates

    @property
    def threads(self) -> int:
        """How many threads would be merged."""
        return sum(len(group.others) for group in self.groups)


def make_group(
    session_key: str,
    session: Session | None,
    own: Channel | None,
    matches: Sequence[Channel],
    pointers: Mapping[str, Pointer],
    owners: Mapping[str, Session],
    parent_channel_id: str,
) -> Group | None:
    """Sort the threads of a name into the kept one and the others; None if there is nothing to merge.

    own: the thread on record, if it exists
    matches: all threads that exist and bear the name
    pointers, owners: of the matches, by thread id; the owners are other sessions
    """
    rest = [thread for thread in best_first(matches) if own is None or thread.id != own.id]
    adoptable = [t for t in rest if is_adoptable(pointers.get(t.id), owners.get(t.id), parent_channel_id, session_key)]
    kept = own or next(iter(adoptable), None)
    if kept is None:
        return None
    others = [t for t in rest if t.id != kept.id and (t in adoptable or _is_half_merged(pointers.get(t.id)))]
    others.sort(key=lambda thread: thread.archived)  # active ones first: that makes room to open the archived ones
    if not others:
        return None
    return Group(
        session_key=session_key,
        session=session,
        kept=kept,
        on_record=own is not None,
        others=tuple(OtherThread(thread, pointers.get(thread.id)) for thread in others),
    )


def _is_half_merged(pointer: Pointer | None) -> bool:
    """Whether a merge was begun and not finished: the thread still bears the session's name."""
    return pointer is not None and pointer.merged_into is not None


# Where the server accepts no name with the thread's own words any more.
NEUTRAL_NAME: Final = f"{MERGED_PREFIX}Duplicate"


def name_merged(thread_name: str) -> str:
    """The name of the thread once it is merged: it is not a session's."""
    return markdown.shorten(MERGED_PREFIX + thread_name, MAX_THREAD_NAME_UNITS)


def build_link(kept_id: str) -> dict[str, Any]:
    """The body of the message that links the kept thread."""
    text = f"{MERGED_PREFIX}This thread is a duplicate. The session continues in {markdown.channel_mention(kept_id)}."
    return message_body(text)


def link_nonce(thread_id: str, kept_id: str) -> str:
    """The nonce of that message: the same for everybody who merges this thread into that one."""
    return message_nonce("merge", thread_id, kept_id)
