"""The texts of the commands that change a session. Pure; see `handler.commands.texts`."""

from typing import Final

from handler.discord import markdown
from handler.discord.components import PRIMARY, button, link_button, row
from handler.discord.permissions import Permission
from handler.discord.responses import Message, message, with_rows
from handler.errors import permission_title
from handler.sessions.model import thread_url
from handler.sessions.names import MAX_REASON_LENGTH
from handler.sessions.threads.source_message import place_of_description
from handler.store.items import Session

REOPEN_BUTTON: Final = "reopen"  # its argument is the thread


def closed(session: Session) -> Message:
    """`session`: closed, or about to be. Its thread is linked, and can be opened again."""
    locked = " and locked" if session.closing.lock else ""
    text = f"{_named(session)} is closed{locked}. Opening it opens the thread again."
    reopen = button("Reopen", f"{REOPEN_BUTTON}:{session.discord_thread_id}", style=PRIMARY)
    return with_rows(message(text), row(reopen, link_button("Open the thread", thread_url(session))))


def opened_since(session: Session) -> Message:
    return message(f"Somebody has opened {_named(session)} just now, so it stays open.", link=thread_url(session))


def reason_too_long() -> Message:
    return message(f"That reason is too long: it can have at most {MAX_REASON_LENGTH} characters.")


def topic_changed(session: Session) -> Message:
    said = f"{_named(session)} has a new topic"
    if session.topic_to_show is not None:
        return message(f"{said}. Discord isn't answering properly right now: I'll show it above the thread later.")
    if place_of_description(session) is None:
        return message(f"{said}. The thread wasn't started by me, so nothing above it shows the topic.")
    return message(f"{said}.")


def tag_changed(session: Session, tag: str, *, added: bool) -> Message:
    name, named = markdown.bold(tag), _named(session)
    return message(f"Added the tag {name} to {named}." if added else f"Took the tag {name} away from {named}.")


def member_added(session: Session, user_id: str) -> Message:
    return message(f"Added {markdown.user_mention(user_id)} to {_named(session)}.")


def member_removed(session: Session, user_id: str) -> Message:
    text = f"Removed {markdown.user_mention(user_id)} from {_named(session)}."
    return message(text if session.private else f"{text} Everybody who sees the channel can join again.")


def kept(session: Session, *, works: bool) -> Message:
    """`works`: the bot may read the audit log, without which nothing is opened again."""
    text = f"{_named(session)} stays open: when Discord archives it, I open it again. If a person archives it, I don't."
    if not works:
        needed = permission_title(Permission.VIEW_AUDIT_LOG.name or "")
        text += f"\nFor that I need **{needed}**, to see who archived it. Ask an admin to grant it to my role."
    return message(text)


def not_kept(session: Session) -> Message:
    return message(f"{_named(session)} is no longer kept open: Discord archives it when nobody writes in it.")


def _named(session: Session) -> str:
    """The session's name and its thread."""
    return f"{markdown.bold(session.session_name)} ({markdown.channel_mention(session.discord_thread_id or '')})"
