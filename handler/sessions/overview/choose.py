"""What a list of sessions shows: their states, and which of them match. Pure."""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Final

import msgspec

from handler.sessions.names import fold
from handler.store.items import Session, Status

PAGE: Final = 8  # sessions of a page: as many as fit on a phone's screen or two, and into Discord's 40 components
MAX_LOOKED_AT: Final = 100  # items read for a page of which not every session is shown: some 60 KB

_WORD: Final = re.compile(r"\w+")

Matches = Callable[[Session], bool]


class State(StrEnum):
    """What people are shown of a session's state. `waiting` goes before the others."""

    OPEN = "open"
    ARCHIVED = "archived"
    CLOSED = "closed"
    WAITING = "waiting"


class Page(msgspec.Struct, frozen=True):
    """A page of a list. `newer`, `older`: the places behind which the neighbours begin; None if there are none."""

    sessions: tuple[Session, ...]
    newer: str | None = None
    older: str | None = None

    @property
    def is_cut(self) -> bool:
        """Whether there may be more that match, further back than was looked."""
        return self.older is not None and len(self.sessions) < PAGE


def state_of(session: Session) -> State:
    """What to call the state of a session that has a thread. Raises ValueError for one that has none."""
    if session.status is Status.CLOSED:
        return State.CLOSED
    if session.status is not Status.OPEN:
        raise ValueError(f"a session that is {session.status} has no thread")
    if session.waiting_since is not None:
        return State.WAITING
    return State.ARCHIVED if session.thread.archived else State.OPEN


def active_at(session: Session) -> str:
    """The last activity on record: a message, or an open."""
    return max(session.thread.last_activity_at or "", session.opened_at or "")


def in_state(state: State | None, created_by: str | None) -> Matches | None:
    """Sessions in that state, and of that member; None if all match."""
    if state is None and created_by is None:
        return None

    def matches(session: Session) -> bool:
        of_member = created_by is None or session.thread.created_by == created_by
        return of_member and (state is None or state_of(session) is state)

    return matches


def with_words(text: str) -> Matches:
    """Sessions with the text in their name or topic, or with words that begin as all of its words do."""
    folded = fold(text)
    wanted = _WORD.findall(folded)

    def matches(session: Session) -> bool:
        said = (session.session_key, session.thread.name, session.topic or session.topic_to_show)
        whole = " ".join(fold(part) for part in said if part)
        if folded in whole:
            return True
        words = _WORD.findall(whole)
        return bool(wanted) and all(any(word.startswith(part) for word in words) for part in wanted)

    return matches
