"""Duplicates: session names that several threads bear, and what becomes of them. Pure.

One thread is kept: the one on record, else the best in the order of adoption. Each other one is *merged*: its pointer
says so, a message in it links the kept one, and it gets a name that is no session's, archived and locked. Left alone are
threads that are another session's own, which were only renamed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from handler.discord import markdown
from handler.discord.messages import message_body, message_nonce
from handler.discord.models import Channel
from handler.discord.permissions import Permission
from handler.sessions.names import MAX_THREAD_NAME_UNITS
from handler.sessions.threads.match import best_first, is_adoptable
from handler.store.items import Pointer, Session

MERGED_PREFIX: Final = "↪ "  # before the name of a merged thread, so that it is no session's any more

# What finding and merging need, in the order in which people should grant it.
NEEDED_TO_MERGE: Final = (
    Permission.VIEW_CHANNEL,
    Permission.READ_MESSAGE_HISTORY,
    Permission.MANAGE_THREADS,
    Permission.SEND_MESSAGES_IN_THREADS,
)


class OtherThread(msgspec.Struct, frozen=True):
    """A thread to be merged, and its pointer as it was read."""

    thread: Channel
    pointer: Pointer | None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """One session name with several threads. `session` is what is on record of it, as read."""

    session_key: str
    session: Session | None
    kept: Channel
    on_record: bool
    others: tuple[OtherThread, ...]


class Duplicates(msgspec.Struct, frozen=True):
    """What was found. `unread` is how many further threads may be duplicates: they were not looked at."""

    groups: tuple[Group, ...]
    unread: int = 0

    @property
    def threads(self) -> int:
        """How many threads would be merged."""
        return sum(len(group.others) for group in self.groups)


def group_of(
    session_key: str,
    session: Session | None,
    own: Channel | None,
    bearing: Sequence[Channel],
    pointers: Mapping[str, Pointer],
    owners: Mapping[str, Session],
    parent_channel_id: str,
) -> Group | None:
    """The name's threads sorted into the kept one and the others; None where nothing is to be merged.

    `own` is the living thread on record, `bearing` all that live and bear the name, `owners` the sessions that their
    pointers name, other than this one.
    """

    def adoptable(thread: Channel) -> bool:
        return is_adoptable(pointers.get(thread.id), owners.get(thread.id), parent_channel_id, session_key)

    rest = [thread for thread in best_first(bearing) if own is None or thread.id != own.id]
    free = [thread for thread in rest if adoptable(thread)]
    kept = own or next(iter(free), None)
    if kept is None:
        return None
    others = [t for t in rest if t.id != kept.id and (t in free or _is_half_merged(pointers.get(t.id)))]
    others.sort(key=lambda thread: thread.archived)  # those that are active first: it makes room to open the archived
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
    """Somebody began to merge it and did not come to the end: it still bears the session's name."""
    return pointer is not None and pointer.merged_into is not None


def merged_name(thread_name: str) -> str:
    """The name of a merged thread: no session's."""
    return markdown.shorten(MERGED_PREFIX + thread_name, MAX_THREAD_NAME_UNITS)


def link_message(kept_id: str) -> dict[str, Any]:
    """The body of the message that links the kept thread."""
    text = f"{MERGED_PREFIX}This thread is a duplicate. The session goes on in {markdown.channel_mention(kept_id)}."
    return message_body(text)


def link_nonce(thread_id: str, kept_id: str) -> str:
    """The same for everybody who merges this thread into that one."""
    return message_nonce("merge", thread_id, kept_id)
