"""The description of a session: the source message, above the collapsed thread, or a post's first message. Pure."""

import re
from datetime import datetime
from typing import Any, Final

from handler.discord.markdown import bold, escape, timestamp, unescape, user_mention
from handler.discord.messages import message_body, message_nonce
from handler.discord.snowflakes import is_snowflake
from handler.runtime.characters import shows_something
from handler.runtime.clock import parse_iso
from handler.sessions.model import message_url
from handler.sessions.names import Names
from handler.store.hashes import hash_of
from handler.store.items import Session, Status
from handler.store.parts import WorkState
from handler.store.private import PROGRAM

_WORK: Final = {
    WorkState.WORKING: "🔨 Working",
    WorkState.WAITING: "⏸️ Waiting",
    WorkState.DONE: "✅ Done",
    WorkState.FAILED: "❌ Failed",
}

A_PROGRAM: Final = "a program"  # one that does not say what it is called
OPEN: Final = "open"  # the state that a message shows as it is posted

_FIRST_LINE: Final = re.compile(r"🧵 \*\*(.*)\*\* · opened by (?:<@(\d+)>)?")


def describe_session(names: Names, session: Session, *, now: datetime | None = None) -> dict[str, Any]:
    """The source message of a session as it is on record. `now`: when its thread starts, if it has none yet."""
    thread_name, topic = names.thread_name(session.session_name), session.topic_to_show or session.topic
    state = "" if session.private else _describe_state(session, now)  # nobody edits what is in a private thread
    return source_message(thread_name, session.thread.created_by, topic, session.label, state=state)


def place_of_description(session: Session) -> tuple[str, str] | None:
    """The channel and the id of the message of ours that describes the session: its source message, or its post's first."""
    if session.source_message_id is not None:
        return None if session.source_is_persons else (session.parent_channel_id, session.source_message_id)
    is_ours = session.create_attempted_at is not None and session.adopted_by is None and not session.private
    if session.discord_thread_id is not None and is_ours:  # a post's first message has the post's id
        return session.discord_thread_id, session.discord_thread_id
    return None


def source_message(
    thread_name: str, opened_by: str | None, topic: str | None, label: str | None = None, *, state: str = ""
) -> dict[str, Any]:
    """The body of *create message*: the thread's name, who opened it, the session's state and the topic.

    `opened_by` is a user's id; None: a program, which may call itself `label`.
    """
    program = f"*{escape(label)}*" if label and shows_something(label) else A_PROGRAM
    lines = [f"🧵 {bold(thread_name)} · opened by {user_mention(opened_by) if opened_by else program}"]
    if state:
        lines.append(state)
    if topic:
        lines.append(f"> {escape(topic, links=True)}")
    return message_body("\n".join(lines))


def card_state(session: Session) -> str:
    """What the message has to show of the session's state, in some words: others are another message."""
    words = [_state_words(session)]
    if session.progress.state is not None or session.progress.note is not None:
        words.append(f"and {hash_of(session.progress.state or '', session.progress.note or '')}")
    return " ".join(words)


def _state_words(session: Session) -> str:
    if session.status is Status.CLOSED or session.closing.begun_at is not None:
        return f"closed {session.closing.closed_at or session.closing.begun_at or ''}".rstrip()
    if session.waiting_since is None:
        return OPEN
    return f"waiting {session.waiting_since} {session.waiting_message_id or ''}".rstrip()


def is_stale(session: Session) -> bool:
    """Whether the message does not show what is on record, and can be edited. In an archived post nothing can be."""
    place = place_of_description(session)
    if place is None or (place[0] == session.discord_thread_id and session.thread.archived):
        return False
    return session.topic_to_show is not None or (session.card.state or OPEN) != card_state(session)


def name_closer(closed_by: str | None) -> str:
    """Who closed the session, for a message that mentions nobody; empty for housekeeping."""
    if closed_by is None:
        return ""
    if is_snowflake(closed_by):
        return user_mention(closed_by)
    return f"*{escape(closed_by)}*" if shows_something(closed_by) and closed_by != A_PROGRAM else A_PROGRAM


def describe_close(session: Session) -> dict[str, Any]:
    """The thread's last message: who closed the session, and why."""
    lines = [f"⚫ {describe_closed(session)}"]
    if session.closing.reason:
        lines.append(f"> {escape(session.closing.reason, links=True)}")
    return message_body("\n".join(lines))


def close_nonce(session: Session) -> str:
    """Of that message: the same for everyone who goes on with this close."""
    thread_id, request = session.discord_thread_id or "", session.closing.request or ""
    return message_nonce("close", thread_id, request)


def _describe_state(session: Session, now: datetime | None) -> str:
    """How the session is; and how its program's work is, on a line of its own."""
    lines = [_describe_status(session, now)]
    state, note = session.progress.state, session.progress.note
    if state is not None or note is not None:
        parts = (_WORK[state] if state is not None else "", escape(note or "", links=True))
        lines.append(" · ".join(filter(None, parts)))
    return "\n".join(lines)


def _describe_status(session: Session, now: datetime | None) -> str:
    match _state_words(session).split(" "):
        case ["closed", *at]:
            said = f"⚫ {describe_closed(session)}"
            return f"{said} · {timestamp(parse_iso(at[0]))}" if at else said
        case ["waiting", at, *card]:
            question = "an answer"
            if card and session.discord_thread_id is not None:
                question = f"[{question}]({message_url(session.guild_id, session.discord_thread_id, card[0])})"
            return f"🟡 Waiting for {question} · asked {timestamp(parse_iso(at))}"
    started = parse_iso(session.thread.created_at) if session.thread.created_at else now
    return "🟢 Open" if started is None else f"🟢 Open · started {timestamp(started)}"


def describe_closed(session: Session) -> str:
    """That it was closed, and by whom."""
    by = name_closer(session.closing.closed_by)
    return f"Closed{' and locked' if session.closing.lock else ''}{f' by {by}' if by else ''}"


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
