"""`ensure`: find, reopen or create the session's one thread."""

from handler.commands.outcomes import open_and_log
from handler.programs.answers import EnsureAnswer, describe
from handler.programs.requests import Ensure
from handler.sessions.model import OpenRequest, Requester
from handler.sessions.names import Names
from handler.sessions.protocol import Sessions


async def ensure(sessions: Sessions, request: Ensure, request_id: str) -> EnsureAnswer:
    """The session's one thread, usable. Raises the errors of `Sessions.open`."""
    opened = await open_and_log(sessions, ensure_request(sessions.context.names, request, request_id))
    return EnsureAnswer(outcome=opened.outcome, **describe(opened.session))


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
