"""`ensure`: find, reopen or create the session's one thread."""

from typing import Any

import msgspec

from handler.commands.outcomes import open_and_log
from handler.programs.answers import EnsureAnswer, describe
from handler.programs.fields import encode_data
from handler.programs.requests import Ensure
from handler.sessions.model import OpenRequest, Requester
from handler.sessions.names import Names
from handler.sessions.protocol import Sessions
from handler.sessions.threads.choices import choose
from handler.store.items import Session


async def ensure(sessions: Sessions, request: Ensure, request_id: str) -> EnsureAnswer:
    """The session's one thread, usable. Raises the errors of `Sessions.open`."""
    opened = await open_and_log(sessions, ensure_request(sessions.context.names, request, request_id))
    session = await choose(sessions.context, opened.session, lambda read: _changes(read, request))
    session = msgspec.structs.replace(session, thread=opened.session.thread)  # its last activity may not be on record
    return EnsureAnswer(outcome=opened.outcome, **describe(session))


def _changes(session: Session, request: Ensure) -> dict[str, Any]:
    """What is to be different on record of the session that is open now."""
    changes: dict[str, Any] = {}
    if request.keep is not None and request.keep is not session.keep:
        changes["keep"] = request.keep or None
    data = None if request.data is None else encode_data(request.data)
    if data is not None and data != session.data:
        changes["data"] = data
    return changes


def ensure_request(names: Names, request: Ensure, request_id: str) -> OpenRequest:
    """What is opened. A repeat with the same `request_id` is the same request; without one, each invocation is its own."""
    return OpenRequest(
        name=names.parse(request.session_name),
        parent_channel_id=request.parent_channel_id,
        requester=Requester(
            owner=request.request_id or request_id,
            label=(request.label or "").strip() or None,
            may_unlock=request.unlock,
        ),
        topic=(request.topic or "").strip() or None,
        private=request.private,
        members=request.members,
        tags=request.tags,
    )
