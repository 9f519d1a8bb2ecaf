"""The description of a session: the source message, above the collapsed thread, or a post's first message. Pure."""

import re
from typing import Any, Final

from handler.discord.markdown import bold, escape, unescape
from handler.discord.messages import message_body, message_nonce
from handler.runtime.characters import shows_something
from handler.sessions.names import Names
from handler.store.items import Session
from handler.store.private import PROGRAM

_FIRST_LINE: Final = re.compile(r"🧵 \*\*(.*)\*\* · opened by (?:<@(\d+)>)?")


def describe_session(names: Names, session: Session, *, topic: str | None = None) -> dict[str, Any]:
    """The description of a session as it is on record, with that topic if the record has none."""
    thread_name = names.thread_name(session.session_name)
    return source_message(thread_name, session.thread.created_by, session.topic or topic, session.label)


def place_of_description(session: Session) -> tuple[str, str] | None:
    """The channel and the id of the message of ours that describes the session: its source message, or its post's first."""
    if session.source_message_id is not None:
        return None if session.source_is_persons else (session.parent_channel_id, session.source_message_id)
    is_ours = session.create_attempted_at is not None and session.adopted_by is None and not session.private
    if session.discord_thread_id is not None and is_ours:  # a post's first message has the post's id
        return session.discord_thread_id, session.discord_thread_id
    return None


def source_message(
    thread_name: str, opened_by: str | None, topic: str | None, label: str | None = None
) -> dict[str, Any]:
    """The body of *create message*: the thread's name, who opened it and the topic.

    `opened_by` is a user's id; None: a program, which may call itself `label`.
    """
    program = f"*{escape(label)}*" if label and shows_something(label) else "a program"
    lines = [f"🧵 {bold(thread_name)} · opened by {f'<@{opened_by}>' if opened_by else program}"]
    if topic:
        lines.append(f"> {escape(topic, links=True)}")
    return message_body("\n".join(lines))


def read_thread_name(content: str) -> str | None:
    """The thread's name in a source message; None if the message is something else."""
    found = _FIRST_LINE.match(content)
    return unescape(found[1]) if found else None


def read_opened_by(content: str) -> str | None:
    """Who opened the session of a description: a user's id, or PROGRAM; None if the message is something else."""
    found = _FIRST_LINE.match(content)
    return (found[2] or PROGRAM) if found else None


def source_nonce(parent_channel_id: str, session_key: str, generation: int) -> str:
    """The same for every opener of this generation, and another one for the next generation."""
    return message_nonce(parent_channel_id, session_key, str(generation))
