"""Every text of ``/session-admin`` that people read. Pure; see `handler.commands.texts`."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from handler.discord import markdown
from handler.discord.models import Channel
from handler.discord.responses import Message, message, with_button, with_embed
from handler.runtime.utf16 import utf16_units
from handler.sessions.duplicates.group import Duplicates, Group
from handler.store.items import ChannelItem

MERGE_BUTTON: Final = "merge-duplicates"
MAX_LIST_UNITS: Final = 1700  # of the 2000 that a message may have: the rest is for what stands around the list
MAX_MORE_UNITS: Final = 4000  # of the 4096 of an embed's description, for what the message has no room for
OTHERS_SHOWN: Final = 5  # threads of one name: more say nothing new, and leave no room for other names
NAME_UNITS: Final = 200  # of a name once it is escaped, which can double its length


def imported(channel: ChannelItem) -> Message:
    """The import has reached its end."""
    threads, sessions = channel.import_threads, channel.import_sessions
    return message(
        f"I have read this channel’s threads: {_counted(threads, 'thread')}, "
        f"{sessions} of them named like sessions. Each of those is found now by its name."
    )


def duplicates(found: Duplicates, channel_id: str) -> Message:
    """The list, and a button to carry it out. Nothing has been changed."""
    if not found.groups:
        return message("No session name in this channel has several threads: there is nothing to merge." + _rest(found))
    names, threads = _counted(len(found.groups), "session name"), _counted(found.threads, "thread")
    head = f"{names} with several threads here; {threads} would be merged. Nothing has been changed yet.\n"
    foot = (
        "\nThe button merges every duplicate in this channel: a message in it links the kept thread; then it is "
        "renamed (↪), archived and locked. Nothing is deleted."
    )
    names_shown, names_beneath = _list(found)
    answer = message(head + names_shown + _rest(found) + foot)
    if names_beneath:
        answer = with_embed(answer, names_beneath)
    return with_button(answer, label=f"Merge {threads}", custom_id=f"{MERGE_BUTTON}:{channel_id}")


def merged(threads: int, left: int) -> Message:
    """It is carried out."""
    if threads == 0 and left == 0:
        return message("There is nothing left to merge: each session name here has one thread.")
    each = "it" if threads == 1 else "each"
    text = (
        f"I have merged {_counted(threads, 'thread')}: {each} is archived and locked, and links the one that was kept."
    )
    if left:
        text += f" {_counted(left, 'thread')} could not be merged now: use `/session-admin duplicates` again."
    return message(text)


def _list(found: Duplicates) -> tuple[str, str]:
    """As many names as there is room for: in the message, and beneath it."""
    parts = ["\n".join(_group(group)) for group in found.groups]
    shown = _fitting(parts, MAX_LIST_UNITS)
    beneath = _fitting(parts[len(shown) :], MAX_MORE_UNITS)
    hidden = len(parts) - len(shown) - len(beneath)
    more = [f"… and {_counted(hidden, 'more name')}"] if hidden else []
    return "\n".join(shown), "\n".join([*beneath, *more])


def _fitting(parts: Sequence[str], room: int) -> list[str]:
    """The first ones, as many as fit."""
    units = accumulate(utf16_units(part) + 1 for part in parts)
    return [part for part, so_far in zip(parts, units, strict=True) if so_far <= room]


def _group(group: Group) -> Iterator[str]:
    name = group.session.session_name if group.session is not None else group.session_key
    bold = f"**{markdown.shorten(markdown.escape(name), NAME_UNITS)}**"
    why = "on record" if group.on_record else "the fullest"
    yield f"{bold} keeps {_thread(group.kept)} · {why}"
    for other in group.others[:OTHERS_SHOWN]:
        yield f"↪ {_thread(other.thread)}"
    if (hidden := len(group.others) - OTHERS_SHOWN) > 0:
        yield f"↪ … and {hidden} more"


def _thread(thread: Channel) -> str:
    """A thread with its count of messages, last activity and state."""
    states = [word for word, holds in (("archived", thread.archived), ("locked", thread.locked)) if holds]
    return " · ".join(
        [
            markdown.channel_mention(thread.id),
            _counted(thread.message_count or 0, "message"),
            markdown.timestamp(thread.last_activity, "R"),
            " and ".join(states) or "active",
        ]
    )


def _rest(found: Duplicates) -> str:
    """What was not looked at."""
    if not found.unread:
        return ""
    return f"\n{_counted(found.unread, 'further thread')} may be duplicates: I have not looked at them yet."


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
