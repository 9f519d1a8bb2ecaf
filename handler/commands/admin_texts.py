"""The texts of ``/session-admin``. Pure; see `handler.commands.texts`."""

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
MAX_LIST_UNITS: Final = 1700  # of a message's 2000; the rest is for the text around the list
MAX_EMBED_UNITS: Final = 4000  # of the 4096 of an embed's description
MAX_OTHERS: Final = 5  # duplicates shown of one name: more would leave no room for other names
MAX_NAME_UNITS: Final = 200  # of an escaped name, which can be twice as long as the name


def import_result(channel: ChannelItem) -> Message:
    threads, sessions = channel.import_threads, channel.import_sessions
    return message(
        f"I have read this channel’s threads: {_quantity(threads, 'thread')}, "
        f"{sessions} of them named like sessions. Each of those is found now by its name."
    )


def duplicate_list(found: Duplicates, channel_id: str) -> Message:
    """The names with several threads, and a button that merges them."""
    if not found.groups:
        return message(
            "No session name in this channel has several threads: there is nothing to merge." + _unread(found)
        )
    names, threads = _quantity(len(found.groups), "session name"), _quantity(found.threads, "thread")
    head = f"{names} with several threads here; {threads} would be merged. Nothing has been changed yet.\n"
    foot = (
        "\nThe button merges every duplicate in this channel: a message in it links the kept thread; then it is "
        "renamed (↪), archived and locked. Nothing is deleted."
    )
    in_message, in_embed = _list(found)
    answer = message(head + in_message + _unread(found) + foot)
    if in_embed:
        answer = with_embed(answer, in_embed)
    return with_button(answer, label=f"Merge {threads}", custom_id=f"{MERGE_BUTTON}:{channel_id}")


def merge_result(threads: int, left: int) -> Message:
    if threads == 0 and left == 0:
        return message("There is nothing left to merge: each session name here has one thread.")
    each = "it" if threads == 1 else "each"
    text = (
        f"I have merged {_quantity(threads, 'thread')}: {each} is archived and locked, and links the one that was kept."
    )
    if left:
        text += f" {_quantity(left, 'thread')} could not be merged now: use `/session-admin duplicates` again."
    return message(text)


def _list(found: Duplicates) -> tuple[str, str]:
    """As many names as fit, for the message and for its embed."""
    parts = ["\n".join(_group(group)) for group in found.groups]
    shown = _take_fitting(parts, MAX_LIST_UNITS)
    embedded = _take_fitting(parts[len(shown) :], MAX_EMBED_UNITS)
    hidden = len(parts) - len(shown) - len(embedded)
    more = [f"… and {_quantity(hidden, 'more name')}"] if hidden else []
    return "\n".join(shown), "\n".join([*embedded, *more])


def _take_fitting(parts: Sequence[str], max_units: int) -> list[str]:
    """The first parts, as many as fit when joined by a character."""
    units = accumulate(utf16_units(part) + 1 for part in parts)
    return [part for part, total in zip(parts, units, strict=True) if total <= max_units]


def _group(group: Group) -> Iterator[str]:
    name = group.session.session_name if group.session is not None else group.session_key
    bold = f"**{markdown.shorten(markdown.escape(name), MAX_NAME_UNITS)}**"
    why = "on record" if group.on_record else "the fullest"
    yield f"{bold} keeps {_thread(group.kept)} · {why}"
    for other in group.others[:MAX_OTHERS]:
        yield f"↪ {_thread(other.thread)}"
    if (hidden := len(group.others) - MAX_OTHERS) > 0:
        yield f"↪ … and {hidden} more"


def _thread(thread: Channel) -> str:
    """A thread's link, number of messages, last activity and state."""
    states = [word for word, holds in (("archived", thread.archived), ("locked", thread.locked)) if holds]
    return " · ".join(
        [
            markdown.channel_mention(thread.id),
            _quantity(thread.message_count or 0, "message"),
            markdown.timestamp(thread.last_activity, "R"),
            " and ".join(states) or "active",
        ]
    )


def _unread(found: Duplicates) -> str:
    if not found.unread:
        return ""
    return f"\n{_quantity(found.unread, 'further thread')} may be duplicates: I have not looked at them yet."


def _quantity(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
