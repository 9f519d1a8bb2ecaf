"""The texts of ``/session-admin``. Pure; see `handler.commands.texts`."""

from collections.abc import Iterator
from typing import Final

from handler.discord import markdown
from handler.discord.fitting import MAX_CONTENT, MAX_DESCRIPTION, fit_lines
from handler.discord.models import Channel
from handler.discord.responses import Message, message, with_button, with_embed
from handler.errors import quantity
from handler.runtime.utf16 import utf16_units
from handler.sessions.duplicates.group import Duplicates, Group
from handler.store.items import ChannelItem

MERGE_BUTTON: Final = "merge-duplicates"
MERGE_LABEL: Final = "Close duplicates"
MAX_OTHERS: Final = 5  # duplicates shown of one name: more would leave no room for other names
MAX_NAME_UNITS: Final = 100  # of a name; a key that stands for it can be longer. Escaped it can be twice as long


def import_result(channel: ChannelItem) -> Message:
    threads, sessions = channel.import_threads, channel.import_sessions
    return message(
        f"I've checked this channel's threads: {quantity(threads, 'thread')}, {quantity(sessions, 'session')}. "
        "Each session is found by its name now."
    )


def duplicate_list(found: Duplicates, channel_id: str) -> Message:
    """The names with several threads, and a button that merges them."""
    if not found.groups:
        return message(_none_found(found.unread))
    sessions, threads = quantity(len(found.groups), "session"), quantity(found.threads, "duplicate thread")
    head = f"Found {threads} for {sessions}. Nothing has changed yet.\n"
    foot = (
        f"\n**{MERGE_LABEL}** posts a link to the kept thread in each, renames it (↪), archives and locks it. "
        "Nothing is deleted."
    )
    if found.unread:
        foot = f"\nI haven't checked {quantity(found.unread, 'more thread')} yet; the button does." + foot
    groups = ["\n".join(_group(group)) for group in found.groups]
    in_message = fit_lines(groups, MAX_CONTENT - utf16_units(head + foot))
    in_embed = fit_lines(groups[len(in_message) :], MAX_DESCRIPTION, _more)
    answer = message(head + "\n".join(in_message) + foot)
    if in_embed:
        answer = with_embed(answer, "\n".join(in_embed))
    return with_button(answer, label=MERGE_LABEL, custom_id=f"{MERGE_BUTTON}:{channel_id}")


def _none_found(unread: int) -> str:
    if not unread:
        return "No duplicates: each session in this channel has one thread."
    return (
        f"No duplicates so far. I haven't checked {quantity(unread, 'more thread')} yet: "
        "use `/session-admin duplicates` again."
    )


def merge_result(threads: int, left: int, refused: int = 0, *, this_one_too: bool = False) -> Message:
    """`left`: a repeat may close them. `refused`: it cannot. `this_one_too`: the answer's own thread closes after it."""
    if this_one_too:
        return message(merge_result(threads + 1, left, refused)["content"] + " This thread closes last, in a moment.")
    if threads == left == refused == 0:
        return message("No duplicates are left: each session in this channel has one thread.")
    text = f"Closed {quantity(threads, 'duplicate thread')}."
    if threads:
        text += " It links the thread that was kept." if threads == 1 else " Each links the thread that was kept."
    if left:
        text += f" I couldn't close {quantity(left, 'more thread')} now: use `/session-admin duplicates` again."
    if refused:
        text += f" Discord doesn't let me close {quantity(refused, 'thread')}: please rename or delete them by hand."
    return message(text)


def _more(hidden: int) -> str:
    return f"… and {quantity(hidden, 'more session')}"


def _group(group: Group) -> Iterator[str]:
    name = group.session.session_name if group.session is not None else group.session_key
    bold = f"**{markdown.escape(markdown.shorten(name, MAX_NAME_UNITS))}**"
    why = "on record" if group.on_record else "has the most messages"
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
            quantity(thread.message_count or 0, "message"),
            markdown.timestamp(thread.last_activity, "R"),
            " and ".join(states) or "active",
        ]
    )
