"""What programs change of a session that has its thread: `close` and `update`. Nothing is opened for it."""

from typing import Any

from handler.programs import answers
from handler.programs.requests import Close, Update
from handler.programs.target import find_session
from handler.sessions.model import Requester
from handler.sessions.protocol import Sessions
from handler.sessions.threads import close as closing
from handler.sessions.threads.card import change_topic, show_card
from handler.sessions.threads.choices import choose
from handler.store.items import Session


async def close(sessions: Sessions, request: Close, request_id: str) -> answers.Answer:
    """The session, closed: its thread is archived, and locked if that is wanted. Closed already is fine."""
    session = await find_session(sessions, request)
    requester = Requester(owner=request.request_id or request_id, label=(request.label or "").strip() or None)
    reason = (request.reason or "").strip() or None
    session = await closing.close(sessions.context, session, requester, lock=request.lock, reason=reason)
    return answers.Answer(**answers.describe(session))


async def update(sessions: Sessions, request: Update, request_id: str) -> answers.Answer:
    """The session with what the program says of it, which is shown above the thread."""
    context, session = sessions.context, await find_session(sessions, request)
    session = await choose(context, session, lambda read: _changes(read, request))
    topic = (request.topic or "").strip()
    session = await change_topic(context, session, topic) if topic else await show_card(context, session)
    return answers.Answer(**answers.describe(session))


def _changes(session: Session, request: Update) -> dict[str, Any]:
    """What is to be different on record. An empty note takes the note away."""
    given: dict[str, Any] = {}
    if request.state is not None:
        given["progress"] = request.state.value
    if request.note is not None:
        given["progress_note"] = request.note.strip() or None
    known = {"progress": session.progress.state, "progress_note": session.progress.note}
    return {name: value for name, value in given.items() if known[name] != value}
