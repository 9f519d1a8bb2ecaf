"""The texts of ``/session-admin``. Pure; see `handler.commands.texts`."""

from collections.abc import Iterator
from typing import Final

from handler.discord import components, markdown
from handler.discord.components import Component
from handler.discord.models import Channel
from handler.discord.responses import Message, layout, message
from handler.errors import quantity
from handler.sessions.duplicates.group import Duplicates, Group
from handler.store.items import ChannelItem, Session

MERGE_BUTTON: Final = "merge-duplicates"
MERGE_LABEL: Final = "Close duplicates"
KEEP_SELECT: Final = "keep-thread"
PAGE_BUTTON: Final = "duplicates"
NOT_CHOSEN: Final = "That thread can't be chosen any more. This is what there is now."
MAX_NAMES: Final = 4  # of a page: with the longest names they fit into Discord's 4000 characters
MAX_OTHERS: Final = 5  # duplicates shown of one name: more would leave no room for other names
MAX_NAME_UNITS: Final = 100  # of a name; a key that stands for it can be longer. Escaped it can be twice as long


def import_result(channel: ChannelItem) -> Message:
    threads, sessions = channel.import_threads, channel.import_sessions
    return message(
        f"I've checked this channel's threads: {quantity(threads, 'thread')}, {quantity(sessions, 'session')}. "
        "Each session is found by its name now."
    )


def duplicate_list(found: Duplicates, channel_id: str, *, page: int = 0, note: str = "") -> Message:
    """A page of the names with several threads, each with a select of the one to keep, and a button that merges them all.

    `note`: what was done before.
    """
    if not found.groups:
        return message("\n".join(filter(None, [note, _none_found(found.unread)])))
    last = (len(found.groups) - 1) // MAX_NAMES
    page = min(page, last)
    shown = found.groups[page * MAX_NAMES :][:MAX_NAMES]
    parts = [components.text("\n".join(filter(None, [note, _head(found, page, last)])))]
    for number, group in enumerate(shown):
        parts.append(components.text("\n".join(_group(group))))
        options = list(_options(group))
        if len(options) > 1:
            select = components.select(f"{KEEP_SELECT}:{channel_id}:{page}:{number}", options)
            parts.append(components.row(select))
    buttons = [components.button(MERGE_LABEL, f"{MERGE_BUTTON}:{channel_id}", style=components.DANGER)]
    if page > 0:
        buttons.append(components.button("◀ Back", f"{PAGE_BUTTON}:{channel_id}:{page - 1}"))
    if page < last:
        buttons.append(components.button("More ▶", f"{PAGE_BUTTON}:{channel_id}:{page + 1}"))
    parts += [components.text(_foot(found.unread)), components.row(*buttons)]
    return layout(components.container(*parts))


def chosen_thread(session: Session) -> str:
    """The note that a choice was carried out."""
    name = markdown.bold(markdown.shorten(session.session_name, MAX_NAME_UNITS))
    return f"{name} continues in {markdown.channel_mention(session.discord_thread_id or '')} from now on."


def _head(found: Duplicates, page: int, last: int) -> str:
    sessions, threads = quantity(len(found.groups), "session"), quantity(found.threads, "duplicate thread")
    pages = f" Page {page + 1} of {last + 1}." if last else ""
    return f"Found {threads} for {sessions}.{pages}"


def _foot(unread: int) -> str:
    text = (
        "To keep another thread of a name, choose it: the session continues there at once.\n"
        f"**{MERGE_LABEL}** posts a link to the kept thread in each other one, renames it (↪), archives and locks it. "
        "Nothing is deleted."
    )
    return f"I haven't checked {quantity(unread, 'more thread')} yet; the button does.\n{text}" if unread else text


def _options(group: Group) -> Iterator[Component]:
    """The threads of a name that may be kept, by their numbers in the text."""
    for number, (thread, may_be_kept) in enumerate(group.first(MAX_OTHERS), 1):
        if may_be_kept:
            is_kept = thread.id == group.kept.id
            yield components.option(f"Keep {number}: {_plain(thread)}", thread.id, chosen=is_kept)


def _plain(thread: Channel) -> str:
    """A thread where there is no markdown."""
    return f"{quantity(thread.message_count or 0, 'message')}, {thread.last_activity:%Y-%m-%d}, {_state(thread)}"


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


def _group(group: Group) -> Iterator[str]:
    name = group.session.session_name if group.session is not None else group.session_key
    why = "on record" if group.on_record else "most messages"
    yield f"{markdown.bold(markdown.shorten(name, MAX_NAME_UNITS))} · keeps 1 ({why})"
    for number, (thread, may_be_kept) in enumerate(group.first(MAX_OTHERS), 1):
        yield f"`{number}` {_thread(thread)}" + ("" if may_be_kept else " · is being closed")
    if (hidden := len(group.others) - MAX_OTHERS) > 0:
        yield f"… and {hidden:,} more"


def _thread(thread: Channel) -> str:
    """A thread's link, number of messages, last activity and state."""
    return " · ".join(
        [
            markdown.channel_mention(thread.id),
            quantity(thread.message_count or 0, "message"),
            markdown.timestamp(thread.last_activity, "R"),
            _state(thread),
        ]
    )


def _state(thread: Channel) -> str:
    states = [word for word, holds in (("archived", thread.archived), ("locked", thread.locked)) if holds]
    return " and ".join(states) or "active"
