"""What ``/session info`` shows. Pure; see `handler.commands.texts`."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from handler.commands.session_words import SIGNS, starter, state_word
from handler.discord import components, markdown
from handler.discord.fitting import MAX_LAYOUT
from handler.discord.responses import Message, layout
from handler.errors import permission_title
from handler.runtime.clock import parse_iso
from handler.runtime.utf16 import utf16_units
from handler.sessions.model import message_url, thread_url
from handler.sessions.overview.choose import State, active_at, state_of
from handler.sessions.threads.source_message import describe_closed
from handler.store.former import FormerThread, Why, former_threads
from handler.store.items import Session, Status

# The longest parts, before they are escaped, which can make them twice as long: `data` gets what they leave.
MAX_NAME_UNITS: Final = 100
MAX_TOPIC_UNITS: Final = 200
MAX_MEMBERS: Final = 10  # shown by name: more are counted
_WHYS: Final = {
    Why.DELETED: "was deleted",
    Why.UNUSED: "was deleted, because nobody had used it for a long time",
    Why.LET_GO: "was let go by a moderator",
    Why.REPLACED: "gave way to a thread with more messages",
}
_FENCE: Final = "```"
_FENCES: Final = utf16_units(f"{_FENCE}json\n\n{_FENCE}")


def session_info(session: Session, *, tags: Sequence[str] = (), missing: Sequence[str] = ()) -> Message:
    """All about a session. `missing`: permissions that the bot lacks to open the thread again."""
    texts = ["\n".join(_head(session)), "\n".join((*_facts(session, tags), *_problems(session, missing)))]
    if former := former_threads(session):
        texts.append("\n".join(("**Former threads**", *map(_former, former))))
    left = MAX_LAYOUT - sum(map(utf16_units, texts))
    if session.data is not None:
        texts.append(_code(session.data, left))
    parts = [components.text(text) for text in texts if text]
    if session.discord_thread_id is not None:
        parts.append(components.row(components.link_button("Open thread", thread_url(session))))
    return layout(components.container(*parts))


def _head(session: Session) -> Iterator[str]:
    name = markdown.bold(markdown.shorten(session.session_name, MAX_NAME_UNITS))
    if session.discord_thread_id is None:
        yield f"⚪ {name} · no thread"
        return
    state = state_of(session)
    locked = " · 🔒 locked" if session.thread.locked else ""
    private = " · private" if session.private else ""
    yield f"{SIGNS[state]} {name} · {state_word(state)}{private}{locked}"
    yield markdown.channel_mention(session.discord_thread_id)
    if topic := session.topic or session.topic_to_show:
        yield f"> {markdown.escape(markdown.shorten(topic, MAX_TOPIC_UNITS))}"


def _facts(session: Session, tags: Sequence[str]) -> Iterator[str]:
    if session.discord_thread_id is None:
        creating = session.status is Status.CREATING
        yield "Its thread is being started." if creating else "Opening it starts a new thread."
        return
    at = f" {_when(session.thread.created_at)}" if session.thread.created_at else ""
    yield f"Started by {starter(session)}{at}"
    if active := active_at(session):
        yield f"Last active {_when(active)}"
    yield from _state(session)
    if session.keep:
        yield "Kept open: when Discord archives it, I open it again."
    if tags:
        yield f"Tags: {', '.join(map(markdown.escape, tags))}"
    if session.member_ids:
        shown = [markdown.user_mention(user_id) for user_id in session.member_ids[:MAX_MEMBERS]]
        more = len(session.member_ids) - len(shown)
        yield f"Members added: {', '.join(shown)}" + (f" and {more} more" if more else "")


def _question(session: Session) -> str:
    """A link to the newest question that is open, if its message is known."""
    if session.waiting_message_id is None or session.discord_thread_id is None:
        return "A question"
    return f"[A question]({message_url(session.guild_id, session.discord_thread_id, session.waiting_message_id)})"


def _state(session: Session) -> Iterator[str]:
    """Why the session is in its state."""
    thread = session.thread
    match state_of(session):
        case State.OPEN:
            pass
        case State.WAITING:
            yield f"{_question(session)} is waiting for an answer · asked {_when(session.waiting_since or '')}"
        case State.ARCHIVED:
            at = f" {_when(thread.archived_at)}" if thread.archived_at else ""
            yield f"Archived{at}, by Discord or by hand. Opening it brings it back."
        case State.CLOSED if session.closing.closed_by is None:
            yield "Closed, because nobody had used it for a long time. Opening it reopens it."
        case State.CLOSED:
            at = f" {_when(session.closing.closed_at)}" if session.closing.closed_at else ""
            yield f"{describe_closed(session)}{at}. Opening it reopens it."
            if session.closing.reason:
                reason = markdown.shorten(session.closing.reason, MAX_TOPIC_UNITS)
                yield f"> {markdown.escape(reason, links=True)}"
    if thread.locked and not session.closing.lock:
        by = f" by {markdown.user_mention(thread.locked_by)}" if thread.locked_by else ""
        yield f"Locked{by}. A moderator can unlock it."


def _problems(session: Session, missing: Sequence[str]) -> Iterator[str]:
    """What went wrong, or is about to."""
    problem, deletion = session.problem, session.deletion
    if problem.missing_since is not None:
        yield f"⚠️ Its thread seems deleted since {_when(problem.missing_since)}. I believe it when a later check agrees."
    if problem.unreachable_since is not None:
        yield f"⚠️ I can't see its thread since {_when(problem.unreachable_since)}. An admin can give me **View Channel** there."
    if deletion.begun_at is not None:
        yield "⚠️ Its thread is being deleted, because nobody had used it for a long time."
    elif deletion.marked_at is not None:
        yield "⚠️ Nobody has used it for a long time: it is deleted soon. Opening it, or writing in it, keeps it."
    if session.topic_to_show is not None:
        yield "⚠️ The topic isn't shown above the thread yet. The next open shows it."
    if session.thread.archived and missing:
        names = ", ".join(map(permission_title, missing))
        yield f"⚠️ To open it again I need **{names}** here. Ask an admin to grant it to my role."


def _former(former: FormerThread) -> str:
    why = next((text for why, text in _WHYS.items() if why == former.why), "is over")
    return f"`{former.thread_id}` {why} {_when(former.ended_at)}"


def _when(at: str) -> str:
    return markdown.timestamp(parse_iso(at))


def _code(data: str, most: int) -> str:
    """What a program keeps with the session, indented if there is room. Nothing in it ends the code block."""
    try:
        whole = msgspec.json.format(data, indent=2)
    except msgspec.DecodeError:
        whole = data
    shown, room = whole.replace(_FENCE, "``\u200b`"), most - _FENCES
    if utf16_units(shown) > room:
        shown = markdown.shorten(data.replace(_FENCE, "``\u200b`"), room)
    return f"{_FENCE}json\n{shown}\n{_FENCE}"
