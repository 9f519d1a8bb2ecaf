"""How answers describe a session: its state, and who started it. Pure."""

from typing import Final

from handler.discord import markdown
from handler.runtime.characters import shows_something
from handler.sessions.overview.choose import State
from handler.store.items import Session

MAX_LABEL_UNITS: Final = 30  # of what a program calls itself: eight of them fit into a list
SIGNS: Final = {State.OPEN: "🟢", State.ARCHIVED: "💤", State.CLOSED: "⚫", State.WAITING: "🟡"}
_WORDS: Final = {State.WAITING: "waiting for an answer"}  # the others are called as they are


def state_word(state: State) -> str:
    return _WORDS.get(state, state.value)


def starter(session: Session) -> str:
    """Who started the session's thread."""
    if session.thread.created_by is not None:
        return markdown.user_mention(session.thread.created_by)
    if session.label and shows_something(session.label):
        return f"*{markdown.escape(markdown.shorten(session.label, MAX_LABEL_UNITS))}*"
    return "a program"
